import Anthropic from '@anthropic-ai/sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createModelServer, type ModelServer } from '../../lab/model/server.ts';
import { anthropicClient, loopTools } from '../support/model-agents.ts';
import { askCodex, codexSays } from '../support/model-codex.ts';

let server: ModelServer;
let client: Anthropic;

beforeEach(async () => {
  server = await createModelServer({ anthropicKey: 'sk-ant-good', openaiKey: 'sk-good' });
  client = anthropicClient(server.anthropicUrl, 'sk-ant-good');
});

afterEach(() => server.close());

const question = (content = 'hello') => ({
  model: 'claude-sonnet-5',
  max_tokens: 1000,
  tools: [...loopTools],
  messages: [{ role: 'user' as const, content }],
});

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (error: unknown) => error,
  );

test.each([
  [429, 'rate_limit_error'],
  [500, 'api_error'],
  [529, 'overloaded_error'],
  [401, 'authentication_error'],
])('status %i comes as the service sends it, once, and the next request is answered', async (status, type) => {
  server.faults.failNext('messages', { status, retryAfter: 7 });
  const error = await failure(client.messages.create(question()));
  expect(error).toBeInstanceOf(Anthropic.APIError);
  const refused = error as InstanceType<typeof Anthropic.APIError>;
  expect(refused.status).toBe(status);
  expect(refused.error).toMatchObject({ type: 'error', error: { type } });
  expect(refused.requestID).toMatch(/^req_/);
  expect(refused.headers?.get('retry-after')).toBe(status === 429 ? '7' : null);
  const { content } = await client.messages.create(question());
  expect(content[0]).toMatchObject({ type: 'text', text: expect.stringContaining('[scripted]') });
});

test('the SDK tries again after the time that a refusal names', async () => {
  server.faults.failNext('messages', { status: 429, retryAfter: 0.01 });
  const patient = new Anthropic({ baseURL: server.anthropicUrl, apiKey: 'sk-ant-good', maxRetries: 2 });
  await patient.messages.create(question());
  expect(server.requests().map(({ status }) => status)).toEqual([429, 200]);
});

test('a connection is cut before the answer, and in the middle of it', async () => {
  server.faults.failNext('messages', { dropConnectionBeforeEffect: true });
  expect(await failure(client.messages.create(question()))).toBeInstanceOf(Anthropic.APIConnectionError);
  server.faults.failNext('messages', { midStream: 'drop', afterEvents: 4 });
  let text = '';
  const stream = client.messages.stream(question()).on('text', (part) => {
    text += part;
  });
  expect(await failure(stream.finalMessage())).toBeInstanceOf(Error);
  expect(text.length).toBeLessThan('[scripted] Hello. I am the scripted model and wait for work.'.length);
});

test('a stream that goes silent ends with the caller, and says an error in the middle where it is told to', async () => {
  server.faults.failNext('messages', { midStream: 'stall', afterEvents: 3 });
  const controller = new AbortController();
  const stream = client.messages.stream(question(), { signal: controller.signal });
  stream.on('streamEvent', ({ type }) => {
    if (type === 'content_block_start') controller.abort();
  });
  expect(await failure(stream.finalMessage())).toBeInstanceOf(Anthropic.APIUserAbortError);
  server.faults.failNext('messages', { midStream: 'error' });
  expect(String(await failure(client.messages.stream(question()).finalMessage()))).toContain('overloaded_error');
});

test('the input of a tool is broken JSON where it is told to', async () => {
  server.faults.failNext('messages', { badInput: true });
  const parts: string[] = [];
  const events = await client.messages.create({ ...question('push the result'), stream: true });
  for await (const event of events) {
    if (event.type === 'content_block_delta' && event.delta.type === 'input_json_delta') parts.push(event.delta.partial_json);
  }
  expect(parts.join('')).not.toBe('');
  expect(() => JSON.parse(parts.join(''))).toThrow(SyntaxError);
});

test('a conversation that is too long is refused by both services', async () => {
  server.faults.failNext('*', { overflow: true, times: 2 });
  expect(String(await failure(client.messages.create(question())))).toMatch(/prompt is too long: \d+ tokens > 200000 maximum/);
  const response = await fetch(`${server.openaiUrl}/responses`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-good' },
    body: JSON.stringify({ model: 'gpt-5.1-codex', stream: true, input: 'hello' }),
  });
  expect(await response.text()).toContain('"error":{"code":"context_length_exceeded"');
});

