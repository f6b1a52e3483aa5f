import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { betasThatPass } from './model-request.ts';
import type { ModelUpstream } from './port.ts';

export interface ModelRoute {
  dialect: 'anthropic' | 'openai';
  /** Below the base URL, `/v1/messages`. */
  path: string;
  /** Its answers are not paid for. */
  free: boolean;
}

export interface Question {
  route: ModelRoute;
  upstream: ModelUpstream;
  /** Headers and address as the client sent them. */
  headers: IncomingHttpHeaders;
  url: string | undefined;
  providerTools: boolean;
  body: string;
}

export interface Upstreams {
  /**
   * Sends a question and resolves with the head of the answer. Rejects when there is none in `silentMs`, when the connection fails,
   * or with `signal`, which also ends what is under way. `onReached`: from now on the question may have been read; without it, it certainly
   * was not.
   */
  ask(question: Question, silentMs: number, signal: AbortSignal, onReached: () => void): Promise<IncomingMessage>;
  close(): void;
}

/** What is passed on of a request. Everything else, cookies and keys above all, stays behind. */
const passedOn = {
  anthropic: ['accept', 'anthropic-version', 'anthropic-dangerous-direct-browser-access', 'user-agent', 'x-app'],
  // With models that it knows Codex 0.169 uses a form of the protocol that must be named, and names itself.
  openai: [
    'accept',
    'user-agent',
    'originator',
    'session-id',
    'thread-id',
    'x-client-request-id',
    'x-codex-beta-features',
    'x-codex-turn-state',
    'x-codex-window-id',
    'x-openai-internal-codex-responses-lite',
  ],
} as const;
const longestHeader = 4096;
/** Kept connections that are found closed in a row. */
const mostStale = 3;

/** What is passed back of an answer. Nothing of the account (`openai-organization`), of cookies or of the connection. */
const passedBack =
  /^(?:content-type|request-id|x-request-id|retry-after|retry-after-ms|x-should-retry|anthropic-ratelimit-.*|x-ratelimit-.*|openai-processing-ms|openai-model|x-codex-turn-state)$/;

/** Connections by the proxies of this machine, as `environment` names them in HTTPS_PROXY and the like. */
export function proxyAgents(environment: Readonly<Record<string, string | undefined>>, keepAlive: boolean) {
  const settings = { keepAlive, maxSockets: Number.POSITIVE_INFINITY, proxyEnv: { ...environment } };
  return { http: new HttpAgent(settings), https: new HttpsAgent(settings) };
}

/** `environment`: proxies of this machine, as in HTTPS_PROXY. */
export function createUpstreams(environment: Readonly<Record<string, string | undefined>>): Upstreams {
  const agents = proxyAgents(environment, true);

  async function askOnce(
    question: Question,
    silentMs: number,
    signal: AbortSignal,
    onReached: () => void,
  ): Promise<IncomingMessage | 'stale'> {
    const query = new URL(question.url ?? '/', 'http://gateway').search;
    const url = addressOf(question.upstream.baseUrl, question.route.path, query);
    const secure = url.protocol === 'https:';
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage | 'stale'>();
    const out = (secure ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      agent: secure ? agents.https : agents.http,
      headers: { ...headersFor(question), 'content-length': Buffer.byteLength(question.body) },
      signal,
    });
    const timer = setTimeout(() => out.destroy(new Error('no answer in time')), silentMs);
    out.once('socket', (socket) => whenConnected(socket, secure, onReached));
    out.once('response', resolve);
    out.on('error', (error) => {
      // A kept connection that the provider has closed meanwhile: the question was most likely not read.
      const isStale = out.reusedSocket && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      if (isStale) resolve('stale');
      else reject(error);
    });
    out.end(question.body);
    return await promise.finally(() => clearTimeout(timer));
  }

  return {
    async ask(question, silentMs, signal, onReached) {
      for (let attempt = 1; attempt <= mostStale; attempt += 1) {
        const answer = await askOnce(question, silentMs, signal, onReached);
        if (answer !== 'stale') return answer;
      }
      throw new Error('the model server cuts connections');
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** Nothing of a question is on its way before its connection is made, with its encryption. */
function whenConnected(socket: Socket, secure: boolean, then: () => void): void {
  const isMade = !socket.connecting && (!secure || (socket instanceof TLSSocket && socket.getFinished() !== undefined));
  if (isMade) then();
  else socket.once(secure ? 'secureConnect' : 'connect', then);
}

/** `path` of the protocol at a server; a `/v1` that ends its base is not doubled. */
export function addressOf(baseUrl: string, path: string, query: string): URL {
  const base = baseUrl.endsWith('/v1') && path.startsWith('/v1/') ? baseUrl.slice(0, -3) : baseUrl;
  const url = new URL(`${base}${path}`);
  url.search = query;
  return url;
}

function headersFor({ route, upstream, headers, providerTools }: Question): Record<string, string> {
  const sent: Record<string, string> = { 'content-type': 'application/json', 'accept-encoding': 'identity' };
  for (const name of passedOn[route.dialect]) {
    const value = headers[name];
    if (typeof value === 'string' && value.length <= longestHeader) sent[name] = value;
  }
  const known = keyHeaders(route.dialect, upstream.key, upstream.bearer);
  Object.assign(sent, known);
  if (route.dialect === 'anthropic') {
    const given = typeof headers['anthropic-beta'] === 'string' ? headers['anthropic-beta'] : '';
    const betas = [known['anthropic-beta'] ?? '', betasThatPass(given, providerTools)].filter((one) => one !== '');
    if (betas.length > 0) sent['anthropic-beta'] = betas.join(',');
  }
  return sent;
}

/** How a server is told the key. Tokens of a login are no API keys: they go where those do not, and are to be announced. */
export function keyHeaders(dialect: ModelRoute['dialect'], key: string, bearer = false): Record<string, string> {
  if (key === '') return {};
  if (dialect === 'openai') return { authorization: `Bearer ${key}` };
  if (!key.startsWith('sk-ant-oat')) return bearer ? { authorization: `Bearer ${key}` } : { 'x-api-key': key };
  return { authorization: `Bearer ${key}`, 'anthropic-beta': 'oauth-2025-04-20' };
}

/** Headers of an answer for the client. */
export function backHeaders(answer: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (typeof value === 'string' && passedBack.test(name)) headers[name] = value;
  }
  return headers;
}
