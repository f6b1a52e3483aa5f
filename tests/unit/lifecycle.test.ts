import { expect, test } from 'vitest';
import { createLifecycle, type Part } from '../../src/runtime/lifecycle.ts';
import { createLogger } from '../../src/runtime/logger.ts';

const lines: string[] = [];
const logger = createLogger({ level: 'warn', destination: { write: (line) => void lines.push(line) } });
const forever = new Promise<void>(() => undefined);

function recorded(log: string[], name: string, own: Partial<Part> = {}): Part {
  return {
    name,
    start: async () => void log.push(`start ${name}`),
    stop: async () => void log.push(`stop ${name}`),
    abort: async () => void log.push(`abort ${name}`),
    ...own,
  };
}

test('parts start in order and stop in reverse', async () => {
  const log: string[] = [];
  const lifecycle = createLifecycle([recorded(log, 'a'), recorded(log, 'b')], logger);
  await lifecycle.start();
  await lifecycle.stop();
  expect(log).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

test('when a part does not start, those before it stop again and its error is thrown', async () => {
  const log: string[] = [];
  const broken = recorded(log, 'b', { start: () => Promise.reject(new Error('no port')) });
  const lifecycle = createLifecycle([recorded(log, 'a'), broken, recorded(log, 'c')], logger);
  await expect(lifecycle.start()).rejects.toThrow('no port');
  expect(log).toEqual(['start a', 'stop a']);
});

test('every part is stopped though another fails, and a part that fails to stop is ended', async () => {
  const log: string[] = [];
  const broken = recorded(log, 'b', { stop: () => Promise.reject(new Error('stuck')) });
  const lifecycle = createLifecycle([recorded(log, 'a'), broken, recorded(log, 'c')], logger);
  await lifecycle.start();
  const error = await lifecycle.stop().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AggregateError);
  expect(error).toMatchObject({ errors: [expect.objectContaining({ message: 'stuck' })] });
  expect(log).toEqual(['start a', 'start b', 'start c', 'stop c', 'abort b', 'stop a']);
});

test('a part that does not stop in its time is ended at once, and the others still stop', async () => {
  const log: string[] = [];
  const slow = recorded(log, 'slow', { stop: () => forever, stopWithinMs: 20 });
  const lifecycle = createLifecycle([recorded(log, 'a'), slow], logger);
  await lifecycle.start();
  await lifecycle.stop();
  expect(log).toEqual(['start a', 'start slow', 'abort slow', 'stop a']);
  expect(lines.at(-1)).toContain('did not stop in time');
});

test('an abort cuts the running stop short and ends the remaining parts', async () => {
  const log: string[] = [];
  const lifecycle = createLifecycle([recorded(log, 'a'), recorded(log, 'slow', { stop: () => forever })], logger);
  await lifecycle.start();
  const stopped = lifecycle.stop();
  await lifecycle.abort();
  await stopped;
  expect(log).toEqual(['start a', 'start slow', 'abort slow', 'abort a']);
});

test('callers at the same time share one stop', async () => {
  const log: string[] = [];
  const lifecycle = createLifecycle([recorded(log, 'a')], logger);
  await lifecycle.start();
  await Promise.all([lifecycle.stop(), lifecycle.stop(), lifecycle.stop()]);
  await lifecycle.stop();
  expect(log).toEqual(['start a', 'stop a']);
});

test('a stop during the start lets the current part finish starting and starts no further one', async () => {
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const inside = Promise.withResolvers<void>();
  const slow = recorded(log, 'slow', {
    start: () => {
      inside.resolve();
      return gate.promise;
    },
  });
  const lifecycle = createLifecycle([recorded(log, 'a'), slow, recorded(log, 'c')], logger);
  const started = lifecycle.start();
  await inside.promise;
  const stopped = lifecycle.stop();
  gate.resolve();
  await Promise.all([started, stopped]);
  expect(log).toEqual(['start a', 'stop slow', 'stop a']);
});
