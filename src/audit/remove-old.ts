import type { SecretBox } from '../runtime/secret-box.ts';
import { chainedLines, chainHeads, holdChain, ownLine, removeThrough, type WaitingLine } from '../store/audit-chain.ts';
import { chainActions, type HashedLine, removedText } from '../store/audit-line.ts';
import type { Database } from '../store/database.ts';
import type { Hold } from './chain-end.ts';
import { createChainCheck } from './check-chain.ts';

export interface RemoveOld {
  database: Database;
  keepMs: number;
  now: Date;
  sign: SecretBox['sign'];
  /** Adds the line that tells of the removal to the chain, which is held. */
  end(hold: Hold, line: WaitingLine): Promise<void>;
}

const linesAtOnce = 2_000;
/** The first lines may be some that the chain has written about itself. */
const lookedAt = 200;
/** Nothing is removed before there is a day's worth, so that the lines about removals stay few. */
const restMs = 24 * 60 * 60_000;

/**
 * Removes lines that are kept no longer, from the beginning of each chain, a part with each transaction; returns how many. In the same transaction the
 * chain is told up to where, with the hash of the last one, so that what is left can still be verified. What goes is looked at once more: that
 * it was not as it had been chained must not go with it.
 */
export async function removeOld(input: RemoveOld): Promise<number> {
  let removed = 0;
  for (const { workspace } of await chainHeads(input.database.db)) {
    const first = await chainedLines(input.database.db, workspace, { after: 0, most: lookedAt });
    const oldest = first.find((line) => !isOwn(line)) ?? first[0];
    if (oldest === undefined || Date.parse(oldest.at) >= input.now.getTime() - input.keepMs - restMs) continue;
    for (let part = linesAtOnce; part === linesAtOnce; removed += part) part = await removePart(input, workspace);
  }
  return removed;
}

async function removePart({ database, keepMs, now, sign, end }: RemoveOld, workspace: string): Promise<number> {
  const before = now.getTime() - keepMs;
  return await database.transaction(async (tx) => {
    const head = await holdChain(tx, workspace);
    if (head === undefined) return 0;
    const lines = await chainedLines(tx.db, workspace, { after: 0, most: linesAtOnce });
    const young = (line: HashedLine) => Date.parse(line.at) >= before;
    // What the chain says of itself in front of older lines goes with them: that it began, after an update.
    const stop = lines.findIndex((line) => young(line) && !isOwn(line));
    const known = stop === -1 ? lines : lines.slice(0, stop);
    const old = known.slice(0, known.findLastIndex((line) => !young(line)) + 1);
    const [first] = old;
    const last = old.at(-1);
    if (first === undefined || last === undefined) return 0;
    const check = createChainCheck({ workspace, after: { seq: first.seq - 1, hash: first.prev } });
    const problem = old.map(check.next).find((found) => found !== undefined);
    const count = await removeThrough(tx, workspace, last.seq);
    const data = {
      first: first.seq,
      last: last.seq,
      hash: last.hash,
      count,
      signature: sign(removedText(workspace, { last: last.seq, hash: last.hash })),
      ...(problem === undefined ? {} : { problem: `line ${problem.seq}: ${problem.what}` }),
    };
    await end({ tx, head, now }, ownLine(workspace, now, { action: chainActions.removed, subject: workspace, data }));
    return count;
  });
}

const ownActions: ReadonlySet<string> = new Set(Object.values(chainActions));

function isOwn({ action }: HashedLine): boolean {
  return ownActions.has(action);
}
