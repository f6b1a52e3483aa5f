import { type Among, isAmong, ownAccount } from '../contracts/access-bundle.ts';
import { agentKindSchema, agentKinds } from '../contracts/agent.ts';
import { AppError } from '../contracts/errors.ts';
import { hostProfiles, isHostEntry } from '../contracts/hosts.ts';
import { permissionSchema, permissionsOf } from '../contracts/permissions.ts';
import { roleSchema } from '../contracts/roles.ts';
import type { BundleLimits } from '../store/access-bundles.ts';
import { agentAccountsOf } from '../store/agent-accounts.ts';
import { applyChange, type ListChange, listChange, optional } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { nearest } from './nearest.ts';

const most = 100;

/** What a bundle allows, as it is typed. `all` alone is everything, `none` nothing. */
export const limitOptions = {
  may: optional({
    hint: 'guest,command.run',
    about: 'the most that anybody may do there: permissions, and built-in roles for all that they may; `all` for no limit',
    schema: listChange,
    takes: 'change',
  }),
  agents: optional({
    hint: 'claude,codex',
    about: 'the agents that work begun there may use; `all`, `none`',
    schema: listChange,
    takes: 'change',
  }),
  accounts: optional({
    hint: 'main',
    about: `the accounts of agents that it may use; \`${ownAccount}\` for none of them; \`all\`, \`none\``,
    schema: listChange,
    takes: 'change',
  }),
  hosts: optional({
    hint: 'npm,files.example.org',
    about: 'where its programs may fetch from, of what the project allows; `all`, `none`',
    schema: listChange,
    takes: 'change',
  }),
} as const;

export interface LimitChange {
  may?: ListChange | undefined;
  agents?: ListChange | undefined;
  accounts?: ListChange | undefined;
  hosts?: ListChange | undefined;
}

/** What a bundle allows after a change. Throws DH-201 for what is nothing of the kind. */
export async function changedLimits(ctx: CommandContext, now: BundleLimits, change: LimitChange): Promise<BundleLimits> {
  const permissions = changed(now.permissions, change.may, 'may', { everything: permissionSchema.options, expand: withRoles });
  const agents = changed(now.agents, change.agents, 'agents', { everything: agentKinds });
  const accounts = changed(now.accounts, change.accounts, 'accounts');
  const hosts = changed(now.hosts, change.hosts, 'hosts');
  return {
    permissions:
      permissions === 'all' ? permissions : permissions.map((one) => known(one, permissionSchema.options, 'a permission')),
    agents: agents === 'all' ? agents : agents.map((one) => known(one, agentKindSchema.options, 'an agent')),
    accounts: await knownAccounts(ctx, now.accounts, accounts),
    hosts: checkedHosts(hosts),
  };
}

interface Kind {
  /** All there is, where that is a fixed list. */
  everything?: readonly string[] | undefined;
  expand?: ((entry: string) => readonly string[]) | undefined;
}

/** `all` is everything there is; from a fixed list something can be taken away. */
function changed(now: Among, change: ListChange | undefined, name: string, { everything, expand }: Kind = {}): Among {
  if (change === undefined) return now;
  const split = (values: readonly string[]) =>
    values
      .flatMap((one) => one.toLowerCase().split(/[\s,]+/))
      .filter((one) => one !== '' && one !== 'none')
      .flatMap((one) => expand?.(one) ?? [one]);
  const set = change.set === undefined ? undefined : split(change.set);
  const [add, remove] = [split(change.add), split(change.remove)];
  const all = (set ?? (now === 'all' ? ['all'] : [])).includes('all') || add.includes('all');
  if (all && remove.length === 0) return 'all';
  if (all && everything === undefined) {
    throw new AppError('DH-201', {
      problem: `\`${name}\` is \`all\`, from which nothing can be taken: say what there is instead.`,
      example: `\`bundle change support ${name}=none\``,
    });
  }
  const list = applyChange(all ? (everything ?? []) : now === 'all' ? [] : now, {
    set: all ? undefined : set,
    add: all ? [] : add,
    remove,
  });
  if (list.length <= most) return list;
  throw new AppError('DH-201', {
    problem: `There is room for ${most} entries.`,
    example: `\`bundle change support ${name}=none\``,
  });
}

/** A built-in role stands for its permissions, when it is added and when it is taken away. */
function withRoles(entry: string): readonly string[] {
  const role = roleSchema.safeParse(entry).data;
  return role === undefined ? [entry] : permissionsOf({ role });
}

function known<const T extends string>(entry: string, all: readonly T[], what: string): T {
  const found = all.find((one) => one === entry);
  if (found !== undefined) return found;
  const meant = nearest(entry, all);
  const words = (meant.length > 0 ? meant : all).map((one) => `\`${one}\``).join(', ');
  throw new AppError('DH-201', {
    problem: `\`${entry.slice(0, 80)}\` is not ${what}. ${meant.length > 0 ? 'Did you mean' : 'There are'} ${words}${meant.length > 0 ? '?' : '.'}`,
    example: '`bundle change support may=guest,command.run agents=claude`',
  });
}

/** Accounts that were named before may be gone; new names must be those of accounts. */
async function knownAccounts(ctx: CommandContext, before: Among, accounts: Among): Promise<Among> {
  if (accounts === 'all') return accounts;
  const names = [ownAccount, ...(await agentAccountsOf(ctx.tx, ctx.person.workspace)).map(({ name }) => name)];
  return accounts.map((one) => {
    if (before !== 'all' && isAmong(before, one)) return one;
    return names.find((name) => isAmong([name], one)) ?? known(one, names, 'an account of agents');
  });
}

function checkedHosts(hosts: Among): Among {
  const wrong = hosts === 'all' ? undefined : hosts.find((one) => !isHostEntry(one));
  if (wrong === undefined) return hosts;
  throw new AppError('DH-201', {
    problem: `\`${wrong.slice(0, 80)}\` is neither one of ${Object.keys(hostProfiles).join(', ')} nor the name of a host.`,
    example: '`bundle change support hosts=npm,files.example.org`',
  });
}
