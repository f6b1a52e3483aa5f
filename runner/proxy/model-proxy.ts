import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Usage } from '../../src/contracts/agent.ts';
import type { SpendRequest, SpendVerdict } from '../../src/contracts/agent-control.ts';
import { type AgentTrouble, troubleCodes } from '../../src/contracts/agent-trouble.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { atOnce, type RunLimits } from './limits.ts';
import { type ChangedRequest, checkMessages, checkResponses } from './model-request.ts';
import type { GatewayRun } from './port.ts';
import { costOf, mostOf } from './prices.ts';
import { lastWord, refuse } from './refusal.ts';
import { type Body, RequestRefused, readBody } from './request-body.ts';
import { backHeaders, createUpstreams, type ModelRoute } from './upstream.ts';
import { createUsageReader } from './usage-reader.ts';

export interface ModelProxyOptions {
  logger: Logger;
  /** Proxies of this machine, as in HTTPS_PROXY. */
  environment: Readonly<Record<string, string | undefined>>;
  /** A provider that says nothing for so long, before its answer or in the middle of it, has lost it. Milliseconds. */
  silentMs: number;
  /** How often a request that waits for a budget asks again. Milliseconds. */
  spendEveryMs: number;
}

export interface ModelProxy {
  /** Answers one request of a run for a model; the token has been checked. Resolves when what was used is stored. Never throws. */
  handle(
    run: GatewayRun,
    limits: RunLimits,
    route: ModelRoute,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void>;
  close(): void;
}

interface Exchange {
  run: GatewayRun;
  route: ModelRoute;
  request: IncomingMessage;
  response: ServerResponse;
  /** The client has left. */
  gone: AbortSignal;
}

type Denied = Extract<SpendVerdict, { verdict: 'deny' }>;

/** The way of requests to model providers: the token of the run goes, the real key comes, and what is used is counted. */
export function createModelProxy(options: ModelProxyOptions): ModelProxy {
  const upstreams = createUpstreams(options.environment);
  const { silentMs } = options;
  /** Says the id of a run whenever a request of it is over. */
  const settled = new EventEmitter().setMaxListeners(0);

  async function answer(exchange: Exchange, limits: RunLimits): Promise<void> {
    const { run, route, request, gone } = exchange;
    const upstream = run.models[route.dialect];
    if (upstream === undefined) {
      throw new RequestRefused(404, coded(`Deckhand has no model server for this protocol (${route.dialect}).`, 'key_refused'));
    }
    const body = await readBody(request, limits.bytes);
    try {
      const rules = { models: upstream.models, providerTools: run.providerTools };
      const checked = route.dialect === 'anthropic' ? checkMessages(body.text, rules) : checkResponses(body.text, rules);
      if ('refusal' in checked) throw new RequestRefused(400, checked.refusal);
      if (checked.removed.length > 0) options.logger.debug({ run: run.run, removed: checked.removed }, 'taken out of a request');
      const { headers, url } = request;
      const question = { route, upstream, headers, url, providerTools: run.providerTools, body: checked.body };
      await paid(exchange, checked, async (onReached) => {
        const sent = performance.now();
        const told = await upstreams.ask(question, silentMs, gone, onReached);
        return await passBack(exchange, told, { model: checked.model, asked: checked.body.length, sent, body });
      });
    } finally {
      body.done();
    }
  }

  /** Makes a request when the budget allows it, and settles what it has used. */
  async function paid(
    { run, route, gone }: Exchange,
    { model, size }: ChangedRequest,
    make: (onReached: () => void) => Promise<Usage | undefined>,
  ): Promise<void> {
    if (route.free) {
      await make(() => undefined);
      return;
    }
    const request = randomUUID();
    let used: Usage | undefined;
    let reached = false;
    try {
      const denied = await mayNot(run, { request, model, mostUsd: mostOf(model, size) }, gone);
      if (denied !== undefined) {
        const { because, trouble, seconds } = denied;
        throw new RequestRefused(lastWord(route.dialect), coded(because, trouble), true, seconds);
      }
      used = await make(() => {
        reached = true;
      });
    } finally {
      await (used === undefined ? run.unused(request, reached) : run.used(used, request));
      settled.emit(run.run);
    }
  }

  /** Waits until the budget allows it; why not, when it does not. */
  async function mayNot(run: GatewayRun, asked: SpendRequest, signal: AbortSignal): Promise<Denied | undefined> {
    for (;;) {
      const verdict = await run.maySpend(asked, signal);
      if (verdict.verdict === 'go') return undefined;
      if (verdict.verdict === 'deny') return verdict;
      await untilSettled(run.run, signal);
    }
  }

  /** Until another request of the run is over, or it is time to ask again. */
  async function untilSettled(run: string, gone: AbortSignal): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([gone, over.signal]);
    await Promise.race([delay(options.spendEveryMs, undefined, { signal }), once(settled, run, { signal })]).finally(() =>
      over.abort(),
    );
  }

