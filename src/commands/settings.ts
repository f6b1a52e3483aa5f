import { notAllowed } from '../access/not-allowed.ts';
import { effortSchema } from '../contracts/agent.ts';
import { maxApprovals } from '../contracts/approvers.ts';
import { AppError } from '../contracts/errors.ts';
import { hostProfiles } from '../contracts/hosts.ts';
import { may, type Permission } from '../contracts/permissions.ts';
import { policySchema } from '../contracts/policy.ts';
import { branchesSchema, mentionsSchema, verbositySchema } from '../contracts/settings.ts';
import { projectById } from '../store/projects.ts';
import { agentOptions } from './agent-choice.ts';
import { budgetWord } from './agent-words.ts';
import {
  checkCommand,
  count,
  duration,
  durationOrNever,
  durationOrNone,
  listChange,
  name,
  oneOf,
  onOff,
  optional,
  roleWord,
  runsOnOption,
} from './arguments.ts';
import { chosenBundle } from './channel-bundle.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { approversOption } from './decider-role.ts';
import { branchName } from './project-add.ts';
import { channelRoles, roleOption } from './role-argument.ts';
import { applyAgentSettings } from './settings-agent.ts';
import { applyChannelSettings, applyProjectSettings, type SettingsChange } from './settings-change.ts';
import { settingsView } from './settings-view.ts';
import { personFor, projectFor } from './subject.ts';

const minute = 60_000;
const modes = policySchema.shape.mode.options;
const patternAbout = 'one pattern at a time, such as `npm test` or `git status *`; `none` empties the list';

