import { lookAfterFailure, nextLookIn } from '../changes/next-look.ts';
import { type CodeHost, CodeHostError, repositoryNamed } from '../contracts/code-host.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { createLoop } from '../runtime/loop.ts';
import type { Database } from '../store/database.ts';
import { takeErrand } from '../store/pull-errands.ts';
import { lookAgain, takeDuePull, type WatchedPull } from '../store/pull-watch.ts';
import type { Wakeups } from '../store/wakeups.ts';
import type { AgentTasks } from '../tasks/agent-tasks.ts';
import { recordPull } from '../tasks/pull-life.ts';
import { runErrand } from './run-errand.ts';

export interface PullWatchDeps {
  database: Database;
  wakeups: Pick<Wakeups, 'subscribe'>;
  clock: Clock;
  logger: Logger;
  codeHost: CodeHost;
  tasks: Pick<AgentTasks, 'followUp'>;
  /** Blanks out secrets in what comes from outside and is stored. */
  redact(text: string): string;
  /** The code host tells of news by itself; looks are only for what was lost. */
  hooks: boolean;
  /** How often to ask the database without a wake-up. Milliseconds. */
  everyMs?: number | undefined;
}

/** Looks at pull requests at once. */
const atOnce = 3;
/** Longest time that one look or errand takes; longer ones are repeated by somebody else. */
const leaseMs = 3 * 60_000;

/**
 * Follows pull requests to their end: asks the code host how they are, when it is time or something has told of news, and does what people
 * want done with them. A look compares with what is stored, so that news which come twice, late or out of order change nothing; any number
 * of processes may watch.
 */
export function createPullWatch(deps: PullWatchDeps): { start(): void; stop(): Promise<void> } {
  const { database, clock, logger, codeHost } = deps;
  const leaving = new AbortController();
  const active = new Set<Promise<void>>();

  const loop = createLoop({
    name: 'pull requests',
    idleMs: deps.everyMs ?? 5_000,
    async run() {
      if (active.size >= atOnce) return false;
      const now = clock.now();
      const errand = await takeErrand(database, now, leaseMs);
      if (errand !== undefined) return begin(runErrand(deps, errand, leaving.signal));
      const pull = await takeDuePull(database, now, leaseMs);
      return pull === undefined ? false : begin(look(pull));
    },
    onError: (error, failures) => logger.warn({ err: error, failures }, 'pull requests could not be taken'),
  });

  function begin(work: Promise<void>): true {
    const done = work
      .catch((error: unknown) => {
        if (!leaving.signal.aborted) logger.error({ err: error }, 'a look at a pull request failed');
      })
      .finally(() => {
        active.delete(done);
        loop.wake();
      });
    active.add(done);
    return true;
  }

  async function look(pull: WatchedPull): Promise<void> {
    const asked = clock.now();
    try {
      const facts = await codeHost.pull(repositoryNamed(pull.repository), pull.number, leaving.signal);
      const now = clock.now();
      await recordPull(database, pull, facts, { asked, at: now });
      const inMs = nextLookIn(facts, { quietMs: now.getTime() - pull.updatedAt.getTime(), hooks: deps.hooks });
      const at = inMs === null ? null : new Date(now.getTime() + inMs);
      await lookAgain(database.db, pull, { at, failures: 0, problem: null });
    } catch (error) {
      if (!(error instanceof CodeHostError)) throw error;
      await failed(pull, error);
    }
  }

  async function failed(pull: WatchedPull, error: CodeHostError): Promise<void> {
    const failures = pull.failures + 1;
    const { repository, number } = pull;
    logger.warn({ err: error, repository, number, failures }, 'a pull request could not be looked at');
    const inMs = Math.max(lookAfterFailure(failures), error.retryAfterMs ?? 0);
    const at = new Date(clock.now().getTime() + inMs);
    await lookAgain(database.db, pull, { at, failures, problem: error.message });
  }

  let unsubscribe: (() => void) | undefined;
  return {
    start() {
      unsubscribe = deps.wakeups.subscribe('pull', undefined, () => loop.wake());
      loop.start();
    },
    async stop() {
      leaving.abort(new Error('the watch of pull requests stops'));
      unsubscribe?.();
      await loop.stop();
      await Promise.allSettled(active);
    },
  };
}
