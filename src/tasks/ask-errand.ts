import { notAllowed } from '../access/not-allowed.ts';
import { termsForChange } from '../approvals/demands.ts';
import { policyOf } from '../approvals/judge-task.ts';
import { requireMayPublish } from '../approvals/publish-approval.ts';
import { AppError } from '../contracts/errors.ts';
import { calledAs, givenOf, may, type Permission } from '../contracts/permissions.ts';
import type { PullErrandKind } from '../contracts/pull-news.ts';
import type { Tx } from '../store/database.ts';
import { addErrand } from '../store/pull-errands.ts';
import { pullOfTask } from '../store/pull-requests.ts';
import { latestRun, runById } from '../store/runs.ts';
import { resultOf } from '../store/task-changes.ts';
import { lockTask } from '../store/tasks.ts';
import { isAlive } from './hold-task.ts';
import { auditErrand } from './pull-life.ts';
import type { ErrandInput, ErrandOutcome } from './task-engine.ts';

/** What it takes; merging is a question of its own. */
const needs = {
  ready: 'change.publish',
  fix_ci: 'agent.run',
  address: 'agent.run',
} as const satisfies Record<Exclude<PullErrandKind, 'merge'>, Permission>;

/** For "Ada may not …". */
const actions: Record<PullErrandKind, string> = {
  merge: 'merge this',
  ready: 'ask for reviews of this',
  fix_ci: 'speak to an agent',
  address: 'speak to an agent',
};

/**
 * Notes what somebody wants done with the newest pull request of the task of a run; the watch of pull requests does it. Merging is for those who
 * may bring the change out, by the policy of the task, and is about exactly the commit that the branch is at now; the rest takes
 * what `needs` says. Repeating a press changes nothing. Throws DH-208 for what does not exist here (promise 12), DH-202 and DH-300.
 */
export async function askErrand(tx: Tx, { run: id, kind, by, originKey }: ErrandInput, at: Date): Promise<ErrandOutcome> {
  const known = await runById(tx, id);
  const task = known === undefined || known.workspace !== by.workspace ? undefined : await lockTask(tx, known.task);
  const run = await runById(tx, id);
  if (task === undefined || run === undefined) throw new AppError('DH-208');
  if (kind === 'merge') {
    const terms = termsForChange(policyOf(task), await resultOf(tx, run.id));
    await requireMayPublish(tx, { task, run, terms }, by, actions.merge, at);
  } else if (!may(by, needs[kind])) {
    throw await notAllowed(tx, by, actions[kind], needs[kind]);
  }
  const pull = await pullOfTask(tx.db, task.id);
  if (pull === undefined) {
    throw new AppError('DH-300', { what: `#${task.number} has no pull request.`, instead: 'Open PR on its card opens one.' });
  }
  const { facts } = pull;
  const name = `${pull.repository}#${pull.number}`;
  if (facts.state !== 'open') {
    throw new AppError('DH-300', { what: `${name} is ${facts.state}.`, instead: `\`retry #${task.number}\` begins anew.` });
  }
  if (kind === 'fix_ci' || kind === 'address') {
    if (task.kind !== 'agent') {
      throw new AppError('DH-300', {
        what: `#${task.number} runs a command, which no agent works on.`,
        instead: 'Mention Deckhand with what an agent is to do.',
      });
    }
    const latest = await latestRun(tx, task.id);
    if (isAlive(latest))
      throw new AppError('DH-300', { what: `#${task.number} is at work.`, instead: 'A reply in its thread tells it more.' });
  }
  const errand = { workspace: task.workspace, pull: pull.id, kind, head: facts.head.commit, by: storedPerson(by), originKey, at };
  const outcome = await addErrand(tx, errand);
  if (outcome === 'added') {
    await auditErrand(tx, {
      workspace: task.workspace,
      user: by.user,
      role: calledAs(by) ?? undefined,
      pull: pull.id,
      kind,
      head: facts.head.commit,
      task: task.id,
    });
  }
  return { outcome, number: task.number, pull: name };
}

function storedPerson({ workspace, user, name, identity, ...given }: ErrandInput['by']): object {
  return { workspace, user, name, identity, ...givenOf(given) };
}
