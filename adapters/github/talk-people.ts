import { CodeHostError, type Repository } from '../../src/contracts/code-host.ts';
import type { At } from './place.ts';
import type { Client } from './requests.ts';
import { delivering } from './talk-failures.ts';

/** What accounts are called now: logins can be changed, numbers stay. */
export interface People {
  /** The login of an account; undefined when nobody has it. A login of any repository will do to ask. */
  login(repository: Repository, account: string): Promise<string | undefined>;
  /** Of these accounts; those that nobody has are left out. */
  logins(repository: Repository, accounts: readonly string[]): Promise<Map<string, string>>;
}

const knownMs = 10 * 60_000;
const mostKnown = 1_000;

export function createPeople({ client, at, now }: { client: Client; at: At; now(): number }): People {
  const known = new Map<string, { login: string | undefined; until: number }>();

  async function login(repository: Repository, account: string): Promise<string | undefined> {
    if (!/^[1-9]\d{0,15}$/.test(account)) return undefined;
    const before = known.get(account);
    if (before !== undefined && before.until > now()) return before.login;
    const found = await delivering(false, () =>
      at('look up a person', repository, 'pulls', undefined, async ({ headers, request }) => {
        const { data } = await client.request('GET /user/{account_id}', { account_id: Number(account), headers, request });
        return data.login;
      }).catch(noneMissing),
    );
    if (known.size >= mostKnown) known.clear();
    known.set(account, { login: found, until: now() + knownMs });
    return found;
  }

  return {
    login,
    async logins(repository, accounts) {
      const logins = new Map<string, string>();
      for (const account of accounts) {
        const found = await login(repository, account);
        if (found !== undefined) logins.set(account, found);
      }
      return logins;
    },
  };
}

/** Nobody has the account any more: the message that names them is none the worse. */
function noneMissing(error: unknown): undefined {
  if (!(error instanceof CodeHostError) || error.reason !== 'missing') throw error;
}
