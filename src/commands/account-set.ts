import type { AgentAccount } from '../contracts/agent-account.ts';
import { AppError } from '../contracts/errors.ts';
import { textView } from '../delivery/list-view.ts';
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
import { accountOptions, auditOf, changedModels, withoutKey } from './account-add.ts';
import { namedAccount } from './account-choice.ts';
import { askedFor } from './account-key.ts';
import { accountView } from './account-view.ts';
import { accountName } from './account-words.ts';
import { required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';

const name = required({ hint: 'name', about: 'the account', names: 'account', schema: accountName });

export const accountSet = defineCommand({
  name: 'account set',
  group: 'setup',
  summary: 'Changes the server, the models, the image or the program of an account',
  details: [
    'With another address, or another way to send the key, the key is forgotten and asked for again: no other server gets it.',
    'A change counts from the next run on.',
  ],
  permission: 'account.manage',
  action: 'change accounts of agents',
  unbound: 'with-role',
  positional: { name },
  options: accountOptions,
  examples: [
    ['account set main models+=claude-sonnet-4-5', 'this model may be asked for, too'],
    ['account set main image=acme/agents:2', 'its runs work in that image'],
  ],
  async run(ctx, args) {
    const was = await locked(ctx, args.name);
    const { url, auth, models, image, binary } = args;
    const change: AgentAccountChange = {
      ...(url === undefined ? {} : { baseUrl: url }),
      ...(auth === undefined || auth === sentAs(was) ? {} : { credential: auth }),
      ...(models === undefined ? {} : { models: changedModels(was.models, models) }),
      ...(image === undefined ? {} : { image }),
      ...(binary === undefined ? {} : { binary }),
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
    const users = await usersOfAccount(ctx.tx, account.workspace, account.name);
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
        (project) => `\`${project}\` still begins with it: \`settings project=${project} account=none\` ends that.`,
      ),
      ...(tasks === 0 ? [] : [`${tasks} ${tasks === 1 ? 'run' : 'runs'} under way with it will end.`]),
    ].join(' ');
    return { view: textView(text), audience: 'person' };
  },
});

async function locked(ctx: CommandContext, called: string): Promise<AgentAccount> {
  const found = await namedAccount(ctx, called);
  if (!(await lockAgentAccount(ctx.tx, found.workspace, found.id))) throw new AppError('DH-208');
  return (await agentAccountById(ctx.tx, found.workspace, found.id)) ?? found;
}

/** As `auth=` says it: a login is a key. */
function sentAs({ credential }: AgentAccount): string {
  return credential === 'login' ? 'key' : credential;
}