export const settings = defineCommand({
  name: 'settings',
  group: 'setup',
  summary: 'Shows or changes the settings of this channel and of its project',
  details: [
    'Policies: `safe` runs what only reads and asks for the rest; `ask` asks for everything; `custom` runs what `allow` names and asks for the rest; `yolo` asks for nothing. What `deny` names never runs.',
    'Tasks that exist keep the policy they were made with. Everybody with a role sees the settings; maintainers and owners change them.',
  ],
  permission: 'task.see',
  // The access bundle is asked about in `run`: it is judged without the one there is, so that nobody locks themselves out.
  permissionFor: (args) => neededFor(args)[0] ?? (args.bundle === undefined ? 'task.see' : 'anyone'),
  action: 'change settings',
  about: 'project',
  unbound: 'with-role',
  positional: {},
  options: {
    project: optional({ hint: 'name', about: 'the project, where the channel does not say it', names: 'project', schema: name }),
    verbosity: optional({
      hint: 'steps',
      about: 'how much of a run this channel sees: decisions and the end, the steps, or every line',
      values: verbositySchema.options,
      schema: oneOf(verbositySchema.options),
    }),
    role: roleOption('developer', 'what members of this channel without a role of their own may do here', channelRoles),
    bundle: optional({
      hint: 'support',
      about: 'the access bundle of this channel: the most that can be done and used here, or `none`; for owners, and by itself',
      names: 'bundle',
      schema: name,
    }),
    private: optional({
      hint: 'on',
      about: 'whether what is asked in this channel is shown nowhere else; a platform that tells private channels sets it first',
      values: ['on', 'off'],
      schema: onOff,
    }),
    external: optional({
      hint: 'guest',
      about:
        "what of that role people get who are external to this platform's workspace: guests, newcomers, people of other organisations; they may look, or nothing",
      values: ['guest', 'none'],
      schema: oneOf(['guest', 'none']),
    }),
    policy: optional({ hint: 'safe', about: 'what runs without asking', values: modes, schema: oneOf(modes) }),
    allow: optional({
      hint: '"npm test"',
      about: `with \`custom\`: commands that run without asking; ${patternAbout}`,
      schema: listChange,
      takes: 'change',
    }),
    deny: optional({ hint: '"rm *"', about: `commands that never run; ${patternAbout}`, schema: listChange, takes: 'change' }),
    approvers: approversOption,
    people: optional({
      hint: '@ada',
      about: 'only these people may decide; `none` for everybody with the role',
      names: 'person',
      schema: listChange,
      takes: 'change',
    }),
    team: optional({
      hint: 'infra',
      about: 'only members of this team may decide; with `people`, these too; `none` for no team',
      schema: listChange,
      takes: 'change',
    }),
    'decide-in': optional({
      hint: '#ops',
      about: 'only what is pressed in this channel counts; `here` for this one, `none` for anywhere',
      schema: listChange,
      takes: 'change',
    }),
    approvals: optional({
      hint: '2',
      about: 'how many different people must say yes; one no is enough for a no',
      schema: count(maxApprovals),
    }),
    'not-requester': optional({
      hint: 'on',
      about: 'whether people may not decide on their own requests',
      values: ['on', 'off'],
      schema: onOff,
    }),
    expires: optional({
      hint: '1h',
      about: 'how long a request for a decision waits before it counts as no; `never`: it waits until somebody decides',
      schema: durationOrNever(minute, 30 * 24 * 60 * minute),
    }),
    remind: optional({
      hint: '10m',
      about: 'when those who may decide are reminded',
      schema: duration(minute, 30 * 24 * 60 * minute),
    }),
    escalate: optional({
      hint: '30m',
      about: 'when others are asked besides, because nobody has decided; `none` for never',
      schema: durationOrNone(minute, 30 * 24 * 60 * minute),
    }),
    'escalate-to': optional({
      hint: 'owner',
      about: 'the weakest role of those who are asked then, and may decide also where others are named; `owner` if left out',
      values: ['developer', 'maintainer', 'owner'],
      schema: roleWord,
    }),
    timeout: optional({ hint: '30m', about: 'how long a command may run', schema: duration(1000, 24 * 60 * minute) }),
    check: optional({
      hint: '"npm test"',
      about: 'what runs over every change before people look at it, without asking; `none` for nothing',
      schema: checkCommand,
    }),
    'check-timeout': optional({
      hint: '10m',
      about: 'how long the check may run, never longer than `timeout`',
      schema: duration(1000, 24 * 60 * minute),
    }),
    concurrency: optional({ hint: '2', about: 'how many commands of the project run at once', schema: count(100) }),
    'runs-on': optional({
      ...runsOnOption,
      about: 'labels that a runner must have to take its runs, with commas between; `none` for any runner',
    }),
    agent: optional({ ...agentOptions.agent, about: 'which agent works where the request names none' }),
    mode: optional({ ...agentOptions.mode, about: 'how much agents may do without asking, where the request does not say it' }),
    model: optional({ ...agentOptions.model, about: 'the model of that agent; `default` for its own choice' }),
    effort: optional({
      hint: 'high',
      about: 'how hard that agent thinks; `default` for its own choice',
      values: [...effortSchema.options, 'default'],
      schema: oneOf([...effortSchema.options, 'default']),
    }),
    account: optional({
      ...agentOptions.account,
      about: 'the account that agent works with; `none` for what the runner is configured with',
    }),
    budget: optional({ hint: '5', about: 'US dollars a task may cost before it asks; `none` for no limit', schema: budgetWord }),
    hosts: optional({
      hint: 'npm,pypi',
      about: `where programs of agents may fetch from: ${Object.keys(hostProfiles)
        .map((name) => `\`${name}\``)
        .join(', ')}, or names of hosts; \`none\` for nowhere`,
      schema: listChange,
      takes: 'change',
    }),
    branch: optional({
      hint: 'main',
      about: 'the base branch of new tasks; `default` for that of the repository',
      schema: branchName,
    }),
    branches: optional({
      hint: 'keep',
      about:
        "what becomes of Deckhand's branch at the code host: `delete` once its pull request is merged, or closed for two weeks; `keep` for never",
      values: branchesSchema.options,
      schema: oneOf(branchesSchema.options),
    }),
    mentions: optional({
      hint: 'off',
      about: 'who may ask in issues and pull requests of the repository: `write` for whoever may write to it, `off` for nobody',
      values: mentionsSchema.options,
      schema: oneOf(mentionsSchema.options),
    }),
    links: optional({
      hint: 'docs.example.org',
      about: 'hosts whose addresses are links on the cards of tasks, whoever wrote them there; `none` for no such links',
      schema: listChange,
      takes: 'change',
    }),
  },
  examples: [
    ['settings', 'shows them'],
    ['settings policy=safe timeout=20m concurrency=3', 'reading runs at once, the rest asks'],
    ['settings policy=custom allow+="npm test" allow+="npm run *"', 'lets these run without asking'],
    ['settings check="npm test"', 'tests every change before its review'],
    ['settings approvers=developer expires=30m not-requester=on', 'another developer must approve'],
    ['settings approvals=2', 'two people must approve'],
    ['settings agent=claude-code mode=ask budget=5', 'what tasks of agents begin with'],
    ['settings hosts=npm,files.example.org', 'where their programs may fetch from'],
    ['settings verbosity=quiet role=developer', 'of this channel'],
    ['settings bundle=support', 'limits what can be done in this channel to the access bundle `support`'],
  ],
  async run(ctx, args) {
    const { project: named, bundle, ...change } = args;
    if (bundle !== undefined) return chosenBundle(ctx, bundle, neededFor(change).length > 0 || named !== undefined);
    if (ctx.channel.kind === 'channel' && ctx.bound === undefined && ctx.threadTask === undefined) throw new AppError('DH-203');
    const choice = await projectFor(ctx, named);
    if ('ask' in choice) return choice.ask;
    const { project } = choice;
    const needed = neededFor(change);
    if (needed.length === 0) {
      await personFor(ctx, project.id, { command: 'settings', permission: 'task.see', action: 'see settings' });
      return { view: await settingsView(ctx, project, []), audience: 'asked' };
    }
    for (const permission of needed) {
      await personFor(ctx, project.id, { command: 'settings', permission, action: changing[permission] });
    }
    await checkChannelPart(ctx, change);
    const channel = await applyChannelSettings(ctx, change);
    const applied = await applyProjectSettings(ctx, project, change);
    const notes = [...applied.notes, ...(await applyAgentSettings(ctx, applied.project, change))];
    const now = (await projectById(ctx.tx, project.workspace, project.id)) ?? applied.project;
    return { view: await settingsView({ ...ctx, channel }, now, notes), audience: 'all' };
  },
});

