import type { Terms } from '../approvals/demands.ts';
import { limitText } from '../budgets/amounts.ts';
import { allowed, freeAt, isUsedUp, startsToWarn, strictest } from '../budgets/standing.ts';
import { tellWarned } from '../budgets/tell-warned.ts';
import { freeText, quotaApprovers, quotaText, standingText, warnedText } from '../budgets/words.ts';
import type { Usage } from '../contracts/agent.ts';
import type { SpendVerdict } from '../contracts/agent-control.ts';
import type { QuotaAction } from '../contracts/policy.ts';
import type { Measure, Standing } from '../contracts/quotas.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import type { Tx } from '../store/database.ts';
import { type InteractionRecord, interactionsOfRun, settleInteraction } from '../store/interactions.ts';
import { subjectNames } from '../store/quota-facts.ts';
import { count, standingById, standingsOfRun } from '../store/quotas.ts';
import { appendEvents } from '../store/run-events.ts';
import type { RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { system } from './advance.ts';
import { stopWaiting } from './agent-wait.ts';
import { askToGoOn, waitOrDeny } from './ask-to-go-on.ts';
import type { Held } from './run-progress.ts';

/** People are asked at least this long, also where the quota is free again sooner. Milliseconds. */
const askedMs = 60 * 60_000;
const remindMs = 10 * 60_000;
/** A run waits no longer than this for a quota that nobody raises. Milliseconds. */
const waitsMs = 24 * 60 * 60_000;

/**
 * May a run of an agent use more of what quotas measure while it goes on (tokens, cost, time)? While one is used up, its agent waits at its next
 * request to a model: those who may raise the quota are asked once, and it goes on by itself when the quota is free again. It waits a day at most.
 */
export async function mayUseMore(tx: Tx, found: Held, at: Date): Promise<SpendVerdict> {
  const { task, run } = found;
  const full = strictest((await standingsOfRun(tx.db, run, ['tokens', 'cost', 'wall'], at)).filter(isUsedUp));
  if (full === undefined) {
    if (run.state === 'awaiting') await goOnWithRoom(tx, task, run, at);
    return { verdict: 'go' };
  }
  const free = freeAt(full);
  if (free === null || full.since === null) throw new Error(`quota ${full.quota.id} has no period`);
  const names = await subjectNames(tx.db, [full.quota]);
  const { quota } = full;
  const because = `The quota is used up: ${standingText(full, names)}, ${freeText(full, at)}. Nobody has allowed more.`;
  const refusal = { because, trouble: 'quota' } as const;
  const ask = `quota/${quota.id}/${full.since.toISOString()}/${allowed(full)}`;
  const known = (await interactionsOfRun(tx, run.id)).findLast((one) => one.ask === ask && one.life === run.life);
  if (known !== undefined) return waitOrDeny(known, refusal);
  const raised = raisedTo(full);
  const action = {
    type: 'quota',
    ask,
    project: task.project,
    quota: quota.id,
    name: quotaText(quota, names),
    measure: quota.measure,
    since: full.since.toISOString(),
    used: full.used,
    limit: allowed(full),
    raised,
    upTo: limitText({ measure: quota.measure, per: 'once', limit: raised }),
    freeAt: free.toISOString(),
  } satisfies QuotaAction;
  const expiresMs = Math.min(Math.max(free.getTime() - at.getTime() + remindMs, askedMs), waitsMs);
  const terms: Terms = { approvers: { ...quotaApprovers(quota.scope), people: [], notRequester: false }, expiresMs, remindMs };
  const facts = { quota: quotaText(quota, names), used: full.used, limit: allowed(full) };
  return await askToGoOn(tx, found, { action, terms, because: `the quota of ${action.name} is used up`, refusal, facts }, at);
}

/** The least that one "yes" adds, where the limit is next to nothing. */
const steps: Record<Measure, number> = {
  runs: 1,
  requests: 100,
  tokens: 100_000,
  cost: 1,
  wall: 60 * 60_000,
  concurrent: 1,
  disk: 1e9,
};

/** As much again as the limit, counted from what is used where that is more already. */
function raisedTo(standing: Standing): number {
  const { quota, used } = standing;
  const raised = Math.max(allowed(standing), used) + Math.max(quota.limit, steps[quota.measure]);
  return quota.measure === 'cost' ? Math.ceil(Math.round(raised * 1e6) / 1e4) / 100 : Math.ceil(raised);
}

/** Requests of a run for more of a quota that has room again are over: it goes on. The caller holds the lock of the task. */
export async function goOnWithRoom(tx: Tx, task: TaskRecord, run: RunRecord, at: Date): Promise<void> {
  const events: RunEventData[] = [];
  for (const interaction of await interactionsOfRun(tx, run.id)) {
    if (interaction.state !== 'pending' || !(await hasRoom(tx, interaction, at))) continue;
    if (!(await settleInteraction(tx, interaction.id, 'cancelled', { decidedAt: at }))) continue;
    events.push({ type: 'interaction_decided', interaction: interaction.id, state: 'cancelled' });
  }
  if (events.length > 0) await stopWaiting(tx, { task, run, at, events, actor: system('watchdog') });
}

/** The quota that is asked about has room now, or is gone. */
export async function hasRoom(tx: Tx, { workspace, action }: InteractionRecord, at: Date): Promise<boolean> {
  if (action.type !== 'quota') return false;
  const standing = await standingById(tx.db, workspace, action.quota, at);
  return standing === undefined || !isUsedUp(standing);
}

/** Counts a request to a model against the quotas of its run. Returns what the thread is told: once in a period of each, when most of it is used. */
export async function quotaWarnings(tx: Tx, { run }: Held, usage: Usage, at: Date): Promise<RunEventData[]> {
  // What comes out of the cache of the model costs next to nothing, and would be nearly all.
  const amounts = { tokens: usage.input + usage.output + usage.cacheWrite, cost: usage.costUsd ?? 0 };
  const standings = await count(tx, run, amounts, at);
  const events: RunEventData[] = [];
  for (const measure of ['tokens', 'cost'] as const) {
    const ofMeasure = standings.filter(({ quota }) => quota.measure === measure);
    await tellWarned(tx, run, ofMeasure, amounts[measure], at);
    const warned = ofMeasure.filter((standing) => startsToWarn(standing, amounts[measure]));
    events.push(...(await warnings(tx, warned, at)));
  }
  return events;
}

/** Most of a quota is used by what was just counted: the thread is told, and whoever is told of the quota. */
export async function warnOf(tx: Tx, run: RunRecord, standings: readonly Standing[], amount: number, at: Date): Promise<void> {
  await tellWarned(tx, run, standings, amount, at);
  const events = await warnings(
    tx,
    standings.filter((standing) => startsToWarn(standing, amount)),
    at,
  );
  if (events.length > 0) await appendEvents(tx, { run: run.id, actor: system('gateway'), at, events });
}

/** "82 % of a quota is used: …", for each. */
export async function warnings(tx: Tx, standings: readonly Standing[], at: Date): Promise<RunEventData[]> {
  if (standings.length === 0) return [];
  const names = await subjectNames(
    tx.db,
    standings.map(({ quota }) => quota),
  );
  return standings.map((standing) => ({ type: 'note', level: 'warning', text: warnedText(standing, names, at) }));
}
