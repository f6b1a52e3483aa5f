import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOf } from '../../runner/proxy/prices.ts';
import { type Counted, createUsageReader } from '../../runner/proxy/usage-reader.ts';

const none: Counted = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, cacheWriteLong: 0 };
const event = (data: unknown, end = '\n') => `event: x${end}data: ${JSON.stringify(data)}${end}${end}`;

const messagesUsage = {
  input_tokens: 7,
  cache_read_input_tokens: 1000,
  cache_creation_input_tokens: 60,
  cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 40 },
  output_tokens: 1,
};
const spoken = (text: string) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
const messages = (texts: readonly string[], output: number, end = '\n') =>
  [
    event({ type: 'message_start', message: { usage: messagesUsage } }, end),
    event({ type: 'ping' }, end),
    ...texts.map((text) => event(spoken(text), end)),
    event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: output } }, end),
    event({ type: 'message_stop' }, end),
  ].join('');
const messagesCounted = { input: 7, output: 0, cacheRead: 1000, cacheWrite: 60, cacheWriteLong: 40 };

const responses = (texts: readonly string[], output: number) =>
  [
    event({ type: 'response.created', response: { usage: null } }),
    ...texts.map((delta) => event({ type: 'response.output_text.delta', delta })),
    event({
      type: 'response.completed',
      response: {
        usage: {
          input_tokens: 900,
          input_tokens_details: { cached_tokens: 500, cache_write_tokens: 100 },
          output_tokens: output,
        },
      },
    }),
  ].join('');

/** Cuts bytes anywhere, in the middle of lines and characters too. */
function cut(text: string, places: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((one, other) => one - other);
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
}

function read(dialect: 'anthropic' | 'openai', chunks: readonly Uint8Array[], stream = true, asked = 400): Counted | undefined {
  const reader = createUsageReader(dialect, stream, asked);
  for (const chunk of chunks) reader.push(chunk);
  return reader.counted();
}

const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 8 });
const places = fc.array(fc.nat(100_000), { maxLength: 12 });

describe('usage read from a stream', () => {
  it('of the Messages API is the same wherever the bytes are cut, whatever is said and however lines end', () => {
    fc.assert(
      fc.property(texts, fc.nat(100_000), places, fc.constantFrom('\n', '\r\n'), (said, output, at, end) => {
        expect(read('anthropic', cut(messages(said, output, end), at))).toEqual({ ...messagesCounted, output });
      }),
    );
  });

  it('of the Responses API is the same wherever the bytes are cut; cached tokens are among the input ones', () => {
    fc.assert(
      fc.property(texts, fc.nat(100_000), places, (said, output, at) => {
        const expected = { input: 300, output, cacheRead: 500, cacheWrite: 100, cacheWriteLong: 0 };
        expect(read('openai', cut(responses(said, output), at))).toEqual(expected);
      }),
    );
  });

  it('that says what looks like usage is not believed', () => {
    const said = ['"usage":{"output_tokens":999999}', '\n\ndata: {"usage":{"output_tokens":5}}\n\n', 'event: message_delta'];
    expect(read('anthropic', cut(messages(said, 12), []))).toMatchObject({ output: 12 });
    expect(read('openai', cut(responses(said, 12), []))).toMatchObject({ output: 12 });
  });

  it('that is broken off counts what was seen: never less than was told, and what was said where nothing was told', () => {
    fc.assert(
      fc.property(texts, fc.nat(10_000), (said, at) => {
        const whole = Buffer.from(messages(said, 5000));
        const counted = read('anthropic', [whole.subarray(0, at % whole.length)]);
        if (counted === undefined) return;
        expect(counted).toMatchObject({ input: 7, cacheRead: 1000 });
        expect([1, 5000].includes(counted.output) || counted.output <= Math.ceil(said.join('').length / 4)).toBe(true);
      }),
    );
    const long = 'x'.repeat(4000);
    const partly = messages([long], 5000).split('event: x\ndata: {"type":"message_delta"')[0] ?? '';
    expect(read('anthropic', [Buffer.from(partly)])).toEqual({ ...messagesCounted, output: 1000 });
    const half = responses([long], 5000).split('event: x\ndata: {"type":"response.completed"')[0] ?? '';
    expect(read('openai', [Buffer.from(half)], true, 800)).toEqual({ ...none, input: 200, output: 1000 });
  });

  it('is none where nothing was answered, or an error', () => {
    expect(read('anthropic', [])).toBeUndefined();
    expect(read('openai', [])).toBeUndefined();
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    expect(read('anthropic', [Buffer.from(event(error))])).toBeUndefined();
    expect(read('anthropic', [Buffer.from(JSON.stringify(error))], false)).toBeUndefined();
    expect(read('openai', [Buffer.from('<html>502</html>')], false)).toBeUndefined();
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), fc.boolean(), (chunks, stream) => {
        for (const dialect of ['anthropic', 'openai'] as const) read(dialect, chunks, stream);
      }),
    );
    const odd = { type: 'message_delta', usage: { output_tokens: 'many', input_tokens: -3, cache_creation: 7 } };
    expect(read('anthropic', [Buffer.from(event(odd))])).toEqual(none);
  });
});

it('usage is read from an answer that is no stream', () => {
  const message = JSON.stringify({ type: 'message', content: [], usage: { ...messagesUsage, output_tokens: 33 } });
  expect(read('anthropic', cut(message, [5, 50]), false)).toEqual({ ...messagesCounted, output: 33 });
  const response = JSON.stringify({ object: 'response', usage: { input_tokens: 10, output_tokens: 4 } });
  expect(read('openai', cut(response, [7]), false)).toEqual({ ...none, input: 10, output: 4 });
});

describe('the cost of a request', () => {
  const million = 1_000_000;

  it.each([
    ['claude-opus-4-8', { input: million }, 5],
    ['claude-opus-4-8[1m]', { output: million }, 25],
    ['claude-opus-4-8', { cacheRead: million }, 0.5],
    ['claude-opus-4-8', { cacheWrite: million }, 6.25],
    ['claude-opus-4-8', { cacheWrite: million, cacheWriteLong: million }, 10],
    ['claude-sonnet-4-5-20250929', { input: million }, 3],
    ['claude-fable-5-1', { cacheRead: million }, 0.25],
    ['claude-haiku-5-5', { input: 100_000 }, 0.01],
    ['claude-haiku-5-5', { input: 100_000, cacheRead: 100_000 }, 0.055],
    ['gpt-6.1-sol', { input: 272_000, output: million }, 10.544],
    ['gpt-6.1-sol', { input: 172_000, cacheRead: 100_001, output: million }, 15.7080002],
    ['gpt-6.1-sol-2026-09-29', { cacheWrite: 100_000 }, 0.25],
    ['gpt-5.1-codex', { input: million, cacheRead: million }, 1.375],
  ])('of %s for %j is $%d', (model, counted, cost) => {
    expect(costOf(model, { ...none, ...counted })).toBeCloseTo(cost, 9);
  });

  it.each(['claude-opus-9', 'claude-opus-5-5-turbo', 'gpt-7', 'gpt-5-pro', 'llama-4', '', 'toString', '__proto__'])(
    'of the model %j, whose price nobody told, is unknown',
    (model) => {
      expect(costOf(model, { ...none, input: 1 })).toBeNull();
    },
  );
});
