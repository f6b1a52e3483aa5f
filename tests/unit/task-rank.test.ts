import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rankAt } from '../../src/store/tasks.ts';

const moment = fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true });

it('is never a whole number, for each of which Prisma would keep a plan of the statement', () => {
  fc.assert(fc.property(moment, (at) => !Number.isInteger(rankAt(at))));
});

it('puts what comes later behind, also behind what was placed by whole milliseconds', () => {
  const before = new Date('2026-01-01T00:00:00.000Z');
  const later = new Date(before.getTime() + 1);
  expect([later.getTime(), rankAt(later), rankAt(before), before.getTime()].toSorted((one, other) => one - other)).toEqual([
    before.getTime(),
    rankAt(before),
    later.getTime(),
    rankAt(later),
  ]);
});
