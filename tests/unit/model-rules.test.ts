import { expect, test } from 'vitest';
import { signatureOf } from '../../lab/model/anthropic-answer.ts';
import { checkAnthropicRequest } from '../../lab/model/anthropic-rules.ts';
import { ModelError } from '../../lab/model/model-error.ts';
import { checkOpenaiRequest } from '../../lab/model/openai-rules.ts';

const headers = { 'anthropic-version': '2023-06-01' };
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (...content: unknown[]) => ({ role: 'assistant', content });
const use = (id: string) => ({ type: 'tool_use', id, name: 'bash', input: {} });
const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'done' });
const text = (value: string) => ({ type: 'text', text: value });
const request = (...messages: unknown[]) => ({ model: 'claude-sonnet-5', max_tokens: 100, messages });

/** `status type: message`, or `accepted`. */
function verdict(check: () => void): string {
  try {
    check();
    return 'accepted';
  } catch (error) {
    if (error instanceof ModelError) return `${error.status} ${error.type}: ${error.message}`;
    throw error;
  }
}

const anthropic = (body: unknown, more: Record<string, string> = headers) =>
  verdict(() => checkAnthropicRequest(body, more, false));
const openai = (body: unknown) => verdict(() => checkOpenaiRequest(body));

test.each([
  ['a plain message', request(user('hi'))],
  ['two messages of one role in a row', request(user('hi'), user('there'))],
  [
    'a result behind its call, and a text behind the result',
    request(user('hi'), assistant(use('a')), user([result('a'), text('and')])),
  ],
  [
    'results of parallel calls in another order',
    request(user('hi'), assistant(use('a'), use('b')), user([result('b'), result('a')])),
  ],
  [
    'thinking that is ours',
    request(user('hi'), assistant({ type: 'thinking', thinking: 'so', signature: signatureOf('so') }, text('x')), user('y')),
  ],
  ['parameters of the old version', { ...request(user('hi')), temperature: 0.5, top_p: 1 }],
])('the Messages API takes %s', (_, body) => {
  expect(anthropic(body)).toBe('accepted');
});

const noResult =
  '400 invalid_request_error: messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a. Each `tool_use` block must have a corresponding `tool_result` block in the next message.';

test.each<[string, unknown, string]>([
  ['no model', { max_tokens: 1, messages: [] }, '400 invalid_request_error: model: Field required'],
  ['no limit of tokens', { model: 'claude-x', messages: [user('hi')] }, '400 invalid_request_error: max_tokens: Field required'],
  ['an unknown model', { ...request(user('hi')), model: 'gpt-5' }, '404 not_found_error: model: gpt-5'],
  ['an unknown field', { ...request(user('hi')), mood: 1 }, '400 invalid_request_error: mood: Extra inputs are not permitted'],
  [
    'a beta field without its beta',
    { ...request(user('hi')), context_management: {} },
    '400 invalid_request_error: context_management: Extra inputs are not permitted',
  ],
  ['no message', request(), '400 invalid_request_error: messages: at least one message is required'],
  [
    'an answer first',
    request(assistant(text('hi'))),
    '400 invalid_request_error: messages: first message must use the "user" role',
  ],
  ['an empty text', request(user([text('')])), '400 invalid_request_error: messages: text content blocks must be non-empty'],
  ['a call without its result', request(user('hi'), assistant(use('a')), user('and?')), noResult],
  ['a text before the result', request(user('hi'), assistant(use('a')), user([text('and'), result('a')])), noResult],
  [
    'a result without its call',
    request(user('hi'), assistant(text('ho')), user([result('a')])),
    '400 invalid_request_error: messages.2.content.0: unexpected `tool_use_id` found in `tool_result` blocks: a. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
  ],
  [
    'two results of one call',
    request(user('hi'), assistant(use('a')), user([result('a'), result('a')])),
    '400 invalid_request_error: messages.2.content.1: each tool_use must have a single result. Found multiple `tool_result` blocks with id: a',
  ],
  [
    'one id for two calls',
    request(user('hi'), assistant(use('a')), user([result('a')]), assistant(use('a')), user([result('a')])),
    '400 invalid_request_error: messages: `tool_use` ids must be unique',
  ],
  [
    'thinking of somebody else',
    request(user('hi'), assistant({ type: 'thinking', thinking: 'so', signature: 'forged' }), user('y')),
    '400 invalid_request_error: messages.1.content.0: Invalid `signature` in `thinking` block',
  ],
  [
    'an answer last',
    request(user('hi'), assistant(text('ho'))),
    '400 invalid_request_error: This model does not support assistant message prefill. The conversation must end with a user message.',
  ],
  [
    'a message of the system without its beta',
    request(user('hi'), { role: 'system', content: 'x' }, user('y')),
    "400 invalid_request_error: messages.1.role: Input should be 'user' or 'assistant'",
  ],
  [
    'two tools of one name',
    { ...request(user('hi')), tools: [1, 2].map(() => ({ name: 'a', input_schema: { type: 'object' } })) },
    '400 invalid_request_error: tools: Tool names must be unique.',
  ],
  [
    'thinking beyond the limit of tokens',
    { ...request(user('hi')), max_tokens: 2000, thinking: { type: 'enabled', budget_tokens: 2000 } },
    '400 invalid_request_error: `max_tokens` must be greater than `thinking.budget_tokens`.',
  ],
])('the Messages API refuses %s', (_, body, expected) => {
  expect(anthropic(body)).toBe(expected);
});

test('the version of the Messages API must be named and decides what it takes', () => {
  expect(anthropic(request(user('hi')), {})).toBe('400 invalid_request_error: anthropic-version: header is required');
  expect(anthropic(request(user('hi')), { 'anthropic-version': '2020-01-01' })).toContain('is not a valid version');
  const newer = { 'anthropic-version': '2026-10-21' };
  expect(anthropic({ ...request(user('hi')), temperature: 1 }, newer)).toBe(
    '400 invalid_request_error: temperature: Extra inputs are not permitted',
  );
  expect(anthropic(request(user('hi'), { role: 'system', content: 'x' }), newer)).toBe('accepted');
});

const message = (content: string) => ({ type: 'message', role: 'user', content });
const call = { type: 'function_call', call_id: 'c1', name: 'exec_command', arguments: '{}' };
const output = { type: 'function_call_output', call_id: 'c1', output: 'ok' };

test.each<[string, unknown, string]>([
  ['a text', { model: 'gpt-5.1-codex', input: 'hi' }, 'accepted'],
  ['a call and its output', { model: 'gpt-5.1-codex', input: [message('hi'), call, output] }, 'accepted'],
  ['no model', { input: 'hi' }, "400 invalid_request_error: Missing required parameter: 'model'."],
  ['no input', { model: 'gpt-5' }, "400 invalid_request_error: Missing required parameter: 'input'."],
  ['an unknown parameter', { model: 'gpt-5', input: 'hi', mood: 1 }, "400 invalid_request_error: Unknown parameter: 'mood'."],
  [
    'an unknown model',
    { model: 'claude-x', input: 'hi' },
    '404 invalid_request_error: The model `claude-x` does not exist or you do not have access to it.',
  ],
  [
    'a call without output',
    { model: 'gpt-5', input: [message('hi'), call] },
    '400 invalid_request_error: No tool output found for function call c1.',
  ],
  [
    'an output without a call',
    { model: 'gpt-5', input: [message('hi'), output] },
    '400 invalid_request_error: No tool call found for function call output with call_id c1.',
  ],
])('the Responses API answers %s as the service does', (_, body, expected) => {
  expect(openai(body)).toBe(expected);
});
