import type { FastifyInstance, FastifyRequest } from 'fastify';
import { linkAccount, personOfAccount } from '../access/external-login.ts';
import { personOfPassword } from '../access/password.ts';
import { AppError } from '../contracts/errors.ts';
import { beginFlow, callbackOf, takeFlow } from './login-flow.ts';
import { enter, type SigninDeps, signIn } from './signin-routes.ts';
import { field, sessionSecret, siteOf } from './site-request.ts';

/** Signing in with an account elsewhere, and with a password. Part of the group of signing in, which counts and checks requests. */
export function addLoginRoutes(scope: FastifyInstance, deps: SigninDeps): void {
  const { database, now, box } = deps;

  for (const server of deps.logins) {
    scope.get(`/signin/${server.provider}`, async (request, reply) => {
      const site = siteOf(request, deps);
      return reply.redirect(await beginFlow(reply, site, server, { box, now: now() }), 303);
    });

    scope.get(`/signin/${server.provider}/callback`, async (request, reply) => {
      const site = siteOf(request, deps);
      const at = now();
      const { kept, linkFor } = takeFlow(request, reply, site, server, { box, now: at });
      const account = await server.finish(new URL(`${callbackOf(site, server)}${queryOf(request)}`), kept);
      if (linkFor !== undefined) {
        const signed = await deps.sessions.admit(sessionSecret(request, site));
        // The browser may have become somebody else's meanwhile.
        if (signed.session !== linkFor) throw new AppError('DH-230', { why: 'the account was to be linked to another session' });
        await database.transaction((tx) => linkAccount(tx, signed, account, at));
        return reply.redirect(`${site.base}/account`, 303);
      }
      const { secret } = await database.transaction(async (tx) => {
        const person = await personOfAccount(tx, account, deps.allowedDomains, at);
        return await signIn(tx, request, site, { ...person, method: server.provider }, at);
      });
      return enter(reply, site, secret);
    });
  }

  if (!deps.passwords) return;
  scope.post('/signin/password', async (request, reply) => {
    const site = siteOf(request, deps);
    const at = now();
    const person = await personOfPassword(database, { login: field(request, 'login'), password: field(request, 'password') }, at);
    const { secret } = await database.transaction((tx) => signIn(tx, request, site, { ...person, method: 'password' }, at));
    return enter(reply, site, secret);
  });
}

function queryOf(request: FastifyRequest): string {
  const at = request.url.indexOf('?');
  return at < 0 ? '' : request.url.slice(at);
}
