import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createFaults } from '../faults.ts';
import { closeAtOnce, listen } from '../http-listen.ts';
import type { Scenario } from './action.ts';
import { type Answering, answerAnthropic, answerOpenai } from './answer.ts';
import type { ModelCall, ModelFault, ModelFaults, ModelTrouble } from './faults.ts';
import { stableId } from './hash.ts';
import { checkToken, faultError, limitHeaders } from './limits.ts';
import { anthropicErrorBody, invalid, ModelError, openaiErrorBody } from './model-error.ts';
import { createRecords, type Records } from './records.ts';
import { addressOf, type Incoming, type Protocol, readRequest } from './request.ts';
import { scenarios } from './scenarios.ts';
import { sendJson } from './stream.ts';

export interface ModelServerOptions {
  /** Default 127.0.0.1. */
  host?: string | undefined;
  /** Default: any free one. */
  port?: number | undefined;
  /** The key that is good; unset: any. */
  anthropicKey?: string | undefined;
  openaiKey?: string | undefined;
  /** Milliseconds between two events of a stream. Default 0. */
  paceMs?: number | undefined;
  /** Tokens a conversation may have. Default 200 000. */
  window?: number | undefined;
  /** Asked before those that exist; the first of a name counts. */
  scenarios?: readonly Scenario[] | undefined;
  /** What goes wrong from the start. */
  faults?: readonly { method: ModelCall['method'] | '*'; fault: ModelFault }[] | undefined;
  /** How many requests are kept. Default 500. */
  keep?: number | undefined;
  now?: (() => number) | undefined;
  /** Programming mistakes; the caller gets a 500. */
  onError?: ((error: unknown) => void) | undefined;
}

export interface ModelServer extends Records {
  /** What `ANTHROPIC_BASE_URL` is set to: the SDK adds `/v1/messages`. */
  anthropicUrl: string;
  /** What `OPENAI_BASE_URL` is set to: `/responses` is added. */
  openaiUrl: string;
  /** Methods: `messages`, `count_tokens`, `responses`, `models`, `*`. */
  faults: ModelFaults;
  close(): Promise<void>;
}

/**
 * A model server without a model: it speaks the Messages API of Anthropic and the Responses API of OpenAI on loopback, as strictly as the
 * real ones, and what it answers comes from scripts. Stateless: the same request gets the same answer.
 */
export async function createModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const { now = Date.now, onError = () => {} } = options;
  const own = options.scenarios ?? [];
  const answering: Answering = {
    scenarios: [...own, ...scenarios.filter(({ name }) => !own.some((scenario) => scenario.name === name))],
    window: options.window ?? 200_000,
    paceMs: options.paceMs ?? 0,
    now,
  };
  const faults = createFaults<ModelCall, ModelTrouble>();
  for (const { method, fault } of options.faults ?? []) faults.failNext(method, fault);
  const records = createRecords(options.keep ?? 500, now);
  const keys = { anthropic: options.anthropicKey, openai: options.openaiKey };

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://lab');
    const address = addressOf(request.method ?? 'GET', pathname);
    if (address === undefined) return probe(request, response, pathname);
    const incoming = await readRequest(request, pathname, address);
    const record = records.add(incoming.call, request.method ?? 'GET', request.headers);
    response.once('finish', () => {
      record.status = response.statusCode;
    });
    const requestId = `req_${stableId(24, record.number, now())}`;
    for (const [name, value] of Object.entries(limitHeaders(address.protocol, requestId, now()))) response.setHeader(name, value);
    try {
      await answer(incoming, request, response);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      sendError(response, address.protocol, error, requestId);
    }
  }

  async function answer(incoming: Incoming, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { call, protocol } = incoming;
    await faults.waitBefore(call);
    const fault = faults.take(call);
    if (fault?.firstByteMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.firstByteMs));
    if (fault?.dropConnectionBeforeEffect) return void response.destroy();
    if (fault?.status !== undefined) {
      if (fault.status === 429) response.setHeader('retry-after', String(fault.retryAfter ?? 1));
      for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
      throw faultError(protocol, fault);
    }
    checkToken(protocol, call.token, keys[protocol]);
    if (incoming.isTooLarge) throw new ModelError(413, 'request_too_large', 'Request exceeds the maximum size');
    if (call.method !== 'models' && incoming.parsed === undefined) throw notJson(protocol);
    const context = { answering, fault, response, headers: request.headers, after: () => faults.waitAfter(call) };
    if (protocol === 'anthropic') await answerAnthropic(incoming, context);
    else await answerOpenai(incoming, context);
  }

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      if (request.socket.destroyed) return;
      onError(error);
      if (!response.headersSent)
        sendJson(response, 500, { type: 'error', error: { type: 'api_error', message: 'Internal server error' } });
      else response.destroy();
    });
  });
  const base = await listen(server, options.host ?? '127.0.0.1', options.port ?? 0);
  return {
    ...records,
    anthropicUrl: `${base}/anthropic`,
    openaiUrl: `${base}/openai/v1`,
    faults,
    close: () => closeAtOnce(server),
  };
}

const notJson = (protocol: Protocol) =>
  invalid(
    protocol === 'anthropic'
      ? 'The request body is not valid JSON'
      : 'We could not parse the JSON body of your request. (HINT: This likely means you are not sending valid JSON.)',
  );

/** Clients look whether anybody is there before they ask. */
function probe(request: IncomingMessage, response: ServerResponse, pathname: string): void {
  request.resume();
  const isProbe = request.method === 'HEAD' && /^\/(anthropic\/?)?$/.test(pathname);
  if (isProbe) response.writeHead(200).end();
  else sendJson(response, 404, { type: 'error', error: { type: 'not_found_error', message: 'Not Found' } });
}

function sendError(response: ServerResponse, protocol: Protocol, error: ModelError, requestId: string): void {
  const body = protocol === 'anthropic' ? anthropicErrorBody(error, requestId) : openaiErrorBody(error);
  sendJson(response, error.status, body);
}
