import { rolesFrom } from '../access/not-allowed.ts';
import { mayDecide } from '../approvals/approvers.ts';
import type { Database, Tx } from '../store/database.ts';
import { type Member, membersOf } from '../store/people.ts';
import {
  accountsOfPeople,
  decisionsOfRuns,
  type ProjectedDecision,
  type ProjectedRun,
  projectedRuns,
  type TaskThread,
  threadsOfTasks,
} from '../store/projection.ts';
import { queuePlace } from '../store/runs.ts';
import type { CardContext } from './card-context.ts';
import type { DecisionFacts } from './decision-card.ts';
import type { CardInput } from './run-cards.ts';
import type { RunView } from './run-view.ts';

/** What cards show besides the events, read for many runs at once. The views make cards of it. */
export interface CardFacts {
  runs: Map<string, ProjectedRun>;
  input(view: RunView, now: Date): Promise<CardInput | undefined>;
}

/** Most people mentioned on a request for a decision. */
const mentioned = 6;

type Deciders = Map<string, (Member & { role: Exclude<Member['role'], undefined> })[]>;

/** Where facts are read: outside or inside of a transaction. */
export interface FactsSource {
  db: Tx['db'];
  members(workspace: string): ReturnType<typeof membersOf>;
}

export function factsOf(database: Database): FactsSource {
  return { db: database.db, members: (workspace) => database.transaction((tx) => membersOf(tx, workspace)) };
}

export function factsWithin(tx: Tx): FactsSource {
  return { db: tx.db, members: (workspace) => membersOf(tx, workspace) };
}

/** Reads after the events were read, so that what it finds is at least as new as they are. */
export async function readCardFacts(
  { db, members }: FactsSource,
  ids: readonly string[],
  docs: string | undefined,
): Promise<CardFacts> {
  const found = await projectedRuns(db, ids);
  const runs = new Map(found.map((run) => [run.run, run]));
  const [threads, decisions] = await Promise.all([
    threadsOfTasks(db, [...new Set(found.map(({ task }) => task))]),
    decisionsOfRuns(db, ids),
  ]);
  const deciders: Deciders = new Map();
  const deciding = new Set(decisions.flatMap(({ state, run }) => (state === 'pending' ? [runs.get(run)?.workspace] : [])));
  for (const workspace of deciding) {
    if (workspace !== undefined) deciders.set(workspace, await members(workspace));
  }
  const users = new Set(found.map(({ requester }) => requester.user));
  for (const { decidedBy, approvers } of decisions) {
    if (decidedBy !== undefined) users.add(decidedBy);
    for (const user of approvers.people) users.add(user);
  }
  for (const able of deciders.values()) for (const { user } of able) users.add(user);
  const people = await accountsOfPeople(db, [...users]);

  return {
    runs,
    async input(view, now) {
      const run = runs.get(view.run);
      if (run === undefined) return undefined;
      const place = view.state === 'queued' ? ((await queuePlace(db, run.run, now)) ?? undefined) : undefined;
      const contexts = threads
        .filter(({ task }) => task === run.task)
        .map((thread): CardContext => ({ ...taskContext(run, now), thread: threadFacts(thread, people.accounts), place, docs }));
      const own = decisions.filter((decision) => decision.run === run.run);
      return {
        workspace: run.workspace,
        view,
        contexts,
        decisions: own.map((decision) => decisionFacts(decision, people.names, deciders.get(run.workspace) ?? [])),
      };
    },
  };
}

function taskContext(run: ProjectedRun, now: Date): Pick<CardContext, 'task' | 'run' | 'now'> {
  const { task, number, title, command, project, branch, base, requester, attempt, newest, stopRequested } = run;
  return {
    task: { task, number, title, command, project, branch, base, requester },
    run: { run: run.run, attempt, newest, stopRequested },
    now,
  };
}

function threadFacts(
  { thread, platform, tenant, verbosity, mirror }: TaskThread,
  accounts: Awaited<ReturnType<typeof accountsOfPeople>>['accounts'],
): CardContext['thread'] {
  const here = accounts.filter((one) => one.platform === platform && one.tenant === tenant);
  return { thread, platform, verbosity, accounts: new Map(here.map(({ user, account }) => [user, account])), mirror };
}

function decisionFacts(
  decision: ProjectedDecision,
  names: ReadonlyMap<string, string>,
  members: readonly Member[],
): DecisionFacts {
  const { approvers, requester, decidedBy, ...facts } = decision;
  const able = members.filter((member) => mayDecide(approvers, requester, member));
  const who = approvers.people.length > 0 ? 'The people named by the policy' : rolesFrom(approvers.role);
  const more = able.length > mentioned ? ` (${able.length - mentioned} more)` : '';
  return {
    ...facts,
    decidedBy: decidedBy === undefined ? undefined : { user: decidedBy, name: names.get(decidedBy) ?? 'somebody' },
    who: {
      text: `${who} can decide${more}.${approvers.notRequester ? ' The requester cannot.' : ''}`,
      mention: able.slice(0, mentioned).map(({ user, name }) => ({ user, name })),
    },
  };
}
