import { dollars } from '../approvals/action-text.ts';
import { termsFor } from '../approvals/demands.ts';
import { policyOf } from '../approvals/judge-task.ts';
import { freeAt, strictest } from '../budgets/standing.ts';
import { usedUpWords } from '../budgets/words.ts';
import { type Usage, usageSchema } from '../contracts/agent.ts';
import type { SpendRequest, SpendVerdict } from '../contracts/agent-control.ts';
import type { SpendAction } from '../contracts/policy.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import { addUsage, wasCounted } from '../store/agent-runs.ts';
import { countRequest, settleUnanswered } from '../store/counted-requests.ts';
import type { Tx } from '../store/database.ts';
import { interactionsOfRun, spendGranted } from '../store/interactions.ts';
import { releaseReservation, reserve } from '../store/reservations.ts';
import { appendEvents } from '../store/run-events.ts';
import { runById } from '../store/runs.ts';
import { system } from './advance.ts';
import { mayUseMore, quotaWarnings, warnOf } from './agent-quota.ts';
import { askToGoOn, type Refusal, waitOrDeny } from './ask-to-go-on.ts';
import { type Held, held } from './run-progress.ts';

/** Longer names than any model has would not fit what people are asked. */
const longestModel = 100;

/**
 * May the run make this request to a model? Not while a quota that it counts for is used up (agent-quota.ts). With a budget, what it costs at most is set aside first. Requests that do not fit beside
 * others under way wait for those; the last one, alone, may begin as long as anything is left, so a task goes beyond its budget by one
 * request at most. People are asked once for each budget that is used up, and once in a task for a model that has no known price. A
 * request that may be made counts against the quotas of requests at once; where one of them is used up, it may not.
 */
export async function maySpend(tx: Tx, runId: string, runner: string, asked: SpendRequest, at: Date): Promise<SpendVerdict> {
  const found = await held(tx, runId, runner);
  if (found === undefined) return { verdict: 'deny', because: 'The run is not held by this runner any more.' };
  const { run } = found;
  if (run.agent === null) throw new Error(`run ${run.id} has no agent`);
  if (run.stopRequestedAt !== null) return { verdict: 'deny', because: 'The run is being stopped.' };
  const verdict = await withinBudget(tx, found, asked, at);
  if (verdict.verdict !== 'go') return verdict;
  const taken = await countRequest(tx, run, asked.request, at);
  const refusing = strictest(taken.refused);
  if (refusing === undefined) {
    await warnOf(tx, run, taken.counted, 1, at);
    return verdict;
  }
  // Nothing of it is made.
  await releaseReservation(tx.db, run.id, asked.request);
  const { what } = await usedUpWords(tx, refusing, at);
  const free = freeAt(refusing);
  const seconds = free === null ? undefined : Math.max(1, Math.ceil((free.getTime() - at.getTime()) / 1000));
  return { verdict: 'deny', because: what, trouble: 'quota', seconds };
}

async function withinBudget(tx: Tx, found: Held, asked: SpendRequest, at: Date): Promise<SpendVerdict> {
  const { task, run } = found;
  const quotas = await mayUseMore(tx, found, at);
  if (quotas.verdict !== 'go') return quotas;
  const { budgetUsd } = task;
  if (budgetUsd === null) return { verdict: 'go' };
  if (task.spentUsd >= budgetUsd) return await askForMore(tx, found, budgetUsd, at);
  if (asked.mostUsd === null) return await askForUnpriced(tx, found, budgetUsd, asked.model, at);
  const { request, mostUsd } = asked;
  return (await reserve(tx, run, { request, usd: mostUsd }, at)) ? { verdict: 'go' } : { verdict: 'wait' };
}

async function askForMore(tx: Tx, found: Held, budgetUsd: number, at: Date): Promise<SpendVerdict> {
  const { task, run } = found;
  const name = `spend/${budgetUsd}`;
  const all = await interactionsOfRun(tx, run.id);
  const before = all.filter(({ kind, ask }) => kind === 'spend' && (ask === name || ask?.startsWith(`${name}/`)));
  const known = before.at(-1);
  // Granted before, and the budget was lowered to the same again since.
  if (known === undefined || known.state === 'approved') {
    const ask = before.length === 0 ? name : `${name}/${before.length + 1}`;
    const raisedUsd = raisedFrom(budgetUsd, task.spentUsd);
    const because = `its budget of ${dollars(budgetUsd)} is used up`;
    return await open(tx, found, { ask, budgetUsd, raisedUsd }, { because, refusal: usedUp(task.spentUsd, budgetUsd) }, at);
  }
  return waitOrDeny(known, usedUp(task.spentUsd, budgetUsd, known.reason ?? undefined));
}

