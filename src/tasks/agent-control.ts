import type { AgentControl } from '../contracts/agent-control.ts';
import type { Clock } from '../runtime/clock.ts';
import { inputsAfter } from '../store/agent-runs.ts';
import type { Database, Tx } from '../store/database.ts';
import { waitingSince } from '../store/interactions.ts';
import type { Wakeups } from '../store/wakeups.ts';
import { readMail } from './agent-mail.ts';
import { keepSession, releaseRun } from './agent-release.ts';
import { countUsage, maySpend, settleUnused } from './agent-spend.ts';
import { storeAgentStep } from './agent-step.ts';
import type { Dispatcher } from './dispatcher.ts';

export interface AgentControlDeps {
  database: Database;
  wakeups: Pick<Wakeups, 'subscribe'>;
  clock: Clock;
  dispatcher: Dispatcher;
  /** How often mail is looked for without a wake-up. Milliseconds. */
  everyMs: number;
}

/** The engine as the harness of an agent's run sees it. */
export function createAgentControl({ database, wakeups, clock, dispatcher, everyMs }: AgentControlDeps): AgentControl {
  const transaction = <T>(work: (tx: Tx) => Promise<T>) => database.transaction(work);
  return {
    step: (run, runner, step) => transaction((tx) => storeAgentStep(tx, run, runner, step, clock.now())),
    mail: (run, after) => readMail(database, run, after, clock.now()),
    inputs: (run, after) => inputsAfter(database.db, run, after),
    onMail(run, listener, until) {
      if (until.aborted) return;
      const unsubscribe = wakeups.subscribe('mail', run, listener);
      const timer = setInterval(listener, everyMs);
      const end = () => {
        clearInterval(timer);
        unsubscribe();
      };
      until.addEventListener('abort', end, { once: true });
    },
    maySpend: (run, runner, asked) => transaction((tx) => maySpend(tx, run, runner, asked, clock.now())),
    unused: (run, _, request, reached) => transaction((tx) => settleUnused(tx, run, request, reached)),
    used: (run, runner, usage, request) => transaction((tx) => countUsage(tx, run, runner, { usage, request }, clock.now())),
    release: (run, runner, saved) =>
      transaction(async (tx) => {
        const released = await releaseRun(tx, run, runner, saved, clock.now());
        // Its place is free.
        tx.afterCommit(() => dispatcher.dispatch());
        return released;
      }),
    async awaiting(run) {
      const since = await waitingSince(database.db, run);
      return since === undefined ? null : { since };
    },
    keepSession: (run, runner, session) => transaction((tx) => keepSession(tx, run, runner, session)),
  };
}
