import { amountText } from '../budgets/amounts.ts';
import { type Beyond, beyondOf, estimateOf } from '../budgets/estimate.ts';
import { standingText } from '../budgets/words.ts';
import type { AgentSettings } from '../contracts/agent.ts';
import type { Estimate } from '../contracts/estimate.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import type { Tx } from '../store/database.ts';
import { type PastOf, pastWork } from '../store/past-tasks.ts';
import { subjectNames } from '../store/quota-facts.ts';
import { standingsOfRun } from '../store/quotas.ts';
import type { RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';

/**
 * What a task that begins, or a further run of one, will probably use, by the last ones like it in its project, and a warning where that is more
 * than its budget, or a quota, has left. Nothing where there are too few. One statement; with enough of them one more, about quotas.
 */
export async function expect(
  tx: Tx,
  task: TaskRecord,
  run: RunRecord,
  { of, settings, at }: { of: PastOf['of']; settings: AgentSettings; at: Date },
): Promise<{ estimate?: Estimate | undefined; warning?: RunEventData | undefined }> {
  const { like, past } = await pastWork(tx, { project: task.project, task: task.id, of, settings });
  const estimate = estimateOf(past, { of, like });
  if (estimate === undefined) return {};
  const standings = await standingsOfRun(tx.db, run, ['cost', 'tokens', 'wall'], at);
  const leftUsd = task.budgetUsd === null ? null : Math.max(0, task.budgetUsd - task.spentUsd);
  const [tightest] = beyondOf(estimate, leftUsd, standings);
  if (tightest === undefined) return { estimate };
  return { estimate, warning: { type: 'note', level: 'warning', text: await warningText(tx, task, of, tightest) } };
}

async function warningText(
  tx: Tx,
  task: TaskRecord,
  of: PastOf['of'],
  { measure, usual, left, standing }: Beyond,
): Promise<string> {
  const what = of === 'tasks' ? 'Tasks' : 'Further runs';
  const takes = `${what} like this usually take ${amountText(measure, usual)}${measure === 'tokens' ? ' tokens' : ''}`;
  if (standing === undefined) {
    const budget = amountText('cost', left);
    const stands = task.spentUsd > 0 ? `${budget} is left of the budget` : `the budget is ${budget}`;
    return `${takes}, and ${stands}: it will probably ask for more.`;
  }
  const names = await subjectNames(tx.db, [standing.quota]);
  return `${takes}, and ${amountText(measure, left)} is left of a quota (${standingText(standing, names)}): it will probably pause.`;
}
