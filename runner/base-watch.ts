import type { BaseControl } from '../src/contracts/base-look.ts';
import { AppError } from '../src/contracts/errors.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { createLoop } from '../src/runtime/loop.ts';
import { createRedactor } from '../src/runtime/redact-patterns.ts';
import type { Workspace } from './workspace.ts';

export interface BaseWatchDeps {
  control: BaseControl;
  host: string;
  workspace: Pick<Workspace, 'lookAtBase'>;
  /** Values that are blanked out in names of files. */
  secrets: readonly string[];
  logger: Logger;
  /** How far apart two looks are. Default five minutes. */
  everyMs?: number | undefined;
}

/**
 * Looks now and then whether changes without a pull request still fit the newest commit of their base branch, as a code host does for those
 * with one. A repository that cannot be reached is left for the next look.
 */
export interface BaseWatch {
  /** One look at everything; returns how many changes something was found about. */
  look(signal?: AbortSignal): Promise<number>;
  start(): void;
  stop(): Promise<void>;
}

export function createBaseWatch(deps: BaseWatchDeps): BaseWatch {
  const { control, workspace, logger } = deps;
  const redact = createRedactor(deps.secrets);
  const unreached = new Set<string>();

  async function look(signal?: AbortSignal): Promise<number> {
    let count = 0;
    for (const { project, changes } of await control.openChanges(deps.host)) {
      try {
        for (const { task, stand } of await workspace.lookAtBase(project, changes, signal)) {
          const files = stand.files?.map(redact);
          if (await control.found(task, { ...stand, ...(files === undefined ? {} : { files }) })) count += 1;
        }
        unreached.delete(project.id);
      } catch (error) {
        signal?.throwIfAborted();
        // Said once: what is not reached now is often not reached for long.
        if (!unreached.has(project.id))
          logger.warn({ project: project.id, err: error }, 'it is not known whether its changes still fit');
        unreached.add(project.id);
        if (error instanceof AppError && error.code === 'DH-511') return count;
      }
    }
    return count;
  }

  const loop = createLoop({
    name: 'base watch',
    idleMs: deps.everyMs ?? 5 * 60_000,
    async run(signal) {
      await look(signal);
      return false;
    },
    onError: (error) => logger.warn({ err: error }, 'it is not known whether changes still fit'),
  });
  return { look, start: () => loop.start(), stop: () => loop.stop() };
}
