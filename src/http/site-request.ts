import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, type ErrorCode } from '../contracts/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { isFromLoopback } from './access.ts';
import { problemOf } from './api-problems.ts';
import { isUnsafe, pathOf } from './method-and-path.ts';
import { isFromOwnPage, type OwnSite, ownSite, readCookie, setCookie } from './own-site.ts';
import { sendErrorPage } from './page.ts';

/** What the pages of signing in and of the account need of each request. */
export interface SiteDeps {
  publicUrl: string | undefined;
  logger: Logger;
}

/** The site that the request was made to. Throws DH-231 where nobody may sign in. */
export function siteOf(request: FastifyRequest, { publicUrl }: Pick<SiteDeps, 'publicUrl'>): OwnSite {
  const site = ownSite({ host: request.host, direct: isFromLoopback(request.raw) }, publicUrl);
  if (site === undefined) throw new AppError('DH-231', { address: publicUrl ?? 'this address' });
  return site;
}

/** Throws DH-232 for what no page of this site has sent. */
export function refuseForeignPages(request: FastifyRequest, site: OwnSite): void {
  if (!isFromOwnPage(request.headers, site)) throw new AppError('DH-232');
}

/** The access token that a request carries. */
export function bearerToken({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
}

/** What the cookie of the session holds. */
export function sessionSecret(request: FastifyRequest, site: OwnSite): string | undefined {
  return readCookie(request.headers, site.cookie);
}

export function giveSession(reply: FastifyReply, site: OwnSite, secret: string, seconds: number): void {
  reply.header('set-cookie', setCookie({ name: site.cookie, value: secret, seconds, secure: site.secure }));
}

export function takeSession(reply: FastifyReply, site: OwnSite): void {
  giveSession(reply, site, '', 0);
}

/** A field of a form as text; '' when it is missing. */
export function field(request: FastifyRequest, name: string): string {
  const { body } = request;
  return body instanceof URLSearchParams ? (body.get(name) ?? '') : '';
}

/** Forms come in the way browsers send them without script, and in no other. */
export function takeForms(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 16 * 1024 },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
}

const shownInside: ErrorCode = 'DH-299';

/** Tells people on a page what went wrong; what went wrong inside stays in the log. */
export function answerWithPages(
  scope: FastifyInstance,
  { publicUrl, logger }: SiteDeps,
  unknown: 'leads to signing in' | 'is told' = 'is told',
): void {
  scope.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const reference = request.id;
    const base = ownSite({ host: request.host, direct: isFromLoopback(request.raw) }, publicUrl)?.base ?? '';
    if (error instanceof AppError) {
      const leads = unknown === 'leads to signing in' && error.code === 'DH-230' && !isUnsafe(request.method);
      if (leads) return reply.redirect(`${base}/signin`, 303);
      const { status } = problemOf(error, reference);
      if (status === 429) reply.header('retry-after', String(error.params.seconds ?? 60));
      return sendErrorPage(reply, error, { base, status, reference });
    }
    if (error.statusCode !== undefined && error.statusCode < 500) {
      return sendErrorPage(reply, { code: 'DH-232', params: {} }, { base, status: error.statusCode, reference });
    }
    logger.error({ err: error, request: reference, path: pathOf(request) }, 'a page failed');
    return sendErrorPage(reply, { code: shownInside, params: { reference } }, { base, status: 500, reference });
  });
}
