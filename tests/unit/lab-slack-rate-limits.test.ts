import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ApiCall } from '../../lab/slack/calls.ts';
import { createLimiter, overLimit, type Tier } from '../../lab/slack/rate-limits.ts';

const call = (method: string, at: number, channel = 'C1', status = 200): ApiCall => ({
  method,
  args: {},
  at,
  status,
  ok: true,
  channel,
});
const tierOf = (method: string): Tier | undefined =>
  method === 'chat.postMessage' ? 'special' : method === 'chat.update' ? 't3' : undefined;

describe('the rate limiter', () => {
  test.each([
    ['t1', 1],
    ['t2', 20],
    ['t3', 50],
    ['t4', 100],
  ] as const)('lets %s methods be called %d times a minute, over all channels', (tier, limit) => {
    const limiter = createLimiter();
    for (let n = 0; n < limit; n += 1) expect(limiter.admit('x.y', tier, `C${n}`, n)).toBeUndefined();
    expect(limiter.admit('x.y', tier, 'C', 1000)).toBe(59);
    expect(limiter.admit('x.z', tier, 'C', 1000)).toBeUndefined();
    expect(limiter.admit('x.y', tier, 'C', 60_000)).toBeUndefined();
  });

  test('lets chat.postMessage burst a little in a channel, then once a second, each channel by itself', () => {
    const limiter = createLimiter();
    const post = (channel: string, at: number) => limiter.admit('chat.postMessage', 'special', channel, at);
    for (let n = 0; n < 5; n += 1) expect(post('C1', 0)).toBeUndefined();
    expect(post('C1', 0)).toBe(1);
    expect(post('C2', 0)).toBeUndefined();
    expect(post('C1', 1000)).toBeUndefined();
    expect(post('C1', 1000)).toBe(1);
  });

  test('never admits more than the limit in any 60 seconds', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 60, maxLength: 200 }), (gaps) => {
        const limiter = createLimiter();
        let at = 0;
        const admitted: number[] = [];
        for (const gap of gaps) {
          at += gap;
          if (limiter.admit('chat.update', 't3', 'C', at) === undefined) admitted.push(at);
        }
        for (const [index, time] of admitted.entries()) {
          const fiftieth = admitted[index + 50];
          if (fiftieth !== undefined) expect(fiftieth - time).toBeGreaterThanOrEqual(60_000);
        }
      }),
    );
  });

  test('the seconds it names are enough to wait', () => {
    const limiter = createLimiter();
    for (let n = 0; n < 50; n += 1) limiter.admit('chat.update', 't3', 'C', n * 10);
    const wait = limiter.admit('chat.update', 't3', 'C', 30_000) ?? 0;
    expect(limiter.admit('chat.update', 't3', 'C', 30_000 + wait * 1000)).toBeUndefined();
  });
});

describe('overLimit', () => {
  test('names the calls that were too many, although nothing was refused', () => {
    const calls = Array.from({ length: 52 }, (_, n) => call('chat.update', n));
    expect(overLimit(calls, tierOf)).toEqual(calls.slice(50));
  });

  test('does not count calls that were answered 429, nor unknown methods', () => {
    const calls = [
      ...Array.from({ length: 50 }, (_, n) => call('chat.update', n)),
      call('chat.update', 60, 'C1', 429),
      call('a.b', 61),
    ];
    expect(overLimit(calls, tierOf)).toEqual([]);
  });
});
