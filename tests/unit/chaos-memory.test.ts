import { expect, test } from 'vitest';
import { type Look, memoryVerdict } from '../../bench/chaos/memory.ts';

const minute = 60_000;
/** Looks every ten seconds at processes that are started anew every so many milliseconds. */
function looks(restartsMs: number, megabytes: (at: number, age: number) => number): Look[] {
  return Array.from({ length: 180 }, (_, index) => {
    const at = index * 10_000;
    const age = at % restartsMs;
    return { at, age, megabytes: megabytes(at, age) };
  });
}
const verdict = (all: readonly Look[]) => memoryVerdict(all, 0, 30 * minute);

test('memory that grows with what is stored is found, although processes are started anew all the time', () => {
  expect(verdict(looks(minute, (at) => 200 + (at / minute) * 5))).toMatchObject({ verdict: 'grows' });
});

test('memory that only a process of some age needs is flat', () => {
  const all = looks(4 * minute, (_, age) => 200 + age / 1000).filter(({ at, age }) => at > 10 * minute || age < minute);
  expect(verdict(all)).toMatchObject({ verdict: 'flat' });
});

test('one process that grows for the whole time is told from one that comes to rest', () => {
  const from = 2 * minute;
  const one = (megabytes: (at: number) => number) =>
    looks(60 * minute, megabytes).map((look) => ({ ...look, age: look.age + from * 6 }));
  expect(verdict(one((at) => 200 + (at / minute) * 5))).toMatchObject({ verdict: 'grows' });
  expect(verdict(one((at) => 200 + Math.min(20, at / minute)))).toMatchObject({ verdict: 'flat' });
});

test('what never lived long enough is not judged', () => {
  expect(verdict(looks(15_000, () => 200))).toMatchObject({ verdict: 'not enough looks', first: undefined, last: undefined });
});
