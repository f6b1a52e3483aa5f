import { openTyped } from '../access/typed-secrets.ts';
import type { AgentAccount, Credential } from '../contracts/agent-account.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import type { SecretBox } from '../runtime/secret-box.ts';
import { keyContext } from '../store/agent-accounts.ts';
import { checkModelServer, type ServerCheck } from './agent-account-check.ts';

/** Keys of accounts on their way from a person to the database. */
export interface AccountKeys {
  /** What this person typed into a field for secrets; undefined: it did not come through the door, or from somebody else. */
  typed(text: string, by: Pick<InboundEvent, 'conversation' | 'actor'>): string | undefined;
  /** For the row of this account. */
  seal(account: string, key: string): string;
  open(account: string, sealed: string): string;
  /** Asks the server whether the key is good. Takes at most some seconds, never rejects. */
  check(server: Pick<AgentAccount, 'protocol' | 'baseUrl'>, sent: { credential: Credential; key: string }): Promise<ServerCheck>;
}

/** `environment`: proxies of this machine, as in HTTPS_PROXY. */
export function createAccountKeys(secretBox: SecretBox, environment: Readonly<Record<string, string | undefined>>): AccountKeys {
  return {
    typed: (text, by) => openTyped(text, by, secretBox),
    seal: (account, key) => secretBox.seal(key, keyContext(account)),
    open: (account, sealed) => secretBox.open(sealed, keyContext(account)),
    check: (server, sent) => checkModelServer(server, sent, { environment }),
  };
}
