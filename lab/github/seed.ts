import type { Core } from './core.ts';
import type { Account } from './model.ts';

/** Who the emulator starts with. Ids stay the same on every start. */

function person(id: number, login: string, name: string): Account {
  return { id, login, name, email: `${login}@example.com`, type: 'User' };
}

/** Ada may do everything, Ben may write, Gus has no role: he reads what is public. */
export const PEOPLE: readonly Account[] = [person(1_001, 'ada', 'Ada'), person(1_002, 'ben', 'Ben'), person(1_003, 'gus', 'Gus')];

/** The organisation that repositories belong to unless an owner is given. */
export const ORGANISATION: Account = { id: 2_001, login: 'acme', name: 'Acme', email: 'acme@example.com', type: 'Organization' };

/** Web commits and merges are committed by this account. */
const WEB_FLOW: Account = { id: 19_864_447, login: 'web-flow', name: 'GitHub', email: 'noreply@github.com', type: 'User' };

/** The bot of GitHub's own CI. */
const ACTIONS: Account = {
  id: 41_898_282,
  login: 'github-actions[bot]',
  name: 'github-actions[bot]',
  email: '41898282+github-actions[bot]@users.noreply.github.com',
  type: 'Bot',
};

export function seedAccounts(core: Core): void {
  for (const account of [...PEOPLE, ORGANISATION, WEB_FLOW, ACTIONS]) core.accounts.set(account.login, account);
}
