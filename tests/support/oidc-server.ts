import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

/** A person at the provider: the claims it signs. */
export interface OidcPerson {
  sub: string;
  name: string;
  email: string;
  email_verified: boolean;
}

/** A certified OpenID provider on loopback, with PKCE required. Its people sign in by their `sub`, without a password. */
export interface OidcServer extends AsyncDisposable {
  issuer: string;
  clientId: string;
  clientSecret: string;
  people: Map<string, OidcPerson>;
  /** Opens it, for a client that is called back there; not any more for one before it. */
  allow(redirectUri: string): void;
  /** What a browser does there: from the address it is sent to, to the one it is sent back to. */
  visit(address: string, sub: string): Promise<string>;
}

export async function startOidcServer(): Promise<OidcServer> {
  const people = new Map<string, OidcPerson>();
  const client = { clientId: 'deckhand', clientSecret: 'a secret of the test, long enough for everybody' };
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const provider = (redirectUri: string) =>
    new Provider(issuer, {
      clients: [{ client_id: client.clientId, client_secret: client.clientSecret, redirect_uris: [redirectUri] }],
      pkce: { required: () => true },
      claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
      findAccount: (_context, sub) => {
        const person = people.get(sub);
        return person === undefined ? undefined : { accountId: sub, claims: async () => ({ ...person }) };
      },
      cookies: { keys: ['of the test'] },
    });

  async function visit(address: string, sub: string): Promise<string> {
    const jar = new Map<string, string>();
    let next: { url: string; form?: URLSearchParams } = { url: address };
    for (let steps = 0; steps < 20; steps += 1) {
      const answer = await fetch(next.url, {
        method: next.form === undefined ? 'GET' : 'POST',
        ...(next.form === undefined ? {} : { body: next.form }),
        redirect: 'manual',
        headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
      });
      for (const set of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
        if (value === '') jar.delete(name);
        else jar.set(name, value);
      }
      const location = answer.headers.get('location');
      if (location !== null) {
        const url = new URL(location, next.url).href;
        if (!url.startsWith(`${issuer}/`)) return url;
        next = { url };
        continue;
      }
      const page = await answer.text();
      const [, prompt] = /name="prompt" value="(\w+)"/.exec(page) ?? [];
      const [, action] = /action="([^"]+)"/.exec(page) ?? [];
      if (prompt === undefined || action === undefined)
        throw new Error(`the provider shows: ${answer.status} ${page.slice(0, 400)}`);
      next = { url: new URL(action, next.url).href, form: new URLSearchParams({ prompt, login: sub, password: 'any' }) };
    }
    throw new Error('the provider goes in circles');
  }

  return {
    issuer,
    ...client,
    people,
    allow: (redirectUri) => void server.removeAllListeners('request').on('request', provider(redirectUri).callback()),
    visit,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
