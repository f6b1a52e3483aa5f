import { type CommandAction, defaultPolicy, type Policy, type Verdict } from '../contracts/policy.ts';
import type { Tx } from '../store/database.ts';
import { namesOf } from '../store/people.ts';
import { commandsAllowed, commandsAllowedFor, commandTakenBackBy } from '../store/rules.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { actionHash } from './action.ts';
import { judgeCommand } from './judge.ts';

/** The policy pinned with the task. No policy that can be read means: ask for everything (promise 7). */
export function policyOf(task: TaskRecord): Policy {
  return task.policy ?? defaultPolicy;
}

/**
 * The verdict on the command of a task. A rule "for this task" counts only for exactly the action it was given for, sandbox and
 * network included: one given for an isolated sandbox does not reach the host. `action` undefined: no runner has said yet what it
 * runs commands in; rules count then, because the check before execution looks again.
 */
export async function judgeTask(tx: Tx, task: TaskRecord, action: CommandAction | undefined): Promise<Verdict> {
  const rules =
    action === undefined ? await commandsAllowed(tx, task.id) : await commandsAllowedFor(tx, task.id, actionHash(action));
  const verdict = judgeCommand(policyOf(task), task.command, rules);
  if (verdict.verdict !== 'ask') return verdict;
  const because = `${verdict.because}${await takenBack(tx, task, task.command)}`;
  const risks = action?.sandbox === 'local' ? ['not isolated', ...verdict.risks] : verdict.risks;
  return { ...verdict, because, risks };
}

/** Follows why a command is asked about, where somebody has taken back what allowed it: ", and Mia has taken back the rule that allowed it". */
export async function takenBack(tx: Tx, { id, workspace }: TaskRecord, command: string | undefined): Promise<string> {
  const user = command === undefined ? undefined : await commandTakenBackBy(tx, id, command);
  if (user === undefined) return '';
  const name = (await namesOf(tx, workspace, [user])).get(user) ?? 'somebody';
  return `, and ${name} has taken back the rule that allowed it`;
}
