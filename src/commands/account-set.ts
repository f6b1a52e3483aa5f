import type { AgentAccount } from '../contracts/agent-account.ts';
import { AppError } from '../contracts/errors.ts';
import { textView } from '../delivery/list-view.ts';
import { count } from '../delivery/units.ts';
import {
  type AgentAccountChange,
  agentAccountById,
  changeAgentAccount,
  forgetAgentAccountKey,
  lockAgentAccount,
  removeAgentAccount,
  usersOfAccount,
} from '../store/agent-accounts.ts';
import { recordAudit } from '../store/audit.ts';
import { accountOptions, auditOf, changedModels, projectOfAccount, withoutKey } from './account-add.ts';
import { namedAccount } from './account-choice.ts';
import { askedFor } from './account-key.ts';
import { accountView } from './account-view.ts';
import { accountName } from './account-words.ts';
import { required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { sightOf } from './subject.ts';

const name = required({ hint: 'name', about: 'the account', names: 'account', schema: accountName });

export const accountSet = defineCommand({
  name: 'account set',
  group: 'setup',
  summary: 'Changes the server, the models, the image, the program or the project of an account',
  details: [
    'With another address, or another way to send the key, the key is forgotten and asked for again: no other server gets it.',
    'A change counts from the next run on. What uses the account keeps it from being given to another project.',
  ],
  permission: 'account.manage',
  action: 'change accounts of agents',
  unbound: 'with-role',
  positional: { name },
  options: accountOptions,
  examples: [
    ['account set main models+=claude-sonnet-4-5', 'this model may be asked for, too'],
    ['account set main image=acme/agents:2', 'its runs work in that image'],
    ['account set main project=web', 'only tasks of project web work with it'],
  ],
  async run(ctx, args) {
    const was = await locked(ctx, args.name);
    const { url, auth, models, image, binary } = args;
    const project = await projectOfAccount(ctx, args.project);
    if (project !== undefined && project !== null) await refuseWhileUsed(ctx, was, project);
    const change: AgentAccountChange = {
      ...(url === undefined ? {} : { baseUrl: url }),
      ...(auth === undefined || auth === sentAs(was) ? {} : { credential: auth }),
      ...(models === undefined ? {} : { models: changedModels(was.models, models) }),
      ...(image === undefined ? {} : { image }),
      ...(binary === undefined ? {} : { binary }),
      ...(project === undefined ? {} : { project }),
    };
    if (Object.keys(change).length === 0) return { view: accountView(was, 'Nothing was changed.'), audience: 'person' };
    await changeAgentAccount(ctx.tx, was.id, change);
    const isElsewhere = (change.baseUrl ?? was.baseUrl) !== was.baseUrl || change.credential !== undefined;
    if (isElsewhere) await forgetAgentAccountKey(ctx.tx, was.id);
    // A login is known by its token, which is gone now.
    if (isElsewhere && was.credential === 'login' && change.credential === undefined) {
      await changeAgentAccount(ctx.tx, was.id, { credential: 'key' });
    }
    const now = await agentAccountById(ctx.tx, was.workspace, was.id);
    if (now === undefined) throw new Error(`account ${was.id} is gone`);
    await recordAudit(ctx.tx, {
      workspace: was.workspace,
      actor: ctx.person.user,
      action: 'account.change',
      subject: was.id,
      data: { from: auditOf(was), to: auditOf(now), keyForgotten: isElsewhere },
    });
    if (!isElsewhere) return { view: accountView(now, 'It counts from the next run on.'), audience: 'person' };
    if (now.credential === 'none') return withoutKey(ctx, now, 'The account is changed.');
    return askedFor(now, 'The account is changed, and its key is forgotten: enter the one for this server.');
  },
});

export const accountRemove = defineCommand({
  name: 'account remove',
  group: 'setup',
  summary: 'Removes an account of agents and forgets its key',
  details: ['Runs under way with it end at their next request to the model; what they have done is kept.'],
  permission: 'account.manage',
  action: 'change accounts of agents',
  unbound: 'with-role',
  positional: { name },
  options: {},
  examples: [['account remove main', 'its key is gone, its name is free']],
  async run(ctx, args) {
    const account = await locked(ctx, args.name);
    const users = await usersOfAccount(ctx.tx, account.workspace, account.name, sightOf(ctx));
    await removeAgentAccount(ctx.tx, account.id, ctx.deps.now());
    await recordAudit(ctx.tx, {
      workspace: account.workspace,
      actor: ctx.person.user,
      action: 'account.remove',
      subject: account.id,
      data: auditOf(account),
    });
    const { projects, tasks } = users;
    const text = [
      `The account \`${account.name}\` is removed, and its key is forgotten. Take the key back at its provider, too, if nobody else uses it.`,
      ...projects.map(
        (project) => `\`${project.name}\` still begins with it: \`settings project=${project.name} account=none\` ends that.`,
      ),
      ...(tasks.length === 0 ? [] : [`${count(tasks.length, 'run')} under way with it will end.`]),
    ].join(' ');
    return { view: textView(text), audience: 'person' };
  },
});

async function locked(ctx: CommandContext, called: string): Promise<AgentAccount> {
  const found = await namedAccount(ctx, called);
  if (!(await lockAgentAccount(ctx.tx, found.workspace, found.id))) throw new AppError('DH-208');
  return (await agentAccountById(ctx.tx, found.workspace, found.id)) ?? found;
}

/** Most tasks that a refusal names. */
const named = 8;

/** Throws DH-217 where others than this project use the account: what they do would end in the middle. */
async function refuseWhileUsed(ctx: CommandContext, account: AgentAccount, project: string): Promise<void> {
  const users = await usersOfAccount(ctx.tx, account.workspace, account.name, sightOf(ctx));
  const projects = users.projects.filter(({ id }) => id !== project).map(({ name: called }) => `\`${called}\``);
  const tasks = users.tasks.filter((task) => task.project.id !== project);
  if (projects.length === 0 && tasks.length === 0) return;
  const told = tasks.filter(({ number }) => number !== undefined);
  const shown = told.slice(0, named).map((task) => `#${task.number} of \`${task.project.name}\``);
  const more = tasks.length - shown.length;
  const using = [
    ...(projects.length === 0 ? [] : [`tasks of ${projects.join(', ')} begin with it`]),
    ...(tasks.length === 0 ? [] : [`${tasksText(shown, more)} with it now`]),
  ];
  throw new AppError('DH-217', {
    what: `The account \`${account.name}\` is used elsewhere: ${using.join(', and ')}.`,
    instead: `${projects.length === 0 ? '' : `\`settings project=… account=none\` ends the first. `}${tasks.length === 0 ? '' : 'Wait until these runs have ended, or stop them. '}Then set its project again.`,
  });
}

/** "#12 of `web` and 2 more work". */
function tasksText(shown: readonly string[], more: number): string {
  if (shown.length === 0) return `${count(more, 'task')} ${more === 1 ? 'works' : 'work'}`;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''} ${shown.length + more === 1 ? 'works' : 'work'}`;
}

/** As `auth=` says it: a login is a key. */
function sentAs({ credential }: AgentAccount): string {
  return credential === 'login' ? 'key' : credential;
}
