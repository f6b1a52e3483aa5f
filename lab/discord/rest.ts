import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Calls, unanswered } from '../calls.ts';
import { isRecord, type Json } from '../slack/json.ts';
import { apiError, DiscordApiError } from './api-error.ts';
import type { ApiCall } from './calls.ts';
import type { Core } from './core.ts';
import type { Fault, Faults } from './faults.ts';
import { timeOf } from './ids.ts';
import { type Admission, BUCKETS, type Bucket, createLimiter, limitHeaders } from './rate-limits.ts';
import { type RequestBody, readBody } from './request-body.ts';
import type { Answer, Route } from './route.ts';
import { renames } from './routes-channels.ts';

/** The REST API below `/api/v10`: tokens, rate limits and faults around the routes. */
export interface Rest {
  handle(request: IncomingMessage, response: ServerResponse, path: string): Promise<void>;
  /** Forgets what was counted against the limits. */
  clearLimits(): void;
}

const OLD_MS = 60 * 60_000;

interface Matched {
  route: Route;
  params: Record<string, string>;
}

interface Result extends Answer {
  headers?: Record<string, string> | undefined;
}

export function createRest(deps: { core: Core; calls: Calls<ApiCall>; faults: Faults; routes: readonly Route[] }): Rest {
  const { core, calls, faults } = deps;
  const limiter = createLimiter();
  const patterns = deps.routes.map((route) => ({ route, parts: route.path.split('/') }));

  function match(verb: string, path: string): Matched {
    const parts = path.split('/').map(decodeSegment);
    let isKnownPath = false;
    for (const pattern of patterns) {
      const params = paramsOf(pattern.parts, parts);
      if (!params) continue;
      isKnownPath = true;
      if (pattern.route.verb === verb) return { route: pattern.route, params };
    }
    throw apiError(isKnownPath ? 'methodNotAllowed' : 'notFound');
  }

  /** Renaming a channel and editing an old message have narrow limits of their own. */
  function bucketOf({ route, params }: Matched, body: RequestBody, at: number): Bucket {
    if (route.method === 'update_channel' && renames(body.json)) return BUCKETS.renameChannel;
    const edited = route.method === 'update_message' ? core.state.message(params.message ?? '') : undefined;
    return edited && at - timeOf(edited.id) > OLD_MS ? BUCKETS.editOldMessage : route.bucket;
  }

  async function run(
    request: IncomingMessage,
    found: Matched,
    body: RequestBody,
    record: ApiCall,
    query: URLSearchParams,
  ): Promise<Result> {
    const { route, params } = found;
    if (route.auth === 'bot' && request.headers.authorization !== `Bot ${core.credentials.token}`) throw apiError('unauthorized');
    const limits = bucketOf(found, body, record.at);
    const admission = limiter.admit(limits, majorOf(params), record.at, route.auth === 'bot');
    record.over = admission.over?.limit;
    const headers = limitHeaders(admission, core.now());
    if (admission.over && core.settings.rateLimiting) return rateLimited(admission, admission.over, headers);
    try {
      return { ...(await route.handle({ core, params, query, body, record })), headers };
    } catch (error) {
      if (error instanceof DiscordApiError) return { ...errorAnswer(error), headers };
      throw error;
    }
  }

  return {
    clearLimits: () => limiter.clear(),
    async handle(request, response, path) {
      const url = new URL(request.url ?? '/', 'http://lab');
      const verb = request.method ?? 'GET';
      let found: Matched | undefined;
      let body: RequestBody = { json: undefined, files: [] };
      let problem: Result | undefined;
      try {
        body = await readBody(request);
        found = match(verb, path);
      } catch (error) {
        if (!(error instanceof DiscordApiError)) throw error;
        problem = errorAnswer(error);
      }
      const record = calls.begin({
        ...unanswered,
        method: found?.route.method ?? 'unknown',
        verb,
        path: withoutTokens(path),
        args: argsOf(body, url),
        files: body.files.map((file) => file.filename),
        channel: found?.params.channel,
        at: core.now(),
      });
      await faults.waitBefore(record);
      const fault = faults.take(record);
      if (fault?.dropConnectionBeforeEffect) return drop(request, record, core);
      if (core.settings.outage) problem = { status: 503, body: { message: '503: Service Unavailable', code: 0 } };
      let result = problem ?? faultAnswer(fault, found ? bucketOf(found, body, record.at) : BUCKETS.other, core.now());
      try {
        if (!result && found) result = await run(request, found, body, record, url.searchParams);
      } catch (error) {
        if (!(error instanceof DiscordApiError)) throw error;
        result = errorAnswer(error);
      }
      await faults.waitAfter(record);
      if (core.settings.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, core.settings.latencyMs));
      if (fault?.dropConnectionAfterEffect) return drop(request, record, core);
      finish(record, result ?? errorAnswer(apiError('notFound')), core);
      send(response, result ?? errorAnswer(apiError('notFound')));
    },
  };
}

