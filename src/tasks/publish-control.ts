import { useApproval } from '../approvals/publish-approval.ts';
import type { PullFacts } from '../contracts/code-host.ts';
import { livePublication } from '../contracts/publication.ts';
import type { PublishControl, PublishProblem, PublishSpec } from '../contracts/publish-control.ts';
import type { Actor, RunEventData } from '../contracts/run-event.ts';
import { duration } from '../delivery/units.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Database, Tx } from '../store/database.ts';
import { sourceOf } from '../store/project-sync.ts';
import {
  changePublication,
  type PublicationFields,
  type PublicationRecord,
  publicationById,
  publicationsOf,
  takePublication,
} from '../store/publications.ts';
import { pullsOf, putPull } from '../store/pull-requests.ts';
import { pushedCommits } from '../store/pull-watch.ts';
import { appendEvents } from '../store/run-events.ts';
import { changeColumn, lockTask, type TaskRecord, taskById } from '../store/tasks.ts';
import type { Wakeups } from '../store/wakeups.ts';
import { system } from './advance.ts';
import { auditPublication, tellPublication } from './publish-events.ts';
import { pullTextOf } from './publish-pull-text.ts';
import { type PublicationEvent, publicationTransition, retryDelay } from './publish-state.ts';
import { taskTransition } from './task-state.ts';

export interface PublishControlDeps {
  database: Database;
  wakeups: Pick<Wakeups, 'subscribe'>;
  clock: Clock;
}

type PullEvent = Extract<RunEventData, { type: 'pull_request' }>;

interface Held {
  task: TaskRecord;
  publication: PublicationRecord;
}

/** The engine as the part of a runner sees it that brings changes out. */
export function createPublishControl({ database, wakeups, clock }: PublishControlDeps): PublishControl {
  /** What a runner does with a publication it has, under the lock of its task; `otherwise` when it does not have it any more. */
  function having<T>(id: string, runner: string, otherwise: T, work: (tx: Tx, held: Held, now: Date) => Promise<T>): Promise<T> {
    return database.transaction(async (tx) => {
      const held = await hold(tx, id);
      if (held === undefined || held.publication.runner !== runner) return otherwise;
      return work(tx, held, clock.now());
    });
  }

  return {
    claim: (host, runner, except) =>
      database.transaction(async (tx) => {
        const publication = await takePublication(tx, { host, runner, except, now: clock.now() });
        return publication === undefined ? undefined : specOf(tx, publication);
      }),
    beginPush: (id, runner) =>
      having<Awaited<ReturnType<PublishControl['beginPush']>>>(id, runner, { verdict: 'stop' }, async (tx, held, now) => {
        const { publication } = held;
        if (!(await stillApproved(tx, held, now))) return { verdict: 'stop' };
        const expected = publication.state === 'pushing' ? publication.expected : await lastPushed(tx, publication);
        const moved = await step(tx, held, 'begin', now, { set: { expectedRemote: expected } });
        return moved ? { verdict: 'go', expected } : { verdict: 'stop' };
      }),
    pushed: (id, runner, { url }) =>
      having(id, runner, false, async (tx, held, now) => {
        const { publication } = held;
        const set = { pushedAt: now, url: url ?? null, attempts: 0, error: null };
        if (!publicationTransition(publication.state, 'arrive', publication.what).ok) return false;
        const after = publication.what === 'push' ? await followPulls(tx, publication, now) : [];
        return step(tx, held, 'arrive', now, { set, url, after });
      }),
    beginOpen: (id, runner) =>
      having(id, runner, false, async (tx, held, now) => {
        return (await stillApproved(tx, held, now)) && (await step(tx, held, 'open', now, {}));
      }),
    opened: (id, runner, { repository, pull }) =>
      having(id, runner, false, async (tx, held, now) => {
        const { publication } = held;
        if (!publicationTransition(publication.state, 'opened', publication.what).ok) return false;
        const { id: pullRequestId, event } = await takePull(tx, publication, repository, pull, now);
        const { commit } = pull.head;
        // Somebody was between the push and this: what people decided about is not what they would merge.
        const isOurs = (await pushedCommits(tx, publication.task)).has(commit);
        const told = isOurs ? event : { ...event, news: [{ type: 'pushed', commit } as const] };
        return step(tx, held, 'opened', now, { set: { pullRequestId, attempts: 0, error: null }, after: [told] });
      }),
    later: (id, runner, problem, afterMs = 0) =>
      having(id, runner, false, async (tx, held, now) => {
        const attempts = held.publication.attempts + 1;
        const delay = retryDelay(attempts);
        if (delay === undefined) return fail(tx, held, problem, system('runner'), now);
        const dueAt = new Date(now.getTime() + Math.max(delay, afterMs));
        const set = { attempts, dueAt, error: problem, runnerId: null } as const;
        // Further failures of the same kind are no news.
        return step(tx, held, 'wait', now, { set, ...(attempts === 1 ? { problem, retryAt: dueAt } : { quiet: true }) });
      }),
    failed: (id, runner, problem) => having(id, runner, false, (tx, held, now) => fail(tx, held, problem, system('runner'), now)),
    onWork(listener, until) {
      if (until.aborted) return;
      const unsubscribe = wakeups.subscribe('publication', undefined, listener);
      until.addEventListener('abort', unsubscribe, { once: true });
    },
  };
}

