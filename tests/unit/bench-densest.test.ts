import { describe, expect, it } from 'vitest';
import { densest, type PlatformCall, type PublishedLimit } from '../../bench/live-platform.ts';

const limit: PublishedLimit = { name: 'messages', windowMs: 1000, atMost: 2, scopeOf: ({ channel }) => channel };

function call(at: number, channel: string | undefined, status = 200): PlatformCall {
  return { method: 'send', args: {}, at, channel, status, ok: status === 200 };
}

describe('the densest window', () => {
  it('is found wherever it begins, with calls in any order', () => {
    const times = [0, 900, 1000, 1100, 1899, 1900];
    const calls = times.map((at) => call(at, 'one'));
    expect(densest(calls, limit)).toBe(4);
    expect(densest(calls.toReversed(), limit)).toBe(4);
  });

  it('does not hold two calls that are a whole window apart', () => {
    expect(densest([call(0, 'one'), call(1000, 'one'), call(2000, 'one')], limit)).toBe(1);
  });

  it('is counted for each scope, without calls that are in none', () => {
    expect(densest([call(0, 'one'), call(1, 'two'), call(2, undefined), call(3, 'two')], limit)).toBe(2);
    expect(densest([call(0, undefined)], limit)).toBe(0);
  });

  it('leaves out refused calls unless the limit is about them', () => {
    const calls = [call(0, 'one'), call(1, 'one', 429)];
    expect(densest(calls, limit)).toBe(1);
    expect(densest(calls, { ...limit, countsRefused: true })).toBe(2);
  });
});
