import { expect, test } from 'vitest';
import { createDatabaseClock } from '../../src/store/database-clock.ts';

const minute = 60_000;

/** A database, a machine whose clock is `off` from it, and the time that passes for both. */
function world(off: number) {
  const its = { passed: 0, off, asked: 0, away: false, answerMs: 0 };
  const errors: unknown[] = [];
  const clock = createDatabaseClock({
    async ask() {
      its.asked += 1;
      if (its.away) throw new Error('away');
      await Promise.resolve();
      const answer = new Date(1_000_000 + its.passed);
      its.passed += its.answerMs;
      return answer;
    },
    onError: (error) => errors.push(error),
    wall: () => 1_000_000 + its.passed + its.off,
    steady: () => its.passed,
  });
  return { its, clock, errors, late: () => clock.now().getTime() - 1_000_000 - its.passed };
}

test('the time is that of the database, however wrong the clock of the machine is, and passes between two questions', async () => {
  const { its, clock, late } = world(7 * minute);
  await clock.start();
  clock.stop();
  expect(late()).toBe(0);
  its.passed += 10 * minute;
  expect(late()).toBe(0);
  expect(its.asked).toBe(1);
});

test('the database is asked once when the clock of the machine jumps, and the time does not jump with it', async () => {
  const { its, clock, late } = world(0);
  await clock.start();
  clock.stop();
  its.off = -15 * minute;
  expect([late(), late()]).toEqual([0, 0]);
  expect(its.asked).toBe(2);
});

test('an answer that comes late, as where many wait for the database, does not change a time that may be right', async () => {
  const { its, clock, late } = world(0);
  await clock.start();
  clock.stop();
  its.answerMs = 8000;
  its.off = minute;
  expect(late()).toBe(0);
  await new Promise((resolve) => setImmediate(resolve));
  expect([late(), its.asked]).toEqual([0, 2]);
});

test('while the database is away the time goes on', async () => {
  const { its, clock, late, errors } = world(0);
  await clock.start();
  clock.stop();
  its.away = true;
  its.off = minute;
  its.passed += minute;
  expect(late()).toBe(0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(errors).toHaveLength(1);
});
