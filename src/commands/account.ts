import { listView } from '../delivery/list-view.ts';
import { lastTaskOfAccount, usageOfAccount, usersOfAccount } from '../store/agent-accounts.ts';
import { accountsSeen, namedAccount } from './account-choice.ts';
import { accountLine, accountView, field } from './account-view.ts';
import { accountName } from './account-words.ts';
import { budgetText } from './agent-words.ts';
import { required } from './arguments.ts';
import { defineCommand } from './command.ts';
import { sightOf } from './subject.ts';

const monthMs = 30 * 24 * 60 * 60_000;

export const accountList = defineCommand({
  name: 'account list',
  group: 'setup',
  summary: 'Lists the accounts that agents can work with',
  details: [
    'Beside them there is what the runner is configured with, which `agents` shows; it is used where no account is named.',
    'An account of one project is listed in its channels, and where the channel is bound to no project.',
  ],
  permission: 'agent.run',
  action: 'see accounts of agents',
  about: 'project',
  unbound: 'with-role',
  positional: {},
  options: {},
  examples: [['account list', 'with their servers; keys show their last characters only']],
  async run(ctx) {
    const accounts = await accountsSeen(ctx);
    const empty = 'There are none: agents work with what the runner is configured with. `account add` adds one.';
    return { view: listView({ title: 'Accounts of agents', entries: accounts.map(accountLine), empty }), audience: 'asked' };
  },
});

export const accountShow = defineCommand({
  name: 'account show',
  group: 'setup',
  summary: 'Shows an account: server, models, last use, cost; never its key',
  permission: 'account.see',
  action: 'see the details of accounts',
  unbound: 'with-role',
  positional: { name: required({ hint: 'name', about: 'the account', names: 'account', schema: accountName }) },
  options: {},
  examples: [['account show main', 'what its server has, and what it has cost']],
  async run(ctx, { name }) {
    const account = await namedAccount(ctx, name);
    const { workspace } = account;
    const since = new Date(ctx.deps.now().getTime() - monthMs);
    const { runs, costUsd } = await usageOfAccount(ctx.tx, workspace, account.name, since);
    const { projects } = await usersOfAccount(ctx.tx, workspace, account.name, sightOf(ctx));
    const last = await lastTaskOfAccount(ctx.tx, workspace, account.id);
    const view = accountView(account, undefined, [
      ...(last === undefined ? [] : [field('last used by', `#${last}`)]),
      field('30 days', `${runs} ${runs === 1 ? 'run' : 'runs'}, ${budgetText(costUsd)}`),
      ...(projects.length === 0 ? [] : [field('begins with it', projects.map((project) => `\`${project.name}\``).join(', '))]),
    ]);
    return { view, audience: 'person' };
  },
});
