import { diskState } from '../runner/disk-quota.ts';
import { createHousekeeper, type Housekeeper } from '../runner/housekeeper.ts';
import { createFilesKeeping } from '../runner/keep-files.ts';
import type { Sandbox } from '../runner/sandbox/port.ts';
import type { Workspace } from '../runner/workspace.ts';
import type { Config } from './config.ts';
import type { RunControl } from './contracts/run-control.ts';
import type { Infrastructure } from './infrastructure.ts';
import type { Logger } from './runtime/logger.ts';
import { createHousekeeping } from './tasks/housekeeping.ts';

const day = 24 * 60 * 60_000;

/** The housekeeper of a runner, as it is configured. `watching`: the engine, such that the housekeeper hears of the ends of runs. */
export function createRunnerHousekeeper(input: {
  config: Pick<Config, 'keepArtifactsDays' | 'keepChangesDays' | 'keepEventsDays' | 'diskQuota'>;
  infrastructure: Pick<Infrastructure, 'dataDir' | 'database' | 'wakeups' | 'clock'>;
  workspace: Workspace;
  sandboxes: readonly Sandbox[];
  logger: Logger;
}): Housekeeper & { watching(control: RunControl): RunControl } {
  const { config, infrastructure, workspace, sandboxes, logger } = input;
  const { dataDir, database, wakeups, clock } = infrastructure;
  const keeping = { filesMs: config.keepArtifactsDays * day, changesMs: config.keepChangesDays * day };
  const forgetting = { eventsMs: config.keepEventsDays * day };
  const housekeeper = createHousekeeper({
    control: createHousekeeping({ database, wakeups, clock, keeping, forgetting }),
    host: dataDir.hostId,
    workspace,
    mirrors: workspace.keeping,
    files: createFilesKeeping({ dataDir: dataDir.path }),
    sandboxes,
    disk: () => diskState(dataDir.path, config.diskQuota),
    clock,
    logger,
  });
  const projects = new Map<string, string>();
  return {
    ...housekeeper,
    watching: (control) => ({
      ...control,
      async claim(run, runner) {
        const claimed = await control.claim(run, runner);
        if (claimed.ok) projects.set(run, claimed.spec.project.id);
        return claimed;
      },
      async finish(run, runner, result) {
        const ended = await control.finish(run, runner, result);
        const project = projects.get(run);
        projects.delete(run);
        if (project !== undefined) housekeeper.ended(project);
        return ended;
      },
    }),
  };
}
