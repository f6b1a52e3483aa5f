import { expect, test } from 'vitest';
import { createRemembered } from '../../src/runtime/remembered.ts';

function world(patienceMs?: { first: number; again: number }) {
  let time = 0;
  const errors: unknown[] = [];
  const names = createRemembered<string>({
    clock: { now: () => new Date(time) },
    freshMs: 1000,
    failedMs: 100,
    ...(patienceMs === undefined ? {} : { patienceMs }),
    onError: (error) => errors.push(error),
  });
  let asked = 0;
  const find = (answer: () => Promise<string>) =>
    names.find('a', () => {
      asked += 1;
      return answer();
    });
  return { find, errors, asked: () => asked, advance: (ms: number) => (time += ms) };
}

const fails = () => Promise.reject(new Error('not now'));
const never = () => new Promise<string>(() => undefined);

test('what was found is not asked for again while it is fresh, and whoever asks meanwhile waits for the same answer', async () => {
  const { find, asked, advance } = world();
  expect(await Promise.all([find(async () => 'one'), find(async () => 'two')])).toEqual(['one', 'one']);
  advance(999);
  expect(await find(async () => 'three')).toBe('one');
  expect(asked()).toBe(1);
  advance(1);
  expect(await find(async () => 'four')).toBe('four');
});

test('what was found last counts while asking fails, which is told and not tried again at once', async () => {
  const { find, asked, advance, errors } = world();
  expect(await find(fails)).toBeUndefined();
  expect(await find(async () => 'early')).toBeUndefined();
  advance(100);
  expect(await find(async () => 'known')).toBe('known');
  advance(1000);
  expect(await find(fails)).toBe('known');
  expect(await find(async () => 'early')).toBe('known');
  expect([asked(), errors.length]).toEqual([3, 2]);
});

test('callers wait only so long, and what comes late counts from then on', async () => {
  const { find, advance } = world({ first: 1, again: 1 });
  const late = Promise.withResolvers<string>();
  expect(await find(() => late.promise)).toBeUndefined();
  late.resolve('late');
  expect(await find(never)).toBe('late');
  advance(1000);
  expect(await find(never)).toBe('late');
});
