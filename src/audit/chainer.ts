import type { Clock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createLoop } from '../runtime/loop.ts';
import type { SecretBox } from '../runtime/secret-box.ts';
import { holdChain, ownLine, runLogDigests, type WaitingLine, waitingLines, workspacesToChain } from '../store/audit-chain.ts';
import { chainActions, runEnded } from '../store/audit-line.ts';
import type { Database } from '../store/database.ts';
import type { Wakeups } from '../store/wakeups.ts';
import { createChainEnd, type Hold } from './chain-end.ts';
import { removeOld } from './remove-old.ts';

export interface ChainerDeps {
  database: Database;
  wakeups: Pick<Wakeups, 'subscribe'>;
  secretBox: Pick<SecretBox, 'sign' | 'check'>;
  /** How long lines are kept (KEEP_AUDIT_DAYS). Milliseconds. */
  keepMs: number;
  clock: Clock;
  logger: Logger;
}

/** Gives stored lines their places in the chains, and removes old ones. */
export interface Chainer {
  part: Part;
  /** Chains all that waits; returns how many lines. What another process works on is left to it. */
  chain(): Promise<number>;
  /** Removes what is kept no longer; returns how many lines. */
  forget(): Promise<number>;
}

/** A lost wake-up costs this much. */
const lookEveryMs = 10_000;
/** What comes closer together is chained, and signed, together. */
const gapMs = 250;
const linesAtOnce = 500;
const forgetEveryMs = 60 * 60_000;
/** An end that has moved is told in the log after so long at the latest. */
const tellEveryMs = 5 * 60_000;

/** Any number of processes may have one: whoever holds the row of a chain adds to it, and nobody waits for it. */
export function createChainer(deps: ChainerDeps): Chainer {
  const { database, secretBox, clock, logger } = deps;
  const { before, add, left } = createChainEnd({ secretBox, logger });
  const told = new Map<string, { seq: number; at: number }>();

  async function chainOne(workspace: string): Promise<number> {
    const done = await database.transaction(async (tx) => {
      const head = await holdChain(tx, workspace);
      if (head === undefined) return undefined;
      const waiting = await waitingLines(tx, workspace, linesAtOnce);
      if (waiting.length === 0) return undefined;
      const hold = { tx, head, now: clock.now() };
      const first = before(hold);
      const { lines, own } = await withLogs(hold, waiting);
      const end = await add(hold, [...first, ...lines], new Set([...own, ...first.map(({ id }) => id)]));
      return { end, count: waiting.length };
    });
    if (done === undefined) return 0;
    left.set(workspace, done.end);
    tell(workspace, done.end, false);
    return done.count;
  }

  /** Whoever can only write the database cannot change what was logged. */
  function tell(workspace: string, { seq, hash }: { seq: number; hash: string }, always: boolean): void {
    const last = told.get(workspace);
    if (last?.seq === seq || (!always && last !== undefined && performance.now() - last.at < tellEveryMs)) return;
    told.set(workspace, { seq, at: performance.now() });
    logger.info({ workspace, seq, hash }, 'the audit ends here');
  }

  async function chain(): Promise<number> {
    let count = 0;
    for (const workspace of await workspacesToChain(database)) count += await chainOne(workspace);
    return count;
  }

  const loop = createLoop({
    name: 'audit chain',
    idleMs: lookEveryMs,
    gapMs,
    async run() {
      const count = await chain();
      for (const [workspace, end] of left) tell(workspace, end, false);
      return count >= linesAtOnce;
    },
    onError: (error, failures) => logger.error({ err: error, failures }, 'the audit could not be chained; its lines wait'),
  });
  const forget = () =>
    removeOld({
      database,
      keepMs: deps.keepMs,
      now: clock.now(),
      sign: secretBox.sign,
      async end(hold, line) {
        const first = before(hold);
        const lines = [...first, line];
        const end = await add(hold, lines, new Set(lines.map(({ id }) => id)));
        hold.tx.afterCommit(() => void left.set(hold.head.workspace, end));
      },
    });
  const forgetting = createLoop({
    name: 'audit retention',
    idleMs: forgetEveryMs,
    async run() {
      const removed = await forget();
      if (removed > 0) logger.info({ removed }, 'lines of the audit are not kept any longer');
      return false;
    },
    onError: (error, failures) => logger.error({ err: error, failures }, 'old lines of the audit could not be removed'),
  });
  let unsubscribe: () => void = () => undefined;

  return {
    chain,
    forget,
    part: {
      name: 'audit',
      async start() {
        unsubscribe = deps.wakeups.subscribe('audit', undefined, () => loop.wake());
        loop.start();
        forgetting.start();
      },
      async stop() {
        unsubscribe();
        await Promise.all([loop.stop(), forgetting.stop()]);
        // What the last acts have written need not wait for the next start.
        await chain().catch((error: unknown) =>
          logger.warn({ err: error }, 'the last lines of the audit wait for the next start'),
        );
        for (const [workspace, end] of left) tell(workspace, end, true);
      },
    },
  };
}

/** Binds what runs did into the chain: behind the line of each end of a run stands the digest of its log. */
async function withLogs(
  { tx, head, now }: Hold,
  waiting: readonly WaitingLine[],
): Promise<{ lines: WaitingLine[]; own: Set<string> }> {
  const ended = waiting.flatMap(({ id, action, subject, data }) =>
    action === runEnded && isEnd(data) ? [{ id, run: subject, ...data }] : [],
  );
  if (ended.length === 0) return { lines: [...waiting], own: new Set() };
  const digests = await runLogDigests(tx.db, ended);
  const behind = new Map(
    ended.flatMap(({ id, run, task, through }) => {
      const found = digests.get(run);
      if (found === undefined) return [];
      const data = { task, through, events: found.events, digest: found.digest };
      return [[id, ownLine(head.workspace, now, { action: chainActions.runLog, subject: run, data })] as const];
    }),
  );
  const lines = waiting.flatMap((line) => [line, ...[behind.get(line.id)].filter((own) => own !== undefined)]);
  return { lines, own: new Set([...behind.values()].map(({ id }) => id)) };
}

function isEnd(data: unknown): data is { task: string; through: number } {
  return (
    typeof data === 'object' &&
    data !== null &&
    'task' in data &&
    typeof data.task === 'string' &&
    'through' in data &&
    Number.isInteger(data.through)
  );
}