async function askForUnpriced(tx: Tx, found: Held, budgetUsd: number, model: string, at: Date): Promise<SpendVerdict> {
  const { task, run } = found;
  if (model.length > longestModel) {
    return { verdict: 'deny', because: 'The name of the model is too long to ask about its price.', trouble: 'unpriced' };
  }
  const ask = `price/${model}`;
  if (await spendGranted(tx, task.id, ask)) return { verdict: 'go' };
  const known = (await interactionsOfRun(tx, run.id)).findLast((one) => one.kind === 'spend' && one.ask === ask);
  if (known !== undefined) return waitOrDeny(known, withoutPrice(model, known.reason ?? undefined));
  const because = 'a model that it uses has no known price';
  const asks = { ask, budgetUsd, raisedUsd: budgetUsd, unpriced: model };
  return await open(tx, found, asks, { because, refusal: withoutPrice(model) }, at);
}

function usedUp(spent: number, budget: number, reason?: string): Refusal {
  const said = reason === undefined ? '' : `: ${reason}`;
  const because = `The budget of the task is used up (${dollars(spent)} of ${dollars(budget)}), and it was not raised${said}.`;
  return { because, trouble: 'budget' };
}

function withoutPrice(model: string, reason?: string): Refusal {
  const said = reason === undefined ? '' : `: ${reason}`;
  const because = `The task has a budget, the model ${model} no known price, and nobody allowed it to go on without a limit${said}.`;
  return { because, trouble: 'unpriced' };
}

async function open(
  tx: Tx,
  found: Held,
  asks: Pick<SpendAction, 'ask' | 'budgetUsd' | 'raisedUsd' | 'unpriced'> & { ask: string },
  { because, refusal }: { because: string; refusal: Refusal },
  at: Date,
): Promise<SpendVerdict> {
  const { project, spentUsd } = found.task;
  const action: SpendAction = { type: 'spend', project, spentUsd, ...asks };
  const { budgetUsd, unpriced } = asks;
  const facts = { budgetUsd, spentUsd, ...(unpriced === undefined ? {} : { unpriced }) };
  return await askToGoOn(tx, found, { action, terms: termsFor(policyOf(found.task), action), because, refusal, facts }, at);
}

/** As much again as before, counted from what is spent where that is more already. Whole cents. */
export function raisedFrom(budgetUsd: number, spentUsd: number): number {
  const step = Math.max(budgetUsd, 1);
  // Sums of floating point are a little above or below what they stand for.
  const micros = Math.round((Math.max(budgetUsd, spentUsd) + step) * 1e6);
  return Math.ceil(micros / 1e4) / 100;
}

/** Of the budget: from here on the card warns. */
const warnAt = 0.8;

/**
 * Counts a request to a model: event, run and task. One that was counted before is not counted again. The card warns once when most of
 * the budget is used.
 */
export async function countUsage(
  tx: Tx,
  runId: string,
  runner: string,
  { usage: raw, request }: { usage: Usage; request: string | undefined },
  at: Date,
): Promise<boolean> {
  const usage = usageSchema.parse(raw);
  const found = await held(tx, runId, runner);
  if (found === undefined) return false;
  const { task } = found;
  if (await wasCounted(tx, found.run, request)) return true;
  const warnings = await quotaWarnings(tx, found, usage, at);
  await addUsage(tx, { id: runId, task: task.id }, usage, { request, at });
  const events: RunEventData[] = [{ ...usage, type: 'usage', request }];
  const after = task.spentUsd + (usage.costUsd ?? 0);
  if (task.budgetUsd !== null && crosses(warnAt * task.budgetUsd, task.spentUsd, after) && after < task.budgetUsd) {
    const text = `${Math.floor((after / task.budgetUsd) * 100)} % of the budget is used: ${dollars(after)} of ${dollars(task.budgetUsd)}.`;
    events.push({ type: 'note', level: 'warning', text });
  }
  await appendEvents(tx, { run: runId, actor: system('runner'), at, events: [...events, ...warnings] });
  return true;
}

/** A request was not answered. What another runner has taken over does not count anyway. */
export async function settleUnused(tx: Tx, runId: string, request: string, reached: boolean): Promise<void> {
  await releaseReservation(tx.db, runId, request);
  const run = await runById(tx, runId);
  if (run !== undefined) await settleUnanswered(tx, run, request, reached);
}

function crosses(line: number, before: number, after: number): boolean {
  return before < line && after >= line;
}
