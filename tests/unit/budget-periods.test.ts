import fc from 'fast-check';
import { expect, test } from 'vitest';
import { periodEnd, periodStart } from '../../src/budgets/periods.ts';
import type { Period } from '../../src/contracts/quotas.ts';

const pers: Period[] = ['hour', 'day', 'week', 'month'];
const moments = fc.date({ min: new Date('1990-01-01Z'), max: new Date('2090-01-01Z'), noInvalidDate: true });

test('a period has every moment from its beginning to that of the next one, and no other', () => {
  fc.assert(
    fc.property(fc.constantFrom(...pers), moments, (per, at) => {
      const [start, end] = [periodStart(per, at), periodEnd(per, at)];
      expect(start.getTime()).toBeLessThanOrEqual(at.getTime());
      expect(end.getTime()).toBeGreaterThan(at.getTime());
      expect(periodStart(per, start)).toEqual(start);
      expect(periodStart(per, new Date(end.getTime() - 1))).toEqual(start);
      expect(periodStart(per, end)).toEqual(end);
    }),
  );
});

test('a week begins on Monday, a month on its first day, in UTC', () => {
  const sunday = new Date('2026-03-01T23:59:59.999Z');
  expect(periodStart('week', sunday)).toEqual(new Date('2026-02-23T00:00:00Z'));
  expect(periodEnd('week', sunday)).toEqual(new Date('2026-03-02T00:00:00Z'));
  expect(periodStart('month', sunday)).toEqual(new Date('2026-03-01T00:00:00Z'));
  expect(periodEnd('month', new Date('2026-12-31T23:00:00Z'))).toEqual(new Date('2027-01-01T00:00:00Z'));
});