test('the window counts the whole conversation', async () => {
  const small = await createModelServer({ window: 1000 });
  const refused = await failure(anthropicClient(small.anthropicUrl).messages.create(question('word '.repeat(2000))));
  await small.close();
  expect(String(refused)).toContain('> 1000 maximum');
});

test('a fault meets only the requests it is for', async () => {
  server.faults.failNext('messages', { status: 500, when: ({ token }) => token === 'other' });
  server.faults.failNext('responses', { status: 500, message: 'broken' });
  await client.messages.create(question());
  await expect(askCodex(server.openaiUrl, [codexSays('hello')], 'sk-good')).rejects.toThrow(/500 .*broken/);
});

test('an answer is held until the test lets it go', async () => {
  const hold = server.faults.hold('messages');
  const answer = client.messages.create(question());
  const held = await hold.reached;
  expect(held.body.model).toBe('claude-sonnet-5');
  expect(server.requests()[0]?.status).toBeUndefined();
  hold.release();
  expect((await answer).stop_reason).toBe('end_turn');
});

test('keys that are not good are refused in the words of each service', async () => {
  expect(String(await failure(anthropicClient(server.anthropicUrl, 'sk-ant-bad').messages.create(question())))).toContain(
    'invalid x-api-key',
  );
  await expect(askCodex(server.openaiUrl, [codexSays('hello')], 'bad')).rejects.toThrow(/401 .*invalid_api_key/);
  const none = await fetch(`${server.openaiUrl}/responses`, { method: 'POST', body: '{}' });
  expect([none.status, await none.text()]).toEqual([401, expect.stringContaining('Missing bearer authentication')]);
});

test('requests are recorded with the token they came with, and without it in their headers', async () => {
  const waited = server.waitForRequest(({ method }) => method === 'messages');
  await client.messages.create(question());
  await askCodex(server.openaiUrl, [codexSays('hello')], 'sk-good');
  const [first, second] = server.requests();
  expect(await waited).toBe(first);
  expect([first?.token, second?.token]).toEqual(['sk-ant-good', 'sk-good']);
  expect(first?.headers).toMatchObject({ 'content-type': 'application/json', 'anthropic-version': expect.any(String) });
  expect(JSON.stringify([first?.headers, second?.headers])).not.toMatch(/sk-ant-good|sk-good/);
  expect(Object.fromEntries(server.counts())).toEqual({ 'sk-ant-good': 1, 'sk-good': 1 });
  await expect(server.waitForRequest(({ method }) => method === 'count_tokens', 10)).rejects.toThrow('no such request');
});

test('tokens are counted, models listed, and a probe is answered', async () => {
  const { input_tokens: before } = await client.messages.countTokens({
    model: 'claude-sonnet-5',
    messages: [{ role: 'user', content: 'hi' }],
  });
  const { input_tokens: after } = await client.messages.countTokens({
    model: 'claude-sonnet-5',
    messages: [{ role: 'user', content: 'hi'.repeat(400) }],
  });
  expect(after).toBeGreaterThan(before + 150);
  const models = await client.models.list();
  expect(models.data.map(({ id }) => id)).toContain('claude-sonnet-5');
  expect((await fetch(server.anthropicUrl, { method: 'HEAD' })).status).toBe(200);
  expect((await fetch(`${server.anthropicUrl}/v1/files`)).status).toBe(404);
});

test('what was sent before is read from the cache, and usage adds up', async () => {
  const cached = { type: 'ephemeral' as const };
  const first = await client.messages.create({
    ...question('push it'),
    system: [{ type: 'text', text: 'x'.repeat(4000), cache_control: cached }],
  });
  expect(first.usage).toMatchObject({ cache_read_input_tokens: 0, cache_creation_input_tokens: expect.any(Number) });
  const [call] = first.content.filter((block) => block.type === 'tool_use');
  const second = await client.messages.create({
    ...question(),
    system: [{ type: 'text', text: 'x'.repeat(4000), cache_control: cached }],
    messages: [
      { role: 'user', content: 'push it' },
      { role: 'assistant', content: first.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: call?.id ?? '', content: 'ok' }] },
    ],
  });
  expect(second.usage.cache_read_input_tokens).toBeGreaterThan(1000);
  expect(second.usage.output_tokens).toBeGreaterThan(0);
});