/** What takes less or more than changing the project does; all else is about the project. */
const channelPart: ReadonlySet<string> = new Set(['verbosity', 'role', 'external', 'private']);
const policyPart: ReadonlySet<string> = new Set([
  'policy',
  'allow',
  'deny',
  'approvers',
  'people',
  'team',
  'decide-in',
  'approvals',
  'not-requester',
  'expires',
  'remind',
  'escalate',
  'escalate-to',
  'check',
  'check-timeout',
]);

/** For "Ada may not …". */
const changing = {
  'channel.manage': 'change the settings of this channel',
  'policy.manage': 'change the policy',
  'project.manage': 'change settings',
} as const satisfies Partial<Record<Permission, string>>;

/** What it takes to change these: nothing when nothing is to be changed. */
function neededFor(args: Record<string, unknown>): (keyof typeof changing)[] {
  const keys = Object.entries(args).flatMap(([key, value]) =>
    key === 'project' || key === 'bundle' || value === undefined ? [] : [key],
  );
  const needed = keys.map((key) =>
    channelPart.has(key) ? 'channel.manage' : policyPart.has(key) ? 'policy.manage' : 'project.manage',
  );
  return [...new Set(needed)];
}

/**
 * A direct conversation has no members to show less to or to give roles to. What a channel shows and gives is for maintainers of the project
 * that it is bound to, whatever project is named.
 */
async function checkChannelPart(ctx: CommandContext, change: SettingsChange): Promise<void> {
  if ([change.verbosity, change.role, change.external, change.private].every((value) => value === undefined)) return;
  if (ctx.channel.kind === 'channel') {
    const need = { command: 'settings', permission: 'channel.manage', action: changing['channel.manage'] } as const;
    const by = ctx.bound === undefined ? { ...ctx.ownRights, name: ctx.person.name } : await personFor(ctx, ctx.bound.id, need);
    if (!may(by, need.permission)) throw await notAllowed(ctx.tx, ctx.person, need.action, need.permission);
    return;
  }
  throw new AppError('DH-300', {
    what: '`verbosity`, `role`, `external` and `private` are settings of a channel, and this is a direct conversation.',
    instead: 'Send them in the channel.',
  });
}
