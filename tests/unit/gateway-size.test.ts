import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkMessages, checkResponses } from '../../runner/proxy/model-request.ts';
import { costOf, mostOf, pricedModels } from '../../runner/proxy/prices.ts';
import { sizeOf } from '../../runner/proxy/request-size.ts';

const rules = { providerTools: false };
const sizeIn = (body: Record<string, unknown>) => sizeOf(body, JSON.stringify(body).length);
const said = (content: unknown) => ({ model: 'm', max_tokens: 500, messages: [{ role: 'user', content }] });

describe('what a request may take at most', () => {
  it('is the limit that it sets for its answer, and a guess where it sets none', () => {
    const messages = checkMessages(JSON.stringify(said('hello')), rules);
    expect(messages).toMatchObject({ size: { output: 500, keepsLong: false } });
    const responses = (rest: object) => checkResponses(JSON.stringify({ model: 'm', input: 'hello', ...rest }), rules);
    expect(responses({ max_output_tokens: 700 })).toMatchObject({ size: { output: 700 } });
    expect(responses({})).toMatchObject({ size: { output: 32_000 } });
    expect(responses({ max_output_tokens: 'many' })).toMatchObject({ size: { output: 32_000 } });
  });

  it('grows with the text, more with letters that take several bytes', () => {
    const input = (text: string) => sizeIn(said(text)).input;
    expect(input('x'.repeat(20_000)) - input('')).toBe(10_000);
    expect(input('語'.repeat(1000)) - input('')).toBe(2000);
  });

  it('counts pictures by the piece, in either protocol and however deep', () => {
    const data = 'A'.repeat(400_000);
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
    const nested = [{ type: 'tool_result', tool_use_id: 't', content: [image, { type: 'text', text: 'x' }] }];
    for (const body of [
      said([image]),
      said(nested),
      {
        model: 'm',
        max_output_tokens: 9,
        input: [{ content: [{ type: 'input_image', image_url: `data:image/png;base64,${data}` }] }],
      },
    ]) {
      expect(sizeIn(body).input).toBeGreaterThan(10_000);
      expect(sizeIn(body).input).toBeLessThan(12_000);
    }
  });

  it('knows what is to be kept for an hour', () => {
    const kept = (ttl: string) => sizeIn(said([{ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl } }]));
    expect([kept('1h').keepsLong, kept('5m').keepsLong]).toEqual([true, false]);
  });
});

describe('what a request costs at most', () => {
  it('is never below what it costs, however its input is split between new, written and cached', () => {
    const tokens = fc.nat(400_000);
    fc.assert(
      fc.property(
        fc.constantFrom(...pricedModels),
        tokens,
        tokens,
        tokens,
        tokens,
        fc.boolean(),
        (model, a, b, c, out, keepsLong) => {
          const counted = { input: a, cacheRead: b, cacheWrite: c, cacheWriteLong: keepsLong ? c : 0, output: out };
          const most = mostOf(model, { input: a + b + c, output: out, keepsLong });
          expect(most).toBeGreaterThanOrEqual((costOf(model, counted) ?? Number.NaN) - 1e-9);
        },
      ),
    );
  });

  it('is not known for a model without a known price', () => {
    expect(mostOf('mystery-1', { input: 1, output: 1, keepsLong: false })).toBeNull();
    expect(mostOf('claude-sonnet-5-20260101', { input: 0, output: 1_000_000, keepsLong: false })).toBe(10);
  });
});
