import { afterEach, expect, test } from 'vitest';
import { createLoop, type Loop, type LoopOptions } from '../../src/runtime/loop.ts';
import { waitFor } from '../support/wait-for.ts';

const loops: Loop[] = [];
afterEach(() => Promise.all(loops.splice(0).map((loop) => loop.stop())));

function started(options: Partial<LoopOptions> & Pick<LoopOptions, 'run'>): Loop {
  const loop = createLoop({ name: 'test', idleMs: 60_000, onError: () => undefined, ...options });
  loops.push(loop);
  loop.start();
  return loop;
}

/** A look that counts itself. */
function counter() {
  const seen = { looks: 0 };
  const run = async () => {
    seen.looks += 1;
    return undefined;
  };
  return { seen, run };
}

test('a loop looks at once, then when it is woken', async () => {
  const { seen, run } = counter();
  const loop = started({ run });
  await waitFor('the first look', () => seen.looks === 1);
  loop.wake();
  await waitFor('the second look', () => seen.looks === 2);
});

test('a loop that nobody wakes looks again after the idle time', async () => {
  const { seen, run } = counter();
  started({ idleMs: 15, run });
  await waitFor('some looks', () => seen.looks >= 4);
});

test('a look that says there is more is followed by the next without waiting', async () => {
  let left = 500;
  started({
    gapMs: 1_000,
    run: async () => {
      left -= 1;
      return left > 0;
    },
  });
  await waitFor('all work to be done', () => left === 0, { timeoutMs: 2_000 });
});

test('wakes during a look make exactly one more look', async () => {
  let looks = 0;
  const gate = Promise.withResolvers<void>();
  const loop = started({
    run: async () => {
      looks += 1;
      if (looks === 1) await gate.promise;
    },
  });
  await waitFor('the first look', () => looks === 1);
  for (let i = 0; i < 50; i += 1) loop.wake();
  gate.resolve();
  await waitFor('the second look', () => looks === 2);
  await loop.stop();
  expect(looks).toBe(2);
});

test('a look that wakes itself does not spin', async () => {
  let looks = 0;
  const since = performance.now();
  const loop: Loop = started({
    gapMs: 20,
    run: async () => {
      looks += 1;
      queueMicrotask(() => loop.wake());
    },
  });
  await waitFor('ten looks', () => looks >= 10);
  // Nine pauses of 20 ms, with some allowance for timers that are early.
  expect(performance.now() - since).toBeGreaterThan(9 * 20 - 20);
});

test('failures are told and retried with growing pauses, which wakes do not shorten', async () => {
  const times: number[] = [];
  const failures: number[] = [];
  const loop: Loop = started({
    backoffMs: 20,
    onError: (_error, count) => void failures.push(count),
    run: async () => {
      times.push(performance.now());
      queueMicrotask(() => loop.wake());
      if (times.length < 5) throw new Error('not yet');
    },
  });
  await waitFor('a look to succeed', () => times.length >= 5);
  expect(failures).toEqual([1, 2, 3, 4]);
  const pauses = times.slice(1, 5).map((time, at) => time - (times[at] ?? 0));
  expect(pauses.map((pause, at) => pause >= 20 * 2 ** at - 2)).toEqual([true, true, true, true]);
});

test('a stop aborts the look and waits for it', async () => {
  let ended = false;
  const inside = Promise.withResolvers<void>();
  const loop = started({
    run: async (signal) => {
      inside.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      ended = true;
    },
  });
  await inside.promise;
  await loop.stop();
  expect(ended).toBe(true);
});

test('a stop ends the idle time', async () => {
  const { seen, run } = counter();
  const loop = started({ run });
  await waitFor('the first look', () => seen.looks === 1);
  await loop.stop();
  loop.wake();
  expect(seen.looks).toBe(1);
});
