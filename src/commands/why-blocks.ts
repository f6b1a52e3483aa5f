import { actionTitle } from '../approvals/action-text.ts';
import { type Block, bold, code, plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { count } from '../delivery/units.ts';
import { type AuditNames, type AuditRow, auditNames, linesOfTask } from '../store/audit-lines.ts';
import { namesOf } from '../store/people.ts';
import { type PublicationRecord, publicationsOf } from '../store/publications.ts';
import { type PullRecord, pullsOf } from '../store/pull-requests.ts';
import { type RunRow, runsOf, type TaskRow } from '../store/task-queries.ts';
import { type DecisionFacts, decisionFacts, rulesEver } from '../store/why.ts';
import { platformWord, said, short, whereWords } from './audit-words.ts';
import type { CommandContext } from './command.ts';
import { ago } from './task-lines.ts';

/** Longest part of an answer; the audit and the thread have the rest. */
const mostRuns = 5;
const mostDecisions = 8;
const mostRules = 5;

const askActions = ['run.asked', 'run.steered', 'file.given'];
const decideActions = ['approval.approved', 'approval.denied', 'approval.answered', 'approval.given'];
const otherActions = ['pull_request.merge', 'attempt.chosen'];

interface Facts {
  now: Date;
  commit: string | undefined;
  task: TaskRow;
  /** Lines of the audit about the task, while they are kept. */
  lines: readonly AuditRow[];
  person(user: string | undefined): string;
  /** Where a line was asked for. A channel is named where the project of the task is at home. */
  where(line: AuditRow | undefined): string;
}

/** What led to what a task did, in the order in which it happened. */
export async function whyBlocks(ctx: CommandContext, task: TaskRow, commit: string | undefined): Promise<Block[]> {
  const { tx } = ctx;
  const { workspace } = ctx.person;
  const actions = [...askActions, ...decideActions, ...otherActions];
  const lines = await linesOfTask(tx.db, { workspace, task: task.id, actions, since: task.createdAt });
  const [runs, decisions, rules] = [
    await runsOf(tx, task.id),
    await decisionFacts(tx.db, task.id),
    await rulesEver(tx.db, task.id),
  ];
  const [publications, pulls] = [await publicationsOf(tx, task.id), await pullsOf(tx, task.id)];
  const people = [
    ...runs.map(({ requestedBy }) => requestedBy),
    ...decisions.flatMap(({ by, approvals }) => [by ?? '', ...approvals.map(({ user }) => user)]),
    ...rules.flatMap(({ by, revokedBy }) => [by, revokedBy ?? '']),
    ...publications.map(({ requestedBy }) => requestedBy),
    ...lines.flatMap(({ actor }) => actor ?? []),
  ];
  const names = await namesOf(tx, workspace, people);
  const known = await auditNames(tx, workspace, lines);
  const facts: Facts = {
    now: ctx.deps.now(),
    commit,
    task,
    lines,
    person: (user) => (user === undefined ? 'Deckhand' : (names.get(user) ?? 'somebody who is gone')),
    where: (line) => comma(whereOf(line, known, task.project.id)),
  };
  return [
    ...section('Asked', lastOf(runs, mostRuns), (run) => askedSpans(run, facts)),
    ...section('Decisions', lastOf(decisions, mostDecisions), (one) => decidedSpans(one, facts)),
    ...section('Allowed from then on', lastOf(rules, mostRules), ({ match, by, at, revokedBy }) => [
      code(said(match, 200)),
      plain(` by ${facts.person(by)}, `),
      ago(at, facts.now),
      plain(revokedBy === undefined ? '' : ` · taken back by ${facts.person(revokedBy)}`),
    ]),
    ...section('Brought out', lastOf(publications, mostRuns), (one) => publicationSpans(one, facts)),
    ...section('Pull requests', lastOf(pulls, mostRuns), (pull) => pullSpans(pull, facts)),
  ];
}

interface Part<T> {
  shown: readonly T[];
  left: number;
}

function lastOf<T>(all: readonly T[], most: number): Part<T> {
  return { shown: all.slice(-most), left: Math.max(0, all.length - most) };
}

function section<T>(heading: string, { shown, left }: Part<T>, spansOf: (one: T) => Span[]): Block[] {
  if (shown.length === 0) return [];
  const earlier = left === 0 ? [] : [plain(`\nand ${left} before`)];
  return [{ type: 'text', spans: [bold(heading), ...shown.flatMap((one) => [plain('\n'), ...spansOf(one)]), ...earlier] }];
}

function askedSpans(run: RunRow, { now, commit, task, lines, person, where }: Facts): Span[] {
  const asked = lines.find(({ action, subject }) => action === 'run.asked' && subject === run.id);
  const told = lines.filter(({ action, subject }) => action === 'run.steered' && subject === run.id);
  const files = lines.filter(({ action, data }) => action === 'file.given' && data.run === run.id);
  const { policyVersion = task.policyVersion, text, context, messages } = asked?.data ?? {};
  const given = [
    ...(typeof text === 'string' ? [`text ${short(text)}`] : []),
    ...(typeof context === 'string' ? [`what was said before ${short(context)}`] : []),
    ...(Array.isArray(messages) && messages.length > 0 ? [count(messages.length, 'message')] : []),
    ...(told.length > 0 ? [`${count(told.length, 'message')} while it ran`] : []),
    ...files.slice(0, 5).map(({ data }) => `file ${short(String(data.sha256))}`),
    ...(files.length > 5 ? [`${files.length - 5} files more`] : []),
  ];
  const made = run.result?.commit;
  const isThis = made !== undefined && commit !== undefined && made.startsWith(commit);
  return [
    plain(`Run ${run.attempt} by ${person(run.requestedBy)}${where(asked)}, `),
    ago(run.queuedAt, now),
    plain(`, with version ${policyVersion} of the policy`),
    plain(given.length === 0 ? '' : ` · given: ${given.join(', ')}`),
    ...(made === undefined ? [] : [plain(' · made '), code(short(made)), plain(isThis ? ', this commit' : '')]),
    ...(run.id === task.chosen ? [plain(', chosen')] : []),
  ];
}

const marks: Partial<Record<DecisionFacts['state'], string>> = { pending: '⏸', approved: '✔', answered: '✔' };

function decidedSpans(one: DecisionFacts, { now, lines, person, where }: Facts): Span[] {
  const line = (user: string | undefined) =>
    lines.findLast(({ action, subject, actor }) => decideActions.includes(action) && subject === one.id && actor === user);
  const { state, by, on, decidedAt, approvals, reason } = one;
  const place = (user: string | undefined) => where(line(user)) || (on === undefined ? '' : `, on ${platformWord(on)}`);
  const others = approvals.filter(({ user }) => user !== by).map(({ user }) => `${person(user)}${where(line(user))}`);
  const yes = [...others, ...(by === undefined ? [] : [`${person(by)}${place(by)}`])].join(' and ');
  return [
    plain(`${marks[state] ?? '✖'} ${kindWords[one.kind] ?? 'Request'} `),
    code(said(actionTitle(one.action), 120)),
    plain(` · ${state}${yes === '' ? '' : ` by ${yes}`}`),
    ...(decidedAt === undefined ? [] : [plain(', '), ago(decidedAt, now)]),
    ...marked(` · asked because ${said(one.because, 200)}`),
    ...(reason === undefined ? [] : [plain(` · said: ${said(reason)}`)]),
    plain(' · action '),
    code(short(one.actionHash)),
  ];
}

const kindWords: Record<string, string> = {
  approval: 'Command or call',
  plan: 'Plan',
  question: 'Question',
  spend: 'Money',
  publish: 'Bringing out',
};

function publicationSpans(one: PublicationRecord, { now, person }: Facts): Span[] {
  const state = one.state === 'failed' ? 'failed' : one.pushedAt === null ? 'not pushed yet' : 'pushed';
  return [
    code(short(one.commit)),
    plain(` ${state} to `),
    code(said(one.branch)),
    plain(` of ${said(one.remote)}, asked for by ${person(one.requestedBy)}`),
    ...(one.pushedAt === null ? [] : [plain(', '), ago(one.pushedAt, now)]),
  ];
}

function pullSpans({ id, repository, facts }: PullRecord, { lines, now, person, where }: Facts): Span[] {
  const asked = lines.findLast(({ action, subject }) => action === 'pull_request.merge' && subject === id);
  return [
    { type: 'link', text: `${repository}#${facts.number}`, url: facts.url },
    plain(` ${facts.state}`),
    ...(facts.mergeCommit === undefined ? [] : [plain(' as '), code(short(facts.mergeCommit))]),
    ...(asked === undefined
      ? []
      : [plain(` · merging was asked for by ${person(asked.actor)}${where(asked)}, `), ago(asked.at, now)]),
  ];
}

function whereOf(line: AuditRow | undefined, names: AuditNames, project: string): string {
  const { via } = line ?? {};
  if (via === undefined) return '';
  const isHome = [...names.channels].some(([key, channel]) => key.endsWith(`:${via.channel}`) && channel.project === project);
  return whereWords(via, names, isHome);
}

function comma(text: string): string {
  return text === '' ? '' : `, ${text}`;
}
