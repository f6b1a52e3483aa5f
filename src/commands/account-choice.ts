import { type Acting, actingOn } from '../access/who-acts.ts';
import type { AgentKind } from '../contracts/agent.ts';
import type { AgentAccount } from '../contracts/agent-account.ts';
import { AppError } from '../contracts/errors.ts';
import { may } from '../contracts/permissions.ts';
import { agentAccountsOf } from '../store/agent-accounts.ts';
import type { Tx } from '../store/database.ts';
import { accountRefusal, isForProject } from '../tasks/agent-account-rules.ts';
import type { CommandContext } from './command.ts';
import { didYouMean } from './nearest.ts';

/**
 * The accounts that an answer here may tell of: those that tasks of the project of the channel work with, or, where there is none, of the
 * projects that the person may see.
 */
export async function accountsSeen(ctx: Acting & { tx: Tx }): Promise<AgentAccount[]> {
  const bound = ctx.channel.project;
  return (await agentAccountsOf(ctx.tx, ctx.person.workspace)).filter(({ project }) => {
    if (project === null) return true;
    return bound === undefined ? actingOn(ctx, project.id).role !== undefined : project.id === bound;
  });
}

/**
 * The account with this name, or DH-217 with the nearest names, for an answer that nobody else sees: whoever manages accounts may name all, also
 * those of another project. Those of other workspaces do not exist (promise 12).
 */
export async function namedAccount(ctx: CommandContext, name: string): Promise<AgentAccount> {
  const all = may(ctx.ownRights, 'account.manage');
  return among(all ? await agentAccountsOf(ctx.tx, ctx.person.workspace) : await accountsSeen(ctx), name);
}

function among(accounts: readonly AgentAccount[], name: string): AgentAccount {
  const account = accounts.find((known) => known.name.toLowerCase() === name.toLowerCase());
  if (account !== undefined) return account;
  const names = accounts.map((known) => known.name);
  throw new AppError('DH-217', {
    what: `There is no account \`${name.slice(0, 40)}\`.`,
    instead: didYouMean(name, names, '`account list` shows the accounts, `account add` makes one.'),
  });
}

/** What is to be done with an account. */
export interface AccountUse {
  agent: AgentKind;
  model?: string | null | undefined;
  /** Id of the project whose tasks are to use it. */
  project: string;
}

/**
 * The account that an agent is to work with. Throws DH-217 when there is none of the name, or the agent cannot use it. One that only tasks of
 * another project work with does not exist, whoever asks.
 */
export async function accountFor(
  ctx: CommandContext,
  name: string,
  { agent, model, project }: AccountUse,
): Promise<AgentAccount> {
  const all = await agentAccountsOf(ctx.tx, ctx.person.workspace);
  const account = among(
    all.filter((one) => isForProject(one, project)),
    name,
  );
  const refusal = accountRefusal(agent, account);
  if (refusal !== undefined) throw new AppError('DH-217', { ...refusal });
  if (model != null && account.models !== null && !account.models.includes(model)) {
    throw new AppError('DH-217', {
      what: `The account \`${account.name}\` is not for the model \`${model}\`.`,
      instead: `It is for ${account.models.map((one) => `\`${one}\``).join(', ')}.`,
    });
  }
  return account;
}
