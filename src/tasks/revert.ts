import { termsForChange } from '../approvals/demands.ts';
import { policyOf } from '../approvals/judge-task.ts';
import { requireMayPublish } from '../approvals/publish-approval.ts';
import { revertBranch, revertTitle } from '../changes/revert-words.ts';
import { AppError } from '../contracts/errors.ts';
import { calledAs } from '../contracts/permissions.ts';
import type { RevertedPull } from '../contracts/run-control.ts';
import { isTerminal, runStateSchema } from '../contracts/states.ts';
import { runByOrigin } from '../store/agent-runs.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { type PullRecord, pullsOf } from '../store/pull-requests.ts';
import { noteRevert, revertedBy, revertsOf } from '../store/reverts.ts';
import { latestRun, type RunRecord, runById } from '../store/runs.ts';
import { resultOf, standsOf } from '../store/task-changes.ts';
import { lockTask, type TaskRecord } from '../store/tasks.ts';
import { isAlive } from './hold-task.ts';
import { beginAlone } from './rebase.ts';
import type { Person, RevertInput, RevertOutcome } from './task-engine.ts';

/**
 * Begins a run that undoes the merged pull request of a run: for those who may bring the change out, by the policy of the task. What comes of
 * it is a change that nobody has approved yet (promise 10), on a branch of its own; nothing moves at the remote. A pull request is undone once,
 * however many ask for it; where that did not come about it can be asked for again. Throws DH-208 for what does not exist here
 * (promise 12), DH-202, DH-300 and DH-533.
 */
export async function revert(tx: Tx, { run: id, by, originKey }: RevertInput, at: Date): Promise<RevertOutcome> {
  const known = await runById(tx, id);
  const task = known === undefined || known.workspace !== by.workspace ? undefined : await lockTask(tx, known.task);
  const run = await runById(tx, id);
  if (task === undefined || run === undefined) throw new AppError('DH-208');
  const terms = termsForChange(policyOf(task), await resultOf(tx, run.id));
  await requireMayPublish(tx, { task, run, terms }, by, 'revert this', at);
  const pull = (await pullsOf(tx, task.id)).findLast((one) => one.run === run.id && one.facts.state === 'merged');
  if (pull === undefined) {
    const instead = 'Revert is for pull requests that Deckhand has opened, once they are merged.';
    throw new AppError('DH-300', { what: `#${task.number} has no merged pull request.`, instead });
  }
  const name = `${pull.repository}#${pull.number}`;
  const before = await revertsOf(tx, task.id, pull.id);
  const there = before.find(({ state, made }) => made || !isTerminal(runStateSchema.parse(state)));
  if (there !== undefined || (await runByOrigin(tx, task.id, originKey)) !== undefined) {
    return { outcome: 'known', number: task.number, pull: name };
  }
  const latest = await requireNewest(tx, task, run, pull);
  await noteRevert(tx, { workspace: task.workspace, pull, by: { user: by.user, name: by.name }, originKey, at });
  const made = await beginAlone(tx, { task, latest, purpose: 'revert', by, originKey }, at);
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action: 'pull_request.revert',
    subject: pull.id,
    data: { task: task.id, run: made.run, merged: pull.facts.mergeCommit ?? null, role: calledAs(by) },
  });
  return { outcome: 'begun', number: task.number, pull: name };
}

/** A retry of a run that has not undone what it was to: the same again. Undefined: the last run was none, or has. */
export async function revertAgain(
  tx: Tx,
  task: TaskRecord,
  last: RunRecord | undefined,
  by: Person,
  at: Date,
): Promise<RunRecord | undefined> {
  const pull = last === undefined || last.state === 'succeeded' ? undefined : await revertedBy(tx, last.id);
  if (last === undefined || pull === undefined) return undefined;
  const originKey = `retry:${last.id}`;
  await noteRevert(tx, { workspace: task.workspace, pull, by: { user: by.user, name: by.name }, originKey, at });
  const { run } = await beginAlone(tx, { task, latest: last, purpose: 'revert', by, originKey }, at);
  return await runById(tx, run);
}

/** What the run undoes, from what the code host says of it; undefined: nothing. */
export async function revertSpecOf(tx: Tx, run: RunRecord): Promise<RevertedPull | undefined> {
  const pull = await revertedBy(tx, run.id);
  const merged = pull?.facts.mergeCommit;
  if (pull === undefined || merged === undefined) return undefined;
  const { repository, number, facts } = pull;
  const { title, base, head } = facts;
  return { repository, number, title: revertTitle(title), base, merged, head: head.commit };
}

/** The branch of a run: that of its task, unless it undoes something. */
export function branchOf(task: TaskRecord, reverts: RevertedPull | undefined): string {
  return reverts === undefined ? task.branch : revertBranch(reverts.number, task.branch);
}

/** What was merged is the newest that the task has: else its later change would be lost from sight. */
async function requireNewest(tx: Tx, task: TaskRecord, run: RunRecord, { facts }: PullRecord): Promise<RunRecord | undefined> {
  const latest = await latestRun(tx, task.id);
  if (isAlive(latest)) {
    throw new AppError('DH-300', {
      what: `#${task.number} is not over: its run is ${latest.state}.`,
      instead: `Wait until it has ended, or end it with \`stop #${task.number}\`.`,
    });
  }
  const newest = (await standsOf(tx.db, [task.id])).get(task.id);
  if (newest !== undefined && newest.run !== run.id) {
    throw new AppError('DH-300', {
      what: `#${task.number} has changed more since it was merged.`,
      instead: `Give it to an agent instead: \`run revert commit ${(facts.mergeCommit ?? 'of the merge').slice(0, 12)}\`.`,
    });
  }
  if (facts.mergeCommit === undefined || task.base === null) {
    throw new AppError('DH-300', {
      what: `The code host does not say as which commit pull request #${facts.number} was merged.`,
      instead: 'Revert it there.',
    });
  }
  return latest;
}
