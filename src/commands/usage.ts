import { notAllowed } from '../access/not-allowed.ts';
import { actingOn } from '../access/who-acts.ts';
import { dollars } from '../approvals/action-text.ts';
import { AppError } from '../contracts/errors.ts';
import { may } from '../contracts/permissions.ts';
import { type Block, bold, plain, type UsageChart, type View } from '../contracts/view.ts';
import { amount } from '../delivery/agent-words.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { oneLine, shorten } from '../delivery/neutralise.ts';
import { count, digits } from '../delivery/units.ts';
import { shortDay } from '../delivery/usage-chart.ts';
import { idsOf } from '../store/linked-people.ts';
import { projectsOf } from '../store/projects.ts';
import { standingsOf } from '../store/quotas.ts';
import { type UsagePart, type UsageWhich, usageByDay, usageParts } from '../store/usage.ts';
import { duration, name, oneOf, optional } from './arguments.ts';
import { type CommandContext, defineCommand, type Reply } from './command.ts';
import { namedPerson, personText } from './member-target.ts';
import { namedProject } from './subject.ts';
import { commandButton } from './task-lines.ts';
import { quote } from './tokens.ts';
import { usageCsv, usageJson } from './usage-export.ts';
import { dayOf, type Figures, namedFigures, tokensOf, totalOf, usageChart } from './usage-figures.ts';

const dayMs = 24 * 60 * 60_000;
const usualDays = 7;
/** Days that are told one by one below the picture. */
const daysTold = 14;
/** Lines of an export. */
const mostLines = 20_000;
const example = 'usage person=@ada since=30d';
const action = 'see what others used';

type Whose = { text: string; which: Pick<UsageWhich, 'projects' | 'people'> };

