import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Json } from '../slack/json.ts';
import type { Scenario } from './action.ts';
import { anthropicEvents, anthropicMessage } from './anthropic-answer.ts';
import { anthropicConversation } from './anthropic-conversation.ts';
import { checkAnthropicRequest, checkVersion } from './anthropic-rules.ts';
import type { Conversation } from './conversation.ts';
import type { ModelFault } from './faults.ts';
import { stableId } from './hash.ts';
import { checkLength } from './limits.ts';
import { ModelError } from './model-error.ts';
import { anthropicModels, openaiModels } from './models.ts';
import { openaiEvents, openaiResponse, openResponse } from './openai-answer.ts';
import { openaiConversation } from './openai-conversation.ts';
import { checkOpenaiRequest } from './openai-rules.ts';
import type { StreamEvent } from './pieces.ts';
import { nextReply } from './play.ts';
import type { Incoming } from './request.ts';
import { sendJson, sendStream } from './stream.ts';
import { inputTokens, tokensOf } from './usage.ts';

/** What an answer is made with. */
export interface Answering {
  scenarios: readonly Scenario[];
  /** Tokens. */
  window: number;
  /** Milliseconds between two events. */
  paceMs: number;
  now(): number;
}

export interface AnswerContext {
  answering: Answering;
  fault: ModelFault | undefined;
  response: ServerResponse;
  headers: IncomingHttpHeaders;
  /** Waits where a test holds the answer back after its effect. */
  after(): Promise<void>;
}

/** Answers a request of the Messages API, or throws a `ModelError`. */
export async function answerAnthropic({ call, parsed }: Incoming, context: AnswerContext): Promise<void> {
  const { answering, fault, headers, response } = context;
  if (call.method === 'models') {
    checkVersion(headers);
    return finish(context, anthropicModels);
  }
  const counting = call.method === 'count_tokens';
  checkAnthropicRequest(parsed, headers, counting);
  const conversation = anthropicConversation(parsed);
  if (counting) return finish(context, { input_tokens: inputTokens(conversation) });
  checkLength('anthropic', conversation, answering.window, fault?.overflow === true);
  const { id, reply, tokens } = compose(conversation, answering);
  const { model } = conversation;
  if (parsed.stream !== true) return finish(context, anthropicMessage(id, model, reply, tokens));
  await begin(context);
  const events = [...anthropicEvents(id, model, reply, tokens, fault?.badInput === true)];
  const data: Json = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
  await sendStream(response, events, { paceMs: answering.paceMs, fault, trouble: { type: 'error', data } });
}

/** Answers a request of the Responses API, or throws a `ModelError`. */
export async function answerOpenai({ call, parsed }: Incoming, context: AnswerContext): Promise<void> {
  const { answering, fault, response } = context;
  if (call.method === 'models') return finish(context, openaiModels);
  checkOpenaiRequest(parsed);
  const conversation = openaiConversation(parsed);
  const { id, reply, tokens } = compose(conversation, answering);
  const { model } = conversation;
  const at = answering.now();
  const problem = lengthProblem(conversation, context);
  if (parsed.stream !== true) {
    if (problem) throw problem;
    return finish(context, openaiResponse(id, model, reply, tokens, at));
  }
  await begin(context);
  const open = openResponse(id, model, at);
  const failed = (code: string, message: string): StreamEvent => ({
    type: 'response.failed',
    data: { type: 'response.failed', sequence_number: 1, response: { ...open, status: 'failed', error: { code, message } } },
  });
  const created: StreamEvent = {
    type: 'response.created',
    data: { type: 'response.created', sequence_number: 0, response: open },
  };
  // The service opens the stream before it looks at the length.
  const events = problem
    ? [created, failed('context_length_exceeded', problem.message)]
    : [...openaiEvents(id, model, reply, tokens, at, fault?.badInput === true)];
  const trouble = failed('server_is_overloaded', 'Our servers are currently overloaded. Please try again later.');
  await sendStream(response, events, { paceMs: answering.paceMs, fault, trouble });
}

function lengthProblem(conversation: Conversation, { answering, fault }: AnswerContext): ModelError | undefined {
  try {
    checkLength('openai', conversation, answering.window, fault?.overflow === true);
    return undefined;
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
}

function compose(conversation: Conversation, { scenarios }: Answering) {
  const reply = nextReply(conversation, scenarios);
  const id = stableId(22, conversation.salt, JSON.stringify(conversation.entries.at(-1) ?? ''));
  return { id, reply, tokens: tokensOf(conversation, reply) };
}

async function begin({ response, fault, after }: AnswerContext): Promise<void> {
  await after();
  if (fault?.dropConnectionAfterEffect) {
    response.destroy();
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
}

async function finish({ response, fault, after }: AnswerContext, body: Json): Promise<void> {
  await after();
  if (fault?.dropConnectionAfterEffect) response.destroy();
  else sendJson(response, 200, body);
}
