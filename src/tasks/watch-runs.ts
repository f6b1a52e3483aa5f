import type { Logger } from '../runtime/logger.ts';
import type { Database } from '../store/database.ts';
import { watchedRuns } from '../store/held-runs.ts';
import type { Wakeups } from '../store/wakeups.ts';

interface Watch {
  run: string;
  runner: string;
  abort(reason: 'stop' | 'lost'): void;
}

/**
 * Tells runners that a person wants a run stopped, or that a run is no longer theirs. A wake-up makes it look at once; one timer for
 * all watches looks besides, so that a lost wake-up costs seconds.
 */
export function createRunWatch(deps: {
  database: Database;
  wakeups: Pick<Wakeups, 'subscribe'>;
  logger: Logger;
  everyMs: number;
}): (run: string, runner: string, until: AbortSignal) => AbortSignal {
  const watches = new Set<Watch>();
  let timer: NodeJS.Timeout | undefined;

  async function look(some: readonly Watch[]): Promise<void> {
    try {
      const rows = await watchedRuns(
        deps.database.db,
        some.map(({ run }) => run),
      );
      const byId = new Map(rows.map((row) => [row.id, row]));
      for (const watch of some) {
        const row = byId.get(watch.run);
        if (row === undefined || !row.held || row.runner !== watch.runner) watch.abort('lost');
        else if (row.stop) watch.abort('stop');
      }
    } catch (error) {
      // The database is away: nothing is known, so nothing is stopped.
      deps.logger.warn({ err: error }, 'watch of runs failed');
    }
  }

  return (run, runner, until) => {
    const controller = new AbortController();
    const watch: Watch = {
      run,
      runner,
      abort(reason) {
        end();
        controller.abort(reason);
      },
    };
    const unsubscribe = deps.wakeups.subscribe('stop', run, () => void look([watch]));
    function end(): void {
      unsubscribe();
      until.removeEventListener('abort', end);
      watches.delete(watch);
      if (watches.size === 0) clearInterval(timer);
    }
    if (until.aborted) {
      end();
      return controller.signal;
    }
    until.addEventListener('abort', end);
    if (watches.size === 0) timer = setInterval(() => void look([...watches]), deps.everyMs);
    watches.add(watch);
    void look([watch]);
    return controller.signal;
  };
}
