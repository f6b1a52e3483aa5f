import { amountText } from '../budgets/amounts.ts';
import { type Beyond, beyondOf, estimateOf } from '../budgets/estimate.ts';
import { standingText } from '../budgets/words.ts';
import type { AgentSettings } from '../contracts/agent.ts';
import type { Estimate } from '../contracts/estimate.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import type { Tx } from '../store/database.ts';
import { pastTasks } from '../store/past-tasks.ts';
import { subjectNames } from '../store/quota-facts.ts';
import { standingsOfRun } from '../store/quotas.ts';
import type { RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';

/**
 * What a task that begins will probably use, by the last ones of its project with the same agent and model, and a warning where that is more
 * than its budget, or a quota, has left. Nothing where there are too few. One statement; with enough tasks one more, about quotas.
 */
export async function expect(
  tx: Tx,
  task: TaskRecord,
  run: RunRecord,
  { agent, model }: Pick<AgentSettings, 'agent' | 'model'>,
  at: Date,
): Promise<{ estimate?: Estimate | undefined; warning?: RunEventData | undefined }> {
  const estimate = estimateOf(await pastTasks(tx, { project: task.project, before: task.id, agent, model }));
  if (estimate === undefined) return {};
  const standings = await standingsOfRun(tx.db, run, ['cost', 'tokens', 'wall'], at);
  const [tightest] = beyondOf(estimate, task.budgetUsd, standings);
  if (tightest === undefined) return { estimate };
  return { estimate, warning: { type: 'note', level: 'warning', text: await warningText(tx, tightest) } };
}

async function warningText(tx: Tx, { measure, usual, left, standing }: Beyond): Promise<string> {
  const takes = `Tasks like this usually take ${amountText(measure, usual)}${measure === 'tokens' ? ' tokens' : ''}`;
  if (standing === undefined) return `${takes}, and the budget is ${amountText('cost', left)}: it will probably ask for more.`;
  const names = await subjectNames(tx.db, [standing.quota]);
  return `${takes}, and ${amountText(measure, left)} is left of a quota (${standingText(standing, names)}): it will probably pause.`;
}
