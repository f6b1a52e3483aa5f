import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareTs, createTsClock, isTs } from '../../lab/slack/ids.ts';

test('timestamps are unique and grow, whatever the clock does', () => {
  const instant = fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 });
  fc.assert(
    fc.property(fc.array(instant, { minLength: 1, maxLength: 50 }), (instants) => {
      let at = 0;
      const clock = createTsClock(() => instants[at++ % instants.length] ?? 0);
      const issued = Array.from({ length: 60 }, () => clock.next());
      expect(issued.every(isTs)).toBe(true);
      for (const [index, ts] of issued.slice(1).entries()) expect(compareTs(issued[index] ?? '', ts)).toBeLessThan(0);
    }),
  );
});

test('a timestamp carries the time in seconds', () => {
  expect(createTsClock(() => 1_721_609_600_123).next()).toBe('1721609600.123000');
});

test('timestamps seen before, such as those of an earlier process, are never handed out again', () => {
  const clock = createTsClock(() => 1_000_000_000_000);
  clock.seen('1721609600.123456');
  expect(clock.next()).toBe('1721609600.123457');
});
