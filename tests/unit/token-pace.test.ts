import { expect, it } from 'vitest';
import { createPace, mostInMinute } from '../../src/http/pace.ts';

it('one token sends so many requests a minute, others are not touched, and the next minute begins anew', () => {
  let now = 0;
  const pace = createPace(() => now);
  const first = pace('tok_1');
  expect(first).toEqual({
    'ratelimit-limit': String(mostInMinute),
    'ratelimit-remaining': String(mostInMinute - 1),
    'ratelimit-reset': '60',
  });
  now = 20_500;
  for (let sent = 1; sent < mostInMinute; sent += 1) pace('tok_1');
  expect(() => pace('tok_1')).toThrowError(
    expect.objectContaining({
      code: 'DH-225',
      params: { what: `One token may send ${mostInMinute} requests a minute.`, seconds: 40 },
    }),
  );
  expect(pace('tok_2')['ratelimit-remaining']).toBe(String(mostInMinute - 1));
  now = 60_000;
  expect(pace('tok_1')['ratelimit-remaining']).toBe(String(mostInMinute - 1));
});

it('many tokens are not kept for ever: the one that began first is forgotten first', () => {
  const pace = createPace(() => 0);
  pace('first');
  pace('first');
  for (let at = 0; at < 10_000; at += 1) pace(`tok_${at}`);
  expect(pace('first')['ratelimit-remaining']).toBe(String(mostInMinute - 1));
});
