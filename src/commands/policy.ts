import { AppError } from '../contracts/errors.ts';
import { bold, code, plain, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { type Project, projectById } from '../store/projects.ts';
import { count, name, optional, required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { commandBlock } from './fitting-buttons.ts';
import { namesIn } from './named-targets.ts';
import { decidersText } from './pending.ts';
import { policyButtons } from './policy-buttons.ts';
import { holdProject, storePolicy } from './policy-change.ts';
import { endText, meanwhileText, needsText, whenSpans } from './policy-words.ts';
import { personFor, projectFor } from './subject.ts';
import { quote } from './tokens.ts';

export const policyProject = optional({
  hint: 'name',
  about: 'the project, where the channel does not say it',
  names: 'project',
  schema: name,
});

const see = { command: 'policy', permission: 'task.see', action: 'see the policy' } as const;
const change = { command: 'policy remove', permission: 'policy.manage', action: 'change the policy' } as const;

export const policy = defineCommand({
  name: 'policy',
  group: 'setup',
  summary: 'Shows who must approve what in the project of this channel',
  details: [
    'What `settings` says holds for all requests. Demands add to it for some of them: the strictest of all that apply counts, so no demand makes anything easier.',
    '`policy test` says what would happen to a command or a change, and why.',
  ],
  permission: see.permission,
  action: see.action,
  about: 'project',
  positional: {},
  options: { project: policyProject },
  examples: [['policy', 'shows it, with its demands']],
  async run(ctx, args) {
    const choice = await projectFor(ctx, args.project);
    if ('ask' in choice) return choice.ask;
    await personFor(ctx, choice.project.id, see);
    return { view: await policyView(ctx, choice.project, []), audience: 'asked', list: 'shared' };
  },
});

export const policyRemove = defineCommand({
  name: 'policy remove',
  group: 'setup',
  summary: 'Takes a demand out of the policy of the project',
  permission: change.permission,
  action: change.action,
  about: 'project',
  positional: { number: required({ hint: '2', about: 'its number, as `policy` shows it', schema: count(99) }) },
  options: { project: policyProject },
  examples: [['policy remove 2', 'takes the second demand out']],
  async run(ctx, args) {
    const choice = await projectFor(ctx, args.project);
    if ('ask' in choice) return choice.ask;
    await personFor(ctx, choice.project.id, change);
    const project = await holdProject(ctx, choice.project);
    const { demands = [], ...rest } = project.policy;
    if (demands[args.number - 1] === undefined) {
      throw new AppError('DH-300', { what: `There is no demand ${args.number}.`, instead: '`policy` lists those there are.' });
    }
    const left = demands.filter((_, at) => at !== args.number - 1);
    const notes = await storePolicy(ctx, project, left.length === 0 ? rest : { ...rest, demands: left });
    return { view: await policyView(ctx, project, notes), audience: 'all' };
  },
});

/** The policy as it is stored now. */
export async function policyView(ctx: CommandContext, asked: Project, notes: readonly string[]): Promise<View> {
  const project = (await projectById(ctx.tx, asked.workspace, asked.id)) ?? asked;
  const { mode, approvers, demands = [] } = project.policy;
  const names = await namesIn(ctx, [approvers, ...demands.map(({ needs }) => needs)]);
  return withFallback([
    {
      type: 'text',
      spans: [
        bold(`Policy of ${project.name}`),
        plain(` · ${notes.length === 0 ? '' : 'now at '}version ${project.policyVersion}`),
      ],
    },
    {
      type: 'fields',
      items: [
        { label: 'asks', spans: [code(mode), ...marked(' (`settings policy=…`)')] },
        { label: 'everything', spans: [plain(`${decidersText(approvers, names)}; ${endText(project.policy)}`)] },
        { label: 'meanwhile', spans: [plain(meanwhileText(project.policy))] },
      ],
    },
    ...(demands.length === 0
      ? [{ type: 'text' as const, spans: marked('Nothing more is demanded. `policy add path=infra/** approvals=2` would.') }]
      : demands.flatMap((demand, at) => [
          {
            type: 'text' as const,
            spans: [bold(`${at + 1}. `), ...whenSpans(demand), plain(`: ${needsText(demand, names)}`)],
          },
          commandBlock(`Remove ${at + 1}`, `policy remove ${at + 1} project=${quote(project.name)}`, 'takes it out'),
        ])),
    ...notes.map((note) => ({ type: 'context' as const, spans: marked(note) })),
    ...policyButtons(project),
  ]);
}
