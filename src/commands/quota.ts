import { amountText, limitText, usedText } from '../budgets/amounts.ts';
import { allowed, isUsedUp, part } from '../budgets/standing.ts';
import { freeText, quotaPermission, whereText } from '../budgets/words.ts';
import { may } from '../contracts/permissions.ts';
import { type Standing, warnedFrom } from '../contracts/quotas.ts';
import { type Block, type Button, bold, code, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { shorten } from '../delivery/neutralise.ts';
import { count } from '../delivery/units.ts';
import { idsOf } from '../store/linked-people.ts';
import { keptBytes, runsWithPlace, subjectNames } from '../store/quota-facts.ts';
import { standingsOf } from '../store/quotas.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { visibleProjects } from './subject.ts';
import { commandButton } from './task-lines.ts';

/** Longest list in one answer; and buttons below it. */
const shown = 25;
const removable = 5;
const labelLength = 40;

export const quota = defineCommand({
  name: 'quota',
  group: 'setup',
  summary: 'Shows the quotas, how much of each is used, and when it is free again',
  details: [
    'Everybody sees those of the workspace, of this channel, of projects they may see, and their own; owners, and whoever may change quotas of people, see those of everybody.',
    'A quota is about what runs do; what a single task may cost is its budget: `help budget`.',
  ],
  permission: 'task.see',
  action: 'see quotas',
  unbound: 'with-role',
  positional: {},
  options: {},
  examples: [['quota', 'how much is left, with a bar for each quota']],
  async run(ctx) {
    return { view: await quotaList(ctx, []), audience: 'asked', list: 'shared' };
  },
});

/** All quotas that the person may see, those that are used most first. `said`: what has just been done. */
export async function quotaList(ctx: CommandContext, said: readonly string[]): Promise<View> {
  const now = ctx.deps.now();
  const standings = await visible(ctx, now);
  const names = await subjectNames(
    ctx.tx.db,
    standings.map((standing) => standing.quota),
  );
  const done: Block[] = said.length === 0 ? [] : [{ type: 'text', spans: marked(said.join('\n')) }];
  if (standings.length === 0) {
    const text =
      'There is no quota. `quota add runs=50/day` makes one for the project of this channel; `help quota add` shows what else can be limited.';
    return withFallback([...done, { type: 'text', spans: [bold('Quotas'), plain('\n'), ...marked(text)] }]);
  }
  const first = [...standings].sort((a, b) => part(b) - part(a)).slice(0, shown);
  const lines = first.flatMap((standing): Span[] => [plain('\n'), ...line(standing, names, now)]);
  const more = standings.length - first.length;
  const buttons = [...removeButtons(ctx, first, names), commandButton('Refresh', 'quota')];
  return withFallback([
    ...done,
    { type: 'text', spans: [bold(`Quotas · ${standings.length}`), ...lines] },
    {
      type: 'context',
      spans: marked(
        `${more > 0 ? `${count(more, 'more quota')} that ${more === 1 ? 'is' : 'are'} used less. ` : ''}Periods begin in UTC. \`quota add\` makes, raises and lowers quotas.`,
      ),
    },
    { type: 'buttons', buttons },
  ]);
}

function removeButtons(ctx: CommandContext, standings: readonly Standing[], names: ReadonlyMap<string, string>): Button[] {
  return standings
    .filter(({ quota: { scope } }) => may(ctx.ownRights, quotaPermission(scope)))
    .slice(0, removable)
    .map(({ quota: one }) => {
      // Labels are short.
      const where = whereText(one, names).replace(/^(in|for) (the whole |project )?/, '');
      return commandButton(shorten(`Remove ${limitText(one)} · ${where}`, labelLength), `quota remove ${one.id}`);
    });
}

const barLength = 10;

/** "▰▰▰▰▰▱▱▱▱▱  26 of 50 runs a day in project web · free again …". */
function line(standing: Standing, names: ReadonlyMap<string, string>, now: Date): Span[] {
  const { quota: one, used, extra } = standing;
  const share = part(standing);
  const filled = Math.min(barLength, share >= 1 ? barLength : Math.floor(share * barLength));
  const bar = '▰'.repeat(filled) + '▱'.repeat(barLength - filled);
  const percent = `${Math.floor(share * 100)} %`;
  const mark = isUsedUp(standing) ? ' · used up' : share >= warnedFrom ? ` · ${percent}` : '';
  const free = isUsedUp(standing) ? freeText(standing, now) : '';
  return [
    code(bar),
    plain(' '),
    bold(usedText(one, used, extra)),
    plain(` ${whereText(one, names)}${mark}${free === '' ? '' : `, ${free}`}`),
    ...(extra > 0 ? [plain(` (${amountText(one.measure, allowed(standing) - one.limit)} allowed beyond the limit)`)] : []),
  ];
}

/** Whether the person may see quotas about this. */
function maySee(ctx: CommandContext, { scope, subject }: Standing['quota'], projects: readonly string[] | undefined): boolean {
  switch (scope) {
    case 'workspace':
      return true;
    case 'channel':
      return subject === ctx.channel.id || ctx.ownRole !== undefined;
    case 'project':
      return projects === undefined || projects.includes(subject);
    case 'person':
      return (
        idsOf(ctx.person).includes(subject) || may(ctx.ownRights, 'usage.workspace') || may(ctx.ownRights, 'quota.workspace')
      );
  }
}

/** What is there at a time is looked up; what is counted stands in counters. */
async function visible(ctx: CommandContext, now: Date): Promise<Standing[]> {
  const projects = await visibleProjects(ctx);
  const all = (await standingsOf(ctx.tx.db, ctx.person.workspace, now)).filter(({ quota: one }) => maySee(ctx, one, projects));
  const running = await runsWithPlace(
    ctx.tx.db,
    all.flatMap(({ quota: one }) => (one.measure === 'concurrent' ? [one] : [])),
  );
  const filled: Standing[] = [];
  for (const standing of all) {
    const { quota: one } = standing;
    if (one.measure === 'concurrent') filled.push({ ...standing, used: running.get(one.id) ?? 0 });
    else filled.push(one.measure === 'disk' ? { ...standing, used: await keptBytes(ctx.tx.db, one) } : standing);
  }
  return filled;
}
