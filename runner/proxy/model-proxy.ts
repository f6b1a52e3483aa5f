import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/runtime/logger.ts';
import { betasThatPass, checkMessages, checkResponses } from './model-request.ts';
import type { GatewayRun, ModelUpstream } from './port.ts';
import { costOf } from './prices.ts';
import { lastWord, refuse } from './refusal.ts';
import { BodyRefused, readBody } from './request-body.ts';
import { createUsageReader } from './usage-reader.ts';

export interface ModelProxyOptions {
  logger: Logger;
  /** Proxies of this machine, as in HTTPS_PROXY. */
  environment: Readonly<Record<string, string | undefined>>;
  /** A provider that says nothing for so long in the middle of an answer has lost it. Milliseconds. */
  silentMs: number;
  /** How often a request that waits for a budget asks again. Milliseconds. */
  spendEveryMs: number;
}

export interface ModelRoute {
  dialect: 'anthropic' | 'openai';
  /** Below the base URL, `/v1/messages`. */
  path: string;
  /** Its answers are not paid for. */
  free: boolean;
}

export interface ModelProxy {
  /** Answers one request of a run for a model; the token has been checked. Never throws. */
  handle(run: GatewayRun, route: ModelRoute, request: IncomingMessage, response: ServerResponse): Promise<void>;
  close(): void;
}

/** What is passed on of a request. Everything else, cookies and keys above all, stays behind. */
const passedOn = ['accept', 'anthropic-version', 'anthropic-dangerous-direct-browser-access', 'user-agent', 'x-app'] as const;
/** What is passed back of an answer. */
const passedBack =
  /^(?:content-type|request-id|x-request-id|retry-after|retry-after-ms|x-should-retry|anthropic-ratelimit-.*|x-ratelimit-.*|openai-processing-ms|x-codex-.*)$/;

/** The way of requests to model providers: the token of the run goes, the real key comes, and what is used is counted. */
export function createModelProxy(options: ModelProxyOptions): ModelProxy {
  const settings = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, proxyEnv: { ...options.environment } };
  const agents = { http: new HttpAgent(settings), https: new HttpsAgent(settings) };

  async function handle(run: GatewayRun, route: ModelRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { dialect } = route;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const upstream = run.models[dialect];
    if (upstream === undefined) {
      refuse(response, dialect, 404, `Deckhand has no model server for this protocol (${dialect}).`);
      return;
    }
    try {
      const text = await readBody(request);
      const rules = { models: upstream.models, providerTools: run.providerTools };
      const checked = dialect === 'anthropic' ? checkMessages(text, rules) : checkResponses(text, rules);
      if ('refusal' in checked) {
        refuse(response, dialect, 400, checked.refusal);
        return;
      }
      const denied = route.free ? undefined : await mayNot(run, gone.signal);
      if (denied !== undefined) {
        refuse(response, dialect, lastWord(dialect), denied);
        return;
      }
      await forward({ run, route, upstream, request, response, model: checked.model, body: checked.body, gone: gone.signal });
    } catch (error) {
      if (gone.signal.aborted) return;
      if (error instanceof BodyRefused) return refuse(response, dialect, error.status, error.message);
      options.logger.warn({ run: run.run, err: error }, 'a request to a model failed');
      refuse(response, dialect, 502, `The model server could not be reached: ${reasonOf(error)}.`, false);
    }
  }

  /** Waits until the budget allows it; why not, when it does not. */
  async function mayNot(run: GatewayRun, signal: AbortSignal): Promise<string | undefined> {
    for (;;) {
      const answer = await run.maySpend(signal);
      if (answer.verdict === 'go') return undefined;
      if (answer.verdict === 'deny') return answer.because;
      await delay(options.spendEveryMs, undefined, { signal });
    }
  }

  interface Forwarded {
    run: GatewayRun;
    route: ModelRoute;
    upstream: ModelUpstream;
    request: IncomingMessage;
    response: ServerResponse;
    model: string;
    body: string;
    gone: AbortSignal;
  }

  async function forward({ run, route, upstream, request, response, model, body, gone }: Forwarded): Promise<void> {
    const url = addressOf(upstream.baseUrl, route.path, request.url);
    const secure = url.protocol === 'https:';
    const sent = performance.now();
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const out = (secure ? httpsRequest : httpRequest)(url, {
        method: 'POST',
        agent: secure ? agents.https : agents.http,
        headers: { ...headersFor(run, route, upstream, request), 'content-length': Buffer.byteLength(body) },
        signal: gone,
      });
      out.once('response', resolve);
      out.once('error', reject);
      out.end(body);
    });
    const status = answer.statusCode ?? 502;
    if (status === 401 || status === 403) {
      answer.resume();
      options.logger.error({ run: run.run, status }, 'the model server refuses the key of this installation');
      refuse(
        response,
        route.dialect,
        400,
        `The model server refused Deckhand's key (${status}). Whoever runs Deckhand must look at it.`,
      );
      return;
    }
    if (status >= 300 && status < 400) {
      answer.resume();
      refuse(response, route.dialect, 502, 'The model server answered with a redirect, which is not followed.');
      return;
    }
    const type = String(answer.headers['content-type'] ?? '');
    const reader = createUsageReader(route.dialect, type.includes('text/event-stream'));
    let firstByteMs: number | null = null;
    try {
      response.writeHead(status, backHeaders(answer));
      response.flushHeaders();
      answer.setTimeout(options.silentMs, () => answer.destroy(new Error('the model server fell silent')));
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        firstByteMs ??= Math.round(performance.now() - sent);
        reader.push(chunk);
        if (!response.write(chunk)) await drained(response, gone);
      }
      response.end();
    } catch (error) {
      // The client must notice that the answer is not whole.
      response.destroy();
      if (!gone.aborted) options.logger.warn({ run: run.run, err: error }, 'an answer of a model broke off');
    } finally {
      const counted = reader.counted();
      if (!route.free && counted !== undefined)
        await run.used({ model, ...counted, costUsd: costOf(model, counted), firstByteMs });
    }
  }

  return {
    handle,
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function addressOf(baseUrl: string, path: string, asked: string | undefined): URL {
  const base = baseUrl.endsWith('/v1') && path.startsWith('/v1/') ? baseUrl.slice(0, -3) : baseUrl;
  const url = new URL(`${base}${path}`);
  url.search = new URL(asked ?? '/', 'http://gateway').search;
  return url;
}

function headersFor(
  run: GatewayRun,
  { dialect }: ModelRoute,
  { key }: ModelUpstream,
  request: IncomingMessage,
): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'accept-encoding': 'identity' };
  for (const name of passedOn) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  const betas = request.headers['anthropic-beta'];
  if (typeof betas === 'string') {
    const passing = betasThatPass(betas, run.providerTools);
    if (passing !== '') headers['anthropic-beta'] = passing;
  }
  if (key === '') return headers;
  // Tokens of a login are no API keys, and go where those do not.
  if (dialect === 'anthropic' && !key.startsWith('sk-ant-oat')) headers['x-api-key'] = key;
  else headers.authorization = `Bearer ${key}`;
  return headers;
}

function backHeaders(answer: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (typeof value === 'string' && passedBack.test(name)) headers[name] = value;
  }
  return headers;
}

async function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once('drain', resolve);
  gone.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return code ?? (error instanceof Error ? error.message : 'unknown');
}