export const usage = defineCommand({
  name: 'usage',
  group: 'look',
  summary: 'Shows what models cost and how much they read and wrote, day by day, as a picture and in figures',
  details: [
    'Everybody sees their own usage, maintainers that of their projects, owners all of it. Without `me` or `all` the answer is as wide as you may see here, and its first line says whose usage it is.',
    'Days are in UTC. Tokens are what models read and wrote, without what they had in their cache. Only you see the answer.',
  ],
  permission: 'task.see',
  action: 'see what was used',
  unbound: 'with-role',
  positional: {
    what: optional({
      hint: 'what',
      about: 'only yours, that of everybody, or a file with every line',
      values: ['me', 'all', 'export'],
      schema: oneOf(['me', 'all', 'export']),
    }),
  },
  options: {
    by: optional({
      hint: 'agent',
      about: 'what it is told apart by; `agent` if left out',
      values: usageParts,
      schema: oneOf(usageParts),
    }),
    since: optional({ hint: '30d', about: 'how far back, `7d` if left out', schema: duration(dayMs, 366 * dayMs) }),
    project: optional({ hint: 'web', about: 'only of this project', names: 'project', schema: name }),
    person: optional({ hint: '@ada', about: 'only what this person asked for', names: 'person', schema: personText }),
    channel: optional({
      hint: 'here',
      about: 'only of tasks that began in this channel',
      values: ['here'],
      schema: oneOf(['here']),
    }),
    agent: optional({ hint: 'codex', about: 'only of this agent', schema: name }),
    model: optional({ hint: 'gpt-6-sol', about: 'only of this model', names: 'model', schema: name }),
    format: optional({
      hint: 'csv',
      about: 'of the file: `csv` if left out',
      values: ['csv', 'json'],
      schema: oneOf(['csv', 'json']),
    }),
  },
  examples: [
    ['usage', 'the last seven days'],
    ['usage me since=30d', 'what you have used in the last 30 days'],
    ['usage project=web by=person', 'who has used how much in web'],
    [example, 'what Ada has used'],
    ['usage export since=90d format=json', 'every day with every project, person, agent and model, as a file'],
  ],
  async run(ctx, { what, by = 'agent', since = usualDays * dayMs, format = 'csv', ...given }) {
    const now = ctx.deps.now();
    const days = Math.ceil(since / dayMs);
    const whose = await whoseUsage(ctx, { what, project: given.project, person: given.person });
    const which: UsageWhich = {
      workspace: ctx.person.workspace,
      since: dayOf(new Date(now.getTime() - (days - 1) * dayMs)),
      until: dayOf(now),
      ...whose.which,
      ...(given.channel === undefined ? {} : { channel: ctx.channel.id }),
      agent: given.agent,
      model: given.model,
    };
    const narrowed = [given.channel && 'of tasks from this channel', given.agent, given.model].filter((one) => one !== undefined);
    const title = [
      `${whose.text}, last ${days === 1 ? 'day' : `${days} days`}`,
      ...narrowed.map((one) => shorten(oneLine(one), 40)),
    ].join(' · ');
    if (what === 'export') return await exported(ctx, which, title, format);
    const again = (part: UsagePart, length: number) =>
      [
        'usage',
        ...(what === undefined ? [] : [what]),
        `by=${part}`,
        `since=${length}d`,
        ...Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${quote(value)}`])),
      ].join(' ');
    const buttons = [
      ...usageParts
        .filter((part) => part !== by && part !== 'channel')
        .map((part) => ({ label: `By ${part}`, text: again(part, days) })),
      days === 30 ? { label: '7 days', text: again(by, 7) } : { label: '30 days', text: again(by, 30) },
    ].filter(({ text }) => Buffer.byteLength(text) <= 60);
    return { view: await usageView(ctx, which, { title, by, buttons }), audience: 'person' };
  },
});

/** Whose usage the person is shown: never more than they may see. */
async function whoseUsage(
  ctx: CommandContext,
  {
    what,
    project: wanted,
    person: named,
  }: { what: 'me' | 'all' | 'export' | undefined; project: string | undefined; person: string | undefined },
): Promise<Whose> {
  const project = wanted === undefined ? (what === 'all' ? undefined : ctx.bound) : await namedProject(ctx, wanted);
  const of = project === undefined ? '' : ` of ${project.name}`;
  const inProject = project === undefined ? {} : { projects: [project.id] };
  const own: Whose = { text: `Your usage${of}`, which: { ...inProject, people: idsOf(ctx.person) } };
  const needed = project === undefined ? 'usage.workspace' : 'usage.people';
  const mayAll = may(project === undefined ? ctx.ownRights : actingOn(ctx, project.id), needed);
  if (what === 'all' && !mayAll) throw await notAllowed(ctx.tx, ctx.person, action, needed);
  if (what === 'me') return own;
  const maintained = mayAll ? undefined : await maintainedProjects(ctx);
  const many = project === undefined && maintained !== undefined && maintained.length > 0;
  const seen: Whose | undefined = mayAll
    ? { text: project === undefined ? 'Usage of everybody' : `Usage${of}`, which: inProject }
    : many
      ? { text: 'Usage of your projects', which: { projects: maintained } }
      : undefined;
  if (named === undefined) return seen ?? own;
  const person = await namedPerson(ctx, named, example);
  const people = idsOf(person);
  if (idsOf(ctx.person).some((id) => people.includes(id))) return own;
  if (seen === undefined) throw await notAllowed(ctx.tx, ctx.person, action, 'usage.people');
  return { text: `Usage of ${person.name}${of}`, which: { ...seen.which, people } };
}

async function maintainedProjects(ctx: CommandContext): Promise<string[]> {
  const projects = await projectsOf(ctx.tx, ctx.person.workspace);
  return projects.filter(({ id }) => may(actingOn(ctx, id), 'usage.people')).map(({ id }) => id);
}

async function usageView(
  ctx: CommandContext,
  which: UsageWhich,
  { title, by, buttons }: { title: string; by: UsagePart; buttons: readonly { label: string; text: string }[] },
): Promise<View> {
  const rows = await usageByDay(ctx.tx.db, which, [by]);
  const heading: Block = { type: 'text', spans: [bold(title)] };
  const pressed: Block[] =
    buttons.length === 0 ? [] : [{ type: 'buttons', buttons: buttons.map(({ label, text }) => commandButton(label, text)) }];
  if (rows.length === 0) {
    const text = 'No agent has asked a model in this time. `usage since=90d` looks further back.';
    return withFallback([heading, { type: 'text', spans: marked(text) }]);
  }
  const total = totalOf(rows);
  const groups = namedFigures(rows, by);
  const chart = usageChart(rows, { part: by, since: which.since, until: which.until, title, limits: await limitsOf(ctx, which) });
  return withFallback(
    [
      heading,
      {
        type: 'text',
        spans: [plain(`${costWords(total)} · ${amount(total.tokens)} tokens · ${count(total.requests, 'request')}`)],
      },
      {
        type: 'table',
        columns: [
          { header: by, align: 'left' },
          { header: 'cost', align: 'right' },
          { header: 'tokens', align: 'right' },
          { header: 'requests', align: 'right' },
        ],
        rows: groups.map((one) => [
          shorten(oneLine(one.name), 30),
          one.unpriced === one.requests ? 'not known' : dollars(one.costUsd),
          amount(one.tokens),
          digits(one.requests),
        ]),
      },
      { type: 'context', spans: [plain(dayWords(rows))] },
      ...(total.unpriced === 0
        ? []
        : [
            {
              type: 'context' as const,
              spans: [plain(`Of ${count(total.unpriced, 'request')} the price is not known: they are not in the cost.`)],
            },
          ]),
      ...elsewhere(ctx, 'picture'),
      ...pressed,
    ],
    [{ from: 'chart', name: 'usage.png', chart }],
  );
}

/** What quotas allow in a day of just what is shown. */
async function limitsOf(ctx: CommandContext, which: UsageWhich): Promise<UsageChart['limits']> {
  const { projects, people, channel, agent, model } = which;
  if (agent !== undefined || model !== undefined) return {};
  const [scope, subjects] =
    channel !== undefined
      ? (['channel', projects === undefined && people === undefined ? [channel] : []] as const)
      : people !== undefined
        ? (['person', projects === undefined ? people : []] as const)
        : projects !== undefined
          ? (['project', projects.length === 1 ? projects : []] as const)
          : (['workspace', [which.workspace]] as const);
  if (subjects.length === 0) return {};
  const standings = await standingsOf(ctx.tx.db, which.workspace, ctx.deps.now());
  const limitOf = (measure: 'cost' | 'tokens') =>
    standings.find(
      ({ quota }) =>
        quota.measure === measure && quota.per === 'day' && quota.scope === scope && subjects.includes(quota.subject),
    )?.quota.limit;
  const [costUsd, tokens] = [limitOf('cost'), limitOf('tokens')];
  return {
    ...(costUsd === undefined || costUsd <= 0 ? {} : { costUsd }),
    ...(tokens === undefined || tokens <= 0 ? {} : { tokens }),
  };
}

function costWords({ costUsd, unpriced, requests }: Figures): string {
  if (unpriced === requests) return 'cost not known';
  return `${unpriced > 0 ? 'at least ' : ''}${dollars(costUsd)}`;
}

/** "Nov 20 $1.20, 41k · Nov 21 $0.40, 12k tokens": the newest days with any. */
function dayWords(rows: Awaited<ReturnType<typeof usageByDay>>): string {
  const days = [...Map.groupBy(rows, ({ day }) => day)].sort(([a], [b]) => a.localeCompare(b));
  const told = days.slice(-daysTold).map(([day, own]) => {
    const tokens = own.reduce((sum, row) => sum + tokensOf(row), 0);
    return `${shortDay(day)} ${costWords(totalOf(own))}, ${amount(tokens)} tokens`;
  });
  const before = days.length > told.length ? `${count(days.length - told.length, 'day')} before · ` : '';
  return `${before}${told.join(' · ')}`;
}

/** An answer to one person in a channel can have no files. */
function elsewhere(ctx: CommandContext, what: 'picture' | 'file'): Block[] {
  if (ctx.act.conversation.kind === 'direct') return [];
  return [{ type: 'context', spans: [plain(`The ${what} comes as a direct message.`)] }];
}

async function exported(ctx: CommandContext, which: UsageWhich, title: string, format: 'csv' | 'json'): Promise<Reply> {
  const rows = await usageByDay(ctx.tx.db, which, usageParts, mostLines + 1);
  if (rows.length > mostLines) {
    const problem = `That is more than ${digits(mostLines)} lines.`;
    throw new AppError('DH-210', { problem, example: 'usage export since=7d' });
  }
  const file = `usage-${which.since}-to-${which.until}.${format}`;
  const blocks: Block[] = [
    { type: 'text', spans: [bold(title)] },
    {
      type: 'text',
      spans: [plain(rows.length === 0 ? 'Nothing was used in this time.' : `${count(rows.length, 'line')} in ${file}`)],
    },
  ];
  if (rows.length > 0) blocks.push(...elsewhere(ctx, 'file'));
  const text = format === 'csv' ? usageCsv(rows) : usageJson(rows);
  return { view: withFallback(blocks, rows.length === 0 ? [] : [{ from: 'text', name: file, text }]), audience: 'person' };
}
