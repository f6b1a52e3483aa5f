import { rolesFrom } from '../access/not-allowed.ts';
import { membersAbout } from '../access/role-about.ts';
import { askersOf, mayDecide } from '../approvals/approvers.ts';
import { approversNow, namedWords, ownersNow, ownersText, placeText } from '../approvals/approvers-now.ts';
import { unseenText } from '../approvals/follow.ts';
import { conditions } from '../approvals/several-words.ts';
import { nearestQuota } from '../budgets/nearest.ts';
import type { Notify } from '../contracts/notify.ts';
import { decidesAtLeast } from '../contracts/permissions.ts';
import type { IdentityRef } from '../contracts/platform.ts';
import { approvalsNeeded } from '../contracts/policy.ts';
import { isTerminal } from '../contracts/states.ts';
import {
  type CardPerson,
  decisionsOfRuns,
  type ProjectedDecision,
  type ProjectedRun,
  peopleOnCards,
  projectedRuns,
  type TaskThread,
  threadsOfTasks,
} from '../store/card-rows.ts';
import type { Database, Tx } from '../store/database.ts';
import { isSamePerson } from '../store/linked-people.ts';
import { directPeople, putKeys } from '../store/notify.ts';
import type { Member } from '../store/people.ts';
import { lookAtQueue } from '../store/queue-place.ts';
import { standingsOfRuns } from '../store/quotas.ts';
import type { CardContext } from './card-context.ts';
import type { DecisionFacts } from './decision-card.ts';
import { type DirectFacts, noticeKey } from './direct-notices.ts';
import { accountOf } from './direct-put.ts';
import type { CardInput } from './run-cards.ts';
import type { RunView } from './run-view.ts';

/** What cards show besides the events, read for many runs at once. The views make cards of it. */
export interface CardFacts {
  runs: Map<string, ProjectedRun>;
  input(view: RunView): Promise<(CardInput & { direct: DirectFacts }) | undefined>;
}

/** Most people mentioned on a request for a decision. */
const mentioned = 6;

/** By the project: who has a role about it. */
type Deciders = Map<string, Awaited<ReturnType<typeof membersAbout>>>;

/** Whose request each pending decision is, by its id. */
type Askers = Map<string, readonly string[]>;

/** Where facts are read: outside or inside of a transaction. */
export interface FactsSource {
  db: Tx['db'];
  members(workspace: string, project: string): ReturnType<typeof membersAbout>;
}

export function factsOf(database: Database): FactsSource {
  return { db: database.db, members: (workspace, project) => database.transaction((tx) => membersAbout(tx, workspace, project)) };
}

export function factsWithin(tx: Tx): FactsSource {
  return { db: tx.db, members: (workspace, project) => membersAbout(tx, workspace, project) };
}

