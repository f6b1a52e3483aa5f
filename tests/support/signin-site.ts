import { createSessions } from '../../src/access/session.ts';
import { createTokenAccess } from '../../src/access/token-access.ts';
import { viewSecretContext, withSecret } from '../../src/delivery/view-secret.ts';
import { accountGroup } from '../../src/http/account-routes.ts';
import { createHttpServer, type HttpServer } from '../../src/http/server.ts';
import { type SigninDeps, signinGroup } from '../../src/http/signin-routes.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { type Account, type Desk, slash } from './desk.ts';

/** The pages of signing in and of the account over a desk, and browsers that use them. */
export interface SigninSite extends AsyncDisposable {
  desk: Desk;
  server: HttpServer;
  /** A browser without cookies. */
  browser(): SiteBrowser;
}

export interface Answer {
  status: number;
  location: string | null;
  text: string;
  headers: Headers;
}

export interface SiteBrowser {
  cookies: Map<string, string>;
  get(path: string): Promise<Answer>;
  /** Sends a form as a page of the site does; with the token of the session, when the browser has seen one. */
  post(path: string, form?: Record<string, string>, headers?: Record<string, string>): Promise<Answer>;
  /** Signs in with a link from chat. */
  enter(who: Account): Promise<void>;
}

export async function openSigninSite(desk: Desk, deps: (url: string) => Partial<SigninDeps>): Promise<SigninSite> {
  const logger = createLogger({ level: 'silent' });
  const now = () => new Date();
  const common = {
    database: desk.database,
    sessions: createSessions({ database: desk.database, now }),
    tokens: createTokenAccess({ database: desk.database, now, log: logger }),
    now,
    publicUrl: undefined,
    logger,
    logins: [],
    allowedDomains: [],
    passwords: false,
    box: desk.secretBox,
  };
  // The address is part of what the groups are made from: the port is chosen before.
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const site: SigninDeps = { ...common, ...deps(url) };
  const server = createHttpServer({
    host: '127.0.0.1',
    port,
    logger,
    webhooks: [],
    checks: [],
    metrics: createMetrics().registry,
    groups: [signinGroup(site), accountGroup(site)],
  });
  await server.start();

  function browser(): SiteBrowser {
    const cookies = new Map<string, string>();
    let formToken: string | undefined;
    async function ask(path: string, init: RequestInit, headers: Record<string, string>): Promise<Answer> {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await fetch(new URL(path, url), { ...init, redirect: 'manual', headers: { cookie, ...headers } });
      for (const set of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
        if (value === '') cookies.delete(name);
        else cookies.set(name, value);
      }
      const text = await answer.text();
      formToken = /name="form" value="([^"]+)"/.exec(text)?.[1] ?? formToken;
      return { status: answer.status, location: answer.headers.get('location'), text, headers: answer.headers };
    }
    const own: SiteBrowser = {
      cookies,
      get: (path) => ask(path, {}, {}),
      post: (path, form = {}, headers = {}) =>
        ask(
          path,
          { method: 'POST', body: new URLSearchParams({ ...(formToken === undefined ? {} : { form: formToken }), ...form }) },
          { origin: url, 'sec-fetch-site': 'same-origin', ...headers },
        ),
      async enter(who) {
        const [said] = await desk.act(slash(who, 'signin'));
        if (said === undefined || !('view' in said.payload)) throw new Error('nothing was said');
        const view = withSecret(said.payload.view, (sealed) => desk.secretBox.open(sealed, viewSecretContext));
        const link = view.blocks.flatMap((block) => (block.type === 'code' ? [block.text] : []))[0] ?? '';
        await own.post('/signin/link', { code: new URL(link).searchParams.get('code') ?? '' });
        const account = await own.get('/account');
        if (account.status !== 200) throw new Error(`not signed in: ${account.text}`);
      },
    };
    return own;
  }
  return {
    desk,
    server,
    browser,
    async [Symbol.asyncDispose]() {
      await server.abort();
    },
  };
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
