import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Calls } from '../calls.ts';
import { type ApiCall, callOf } from '../slack/calls.ts';
import type { Fault, Faults } from '../slack/faults.ts';
import type { Json } from '../slack/json.ts';
import { BotApiError } from './api-error.ts';
import { createArgs } from './args.ts';
import type { Core } from './core.ts';
import { methods } from './methods.ts';
import { createLimiter } from './rate-limits.ts';
import { type RequestBody, readBody } from './request-body.ts';
import { unexpected } from './unknown-parameters.ts';

/** The endpoint `/bot<token>/<method>`: token, rate limits and faults around the methods. */
export interface BotApi {
  handle(request: IncomingMessage, response: ServerResponse, token: string, method: string): Promise<void>;
  /** A call without HTTP, as the answer to a webhook request may ask for. How it ends is only recorded. */
  perform(method: string, args: Json): Promise<void>;
}

interface Answer {
  status: number;
  body: Json;
}

export function createBotApi(deps: { core: Core; calls: Calls<ApiCall>; faults: Faults }): BotApi {
  const { core, calls, faults } = deps;
  const limiter = createLimiter();

  /** Runs the method; everything that can be wrong with a call becomes an answer. */
  async function answer(call: ApiCall, body: RequestBody, signal: AbortSignal): Promise<Answer> {
    try {
      const method = methods.get(call.method.toLowerCase());
      if (!method) throw new BotApiError(404, 'Not Found: method not found');
      const wait = limiter.admit(call, call.at);
      if (wait !== undefined && core.settings.rateLimiting) return refused(tooMany(wait));
      const { result, description } = await method({
        core,
        args: createArgs(body.fields),
        files: body.files,
        record: call,
        signal,
      });
      return { status: 200, body: { ok: true, result, ...(description === undefined ? {} : { description }) } };
    } catch (error) {
      if (error instanceof BotApiError) return refused(error);
      throw error;
    }
  }

  function finish(call: ApiCall, { status, body }: Answer): void {
    call.status = status;
    call.ok = body.ok === true;
    call.error = typeof body.description === 'string' && !call.ok ? body.description : undefined;
    call.finishedAt = core.now();
  }

  function begin(method: string, fields: Json): ApiCall {
    const call = calls.begin(callOf(method, fields, core.now()));
    const chat = fields.chat_id;
    const findings = unexpected(method, fields);
    if (findings.length > 0) call.note = findings.join('; ');
    call.channel = typeof chat === 'number' || typeof chat === 'string' ? String(chat) : undefined;
    return call;
  }

  return {
    async handle(request, response, token, name) {
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      let body: RequestBody = { fields: {}, files: new Map() };
      let problem: Answer | undefined;
      try {
        body = await readBody(request);
      } catch (error) {
        if (!(error instanceof BotApiError)) throw error;
        problem = refused(error);
      }
      if (token !== core.token) problem = refused(new BotApiError(401, 'Unauthorized'));
      const call = begin(name, body.fields);
      await faults.waitBefore(call);
      const fault = faults.take(call);
      if (fault?.dropConnectionBeforeEffect) return drop(request, call, core);
      const result = problem ?? faultAnswer(fault) ?? (await answer(call, body, gone.signal));
      await faults.waitAfter(call);
      if (core.settings.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, core.settings.latencyMs));
      if (fault?.dropConnectionAfterEffect) return drop(request, call, core);
      finish(call, result);
      send(response, result);
    },
    async perform(name, fields) {
      const call = begin(name, fields);
      finish(call, await answer(call, { fields, files: new Map() }, new AbortController().signal));
    },
  };
}

function drop(request: IncomingMessage, call: ApiCall, core: Core): void {
  call.error = 'connection dropped';
  call.finishedAt = core.now();
  request.socket.destroy();
}

function send(response: ServerResponse, { status, body }: Answer): void {
  const text = JSON.stringify(body);
  const after = body.parameters;
  const retry = typeof after === 'object' && after !== null && 'retry_after' in after ? String(after.retry_after) : undefined;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...(retry === undefined ? {} : { 'retry-after': retry }),
  });
  response.end(text);
}

function refused(error: BotApiError): Answer {
  const parameters = error.parameters === undefined ? {} : { parameters: error.parameters };
  return { status: error.code, body: { ok: false, error_code: error.code, description: error.message, ...parameters } };
}

function tooMany(seconds: number): BotApiError {
  return new BotApiError(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
}

function faultAnswer(fault: Fault | undefined): Answer | undefined {
  if (fault?.status === 429) return refused(tooMany(fault.retryAfter ?? 1));
  if (fault?.status === undefined && fault?.error === undefined) return undefined;
  const status = fault.status ?? 400;
  return refused(new BotApiError(status, fault.error ?? (status >= 500 ? 'Internal Server Error' : 'Bad Request')));
}
