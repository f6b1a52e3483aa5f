/** A login inside the address of a repository: `https://bot:token@example.com/acme/web.git`. Only over HTTP: with ssh a name is no secret. */

/** The address without its login, and the login as it stands there (`bot:token`, still in percent-encoding). */
export function splitLogin(address: string): { address: string; login: string | undefined } {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return { address, login: undefined };
  const url = new URL(address);
  const login = url.password === '' ? url.username : `${url.username}:${url.password}`;
  if (login === '') return { address, login: undefined };
  url.username = '';
  url.password = '';
  return { address: url.href, login };
}

/** The address with a login that `splitLogin` has taken out. */
export function joinLogin(address: string, login: string): string {
  const url = new URL(address);
  const at = login.indexOf(':');
  url.username = at === -1 ? login : login.slice(0, at);
  url.password = at === -1 ? '' : login.slice(at + 1);
  return url.href;
}

/** What a login is sealed for: it opens for this project alone. */
export const loginContext = (project: string) => `login for the repository of ${project}`;

const sealedLogin = /^sealed:(v1\.[A-Za-z0-9_.-]+)$/;

/** The address with its login sealed, `https://sealed:v1.…@example.com/acme/web.git`; as it is when it has none, or that is sealed already. */
export function sealLogin(whole: string, seal: (login: string) => string): string {
  const { address, login } = splitLogin(whole);
  return login === undefined || sealedLogin.test(login) ? whole : joinLogin(address, `sealed:${seal(login)}`);
}

/** The address with its login opened; as it is when it has none, or that is not sealed. `open` throws for one that was sealed for something else. */
export function openLogin(whole: string, open: (sealed: string) => string): string {
  const { address, login } = splitLogin(whole);
  const sealed = sealedLogin.exec(login ?? '')?.[1];
  return sealed === undefined ? whole : joinLogin(address, open(sealed));
}

export function hasOpenLogin(whole: string): boolean {
  const { login } = splitLogin(whole);
  return login !== undefined && !sealedLogin.test(login);
}