/** Clients may write `@original` as `%40original`. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw apiError('notFound');
  }
}

function paramsOf(pattern: string[], parts: string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const given = parts[index] ?? '';
    if (part.startsWith(':')) {
      if (given === '') return undefined;
      params[part.slice(1)] = given;
    } else if (part !== given) return undefined;
  }
  return params;
}

/** Limits count per channel, guild, or webhook with its token. */
function majorOf(params: Record<string, string>): string {
  return params.channel ?? params.guild ?? (params.webhook ? `${params.webhook}/${params.token}` : (params.interaction ?? ''));
}

function argsOf(body: RequestBody, url: URL): Json {
  if (isRecord(body.json)) return body.json;
  if (Array.isArray(body.json)) return { list: body.json };
  return Object.fromEntries(url.searchParams);
}

/** Recorded calls show up in test output and in the lab; tokens of interactions do not belong there. */
function withoutTokens(path: string): string {
  return path.replace(/^(\/(?:webhooks|interactions)\/[^/]+)\/[^/]+/, '$1/:token');
}

function finish(record: ApiCall, result: Result, core: Core): void {
  const body = isRecord(result.body) ? result.body : {};
  record.status = result.status;
  record.ok = result.status < 400;
  if (!record.ok) {
    record.code = typeof body.code === 'number' ? body.code : undefined;
    record.error = typeof body.message === 'string' ? body.message : undefined;
  }
  record.finishedAt = core.now();
}

function drop(request: IncomingMessage, record: ApiCall, core: Core): void {
  record.error = 'connection dropped';
  record.finishedAt = core.now();
  request.socket.destroy();
}

/** An answer without a body carries no content type: clients would try to read JSON from nothing. */
function send(response: ServerResponse, { status, body, headers }: Result): void {
  if (body === undefined) {
    response.writeHead(status, headers);
    response.end();
    return;
  }
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers });
  response.end(text);
}

function errorAnswer(error: DiscordApiError): Result {
  const errors = error.errors === undefined ? {} : { errors: error.errors };
  return { status: error.status, body: { message: error.message, ...errors, code: error.code } };
}

function rateLimited(
  admission: Pick<Admission, 'bucket'>,
  over: NonNullable<Admission['over']>,
  headers: Record<string, string> = {},
): Result {
  const seconds = Math.max(0.001, Math.ceil(over.waitMs) / 1000);
  const isGlobal = over.limit === 'global';
  const isOldEdit = admission.bucket === BUCKETS.editOldMessage && !isGlobal;
  const message = isOldEdit
    ? 'Maximum number of edits to messages older than 1 hour reached. Try again later'
    : 'You are being rate limited.';
  return {
    status: 429,
    body: { message, retry_after: seconds, global: isGlobal, ...(isOldEdit ? { code: 30046 } : {}) },
    headers: {
      ...headers,
      'retry-after': String(Math.ceil(seconds)),
      'x-ratelimit-scope': isGlobal ? 'global' : 'user',
      ...(isGlobal ? { 'x-ratelimit-global': 'true' } : {}),
    },
  };
}

function faultAnswer(fault: Fault | undefined, limits: Bucket, now: number): Result | undefined {
  if (!fault || (fault.status === undefined && fault.code === undefined)) return undefined;
  if (fault.status === 429) {
    const waitMs = (fault.retryAfter ?? 1) * 1000;
    // A used up bucket, as the limits themselves answer: clients hold back what they have in store for it.
    const admission = { bucket: limits, remaining: 0, resetAt: now + waitMs };
    return rateLimited(admission, { limit: 'bucket', waitMs }, limitHeaders(admission, now));
  }
  const status = fault.status ?? 400;
  return { status, body: { message: fault.code === undefined ? `${status}: lab fault` : 'lab fault', code: fault.code ?? 0 } };
}
