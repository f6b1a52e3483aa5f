import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { KeptFlow, LoginServer } from '../access/login-server.ts';
import { AppError } from '../contracts/errors.ts';
import { loginProviderSchema } from '../contracts/signin.ts';
import { type OwnSite, readCookie, setCookie } from './own-site.ts';

/** How long a person may be at the other server. */
const flowMs = 10 * 60_000;
const context = 'sign-in flow';

const flowSchema = z.object({
  provider: loginProviderSchema,
  state: z.string(),
  verifier: z.string(),
  nonce: z.string().optional(),
  /** The session for which the account is linked; without: it is to sign in. */
  linkFor: z.string().optional(),
  until: z.number(),
});
export type Flow = z.infer<typeof flowSchema>;

/** What seals the memory of a browser that is at another server. */
export interface FlowSeal {
  seal(text: string, context: string): string;
  open(sealed: string, context: string): string;
}

/** The address at the other server, and the cookie that remembers what was asked there: no row is kept for a stranger. */
export async function beginFlow(
  reply: FastifyReply,
  site: OwnSite,
  server: LoginServer,
  { box, linkFor, now }: { box: FlowSeal; linkFor?: string; now: Date },
): Promise<string> {
  const { url, kept } = await server.begin(callbackOf(site, server));
  const flow: Flow = {
    ...kept,
    provider: server.provider,
    until: now.getTime() + flowMs,
    ...(linkFor === undefined ? {} : { linkFor }),
  };
  const value = box.seal(JSON.stringify(flow), context);
  reply.header('set-cookie', setCookie({ name: flowCookie(site), value, seconds: flowMs / 1000, secure: site.secure }));
  return url;
}

/** What this browser had asked of the server, once; the cookie is gone after it. Throws DH-233. */
export function takeFlow(
  request: FastifyRequest,
  reply: FastifyReply,
  site: OwnSite,
  server: LoginServer,
  { box, now }: { box: FlowSeal; now: Date },
): { kept: KeptFlow; linkFor: string | undefined } {
  reply.header('set-cookie', setCookie({ name: flowCookie(site), value: '', seconds: 0, secure: site.secure }));
  const flow = opened(readCookie(request.headers, flowCookie(site)), box);
  if (flow === undefined || flow.provider !== server.provider || flow.until <= now.getTime()) {
    throw new AppError('DH-233', {
      why: 'This browser has not begun to sign in here, or too long ago.',
      what: 'Begin again on the page that you signed in from.',
    });
  }
  const { state, verifier, nonce, linkFor } = flow;
  return { kept: { state, verifier, nonce }, linkFor };
}

/** Where the other server sends people back to. */
export function callbackOf({ origin, base }: OwnSite, { provider }: Pick<LoginServer, 'provider'>): string {
  return `${origin}${base}/signin/${provider}/callback`;
}

function flowCookie({ cookie }: OwnSite): string {
  return `${cookie}-flow`;
}

/** What was not sealed here is nothing. */
function opened(sealed: string | undefined, box: FlowSeal): Flow | undefined {
  if (sealed === undefined) return undefined;
  try {
    return flowSchema.parse(JSON.parse(box.open(sealed, context)));
  } catch {
    return undefined;
  }
}
