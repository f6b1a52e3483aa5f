import type { FastifyInstance, FastifyRequest } from 'fastify';
import { unlinkAccount } from '../access/external-login.ts';
import { removePassword, setPassword } from '../access/password.ts';
import { revokeToken } from '../access/revoke-token.ts';
import { endAudited, formToken, isFormToken, type Signed, sessionIdleMs } from '../access/session.ts';
import { AppError } from '../contracts/errors.ts';
import type { Permission } from '../contracts/permissions.ts';
import { accountFacts } from '../store/account-facts.ts';
import { idsOf } from '../store/linked-people.ts';
import { personById } from '../store/people.ts';
import { accountBody, action } from './account-page.ts';
import { accountPlaces } from './account-places.ts';
import { createAddressLimits } from './address-limits.ts';
import { html } from './html.ts';
import { beginFlow } from './login-flow.ts';
import { isUnsafe } from './method-and-path.ts';
import { isFromOwnPage } from './own-site.ts';
import { sendPage } from './page.ts';
import type { RouteGroup } from './server.ts';
import type { SigninDeps } from './signin-routes.ts';
import { answerWithPages, bearerToken, field, sessionSecret, siteOf, takeForms, takeSession } from './site-request.ts';

/** What a route asks of the person who is signed in. */
export interface SessionNeed {
  permission: Permission;
}

const self: SessionNeed = { permission: 'task.see' };

/** The page about oneself, and what its buttons do. */
export function accountGroup(deps: SigninDeps): RouteGroup {
  const signed = new WeakMap<FastifyRequest, Signed>();
  const wrong = createAddressLimits('Too many requests with cookies that are not good come from your address.');
  return {
    name: 'account',
    access: 'session',
    async admit(request) {
      const site = siteOf(request, deps);
      const secret = sessionSecret(request, site);
      const token = secret === undefined ? bearerToken(request) : undefined;
      if (secret !== undefined || token !== undefined) wrong.check(request.ip);
      if (token !== undefined) {
        wrong.note(request.ip);
        throw await deps.tokens.refuse(token, 'use pages of people', 'these take a browser in which somebody is signed in');
      }
      if (isUnsafe(request.method) && !isFromOwnPage(request.headers, site)) {
        await deps.sessions.noteRefused(secret, 'a page elsewhere sent a form');
        throw new AppError('DH-232');
      }
      try {
        signed.set(request, await deps.sessions.admit(secret));
      } catch (error) {
        if (secret !== undefined && error instanceof AppError) wrong.note(request.ip);
        throw error;
      }
      return signed.get(request) ?? {};
    },
    async confirm(request) {
      const secret = sessionSecret(request, siteOf(request, deps));
      if (secret !== undefined && isFormToken(secret, field(request, 'form'))) return;
      await deps.sessions.noteRefused(secret, 'the form was not made for this session');
      throw new AppError('DH-232');
    },
    register(scope) {
      takeForms(scope);
      answerWithPages(scope, deps, 'leads to signing in');
      const whoOf = (request: FastifyRequest) => {
        const one = signed.get(request);
        if (one === undefined) throw new Error('a page was reached by nobody');
        return one;
      };
      addAccountRoutes(scope, deps, whoOf);
      addLoginSettings(scope, deps, whoOf);
    },
  };
}

