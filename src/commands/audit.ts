import { AppError } from '../contracts/errors.ts';
import { bold, code, plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { digits } from '../delivery/units.ts';
import { chainHeads, waitingCount } from '../store/audit-chain.ts';
import { type AuditNames, type AuditRow, auditNames, newestLines } from '../store/audit-lines.ts';
import { idsOf } from '../store/linked-people.ts';
import { count, duration, oneOf, optional, shortDuration, taskNumber } from './arguments.ts';
import { auditKinds, auditSentence, short, whereWords } from './audit-words.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { pageBlocks } from './fitting-buttons.ts';
import { namedPerson, personText } from './member-target.ts';
import { taskFor, visibleProjects } from './subject.ts';
import { ago } from './task-lines.ts';
import { quote } from './tokens.ts';

const pageSize = 10;
const dayMs = 24 * 60 * 60_000;
const kinds = Object.keys(auditKinds) as (keyof typeof auditKinds)[];
const example = 'audit person=@ada since=7d';

export const audit = defineCommand({
  name: 'audit',
  group: 'look',
  summary: 'Lists who did what, newest first',
  details: [
    'Each line has its place in the chain of the audit. The end of the list says where the chain ends: with its number and the beginning of its hash.',
    'Only you see the answer.',
  ],
  permission: 'audit.read',
  action: 'read the audit',
  about: ({ task }) => (task === undefined ? 'workspace' : 'project'),
  unbound: 'with-role',
  positional: {
    task: optional({ hint: '#task', about: 'only what is about this task', names: 'task', schema: taskNumber }),
  },
  options: {
    person: optional({ hint: '@ada', about: 'only what this person did', names: 'person', schema: personText }),
    kind: optional({ hint: 'approval', about: 'only one kind', values: kinds, schema: oneOf(kinds) }),
    since: optional({ hint: '7d', about: 'only what happened in this time', schema: duration(60_000, 3650 * dayMs) }),
    page: optional({ hint: '2', about: 'older lines', schema: count(999) }),
  },
  examples: [
    ['audit', 'what happened last'],
    ['audit #142', 'what happened with task 142'],
    [example, 'what Ada did in the last week'],
    ['audit kind=refused', 'what people wanted to do and may not'],
  ],
  async run(ctx, { task: number, person: named, kind, since, page = 1 }) {
    const { workspace } = ctx.person;
    const now = ctx.deps.now();
    const need = { command: 'audit', permission: 'audit.read', action: 'read the audit' } as const;
    const task = number === undefined ? undefined : (await taskFor(ctx, number, need)).task;
    // Lines about everything name every project.
    if (task === undefined && (await visibleProjects(ctx)) !== undefined) {
      throw new AppError('DH-300', {
        what: 'There are projects that you may not see, and the audit of the workspace is about all of them.',
        instead: '`audit #142` lists what is about one task.',
      });
    }
    const person = named === undefined ? undefined : await namedPerson(ctx, named, example);
    const { lines, more } = await newestLines(
      ctx.tx.db,
      {
        workspace,
        actors: person === undefined ? undefined : idsOf(person),
        task: task?.id,
        kinds: kind === undefined ? undefined : auditKinds[kind],
        since: since === undefined ? undefined : new Date(now.getTime() - since),
      },
      { size: pageSize, number: page },
    );
    const names = await auditNames(ctx.tx, workspace, lines);
    const narrowed = [
      ...(task === undefined ? [] : [`#${task.number}`]),
      ...(named === undefined ? [] : [`person=${quote(named)}`]),
      ...(kind === undefined ? [] : [`kind=${kind}`]),
      ...(since === undefined ? [] : [`since=${shortDuration(since)}`]),
    ];
    const about = [
      ...(task === undefined ? [] : [` of #${task.number}`]),
      ...(person === undefined ? [] : [` by ${person.name}`]),
      ...(kind === undefined ? [] : [` about ${kind}`]),
      ...(since === undefined ? [] : [` of the last ${shortDuration(since)}`]),
    ].join('');
    const again = (to: number) => ['audit', ...narrowed, ...(to === 1 ? [] : [`page=${to}`])].join(' ');
    const heading = `Audit${about}${page > 1 || more ? ` · page ${page}` : ''}`;
    const spans = lines.flatMap((line, at) => [...(at === 0 ? [] : [plain('\n')]), ...lineSpans(line, names, now)]);
    return {
      view: withFallback([
        { type: 'text', spans: [bold(heading)] },
        {
          type: 'text',
          spans: spans.length > 0 ? spans : marked(page > 1 ? 'There are no older lines.' : 'There is no such line.'),
        },
        { type: 'context', spans: await endSpans(ctx, now) },
        ...pageBlocks({ page, last: more ? page + 1 : page }, { before: 'Newer', after: 'Older' }, again),
      ]),
      audience: 'person',
      list: 'own',
    };
  },
});

/** `5120 · Ada moved #142 from review to done · on Slack in #demo · 5 min ago` */
function lineSpans(line: AuditRow, names: AuditNames, now: Date): Span[] {
  const where = whereWords(line.via, names);
  return [
    bold(line.seq === undefined ? '–' : String(line.seq)),
    plain(` · ${auditSentence(line, names)}${where === '' ? '' : ` · ${where}`} · `),
    ago(line.at, now),
  ];
}

/** Where the chain ends, and what has no place in it yet. */
async function endSpans(ctx: CommandContext, now: Date): Promise<Span[]> {
  const { db } = ctx.tx;
  const [head] = await chainHeads(db, ctx.person.workspace);
  const waiting = await waitingCount(db, ctx.person.workspace);
  const wait =
    waiting.lines === 0
      ? ''
      : `${waiting.lines === 1 ? ' · 1 line waits' : ` · ${digits(waiting.lines)} lines wait`} for a place`;
  if (head === undefined) return [plain(`No line has a place in the chain yet${wait}`)];
  return [
    plain(`The chain ends at line ${head.seq}, hash `),
    code(short(head.hash)),
    plain(', '),
    ago(head.at, now),
    plain(wait),
  ];
}