/** A publication with its task locked. */
async function hold(tx: Tx, id: string): Promise<Held | undefined> {
  const known = await publicationById(tx, id);
  const task = known === undefined ? undefined : await lockTask(tx, known.task);
  const publication = await publicationById(tx, id);
  return task === undefined || publication === undefined ? undefined : { task, publication };
}

/**
 * A branch that has moved takes its open pull requests along: they show the change of this run now, and its card tells of them from here on.
 * Returns what this run is told.
 */
async function followPulls(tx: Tx, publication: PublicationRecord, at: Date): Promise<RunEventData[]> {
  const { task, run, branch } = publication;
  const behind = (await pullsOf(tx, task)).filter((known) => {
    return known.facts.state === 'open' && known.facts.head.branch === branch && known.run !== run;
  });
  const events: RunEventData[] = [];
  for (const { repository, facts } of behind) events.push((await takePull(tx, publication, repository, facts, at)).event);
  return events;
}

/** Notes that a pull request shows the change of a publication, and tells the run that it showed before. */
async function takePull(
  tx: Tx,
  { workspace, project, task, run }: PublicationRecord,
  repository: string,
  pull: PullFacts,
  at: Date,
): Promise<{ id: string; event: PullEvent }> {
  const known = (await pullsOf(tx, task)).find((one) => one.repository === repository && one.facts.number === pull.number);
  if (known !== undefined && known.run !== run) {
    const moved = { type: 'pull_request', repository, pull, moved: true } as const;
    await appendEvents(tx, { run: known.run, actor: system('runner'), at, events: [moved] });
  }
  const { id } = await putPull(tx, { workspace, project, task, run, repository, facts: pull, at });
  return { id, event: { type: 'pull_request', repository, pull } };
}

/** Ends it with what is wrong. False: it is over. */
async function fail(tx: Tx, held: Held, problem: PublishProblem, actor: Actor, now: Date): Promise<boolean> {
  return step(tx, held, 'fail', now, { set: { error: problem }, problem, actor });
}

/** The machine with the commits has not been heard of for so long: people are told, instead of waiting. */
export async function giveUpPublication(tx: Tx, id: string, forMs: number, now: Date): Promise<void> {
  const held = await hold(tx, id);
  if (held === undefined) return;
  await fail(tx, held, { code: 'DH-532', params: { since: duration(forMs) } }, system('watchdog'), now);
}

