import type { Core } from './core.ts';
import type { Account, App } from './model.ts';

/** Who the emulator starts with. Ids stay the same on every start. */

function person(id: number, login: string, name: string): Account {
  return { id, login, name, email: `${login}@example.com`, type: 'User' };
}

/** Ada may do everything, Ben may write, Gus has no role: he reads what is public. */
export const PEOPLE: readonly Account[] = [person(1_001, 'ada', 'Ada'), person(1_002, 'ben', 'Ben'), person(1_003, 'gus', 'Gus')];

/** The account of a program, as Deckhand has one there. It has no role anywhere. */
export const MACHINE: Account = person(1_004, 'deckhand', 'Deckhand');

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

const GITHUB: Account = { id: 9_919, login: 'github', name: 'GitHub', email: 'support@example.com', type: 'Organization' };

function actionsApp(now: number): App {
  return {
    id: 15_368,
    slug: 'github-actions',
    name: 'GitHub Actions',
    clientId: 'Iv1.05c79e9ad1f6bdfa',
    owner: GITHUB.login,
    bot: ACTIONS.login,
    // Nobody holds its private key.
    publicKey: '',
    permissions: { checks: 'write', metadata: 'read' },
    events: [],
    createdAt: now,
  };
}

export function seedAccounts(core: Core): void {
  for (const account of [...PEOPLE, MACHINE, ORGANISATION, WEB_FLOW, ACTIONS, GITHUB]) core.accounts.set(account.login, account);
  core.apps.set('github-actions', actionsApp(core.now()));
}
