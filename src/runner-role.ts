import { join } from 'node:path';
import { defaultWaitLimits } from '../runner/agent-waits.ts';
import { createArtifacts } from '../runner/artifacts.ts';
import { createBaseWatch } from '../runner/base-watch.ts';
import { readLogins } from '../runner/code-host-login.ts';
import { createDrawing } from '../runner/picture.ts';
import { createGateways } from '../runner/proxy/gateways.ts';
import { createPruner } from '../runner/prune.ts';
import { createRunner } from '../runner/run-job.ts';
import { createWorkspace } from '../runner/workspace.ts';
import type { Config } from './config.ts';
import type { AgentControl } from './contracts/agent-control.ts';
import type { BaseControl } from './contracts/base-look.ts';
import type { CodeHost } from './contracts/code-host.ts';
import type { PublishControl } from './contracts/publish-control.ts';
import type { RunControl } from './contracts/run-control.ts';
import type { Infrastructure } from './infrastructure.ts';
import type { Metrics } from './observe/metrics.ts';
import { createRunnerHousekeeper } from './runner-housekeeper.ts';
import type { Part } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/logger.ts';
import { announce, chooseSandboxes } from './sandboxes.ts';
import { createEventLog } from './store/event-log.ts';
import { removedBefore } from './store/prune.ts';
import { createAgentAccounts } from './tasks/agent-accounts.ts';

const day = 24 * 60 * 60_000;

/** Executes runs on this machine. Stopping leaves commands running: the next start on this data directory continues them. */
export function runnerPart(input: {
  config: Config;
  infrastructure: Infrastructure;
  control: RunControl;
  agents: AgentControl;
  publishing: PublishControl;
  bases: BaseControl;
  codeHost: CodeHost | undefined;
  models: Config['models'];
  metrics: Pick<Metrics, 'sandbox'>;
  environment: Readonly<Record<string, string | undefined>>;
  /** No gateway is in this process: it may take its time to stop. */
  alone: boolean;
  logger: Logger;
}): Part {
  const { config, infrastructure, control, alone, logger } = input;
  const { dataDir, database, wakeups, queue, secretBox, clock } = infrastructure;
  let stop: () => Promise<void> = async () => undefined;
  return {
    name: 'runner',
    stopWithinMs: 15_000 + (alone ? config.runnerDrainMs : 0),
    async start() {
      const installation = { hostId: dataDir.hostId, dataDir: dataDir.path };
      const choice = await chooseSandboxes(config, installation, logger, (how) =>
        input.metrics.sandbox({ sandbox: 'docker', ...how }),
      );
      announce(choice, logger);
      const gateways = createGateways({ logger: logger.child({ part: 'gateway of runs' }), environment: input.environment });
      const workspace = createWorkspace({
        dataDir: dataDir.path,
        environment: input.environment,
        ssh: config.ssh,
        authorization: readLogins(input.codeHost),
        requireQuota: () => housekeeper.requireRoom(),
      });
      const housekeeper = createRunnerHousekeeper({
        config,
        infrastructure,
        workspace,
        sandboxes: choice.places.map(({ sandbox }) => sandbox),
        logger: logger.child({ part: 'housekeeper' }),
      });
      const runner = createRunner({
        control: housekeeper.watching(control),
        queue,
        clock,
        places: choice.places,
        workspace,
        artifacts: createArtifacts({ dataDir: dataDir.path, database }),
        events: createEventLog(database, wakeups),
        hostId: dataDir.hostId,
        capacity: config.runnerConcurrency,
        labels: config.runnerLabels,
        store: dataDir.store(),
        drainMs: alone ? config.runnerDrainMs : 0,
        logger: logger.child({ part: 'runner' }),
        secrets: config.secrets,
        draw: createDrawing(),
        environment: input.environment,
        publishing: { control: input.publishing },
        codeHost: input.codeHost,
        agents: {
          control: input.agents,
          gateways,
          models: input.models,
          named: createAgentAccounts({ database, secretBox, clock, logger }),
          accounts: accountsOf(config, input.models),
          tokensFor: secretBox.tokensFor,
          gatewayRoot: join(dataDir.path, 'gateway'),
          waits: defaultWaitLimits,
        },
      });
      const pruner = createPruner({
        workspace,
        removedBefore: (projects, before) => removedBefore(database.db, projects, before),
        keepMs: config.keepRemovedDays * day,
        clock,
        logger: logger.child({ part: 'pruner' }),
      });
      const bases = createBaseWatch({
        control: input.bases,
        host: dataDir.hostId,
        workspace,
        secrets: config.secrets,
        logger: logger.child({ part: 'base watch' }),
      });
      stop = async () => {
        await bases.stop();
        await housekeeper.stop();
        await pruner.stop();
        await runner.stop();
        await gateways.close();
      };
      await runner.start();
      pruner.start();
      housekeeper.start();
      bases.start();
      logger.info({ sandbox: choice.places[0].sandbox.kind, capacity: config.runnerConcurrency }, 'runner is ready');
    },
    stop: () => stop(),
  };
}

/** By which variable a model server is used; what is not configured, but there, is the lab's. */
function accountsOf({ models: configured }: Config, models: Config['models']): Record<'anthropic' | 'openai', string> {
  const name = (protocol: 'anthropic' | 'openai', variable: string) => {
    const server = models[protocol];
    if (configured[protocol] === undefined || server === undefined) return 'the scripted model of the lab';
    return `${variable} at ${new URL(server.baseUrl).host}`;
  };
  return { anthropic: name('anthropic', 'ANTHROPIC_API_KEY'), openai: name('openai', 'OPENAI_API_KEY') };
}