function addAccountRoutes(scope: FastifyInstance, deps: SigninDeps, whoOf: (request: FastifyRequest) => Signed): void {
  const { database, now } = deps;
  const config = { signedIn: self };

  scope.get('/account', { config }, async (request, reply) => {
    const { workspace, user, session } = whoOf(request);
    const site = siteOf(request, deps);
    const at = now();
    const { facts, places } = await database.transaction(async (tx) => ({
      facts: await accountFacts(tx, workspace, user, { at, seenAfter: new Date(at.getTime() - sessionIdleMs) }),
      places: await accountPlaces(tx, workspace, user),
    }));
    if (facts === undefined) throw new AppError('DH-230', { why: 'you are not known here any more' });
    const view = {
      facts,
      places,
      session,
      base: site.base,
      formToken: formToken(sessionSecret(request, site) ?? ''),
      servers: deps.logins,
      passwords: deps.passwords,
    };
    return sendPage(reply, {
      title: 'Your account',
      base: site.base,
      body: accountBody(view),
      aside: action(view, '/signout', 'Sign out'),
    });
  });

  scope.post('/signout', { config }, async (request, reply) => {
    const { workspace, user, session } = whoOf(request);
    await database.transaction((tx) => endAudited(tx, workspace, { session }, user, 'signed out', now()));
    const site = siteOf(request, deps);
    takeSession(reply, site);
    return reply.redirect(`${site.base}/signin`, 303);
  });

  scope.post('/account/sessions/end', { config }, async (request, reply) => {
    const { workspace, user } = whoOf(request);
    await database.transaction(async (tx) => {
      const users = await ownIds(tx, workspace, user);
      // What has ended meanwhile is ended, and what is somebody else's is not there.
      await endAudited(tx, workspace, { session: field(request, 'session'), users }, user, 'by the account page', now());
    });
    return reply.redirect(`${siteOf(request, deps).base}/account`, 303);
  });

  scope.post('/account/sessions/end-others', { config }, async (request, reply) => {
    const { workspace, user, session } = whoOf(request);
    await database.transaction(async (tx) => {
      const users = await ownIds(tx, workspace, user);
      await endAudited(tx, workspace, { users, but: session }, user, 'by the account page', now());
    });
    return reply.redirect(`${siteOf(request, deps).base}/account`, 303);
  });

  scope.post('/account/tokens/revoke', { config }, async (request, reply) => {
    const { workspace, user } = whoOf(request);
    await database.transaction(async (tx) => {
      const users = await ownIds(tx, workspace, user);
      await revokeToken(tx, { workspace, by: user, whose: users, id: field(request, 'token') }, now());
    });
    return reply.redirect(`${siteOf(request, deps).base}/account`, 303);
  });
}

/** How somebody signs in beside the links from chat. */
function addLoginSettings(scope: FastifyInstance, deps: SigninDeps, whoOf: (request: FastifyRequest) => Signed): void {
  const { database, now, box } = deps;
  const config = { signedIn: self };

  scope.post('/account/logins/link', { config }, async (request, reply) => {
    const { session } = whoOf(request);
    const site = siteOf(request, deps);
    const server = deps.logins.find(({ provider }) => provider === field(request, 'provider'));
    if (server === undefined) throw new AppError('DH-232');
    const url = await beginFlow(reply, site, server, { box, linkFor: session, now: now() });
    // A page that goes on by itself: the policy of pages lets no form lead to another server.
    return sendPage(reply, {
      title: `On to ${server.label}`,
      base: site.base,
      body: html`<p><a href="${url}">Go to ${server.label}</a></p>`,
      refresh: url,
    });
  });

  scope.post('/account/logins/remove', { config }, async (request, reply) => {
    const { workspace, user } = whoOf(request);
    await database.transaction(async (tx) => {
      const users = await ownIds(tx, workspace, user);
      await unlinkAccount(tx, { workspace, user, users }, field(request, 'login'));
    });
    return reply.redirect(`${siteOf(request, deps).base}/account`, 303);
  });

  if (!deps.passwords) return;
  scope.post('/account/password', { config }, async (request, reply) => {
    const who = whoOf(request);
    const given = { login: field(request, 'login'), password: field(request, 'password'), present: field(request, 'present') };
    await setPassword(database, who, given, now());
    return reply.redirect(`${siteOf(request, deps).base}/account`, 303);
  });

  scope.post('/account/password/remove', { config }, async (request, reply) => {
    await removePassword(database, whoOf(request), field(request, 'present'), now());
    return reply.redirect(`${siteOf(request, deps).base}/account`, 303);
  });
}

async function ownIds(tx: Parameters<typeof personById>[0], workspace: string, user: string): Promise<string[]> {
  const person = await personById(tx, workspace, user);
  return person === undefined ? [] : idsOf(person);
}
