import { createArtifacts } from '../runner/artifacts.ts';
import { createRunner } from '../runner/run-job.ts';
import { createWorkspace } from '../runner/workspace.ts';
import type { Config } from './config.ts';
import type { RunControl } from './contracts/run-control.ts';
import type { Infrastructure } from './infrastructure.ts';
import type { Part } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/logger.ts';
import { announce, chooseSandboxes } from './sandboxes.ts';
import { createEventLog } from './store/event-log.ts';

/** Executes runs on this machine. Stopping leaves commands running: the next start on this data directory continues them. */
export function runnerPart(input: {
  config: Config;
  infrastructure: Infrastructure;
  control: RunControl;
  environment: Readonly<Record<string, string | undefined>>;
  logger: Logger;
}): Part {
  const { config, infrastructure, control, logger } = input;
  const { dataDir, database, wakeups, queue } = infrastructure;
  let stop: () => Promise<void> = async () => undefined;
  return {
    name: 'runner',
    stopWithinMs: 15_000,
    async start() {
      const choice = await chooseSandboxes(config, { hostId: dataDir.hostId, dataDir: dataDir.path });
      announce(choice, logger);
      const runner = createRunner({
        control,
        queue,
        places: choice.places,
        workspace: createWorkspace({ dataDir: dataDir.path, environment: input.environment }),
        artifacts: createArtifacts({ dataDir: dataDir.path, database }),
        events: createEventLog(database, wakeups),
        hostId: dataDir.hostId,
        capacity: config.runnerConcurrency,
        logger: logger.child({ part: 'runner' }),
        secrets: config.secrets,
      });
      stop = () => runner.stop();
      await runner.start();
      logger.info({ sandbox: choice.places[0].sandbox.kind, capacity: config.runnerConcurrency }, 'runner is ready');
    },
    stop: () => stop(),
  };
}

/** Reads files of runs for the messages that carry them. Logs and patches lie in the data directory of the runner. */
export function artifactReader(infrastructure: Infrastructure): (id: string) => Promise<Uint8Array | undefined> {
  const artifacts = createArtifacts({ dataDir: infrastructure.dataDir.path, database: infrastructure.database });
  return (id) => artifacts.read(id);
}
