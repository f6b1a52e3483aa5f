import type { AgentKind } from '../contracts/agent.ts';
import type { AgentAccount } from '../contracts/agent-account.ts';
import { AppError } from '../contracts/errors.ts';
import { agentAccountByName, agentAccountsOf } from '../store/agent-accounts.ts';
import { accountRefusal } from '../tasks/agent-account-rules.ts';
import type { CommandContext } from './command.ts';
import { nearest } from './nearest.ts';

/** The account with this name, or DH-217 with the nearest names. Those of other workspaces do not exist (promise 12). */
export async function namedAccount(ctx: CommandContext, name: string): Promise<AgentAccount> {
  const account = await agentAccountByName(ctx.tx, ctx.person.workspace, name);
  if (account !== undefined) return account;
  const names = (await agentAccountsOf(ctx.tx, ctx.person.workspace)).map((known) => known.name);
  const meant = nearest(name, names);
  throw new AppError('DH-217', {
    what: `There is no account \`${name.slice(0, 40)}\`.`,
    instead:
      meant.length > 0
        ? `Did you mean ${meant.map((known) => `\`${known}\``).join(' or ')}?`
        : '`account list` shows the accounts, `account add` makes one.',
  });
}

/** The account that an agent is to work with. Throws DH-217 when there is none of the name, or the agent cannot use it. */
export async function accountFor(
  ctx: CommandContext,
  agent: AgentKind,
  name: string,
  model: string | null | undefined,
): Promise<AgentAccount> {
  const account = await namedAccount(ctx, name);
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
