import type { InboundEvent } from '../contracts/inbound.ts';
import { loginContext, openLogin, sealLogin } from '../runtime/repository-login.ts';
import type { SecretBox } from '../runtime/secret-box.ts';
import type { Database } from '../store/database.ts';
import { openAddresses, setAddress } from '../store/projects.ts';
import { openTypedLogin } from './typed-secrets.ts';

/** Logins in addresses of repositories, on their way from a person to git. In the database they are sealed, each for its project. */
export interface RepositoryLogins {
  /** The address as this person typed it; undefined: its login was sealed for somebody else. */
  typed(address: string, by: Pick<InboundEvent, 'conversation' | 'actor'>): string | undefined;
  /** As it is stored with a project. */
  seal(project: string, address: string): string;
  /** As git needs it. Throws for an address that was sealed for another project, or with a key that is not configured. */
  open(project: string, address: string): string;
}

export function createRepositoryLogins(secretBox: Pick<SecretBox, 'seal' | 'open'>): RepositoryLogins {
  return {
    typed: (address, by) => openTypedLogin(address, by, secretBox),
    seal: (project, address) => sealLogin(address, (login) => secretBox.seal(login, loginContext(project))),
    open: (project, address) => openLogin(address, (sealed) => secretBox.open(sealed, loginContext(project))),
  };
}

/** Seals what earlier versions have stored as it was typed. Repeatable, also at once in several processes. */
export async function sealStoredLogins({ db }: Database, logins: RepositoryLogins): Promise<number> {
  const open = await openAddresses(db);
  for (const { id, url } of open) await setAddress(db, id, { from: url, to: logins.seal(id, url) });
  return open.length;
}
