import { z } from 'zod';
import { isOwner } from '../changes/code-owners.ts';
import { AppError } from '../contracts/errors.ts';
import { type Block, bold, code, plain, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { recordAudit } from '../store/audit.ts';
import { type CodeOwner, codeOwnerNamed, codeOwnersOf, removeCodeOwner, setCodeOwner } from '../store/named-people.ts';
import { listChange, optional, required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { changedPeople, changedTeams, namesIn } from './named-targets.ts';

const example = 'codeowners set @acme/infra people=@ada';
const shown = 50;

const ownerWord = z
  .string()
  .trim()
  .toLowerCase()
  .transform((text) => (text.includes('@') ? text : `@${text}`))
  .refine(isOwner, {
    error: ({ input }) =>
      `\`${String(input)}\` is no name as in CODEOWNERS: \`@login\`, \`@organisation/team\` or an address of mail.`,
  });

const ownerArgument = required({ hint: '@acme/infra', about: 'the name, as it stands in CODEOWNERS', schema: ownerWord });

export const codeowners = defineCommand({
  name: 'codeowners',
  group: 'people',
  summary: 'Lists who the names in CODEOWNERS of repositories stand for',
  details: [
    'A demand with `codeowners=on` wants an owner of each changed file to approve, as CODEOWNERS of the base commit names them.',
    '`@login` is known without being listed where that account has written to Deckhand in issues or pull requests. What is listed here counts before that.',
  ],
  permission: 'task.see',
  action: 'see who owns code',
  positional: {},
  options: {},
  examples: [['codeowners', 'lists them']],
  async run(ctx) {
    return { view: await listed(ctx, []), audience: 'asked', list: 'shared' };
  },
});

export const codeownersSet = defineCommand({
  name: 'codeowners set',
  group: 'people',
  summary: 'Says which people or teams here a name in CODEOWNERS stands for',
  details: ['Who owns code decides about changes where a policy says so: only owners say who that is.'],
  permission: 'codeowner.manage',
  action: 'say who owns code',
  positional: { owner: ownerArgument },
  options: {
    people: optional({ hint: '@ada', about: 'people it stands for', names: 'person', schema: listChange, takes: 'change' }),
    team: optional({ hint: 'infra', about: 'teams whose members it stands for', schema: listChange, takes: 'change' }),
  },
  examples: [
    [example, 'Ada stands for that team of the code host'],
    ['codeowners set @ben-at-github people=@ben', 'this login is Ben'],
    ['codeowners set @acme/infra team=infra', 'whoever is in the team `infra` at the moment'],
  ],
  async run(ctx, { owner, people, team }) {
    const { workspace, user } = ctx.person;
    const before = (await codeOwnerNamed(ctx.tx, workspace, owner)) ?? { owner, people: [], teams: [] };
    const now: CodeOwner = {
      owner,
      people: people === undefined ? before.people : await changedPeople(ctx, before.people, people, example),
      teams: team === undefined ? before.teams : await changedTeams(ctx, before.teams, team),
    };
    if (now.people.length === 0 && now.teams.length === 0) {
      throw new AppError('DH-201', { problem: 'Who it stands for is missing: `people` or `team`.', example: `\`${example}\`` });
    }
    await setCodeOwner(ctx.tx, { ...now, workspace, by: user, at: ctx.deps.now() });
    await recordAudit(ctx.tx, {
      workspace,
      actor: user,
      action: 'codeowners.set',
      subject: owner,
      data: { from: { people: before.people, teams: before.teams }, to: { people: now.people, teams: now.teams } },
    });
    return { view: await listed(ctx, [`\`${owner}\` is known now. It counts at once, also for what waits.`]), audience: 'all' };
  },
});

export const codeownersRemove = defineCommand({
  name: 'codeowners remove',
  group: 'people',
  summary: 'Forgets who a name in CODEOWNERS was said to stand for',
  permission: 'codeowner.manage',
  action: 'say who owns code',
  positional: { owner: ownerArgument },
  options: {},
  examples: [['codeowners remove @acme/infra', 'nobody stands for it any more']],
  async run(ctx, { owner }) {
    const { workspace, user } = ctx.person;
    if (!(await removeCodeOwner(ctx.tx, workspace, owner))) {
      throw new AppError('DH-300', { what: `Nothing was said about \`${owner}\`.`, instead: '`codeowners` lists what was.' });
    }
    await recordAudit(ctx.tx, { workspace, actor: user, action: 'codeowners.removed', subject: owner, data: {} });
    return { view: await listed(ctx, [`\`${owner}\` stands for nobody any more.`]), audience: 'all' };
  },
});

async function listed(ctx: CommandContext, notes: readonly string[]): Promise<View> {
  const all = await codeOwnersOf(ctx.tx, ctx.person.workspace);
  const names = await namesIn(ctx, all);
  const more = all.length - shown;
  return withFallback([
    { type: 'text', spans: [bold(`Names in CODEOWNERS · ${all.length}`)] },
    ...notes.map((note) => ({ type: 'text' as const, spans: marked(note) })),
    ...(all.length === 0
      ? [{ type: 'text' as const, spans: marked(`Nothing was said yet. \`${example}\` would.`) }]
      : all.slice(0, shown).map(({ owner, people, teams }): Block => {
          const who = [...people, ...teams].map((id) => names.get(id) ?? 'somebody who is gone').join(', ');
          return { type: 'text', spans: [code(owner), plain(` is ${who}`)] };
        })),
    ...(more > 0 ? [{ type: 'context' as const, spans: [plain(`and ${more} more`)] }] : []),
  ]);
}
