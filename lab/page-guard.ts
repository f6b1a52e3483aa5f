import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { LabError } from './page-api.ts';

/** What the routes of every pane do alike: refuse foreign sites, answer errors, resume event streams, hand out files. */

/** An error as the page shows it. */
export interface Refusal {
  status: number;
  code: string;
  message: string;
}

/** Throws for requests that a browser sends on behalf of another site. */
export function refuseForeignSites(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return;
  throw new ForeignSite();
}

class ForeignSite extends Error {}

/** Answers with a LabError body. `refusalOf` knows the errors of one emulator; what it does not know either is a fault of the lab. */
export function errorAnswer(
  refusalOf: (error: Error) => Refusal | undefined,
): (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (error, request, reply) => {
    const { status, code, message } = refusalOf(error) ?? commonRefusal(error);
    if (status >= 500) request.log.error(error);
    return reply.code(status).send({ error: { code, message } } satisfies LabError);
  };
}

function commonRefusal(error: FastifyError): Refusal {
  if (error instanceof ForeignSite) return { status: 403, code: 'foreign_site', message: 'The lab only answers its own page.' };
  if (error instanceof z.ZodError) return { status: 400, code: 'invalid_input', message: z.prettifyError(error) };
  if (error.statusCode !== undefined && error.statusCode < 500)
    return { status: error.statusCode, code: 'invalid_input', message: error.message };
  return { status: 500, code: 'internal_error', message: 'The lab failed to do that.' };
}

/** 404 for what is not there, else 400: the status of something the platform's own client would refuse. */
export function refusedStatus(code: string): number {
  return code.endsWith('_not_found') ? 404 : 400;
}

/** The number of the last event the page has seen. */
export function resumePoint(request: FastifyRequest): number | undefined {
  const { after } = z.object({ after: z.coerce.number().optional() }).parse(request.query);
  const header = Number(request.headers['last-event-id']);
  return Number.isFinite(header) ? header : after;
}

/** What a browser may show in place; everything else is offered as a download, so that no file runs as a page of this origin. */
const INLINE = new Set(['image/png', 'image/jpeg', 'image/gif']);

/** Sends a file someone uploaded; `?download=1` asks for an attachment. */
export function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: { name: string; type: string; isText: boolean; content: Buffer },
): FastifyReply {
  const { download } = z.object({ download: z.string().optional() }).parse(request.query);
  const type = INLINE.has(file.type) ? file.type : file.isText ? 'text/plain; charset=utf-8' : 'application/octet-stream';
  const disposition = download !== undefined || type === 'application/octet-stream' ? 'attachment' : 'inline';
  return reply
    .header('content-type', type)
    .header('content-disposition', `${disposition}; filename*=UTF-8''${encodeURIComponent(file.name)}`)
    .header('x-content-type-options', 'nosniff')
    .header('content-security-policy', "default-src 'none'; sandbox")
    .send(file.content);
}
