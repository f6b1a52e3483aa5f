import type { Clock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { createLoop } from '../src/runtime/loop.ts';
import type { Workspace } from './workspace.ts';

export interface PrunerDeps {
  workspace: Pick<Workspace, 'mirrored' | 'forget'>;
  /** Of these projects those that were removed before a moment and of which nothing is under way. */
  removedBefore(projects: readonly string[], before: Date): Promise<string[]>;
  /** How long what a removed project has here is kept. Milliseconds. */
  keepMs: number;
  clock: Clock;
  logger: Logger;
  everyMs?: number | undefined;
}

/**
 * Removes mirrors of projects that were removed long ago. Nothing needs them any more: no run of such a project starts, no change of it is
 * brought out, and what its tasks have left for people lies elsewhere.
 */
export interface Pruner {
  /** One look; returns the projects whose mirrors were removed, at most a few. What cannot be removed now is left for the next look. */
  sweep(): Promise<string[]>;
  start(): void;
  stop(): Promise<void>;
}

/** Removing a large mirror keeps the disk busy: few at a time. */
const mostAtOnce = 5;
const hour = 60 * 60_000;
const megabyte = 1_000_000;

export function createPruner(deps: PrunerDeps): Pruner {
  const { workspace, clock, logger } = deps;

  async function sweep(): Promise<string[]> {
    const mirrored = await workspace.mirrored();
    if (mirrored.length === 0) return [];
    const gone = await deps.removedBefore(mirrored, new Date(clock.now().getTime() - deps.keepMs));
    const removed: string[] = [];
    for (const project of gone.slice(0, mostAtOnce)) {
      try {
        const bytes = await workspace.forget(project);
        removed.push(project);
        logger.info({ project, megabytes: Math.round(bytes / megabyte) }, 'mirror of a removed project removed');
      } catch (error) {
        logger.warn({ project, err: error }, 'mirror of a removed project not removed');
      }
    }
    return removed;
  }

  const loop = createLoop({
    name: 'pruner',
    idleMs: deps.everyMs ?? hour,
    async run() {
      await sweep();
      return false;
    },
    onError: (error) => logger.warn({ err: error }, 'it is not known which mirrors can be removed'),
  });
  return { sweep, start: () => loop.start(), stop: () => loop.stop() };
}