async function specOf(tx: Tx, publication: PublicationRecord): Promise<PublishSpec> {
  const { id, state, what, run, remote, branch, baseBranch, commit, tree } = publication;
  const source = await sourceOf(tx.db, publication.project);
  // Without its lock: it is taken before that of the publication, never after.
  const task = await taskById(tx, publication.task);
  if (source === undefined || task === undefined) throw new Error(`publication ${id} has no project or task`);
  const texts = what === 'push' ? undefined : await pullTextOf(tx, publication);
  const step = state === 'pending' ? 'push' : state === 'pushing' ? 'pushing' : 'open';
  return {
    publication: id,
    run,
    taskNumber: task.number,
    project: source.project,
    what,
    remote,
    branch,
    baseBranch,
    commit,
    tree,
    step,
    pull: texts === undefined ? undefined : { ...texts, draft: what === 'draft' },
  };
}

async function stillApproved(tx: Tx, held: Held, now: Date): Promise<boolean> {
  const { task, publication } = held;
  if (!livePublication.some((state) => state === publication.state)) return false;
  const removed = (await sourceOf(tx.db, publication.project))?.removed !== false;
  const wrong = removed ? 'the project has been removed' : await useApproval(tx, task, publication, now);
  if (wrong === undefined) return true;
  await fail(tx, held, { code: 'DH-528', params: { detail: wrong } }, system('gateway'), now);
  return false;
}

/** The commit that Deckhand has pushed to this branch last; null: none. */
async function lastPushed(tx: Tx, { id, task, remote, branch }: PublicationRecord): Promise<string | null> {
  const others = (await publicationsOf(tx, task)).filter((one) => {
    return one.id !== id && one.remote === remote && one.branch === branch && one.pushedAt !== null;
  });
  const newest = others.toSorted((one, other) => (one.pushedAt?.getTime() ?? 0) - (other.pushedAt?.getTime() ?? 0)).at(-1);
  return newest?.commit ?? null;
}

interface StepOptions {
  set?: PublicationFields;
  url?: string | undefined;
  problem?: PublishProblem;
  retryAt?: Date;
  actor?: Actor;
  after?: readonly RunEventData[];
  /** Nothing that people would want to hear of. */
  quiet?: true;
}

/** Steps that the audit tells of. */
const audited: Partial<Record<PublicationEvent, 'publication.pushed' | 'publication.opened' | 'publication.failed'>> = {
  arrive: 'publication.pushed',
  opened: 'publication.opened',
  fail: 'publication.failed',
};

async function step(
  tx: Tx,
  { task, publication }: Held,
  event: PublicationEvent,
  now: Date,
  { set = {}, url, problem, retryAt, actor = system('runner'), after, quiet }: StepOptions,
): Promise<boolean> {
  const { id, state: from, what } = publication;
  const transition = publicationTransition(from, event, what);
  if (!transition.ok) return false;
  const { to } = transition;
  const ended = to === 'done' || to === 'failed';
  const over: PublicationFields = ended ? { endedAt: now, runnerId: null } : {};
  if (!(await changePublication(tx, { id, from, to, set: { ...set, ...over } }))) return false;
  const told = audited[event];
  if (told !== undefined) await auditPublication(tx, publication, told, problem);
  if (from === to && problem === undefined) return true;
  if (quiet !== true) {
    const shown = url ?? publication.url;
    await tellPublication(tx, publication, { state: to, url: shown, problem, retryAt }, actor, now, after);
  }
  if (to === 'done') await moveTask(tx, task, publication, now);
  return true;
}

/** A branch was all that was wanted, unless it belongs to a pull request: that is for people to review. */
async function moveTask(tx: Tx, task: TaskRecord, { what }: PublicationRecord, at: Date): Promise<void> {
  const open = (await pullsOf(tx, task.id)).some(({ facts }) => facts.state === 'open');
  const transition = taskTransition(task.column, what === 'push' && !open ? 'to_done' : 'to_review');
  // A later run of the task may be at work: its card stays where it is.
  if (!transition.ok || transition.to === task.column) return;
  await changeColumn(tx, { task: task.id, from: task.column, to: transition.to, reason: null, at });
}