  /** What was used; undefined: nothing was answered. */
  async function passBack(
    { run, route, response, gone }: Exchange,
    told: IncomingMessage,
    asked: { model: string; asked: number; sent: number; body: Body },
  ): Promise<Usage | undefined> {
    const status = told.statusCode ?? 502;
    checkHead(run, told, status);
    // Held until here for a second try of the connection.
    asked.body.done();
    const isStream = String(told.headers['content-type'] ?? '').includes('text/event-stream');
    const reader = createUsageReader(route.dialect, isStream, asked.asked);
    let firstByteMs: number | null = null;
    const silent = setTimeout(() => told.destroy(new Error('the model server fell silent')), silentMs);
    try {
      response.writeHead(status, backHeaders(told));
      response.flushHeaders();
      for await (const chunk of told as AsyncIterable<Buffer>) {
        silent.refresh();
        firstByteMs ??= Math.round(performance.now() - asked.sent);
        reader.push(chunk);
        if (!response.write(chunk)) await once(response, 'drain', { signal: gone });
      }
      response.end();
    } catch (error) {
      // The client must notice that the answer is not whole.
      response.destroy();
      if (!gone.aborted) options.logger.warn({ run: run.run, err: error }, 'an answer of a model broke off');
    } finally {
      clearTimeout(silent);
    }
    const counted = reader.counted();
    if (counted === undefined) return undefined;
    const { cacheWriteLong: _, ...usage } = counted;
    return { model: asked.model, ...usage, costUsd: costOf(asked.model, counted), firstByteMs };
  }

  /** Answers that are nothing for the client, or that it would misunderstand: it may think that its own token is meant. */
  function checkHead(run: GatewayRun, told: IncomingMessage, status: number): void {
    const refusal = headRefusal(told, status);
    if (refusal === undefined) return;
    told.destroy();
    options.logger.error({ run: run.run, status }, refusal.log);
    throw refusal.error;
  }

  return {
    async handle(run, limits, route, request, response) {
      const { dialect } = route;
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      if (!(route.free ? limits.countRate : limits.rate)()) {
        return refuse(response, dialect, 429, 'Too many requests of this run in a second.', false, 1);
      }
      if (!limits.requests.take(1)) {
        return refuse(response, dialect, 429, `More than ${atOnce} requests of this run at once.`, false, 2);
      }
      try {
        await answer({ run, route, request, response, gone: gone.signal }, limits);
      } catch (error) {
        if (gone.signal.aborted) return;
        if (error instanceof RequestRefused)
          return refuse(response, dialect, error.status, error.message, error.final, error.after);
        options.logger.warn({ run: run.run, err: error }, 'a request to a model failed');
        refuse(response, dialect, 502, `The model server could not be reached: ${reasonOf(error)}.`, false);
      } finally {
        limits.requests.give(1);
      }
    },
    close: () => upstreams.close(),
  };
}

function headRefusal({ headers }: IncomingMessage, status: number): { log: string; error: RequestRefused } | undefined {
  if (status === 401 || status === 403) {
    const message = `The model server refused Deckhand's key (${status}). Whoever runs Deckhand must look at it.`;
    const error = new RequestRefused(400, coded(message, 'key_refused'));
    return { log: 'the model server refuses the key of this installation', error };
  }
  if (status < 200 || (status >= 300 && status < 400)) {
    const message = 'The model server answered with a redirect, which is not followed.';
    return { log: 'the model server redirects', error: new RequestRefused(400, message) };
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return undefined;
  const message = `The model server packs its answers (${encoding}) although it was asked not to.`;
  return { log: 'the model server packs its answers', error: new RequestRefused(400, message) };
}

/** What programs pass on of a refusal is its words: the code at their end tells which kind it is. */
function coded(message: string, trouble: AgentTrouble | undefined): string {
  return trouble === undefined ? message : `${message} ${troubleCodes[trouble]}`;
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return code ?? (error instanceof Error ? error.message : 'unknown');
}
