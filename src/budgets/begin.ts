import { AppError } from '../contracts/errors.ts';
import type { Standing } from '../contracts/quotas.ts';
import type { Tx } from '../store/database.ts';
import { keptBytes, quotaMeasures, waitForQuota, waitingForQuota } from '../store/quota-facts.ts';
import { lockCounting } from '../store/quota-lock.ts';
import { giveBack, standingsAtOnce, standingsOfRun, take } from '../store/quotas.ts';
import { appendEvents } from '../store/run-events.ts';
import type { RunRecord } from '../store/runs.ts';
import { freeAt, strictest } from './standing.ts';
import { tellWarned } from './tell-warned.ts';
import { usedUpWords } from './words.ts';

/** A request is kept for a quota no longer than this: later nobody expects that it begins by itself. Milliseconds. */
const keptMs = 24 * 60 * 60_000;

/**
 * Counts a run that has just been made against the quotas of runs. One that these have no room for waits until they have, if that is within a
 * day, and has its place in the next period then. Throws DH-240 where that is later or full too, or where too much is kept on disk: the
 * caller's transaction, and so the run, is undone. A lock and a look into an index where the workspace has no quotas.
 */
export async function beginWithinQuotas(tx: Tx, run: RunRecord, at: Date): Promise<void> {
  await lockCounting(tx, run.workspace);
  const measures = await quotaMeasures(tx.db, run.workspace);
  if (measures.has('disk')) await checkDisk(tx, run, at);
  if (!measures.has('runs')) return;
  const taken = await take(tx, run, 'runs', 1, at);
  const full = strictest(taken.refused);
  if (full === undefined) return await tellWarned(tx, run, taken.counted, 1, at);
  const free = freeAt(full);
  const { full: used, what, whoCan } = await usedUpWords(tx, full, at);
  if (free === null || free.getTime() - at.getTime() > keptMs) throw new AppError('DH-240', { what, instead: whoCan });
  const later = strictest((await take(tx, run, 'runs', 1, free)).refused);
  if (later !== undefined) {
    const next = (await usedUpWords(tx, later, free)).what;
    throw new AppError('DH-240', { what: `${what} What waits for it has taken the next time too: ${next}`, instead: whoCan });
  }
  await waitForQuota(tx, run.id, free);
  // When it begins stands on its card for as long as it waits.
  const text = `${used} ${whoCan}`;
  await appendEvents(tx, {
    run: run.id,
    actor: { type: 'system', part: 'gateway' },
    at,
    events: [{ type: 'note', level: 'warning', text }],
  });
}

async function checkDisk(tx: Tx, run: RunRecord, at: Date): Promise<void> {
  for (const standing of await standingsAtOnce(tx.db, run, 'disk', at)) {
    const used = await keptBytes(tx.db, standing.quota);
    if (used < standing.quota.limit) continue;
    const full: Standing = { ...standing, used };
    const { what, whoCan } = await usedUpWords(tx, full, at);
    throw new AppError('DH-240', { what, instead: `\`copies prune\` frees what is finished. ${whoCan}` });
  }
}

/** A quota has more room, or is gone: what waited for one begins as far as there is room now, in the order in which it was asked for. */
export async function beginWaiting(tx: Tx, workspace: string, at: Date): Promise<number> {
  let begun = 0;
  for (const run of await waitingForQuota(tx, workspace, at)) {
    const { refused, counted } = await take(tx, run, 'runs', 1, at);
    if (refused.length > 0) continue;
    await giveBack(tx, run, 'runs', 1, run.until);
    await waitForQuota(tx, run.id, null);
    await tellWarned(tx, run, counted, 1, at);
    begun += 1;
  }
  return begun;
}

/**
 * A run that has waited for a quota begins. It was counted when it was asked for, in the period that goes on now: what people are to know of that
 * period they are told now. One look at the quotas of runs.
 */
export async function tellBegun(tx: Tx, run: RunRecord, at: Date): Promise<void> {
  if (run.notBefore === null) return;
  const standings = await standingsOfRun(tx.db, run, ['runs'], at);
  for (const standing of standings) await tellWarned(tx, run, [standing], standing.used, at);
}