/** Reads after the events were read, so that what it finds is at least as new as they are. */
export async function readCardFacts(
  { db, members }: FactsSource,
  ids: readonly string[],
  { now, docs }: { now: Date; docs: string | undefined },
): Promise<CardFacts> {
  const found = await projectedRuns(db, ids);
  const runs = new Map(found.map((run) => [run.run, run]));
  const [threads, asked] = await Promise.all([
    threadsOfTasks(db, [...new Set(found.map(({ task }) => task))]),
    decisionsOfRuns(db, ids),
  ]);
  const also = new Map<string, AlsoNeeded>();
  const decisions: ProjectedDecision[] = [];
  for (const decision of asked) {
    const run = runs.get(decision.run);
    if (decision.state !== 'pending' || run === undefined) decisions.push(decision);
    else {
      also.set(decision.id, await alsoNeeded(db, run, decision));
      decisions.push({
        ...decision,
        approvers: await approversNow(db, { workspace: run.workspace, project: run.projectId }, decision.approvers),
      });
    }
  }
  const deciders: Deciders = new Map();
  for (const { state, run: id } of decisions) {
    const run = state === 'pending' ? runs.get(id) : undefined;
    if (run === undefined || deciders.has(run.projectId)) continue;
    deciders.set(run.projectId, await members(run.workspace, run.projectId));
  }
  const askers: Askers = new Map();
  for (const decision of decisions) {
    const task = runs.get(decision.run)?.task;
    if (decision.state === 'pending' && task !== undefined) askers.set(decision.id, await askersOf(db, { ...decision, task }));
  }
  const direct = await directPeople(db, [...new Set(found.map(({ workspace }) => workspace))]);
  const users = new Set(found.map(({ requester }) => requester.user));
  for (const { decidedBy, approvers, approvals } of decisions) {
    if (decidedBy !== undefined) users.add(decidedBy);
    for (const { user } of approvals) users.add(user);
    for (const user of approvers.people) users.add(user);
  }
  for (const able of deciders.values()) for (const { user } of able) users.add(user);
  for (const wanting of direct.values()) for (const user of wanting) users.add(user);
  const people = await peopleOnCards(db, [...users]);
  const sent = await sentNotices(db, decisions, runs, direct);
  const agents = found.filter(({ agent }) => agent).map(({ run }) => run);
  const quotas = await standingsOfRuns(db, agents, ['requests', 'tokens', 'cost'], now);

  const placeOf = lookAtQueue(db, now);

  return {
    runs,
    async input(view) {
      const run = runs.get(view.run);
      if (run === undefined) return undefined;
      const place = view.state === 'queued' ? ((await placeOf(run.run)) ?? undefined) : undefined;
      const quota = isAtWork(view) ? nearestQuota(quotas.get(run.run) ?? []) : undefined;
      const own = threads.filter(({ task }) => task === run.task);
      const notify = (user: string) => notifyNow(people.get(user), originOf(own));
      const contexts = own.map(
        (thread): CardContext => ({ ...taskContext(run, notify, now), thread: threadFacts(thread, people), place, quota, docs }),
      );
      const able = deciders.get(run.projectId) ?? [];
      const ofRun = decisions.filter((decision) => decision.run === run.run);
      const wanting = direct.get(run.workspace) ?? [];
      return {
        workspace: run.workspace,
        view,
        contexts,
        decisions: ofRun.map((decision) =>
          decisionFacts(decision, people, { able, askers, also: also.get(decision.id) ?? nothingElse }, notify),
        ),
        direct: directFacts({ run, threads: own, decisions: ofRun, able, askers, wanting, people, sent }),
      };
    },
  };
}

/** Only an agent that works uses up what cards tell of. */
function isAtWork(view: RunView): boolean {
  return view.agent !== undefined && view.executingAt !== undefined && !isTerminal(view.state);
}

type People = ReadonlyMap<string, CardPerson>;

function originOf(threads: readonly TaskThread[]): TaskThread | undefined {
  return threads.find(({ mirror }) => mirror === undefined);
}

/** How a person hears of things now: whoever cannot be written to directly is mentioned instead. */
function notifyNow(person: CardPerson | undefined, origin: TaskThread | undefined): Notify | undefined {
  if (person?.notify.by !== 'direct' || directAccount(person, origin) !== undefined) return person?.notify;
  return { ...person.notify, by: 'mention' };
}

type NotifyOf = (user: string) => Notify | undefined;

function taskContext(run: ProjectedRun, notifyOf: NotifyOf, now: Date): Pick<CardContext, 'task' | 'run' | 'now'> {
  const {
    task,
    number,
    title,
    command,
    project,
    branch,
    base,
    requester,
    attempt,
    newest,
    newestRun,
    stopRequested,
    prompt,
    change,
  } = run;
  const { agent, rebase, among, issue, links, spending } = run;
  const notify = notifyOf(requester.user);
  return {
    task: {
      task,
      number,
      title,
      command,
      agent,
      project,
      links,
      branch,
      base,
      issue,
      requester: { ...requester, notify },
      change,
      spending,
    },
    run: { run: run.run, attempt, newest, newestSince: newestRun.since, stopRequested, prompt, rebase, among },
    now,
  };
}

function threadFacts({ thread, platform, tenant, verbosity, mirror }: TaskThread, people: People): CardContext['thread'] {
  const accounts = new Map<string, string>();
  for (const [user, person] of people) {
    const here = person.accounts.findLast((one) => one.platform === platform && one.tenant === tenant);
    if (here !== undefined) accounts.set(user, here.user);
  }
  return { thread, platform, verbosity, accounts, mirror };
}

/** What else must hold for a "yes", in words: who is named for it, which owners of files must say it, and where it counts. */
interface AlsoNeeded {
  named: string | undefined;
  owners: string;
  place: string;
}

const nothingElse: AlsoNeeded = { named: undefined, owners: '', place: '' };

async function alsoNeeded(
  db: Tx['db'],
  { workspace, task }: Pick<ProjectedRun, 'workspace' | 'task'>,
  { approvers, approvals }: ProjectedDecision,
): Promise<AlsoNeeded> {
  const owned = await ownersNow(db, workspace, approvers.owned ?? []);
  const left = owned.filter(({ users }) => !approvals.some(({ user }) => users.includes(user)));
  const place = `${await placeText({ db }, workspace, approvers)}${await unseenText({ db }, workspace, task, approvers)}`;
  return { named: await namedWords(db, workspace, approvers), owners: await ownersText({ db }, workspace, left), place };
}

