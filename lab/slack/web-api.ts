import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Calls } from '../calls.ts';
import { SlackApiError } from './api-error.ts';
import { createArgs } from './args.ts';
import { type ApiCall, callOf } from './calls.ts';
import type { Core } from './core.ts';
import type { Fault, Faults } from './faults.ts';
import { secret } from './ids.ts';
import type { Json } from './json.ts';
import { hasScope, type Method } from './method.ts';
import { methods } from './methods.ts';
import { createLimiter } from './rate-limits.ts';
import { BadBody, readBody } from './request-body.ts';

/** The Web API endpoint `/api/<method>`: tokens, scopes, rate limits and faults around the methods. */
export interface WebApi {
  handle(request: IncomingMessage, response: ServerResponse, method: string): Promise<void>;
}

interface Answer {
  status: number;
  body: Json;
  headers?: Record<string, string>;
}

export function createWebApi(deps: { core: Core; calls: Calls<ApiCall>; faults: Faults; openSocketUrl: () => string }): WebApi {
  const { core, calls, faults } = deps;
  const limiter = createLimiter();

  /** Runs the method; everything that can be wrong with a call becomes an answer. */
  async function answer(call: ApiCall, token: string | undefined): Promise<Answer> {
    try {
      const method = methods.get(call.method);
      if (!method) throw new SlackApiError('unknown_method', { extra: { req_method: call.method } });
      checkToken(core, method, token);
      const wait = limiter.admit(call.method, method.tier, call.channel, call.at);
      if (wait !== undefined && core.settings.rateLimiting) return rateLimited(wait);
      checkScopes(core, method);
      const openSocketUrl = deps.openSocketUrl;
      const body = await method.handle({ core, args: createArgs(call.args), record: call, openSocketUrl });
      return { status: 200, body, headers: scopeHeaders(core, method) };
    } catch (error) {
      if (error instanceof SlackApiError) return { status: 200, body: errorBody(error) };
      throw error;
    }
  }

  return {
    async handle(request, response, name) {
      let fields: Json = {};
      let problem: Answer | undefined;
      try {
        fields = (await readBody(request)).fields;
      } catch (error) {
        if (!(error instanceof BadBody)) throw error;
        problem = { status: 200, body: { ok: false, error: error.code } };
      }
      const call = calls.begin(callOf(name, withoutToken(fields), core.now()));
      await faults.waitBefore(call);
      const fault = faults.take(call);
      if (fault?.dropConnectionBeforeEffect) return drop(request, call, core);
      const result = problem ?? faultAnswer(fault) ?? (await answer(call, bearer(request) ?? tokenField(fields)));
      await faults.waitAfter(call);
      if (core.settings.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, core.settings.latencyMs));
      if (fault?.dropConnectionAfterEffect) return drop(request, call, core);
      call.status = result.status;
      call.ok = result.body.ok === true;
      call.error = typeof result.body.error === 'string' ? result.body.error : undefined;
      call.finishedAt = core.now();
      send(response, result);
    },
  };
}

function drop(request: IncomingMessage, call: ApiCall, core: Core): void {
  call.error = 'connection dropped';
  call.finishedAt = core.now();
  request.socket.destroy();
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'x-slack-req-id': secret(16),
    ...headers,
  });
  response.end(text);
}

function rateLimited(seconds: number): Answer {
  return { status: 429, body: { ok: false, error: 'ratelimited' }, headers: { 'retry-after': String(seconds) } };
}

function faultAnswer(fault: Fault | undefined): Answer | undefined {
  if (fault?.status === 429) return rateLimited(fault.retryAfter ?? 1);
  if (fault?.status !== undefined) return { status: fault.status, body: { ok: false, error: fault.error ?? 'internal_error' } };
  return fault?.error === undefined ? undefined : { status: 200, body: { ok: false, error: fault.error } };
}

function checkToken(core: Core, method: Method, token: string | undefined): void {
  if (method.token === 'none') return;
  if (!token) throw new SlackApiError('not_authed');
  const { botToken, appToken } = core.credentials;
  if (token !== botToken && token !== appToken) throw new SlackApiError('invalid_auth');
  if (token !== (method.token === 'bot' ? botToken : appToken)) throw new SlackApiError('not_allowed_token_type');
}

function checkScopes(core: Core, method: Method): void {
  if (method.scopes.length === 0 || method.scopes.some((scope) => hasScope(core, scope))) return;
  const provided = core.manifest.oauth_config.scopes.bot.join(',');
  throw new SlackApiError('missing_scope', { extra: { needed: method.scopes.join(','), provided } });
}

function scopeHeaders(core: Core, method: Method): Record<string, string> {
  if (method.token !== 'bot') return {};
  return {
    'x-oauth-scopes': core.manifest.oauth_config.scopes.bot.join(','),
    'x-accepted-oauth-scopes': method.scopes.join(','),
  };
}

function errorBody(error: SlackApiError): Json {
  const metadata = error.messages.length > 0 ? { response_metadata: { messages: error.messages } } : {};
  return { ok: false, error: error.code, ...error.extra, ...metadata };
}

function bearer(request: IncomingMessage): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

function tokenField(fields: Json): string | undefined {
  return typeof fields.token === 'string' && fields.token !== '' ? fields.token : undefined;
}

/** Recorded calls show up in test output and in the lab; tokens do not belong there. */
function withoutToken({ token: _token, ...rest }: Json): Json {
  return rest;
}
