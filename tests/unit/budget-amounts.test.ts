import fc from 'fast-check';
import { expect, test } from 'vitest';
import { amountExamples, limitText, readAmount, usedText } from '../../src/budgets/amounts.ts';
import { allowed, freeAt, isUsedUp, part, startsToWarn, strictest } from '../../src/budgets/standing.ts';
import { type Measure, measureSchema, type Standing } from '../../src/contracts/quotas.ts';

test.each<[Measure, string, number]>([
  ['runs', '50', 50],
  ['runs', '1,000', 1000],
  ['tokens', '2M', 2_000_000],
  ['tokens', '1.5k', 1500],
  ['cost', '$20', 20],
  ['cost', '0.50', 0.5],
  ['wall', '1h30m', 5_400_000],
  ['disk', '10GB', 10_000_000_000],
])('%s of %s', (measure, text, amount) => {
  expect(readAmount(measure, text)).toBe(amount);
});

test.each<[Measure, string]>([
  ['runs', '1.5'],
  ['runs', '-1'],
  ['cost', '$1.234'],
  ['wall', '8'],
  ['disk', '10'],
  ['tokens', ''],
  ['tokens', 'Infinity'],
])('%s is not limited by %j', (measure, text) => {
  expect(readAmount(measure, text)).toBeUndefined();
});

test('the examples are right, and texts never break the reader', () => {
  for (const measure of measureSchema.options)
    expect(readAmount(measure, amountExamples[measure].split('/')[0] ?? '')).toBeGreaterThan(0);
  fc.assert(
    fc.property(fc.constantFrom(...measureSchema.options), fc.string(), (measure, text) => {
      const read = readAmount(measure, text);
      expect(read === undefined || (read >= 0 && Number.isFinite(read))).toBe(true);
    }),
  );
});

test('limits read as people say them', () => {
  expect(limitText({ measure: 'runs', per: 'day', limit: 50 })).toBe('50 runs a day');
  expect(limitText({ measure: 'runs', per: 'hour', limit: 1 })).toBe('1 run an hour');
  expect(limitText({ measure: 'cost', per: 'month', limit: 20 })).toBe('$20.00 a month');
  expect(limitText({ measure: 'wall', per: 'week', limit: 28_800_000 })).toBe('8h of work a week');
  expect(usedText({ measure: 'tokens', per: 'day', limit: 2_000_000 }, 1_234_567)).toBe('1.2M of 2M tokens a day');
  expect(usedText({ measure: 'disk', per: 'once', limit: 10e9 }, 4.2e9)).toBe('4.2 GB of 10 GB kept');
});

const standing = fc.record({
  used: fc.integer({ min: 0, max: 1000 }),
  extra: fc.integer({ min: 0, max: 100 }),
  limit: fc.integer({ min: 0, max: 500 }),
  per: fc.constantFrom('hour', 'day', 'week', 'month', 'once'),
});
const made = ({ used, extra, limit, per }: { used: number; extra: number; limit: number; per: string }): Standing => ({
  quota: { id: 'qta_1', workspace: 'w', scope: 'workspace', subject: 'w', measure: 'tokens', per: per as 'day', limit },
  used,
  extra,
  since: per === 'once' ? null : new Date('2026-03-01T00:00:00Z'),
});

test('people are warned once on the way to the limit, however what is used comes in, and not when it is reached at once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.array(fc.integer({ min: 1, max: 200 })), (limit, amounts) => {
      let used = 0;
      let warned = 0;
      for (const amount of amounts) {
        used += amount;
        const now = made({ used, extra: 0, limit, per: 'day' });
        if (startsToWarn(now, amount)) {
          warned += 1;
          expect(isUsedUp(now)).toBe(false);
          expect(part(now)).toBeGreaterThanOrEqual(0.8);
        }
      }
      expect(warned).toBeLessThanOrEqual(1);
    }),
  );
});

test('a quota is used up when nothing is left of what is allowed; of several the one that is free last is named', () => {
  fc.assert(
    fc.property(fc.array(standing, { minLength: 1 }), (given) => {
      const all = given.map(made);
      for (const one of all) expect(isUsedUp(one)).toBe(allowed(one) - one.used <= 0);
      const last = strictest(all);
      const until = (one: Standing | undefined) => (one === undefined ? 0 : (freeAt(one)?.getTime() ?? Number.POSITIVE_INFINITY));
      for (const one of all) expect(until(last)).toBeGreaterThanOrEqual(until(one));
    }),
  );
  expect(strictest([])).toBeUndefined();
});
