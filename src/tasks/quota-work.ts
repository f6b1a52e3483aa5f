import { isUsedUp, startsToWarn, strictest } from '../budgets/standing.ts';
import { tellWarned } from '../budgets/tell-warned.ts';
import { freeText, standingText } from '../budgets/words.ts';
import { countWork, workingStates } from '../budgets/work.ts';
import type { Standing } from '../contracts/quotas.ts';
import type { RunResult } from '../contracts/run-event.ts';
import type { Tx } from '../store/database.ts';
import { subjectNames } from '../store/quota-facts.ts';
import { noteTimed } from '../store/quota-work.ts';
import { standingsOfRun } from '../store/quotas.ts';
import { appendEvents } from '../store/run-events.ts';
import { type RunRecord, requestStop, runById } from '../store/runs.ts';
import { lockTask } from '../store/tasks.ts';
import { system } from './advance.ts';
import { warnings } from './agent-quota.ts';

/**
 * Counts the time that a run at work has taken since it was counted last. When a quota is used up by that, a command is stopped as at its
 * time limit, with what it has done kept; an agent waits at its next request to a model.
 */
export async function countWorkOf(tx: Tx, id: string, now: Date): Promise<void> {
  const known = await runById(tx, id);
  if (known === undefined || (await lockTask(tx, known.task)) === undefined) return;
  const run = await runById(tx, id);
  if (run === undefined || run.timedUntil === null || run.timedUntil >= now || !workingStates.some((one) => one === run.state))
    return;
  const amount = now.getTime() - run.timedUntil.getTime();
  const standings = await countWork(tx, run, now);
  await noteTimed(tx, run.id, now);
  await tellWarned(tx, run, standings, amount, now);
  const warned = standings.filter((standing) => startsToWarn(standing, amount));
  const events = await warnings(tx, warned, now);
  const full = strictest(standings.filter(isUsedUp));
  if (full !== undefined && run.agent === null && (await requestStop(tx, run.id, null, now))) {
    events.push({ type: 'note', level: 'warning', text: `It is stopped: ${await usedUp(tx, full, now)}` });
  }
  if (events.length > 0) await appendEvents(tx, { run: run.id, actor: system('watchdog'), at: now, events });
}

/** The result of a command that nobody but a quota has stopped says so. */
export async function stoppedByQuota(tx: Tx, run: RunRecord, result: RunResult): Promise<RunResult> {
  if (result.cause !== 'stopped' || run.stopRequestedAt === null) return result;
  const at = run.stopRequestedAt;
  const full = strictest((await standingsOfRun(tx.db, run, ['wall'], at)).filter(isUsedUp));
  return full === undefined ? result : { ...result, message: `The command was stopped: ${await usedUp(tx, full, at)}` };
}

async function usedUp(tx: Tx, full: Standing, now: Date): Promise<string> {
  const names = await subjectNames(tx.db, [full.quota]);
  return `a quota of time is used up (${standingText(full, names)}, ${freeText(full, now)}).`;
}
