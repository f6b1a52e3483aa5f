import { bold, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { answerPerson } from '../delivery/reply.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createLoop } from '../runtime/loop.ts';
import type { Database } from '../store/database.ts';
import { endExamination, takeExamination } from '../store/examinations.ts';
import { putOutbox } from '../store/outbox.ts';
import type { Wakeups } from '../store/wakeups.ts';
import type { DoctorCheck } from './command.ts';

export interface ExaminationDeps {
  database: Database;
  wakeups: Pick<Wakeups, 'subscribe'>;
  now(): Date;
  logger: Pick<Logger, 'warn'>;
  /** Looks at every external part, each within its time. Never rejects. */
  doctor(): Promise<readonly DoctorCheck[]>;
}

/** Longer than all parts take together. */
const againMs = 60_000;
/** Whoever looks so often and dies each time dies of what it looks at. */
const mostAttempts = 3;
const unexamined: DoctorCheck = {
  name: 'doctor',
  state: 'failed',
  detail: `Each gateway that has looked ended before it was done, ${mostAttempts} times.`,
  remedy: 'Look at the logs of the gateways, and run `deckhand doctor` on their machines.',
};
const marks = { ok: '✔', unused: '○', warning: '⏸', failed: '✖' } as const;

/**
 * Does what `doctor` was asked for: outside of any transaction, because it takes as long as the slowest part. What a gateway was in the
 * middle of when it died another one does.
 */
export function createExaminations(deps: ExaminationDeps): { part: Part; look(): Promise<boolean> } {
  const { database, wakeups, now, logger, doctor } = deps;
  let unsubscribe: () => void = () => undefined;

  /** Does the first that is due; false when there is none. */
  async function look(): Promise<boolean> {
    const taken = await takeExamination(database, now(), new Date(now().getTime() + againMs));
    if (taken === undefined) return false;
    const view = doctorView(taken.attempts > mostAttempts ? [unexamined] : await doctor());
    await database.transaction(async (tx) => {
      if (await endExamination(tx, taken.id, now())) await putOutbox(tx, answerPerson(taken.asker, view));
    });
    return true;
  }

  const loop = createLoop({
    name: 'examinations',
    idleMs: 5_000,
    run: look,
    onError: (error, failures) => logger.warn({ err: error, failures }, 'the parts could not be examined'),
  });
  return {
    look,
    part: {
      name: 'examinations',
      async start() {
        unsubscribe = wakeups.subscribe('examination', undefined, () => loop.wake());
        loop.start();
      },
      async stop() {
        unsubscribe();
        await loop.stop();
      },
    },
  };
}

/** What was found, those that need attention first. */
export function doctorView(checks: readonly DoctorCheck[]): View {
  const wrong = checks.filter(({ state }) => state === 'warning' || state === 'failed');
  const sorted = [...wrong, ...checks.filter((check) => !wrong.includes(check))];
  const lines = sorted.map(({ name, state, detail, remedy }): Span[] => [
    plain(`${marks[state]} `),
    bold(name),
    plain(' · '),
    ...marked(detail),
    ...(state === 'ok' || remedy === undefined ? [] : [plain('\n  '), ...marked(remedy)]),
  ]);
  const heading =
    wrong.length === 0
      ? 'Every part works'
      : `${wrong.length} of ${checks.length} parts ${wrong.length === 1 ? 'needs' : 'need'} attention`;
  return withFallback([
    { type: 'text', spans: [bold(heading)] },
    { type: 'text', spans: lines.flatMap((line, at) => [...(at === 0 ? [] : [plain('\n')]), ...line]) },
  ]);
}
