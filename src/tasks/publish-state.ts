import type { PublicationState, PublishWhat } from '../contracts/publication.ts';

/**
 * What the publication of a change may become.
 *
 *      pending --begin--> pushing --arrive--> done                    (a branch)
 *                            |
 *                            +-----arrive--> pushed --open--> opening --opened--> done      (a pull request)
 *
 *      pending, pushing, pushed, opening: fail --> failed
 *
 * - `begin`: the approval is used up, and the push is about to start. Again after a crash, or a failure that passes.
 * - `arrive`: the branch at the remote is at the commit.
 * - `open`: the pull request is about to be looked for, and opened; again like `begin`.
 * - `wait`: a step could not be done now, and is due again later. The state stays.
 * - `done` and `failed` are final; a further try is a publication of its own, with a decision of its own.
 */
export type PublicationEvent = 'begin' | 'arrive' | 'open' | 'opened' | 'wait' | 'fail';

export type PublicationTransition = { ok: true; to: PublicationState } | { ok: false; reason: string };

type Row = Record<PublicationEvent, PublicationState | { not: string }>;

const notBegun = { not: 'the push has not begun' };
const there = { not: 'the branch has been pushed' };
const noBranch = { not: 'the branch has not been pushed' };
const notOpening = { not: 'no pull request is being opened' };
const over = { not: 'it is over' };

/** Every state with every event. `arrive` in `pushing` is for a pull request; a branch is done with it. */
const table: Record<PublicationState, Row> = {
  pending: { begin: 'pushing', arrive: notBegun, open: noBranch, opened: noBranch, wait: 'pending', fail: 'failed' },
  pushing: { begin: 'pushing', arrive: 'pushed', open: noBranch, opened: noBranch, wait: 'pushing', fail: 'failed' },
  pushed: { begin: there, arrive: there, open: 'opening', opened: notOpening, wait: 'pushed', fail: 'failed' },
  opening: { begin: there, arrive: there, open: 'opening', opened: 'done', wait: 'opening', fail: 'failed' },
  done: { begin: over, arrive: over, open: over, opened: over, wait: over, fail: over },
  failed: { begin: over, arrive: over, open: over, opened: over, wait: over, fail: over },
};

export function publicationTransition(
  state: PublicationState,
  event: PublicationEvent,
  what: PublishWhat,
): PublicationTransition {
  if (what === 'push' && (state === 'pushed' || state === 'opening')) {
    return { ok: false, reason: 'no pull request is wanted' };
  }
  const cell = table[state][event];
  if (typeof cell !== 'string') return { ok: false, reason: cell.not };
  return { ok: true, to: what === 'push' && event === 'arrive' ? 'done' : cell };
}

const firstWaitMs = 5_000;
const longestWaitMs = 10 * 60_000;
/** The sum of the waits is about three hours: a host that is away for the night is a matter for people. */
const mostAttempts = 24;

/** How long to wait after this many failures in a row, in milliseconds; undefined: no more. */
export function retryDelay(attempts: number): number | undefined {
  if (attempts >= mostAttempts) return undefined;
  return Math.min(firstWaitMs * 2 ** Math.max(0, attempts - 1), longestWaitMs);
}