function decisionFacts(
  decision: ProjectedDecision,
  people: People,
  { able: members, askers, also }: { able: readonly Member[]; askers: Askers; also: AlsoNeeded },
  notifyOf: NotifyOf,
): DecisionFacts {
  const { approvers, requester, decidedBy, approvals, escalated, ...facts } = decision;
  const able = members.filter((member) => mayDecide(approvers, askers.get(decision.id) ?? requester, member));
  const waited = able.filter((member) => !approvals.some(({ user }) => isSamePerson(member, user)));
  const besides = escalated === undefined ? '' : ` and ${rolesFrom(escalated.to).toLowerCase()}`;
  const who = also.named === undefined ? rolesFrom(approvers.role) : `Only ${also.named}${besides}`;
  const more = waited.length > mentioned ? ` (${waited.length - mentioned} more)` : '';
  const toMention = (list: readonly Member[]) =>
    list.slice(0, mentioned).map(({ user, name }) => ({ user, name, notify: notifyOf(user) }));
  const nameOf = (user: string) => people.get(user)?.name ?? 'somebody';
  return {
    ...facts,
    decidedBy: decidedBy === undefined ? undefined : { user: decidedBy, name: nameOf(decidedBy) },
    approvals: approvals.map(({ user }) => ({ user, name: nameOf(user) })),
    missing: Math.max(0, approvalsNeeded(approvers) - approvals.length),
    owners: also.owners,
    who: {
      text: `${who} can decide${more}.${conditions(approvers)}${also.owners}${also.place}`,
      mention: toMention(waited),
    },
    escalated:
      escalated === undefined
        ? undefined
        : { ...escalated, mention: toMention(waited.filter((person) => decidesAtLeast(person, escalated.to))) },
  };
}

/** Which direct messages about these decisions there are. Those who had one keep it up to date, although nobody is asked any more. */
async function sentNotices(
  db: Tx['db'],
  decisions: readonly ProjectedDecision[],
  runs: ReadonlyMap<string, ProjectedRun>,
  direct: ReadonlyMap<string, readonly string[]>,
): Promise<Set<string>> {
  const keys = decisions.flatMap(({ id, run }) =>
    (direct.get(runs.get(run)?.workspace ?? '') ?? []).flatMap((user) => [
      noticeKey.decision(id, user),
      noticeKey.reminder(id, user),
    ]),
  );
  return putKeys(db, [...direct.keys()], keys);
}

function directFacts(input: {
  run: ProjectedRun;
  threads: readonly TaskThread[];
  decisions: readonly ProjectedDecision[];
  able: readonly Member[];
  askers: Askers;
  wanting: readonly string[];
  people: People;
  sent: ReadonlySet<string>;
}): DirectFacts {
  const { run, threads, decisions, able, askers, wanting, people, sent } = input;
  const origin = originOf(threads);
  const open = threads.find(({ kind }) => kind === 'channel')?.thread;
  const requester = people.get(run.requester.user);
  const told = wanting.flatMap((user) => {
    const person = people.get(user);
    // A task that was asked for in a direct conversation shows all of it there.
    if (person === undefined || (origin?.kind === 'direct' && person.user === requester?.user)) return [];
    const account = directAccount(person, origin);
    return account === undefined ? [] : { user: person.user, account, notify: person.notify, thread: open };
  });
  const had = (id: string, user: string) => sent.has(noticeKey.decision(id, user)) || sent.has(noticeKey.reminder(id, user));
  return {
    decisions: new Map(
      decisions.map(({ id, state, approvers, requester: asker }) => {
        const may = (user: string) =>
          state === 'pending' &&
          able.some((member) => member.user === user && mayDecide(approvers, askers.get(id) ?? asker, member));
        return [id, told.filter(({ user }) => may(user) || had(id, user))];
      }),
    ),
    sent,
    requester: requester === undefined ? undefined : told.find(({ user }) => user === requester.user),
  };
}

/** Where a person gets direct messages. Undefined: they do not reach them, so they are mentioned. */
function directAccount({ notify, accounts }: CardPerson, origin: TaskThread | undefined): IdentityRef | undefined {
  const account = accountOf(accounts, { chosen: notify.on, about: origin?.platform });
  if (account === undefined || account.refused) return undefined;
  const { platform, tenant, user } = account;
  return { platform, tenant, user };
}
