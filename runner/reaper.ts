import type { RunControl } from '../src/contracts/run-control.ts';
import type { Clock } from '../src/runtime/clock.ts';
import { isId } from '../src/runtime/ids.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { createLoop } from '../src/runtime/loop.ts';
import { ownerOf } from './run-check-name.ts';
import type { Sandbox, SandboxEntry } from './sandbox/port.ts';
import type { Workspace } from './workspace.ts';

export interface ReaperDeps {
  control: Pick<RunControl, 'liveRuns'>;
  host: string;
  sandboxes: readonly Sandbox[];
  workspace: Pick<Workspace, 'list' | 'discard'>;
  /** Runs this process works on now. */
  active(): ReadonlySet<string>;
  clock: Clock;
  logger: Logger;
  everyMs?: number | undefined;
}

/**
 * Removes what runs have left that nobody will come back for: after a crash between the end of a run and its clean-up, or when the
 * engine ended a run of a runner that was away. Providers list what this installation made and nothing else, so another's things
 * are never touched.
 */
export interface Reaper {
  /** One look; returns the runs whose things were removed. What cannot be removed now is left for the next look. */
  sweep(): Promise<string[]>;
  start(): void;
  stop(): Promise<void>;
}

export function createReaper(deps: ReaperDeps): Reaper {
  const { logger } = deps;
  const unlisted = new Set<string>();

  async function sweep(): Promise<string[]> {
    // Listed before the question who is alive: what is made in between belongs to a run that was alive or is not in the list.
    const found = [
      ...(await listed(
        'workspace',
        () => deps.workspace.list(),
        (run) => deps.workspace.discard(run),
      )),
      ...(
        await Promise.all(
          deps.sandboxes.map((sandbox) =>
            listed(
              sandbox.kind,
              async () => (await sandbox.list()).filter(isReapable).map(({ run }) => run),
              (run) => sandbox.destroy(run),
            ),
          ),
        )
      ).flat(),
    ];
    if (found.length === 0) return [];
    const [here, anywhere] = await Promise.all(
      [deps.host, undefined].map(async (host) => new Set(await deps.control.liveRuns(host))),
    );
    const removed: string[] = [];
    for (const { run, where, remove } of found) {
      const owner = ownerOf(run);
      // Mirrors, in which bundles are unpacked, may be shared with runners of other hosts.
      const alive = where === 'workspace' ? anywhere : here;
      if (alive?.has(owner) === true || deps.active().has(owner)) continue;
      try {
        await remove(run);
        removed.push(run);
        logger.info({ run, where }, 'left-over removed');
      } catch (error) {
        logger.warn({ run, where, err: error }, 'left-over not removed');
      }
    }
    return removed;
  }

  async function listed(where: string, list: () => Promise<string[]>, remove: (run: string) => Promise<void>) {
    try {
      const runs = await list();
      unlisted.delete(where);
      return runs.map((run) => ({ run, where, remove }));
    } catch (error) {
      // Said once: an engine that is not there is not there every minute.
      if (!unlisted.has(where)) logger.warn({ where, err: error }, 'left-overs cannot be listed');
      unlisted.add(where);
      return [];
    }
  }

  /** What is no run belongs to a check of the provider, which cleans up itself unless it was killed. */
  function isReapable({ run, expiresAt }: SandboxEntry): boolean {
    return isId('run', ownerOf(run)) || expiresAt.getTime() < deps.clock.now().getTime();
  }

  const loop = createLoop({
    name: 'reaper',
    idleMs: deps.everyMs ?? 60_000,
    async run() {
      await sweep();
      return false;
    },
    onError: (error) => logger.warn({ err: error }, 'reaper failed'),
  });
  return { sweep, start: () => loop.start(), stop: () => loop.stop() };
}
