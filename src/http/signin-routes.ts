import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LoginServer } from '../access/login-server.ts';
import { deviceOf, endAudited, openSession, type Sessions, sessionHash, sessionLifeMs } from '../access/session.ts';
import { ownerOfLink, signinLinkLifeMs, useSigninLink } from '../access/signin-link.ts';
import type { TokenAccess } from '../access/token-access.ts';
import { AppError } from '../contracts/errors.ts';
import { platformNames, platformSchema } from '../contracts/platform.ts';
import type { SigninMethod } from '../contracts/signin.ts';
import type { Database, Tx } from '../store/database.ts';
import { sessionByHash } from '../store/sessions.ts';
import { createAddressLimits } from './address-limits.ts';
import { type Html, html } from './html.ts';
import type { FlowSeal } from './login-flow.ts';
import { addLoginRoutes } from './login-routes.ts';
import { isUnsafe } from './method-and-path.ts';
import type { OwnSite } from './own-site.ts';
import { sendPage, stylePath } from './page.ts';
import { pageStyle } from './page-style.ts';
import type { RouteGroup } from './server.ts';
import {
  answerWithPages,
  field,
  giveSession,
  refuseForeignPages,
  type SiteDeps,
  sessionSecret,
  siteOf,
  takeForms,
} from './site-request.ts';

export interface SigninDeps extends SiteDeps {
  database: Database;
  sessions: Sessions;
  tokens: Pick<TokenAccess, 'refuse'>;
  now(): Date;
  /** Servers that vouch for people. */
  logins: readonly LoginServer[];
  /** Domains whose people come in as guests. */
  allowedDomains: readonly string[];
  /** Whether passwords are turned on. */
  passwords: boolean;
  box: FlowSeal;
}

const minutes = signinLinkLifeMs / 60_000;

/** Where people sign in. Open to anyone who reaches the server: whoever calls proves here who they are. */
export function signinGroup(deps: SigninDeps): RouteGroup {
  const limits = createAddressLimits('Too many requests to sign in come from your address.');
  return {
    name: 'sign-in',
    access: 'anyone',
    register(scope) {
      takeForms(scope);
      answerWithPages(scope, deps);
      scope.get(stylePath, async (_request, reply) =>
        reply.type('text/css; charset=utf-8').header('cache-control', 'max-age=300').send(pageStyle),
      );
      scope.register(async (inner) => {
        inner.addHook('onRequest', async (request) => {
          limits.take(request.ip);
          const site = siteOf(request, deps);
          if (isUnsafe(request.method)) refuseForeignPages(request, site);
        });
        addSigninRoutes(inner, deps);
        addLoginRoutes(inner, deps);
      });
    },
  };
}

function addSigninRoutes(scope: FastifyInstance, deps: SigninDeps): void {
  const { database, now } = deps;

  scope.get('/signin', async (request, reply) => {
    const site = siteOf(request, deps);
    if (await isSignedIn(deps.sessions, sessionSecret(request, site))) return reply.redirect(`${site.base}/account`, 303);
    return sendPage(reply, {
      title: 'Sign in',
      base: site.base,
      body: html`<section>
<h2>With a link from chat</h2>
<p>Write <code>signin</code> to Deckhand in Slack, Telegram or Discord. It answers you alone with a link that works once, for ${minutes} minutes.</p>
</section>
${otherWays(deps, site)}
${deps.passwords ? passwordForm(site) : undefined}`,
    });
  });

  // Programs that make previews of links ask for this page, so that it uses nothing up.
  scope.get<{ Querystring: { code?: unknown } }>('/signin/link', async (request, reply) => {
    const site = siteOf(request, deps);
    const code = typeof request.query.code === 'string' ? request.query.code : '';
    const owner = await ownerOfLink(database, code, now());
    if (owner === undefined) throw linkOver();
    const platform = platformSchema.safeParse(owner.platform).data;
    return sendPage(reply, {
      title: `Sign in as ${owner.name}?`,
      base: site.base,
      body: html`<section>
<p>${owner.name} asked for this link${platform === undefined ? '' : ` on ${platformNames[platform]}`}. This browser can then do what ${owner.name} may do, until you sign out.</p>
<p class="soft">If you are not ${owner.name}, close this page.</p>
<form method="post" action="${site.base}/signin/link" class="actions">
<input type="hidden" name="code" value="${code}">
<button class="main">Sign in as ${owner.name}</button>
</form>
</section>`,
    });
  });

  scope.post('/signin/link', async (request, reply) => {
    const at = now();
    const opened = await database.transaction(async (tx) => {
      const owner = await useSigninLink(tx, field(request, 'code'), at);
      if (owner === undefined) throw linkOver();
      return await signIn(tx, request, siteOf(request, deps), { ...owner, method: 'link' }, at);
    });
    return enter(reply, siteOf(request, deps), opened.secret);
  });
}

/** Throws what is no answer, so that trouble of the server does not look like signed out. */
async function isSignedIn(sessions: Sessions, secret: string | undefined): Promise<boolean> {
  try {
    await sessions.admit(secret);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'DH-230') return false;
    throw error;
  }
}

function otherWays({ logins, allowedDomains }: SigninDeps, { base }: OwnSite): Html | undefined {
  if (logins.length === 0) return undefined;
  const buttons = logins.map(({ provider, label }) => html`<a class="button" href="${base}/signin/${provider}">${label}</a>`);
  const open = logins.some(({ provider }) => provider === 'oidc') && allowedDomains.length > 0;
  return html`<section>
<h2>With an account elsewhere</h2>
<p class="soft">${open ? 'With an account of your organisation, or one that you have linked on the page of your account.' : 'With an account that you have linked on the page of your account.'}</p>
<div class="actions">${buttons}</div>
</section>`;
}

function passwordForm({ base }: OwnSite): Html {
  return html`<section>
<h2>With a password</h2>
<form method="post" action="${base}/signin/password" class="stack">
<label>Name <input name="login" autocomplete="username" autocapitalize="none" required maxlength="64"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required maxlength="200"></label>
<div><button class="main">Sign in</button></div>
</form>
</section>`;
}

/** Begins a session in this browser; the one that was there ends. */
export async function signIn(
  tx: Tx,
  request: FastifyRequest,
  site: OwnSite,
  who: { workspace: string; user: string; method: SigninMethod },
  at: Date,
): Promise<{ secret: string }> {
  const before = sessionSecret(request, site);
  const old = before === undefined ? undefined : await sessionByHash(tx, sessionHash(before));
  if (old !== undefined) await endAudited(tx, old.workspace, { session: old.id }, old.user, 'signed in anew', at);
  const { workspace, user, method } = who;
  const device = deviceOf(request.headers['user-agent']);
  return await openSession(tx, { workspace, user, method, device }, at);
}

/** Gives the browser the cookie and leads it to the account. */
export function enter(reply: FastifyReply, site: OwnSite, secret: string): FastifyReply {
  giveSession(reply, site, secret, sessionLifeMs / 1000);
  return reply.redirect(`${site.base}/account`, 303);
}

function linkOver(): AppError {
  return new AppError('DH-233', {
    why: `This link does not work: it was used, is older than ${minutes} minutes, or a newer one has replaced it.`,
    what: '`signin` in chat gives a new one.',
  });
}
