import { pullNews, remembering } from '../changes/pull-news.ts';
import type { PullFacts } from '../contracts/code-host.ts';
import type { PullErrandKind, PullNews } from '../contracts/pull-news.ts';
import { canonicalJson } from '../runtime/canonical-json.ts';
import { recordAudit } from '../store/audit.ts';
import type { Database, Tx } from '../store/database.ts';
import { projectById } from '../store/projects.ts';
import { branchIsOver, branchIsUsed, endErrand, type PullErrand } from '../store/pull-errands.ts';
import { putPull } from '../store/pull-requests.ts';
import { lookAtOthers, lookSoon, pullNow, pushedCommits, type WatchedPull } from '../store/pull-watch.ts';
import { appendEvents } from '../store/run-events.ts';
import { changeColumn, lockTask, type TaskRecord } from '../store/tasks.ts';
import { system } from './advance.ts';
import { taskTransition } from './task-state.ts';

/** A pull request that was closed is opened again soon or never. */
const keepClosedMs = 14 * 24 * 60 * 60_000;

type Pull = Pick<WatchedPull, 'id' | 'workspace' | 'project' | 'task' | 'run' | 'repository'>;

/**
 * Stores what the code host has said of a pull request when it was asked at `asked`, with what the thread of its task is told of it, in one
 * transaction. Under the lock of the task and against what is stored by then: of two looks at the same news the second finds none (promise 2).
 * Whatever was stored since `asked` may be newer, and stays: it has another look follow.
 */
export async function recordPull(
  database: Database,
  pull: Pull,
  found: PullFacts,
  { asked, at }: { asked: Date; at: Date },
): Promise<void> {
  await database.transaction(async (tx) => {
    const task = await lockTask(tx, pull.task);
    const known = await pullNow(tx, pull.id);
    if (task === undefined || known === undefined || known.at > asked) return;
    const facts = remembering(known.facts, found);
    if (canonicalJson(known.facts) === canonicalJson(facts)) return;
    // A later run may have taken it over since the look began.
    const mine = { ...pull, run: known.run };
    await putPull(tx, { ...mine, facts, at });
    const news = pullNews(known.facts, facts, await pushedCommits(tx, task.id));
    await tell(tx, mine, facts, news, at);
    await moveTask(tx, task, known.facts, facts, at);
    if (known.facts.state === facts.state) return;
    await settleBranch(tx, pull, facts, at);
    if (facts.state === 'merged') await lookAtOthers(tx, pull, at);
  });
}

/** A branch of Deckhand's own is not needed once its pull request is over; one that was closed may be opened again. */
async function settleBranch(tx: Tx, { id, workspace, project }: Pull, { state, head }: PullFacts, at: Date): Promise<void> {
  if (state === 'open') return branchIsUsed(tx, id, at);
  const limits = (await projectById(tx, workspace, project))?.limits;
  if (limits === undefined || limits.branches === 'keep' || !head.branch.startsWith('deckhand/')) return;
  const dueAt = state === 'merged' ? at : new Date(at.getTime() + keepClosedMs);
  await branchIsOver(tx, { workspace, pull: id, head: head.commit, at, dueAt });
}

/** Ends the errand of a branch that is not there any more, and has the card say so. `gone` false: it has moved on, and stays. */
export async function branchDone(database: Database, pull: Pull, errand: PullErrand, gone: boolean, at: Date): Promise<void> {
  await database.transaction(async (tx) => {
    await lockTask(tx, pull.task);
    const known = await pullNow(tx, pull.id);
    if (!(await endErrand(tx, errand.id, 'done', null, at)) || known === undefined || !gone) return;
    const { repository } = pull;
    const event = { type: 'pull_request', repository, pull: known.facts, branchDeleted: true } as const;
    await appendEvents(tx, { run: known.run, actor: system('gateway'), at, events: [event] });
  });
}

/** Ends an errand that was done. What has come of it is looked at next. */
export async function errandDone(database: Database, errand: PullErrand, at: Date): Promise<void> {
  await database.transaction(async (tx) => {
    await endErrand(tx, errand.id, 'done', null, at);
    await lookSoon(tx, errand.pull, at);
  });
}

/** Ends an errand that cannot be done, and says so in the thread. That a branch stays is nothing people have to hear of. */
export async function errandRefused(database: Database, pull: Pull, errand: PullErrand, why: string, at: Date): Promise<void> {
  const { kind } = errand;
  await database.transaction(async (tx) => {
    await lockTask(tx, pull.task);
    const known = await pullNow(tx, pull.id);
    if (known === undefined || !(await endErrand(tx, errand.id, 'refused', why, at)) || kind === 'delete_branch') return;
    await tell(tx, { ...pull, run: known.run }, known.facts, [{ type: 'refused', errand: kind, why }], at);
  });
}

/** Notes who had what done with a pull request. */
export async function auditErrand(
  tx: Tx,
  input: {
    workspace: string;
    user: string;
    role: string | undefined;
    pull: string;
    kind: PullErrandKind;
    head: string;
    task: string;
  },
): Promise<void> {
  const { workspace, user, role, pull, kind, head, task } = input;
  const data = { task, kind, head, role: role ?? null };
  await recordAudit(tx, { workspace, actor: user, action: `pull_request.${kind}`, subject: pull, data });
}

async function tell(tx: Tx, { run, repository }: Pull, pull: PullFacts, news: readonly PullNews[], at: Date): Promise<void> {
  const event = { type: 'pull_request' as const, repository, pull, ...(news.length === 0 ? {} : { news: [...news] }) };
  await appendEvents(tx, { run, actor: system('gateway'), at, events: [event] });
}

/** A change that is merged is done; one that was closed without is for people to look at again. A run at work keeps its column. */
async function moveTask(tx: Tx, task: TaskRecord, before: PullFacts, after: PullFacts, at: Date): Promise<void> {
  if (before.state === after.state) return;
  const event = after.state === 'merged' ? 'to_done' : 'to_review';
  const transition = taskTransition(task.column, event);
  if (!transition.ok || task.column === 'cancelled') return;
  const reason = after.state === 'closed' ? `pull request #${after.number} was closed without merging` : null;
  await changeColumn(tx, { task: task.id, from: task.column, to: transition.to, reason, at });
}
