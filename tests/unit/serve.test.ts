import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { type App, serve } from '../../src/serve.ts';
import { waitFor } from '../support/wait-for.ts';

const forever = new Promise<void>(() => undefined);

function run(own: Partial<App>, options: { stopWithinMs?: number } = {}) {
  const log: string[] = [];
  const events = new EventEmitter();
  const app: App = {
    start: own.start ?? (async () => void log.push('start')),
    async stop() {
      log.push('stop');
      await own.stop?.();
    },
    async abort() {
      log.push('abort');
      await own.abort?.();
    },
  };
  const code = serve({
    createApp: async () => app,
    config: loadConfig({}),
    role: 'start',
    logger: createLogger({ level: 'silent' }),
    events,
    ...options,
  });
  return { log, events, code };
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s ends gracefully with exit code 0', async (signal) => {
  const { log, events, code } = run({});
  await waitFor('the start', () => log.includes('start'));
  events.emit(signal, signal);
  expect(await code).toBe(0);
  expect(log).toEqual(['start', 'stop']);
  expect(events.eventNames()).toEqual([]);
});

test('a second signal ends at once', async () => {
  const { log, events, code } = run({ stop: () => forever });
  await waitFor('the start', () => log.includes('start'));
  events.emit('SIGINT', 'SIGINT');
  events.emit('SIGINT', 'SIGINT');
  events.emit('SIGINT', 'SIGINT');
  expect(await code).toBe(0);
  expect(log).toEqual(['start', 'stop', 'abort']);
});

test('a graceful end that takes too long is cut short', async () => {
  const { log, events, code } = run({ stop: () => forever }, { stopWithinMs: 30 });
  await waitFor('the start', () => log.includes('start'));
  events.emit('SIGTERM', 'SIGTERM');
  expect(await code).toBe(0);
  expect(log).toEqual(['start', 'stop', 'abort']);
});

test('an end that is not clean has exit code 1', async () => {
  const { log, events, code } = run({ stop: () => Promise.reject(new Error('stuck')) });
  await waitFor('the start', () => log.includes('start'));
  events.emit('SIGTERM', 'SIGTERM');
  expect(await code).toBe(1);
});

test.each(['uncaughtException', 'unhandledRejection'])('%s ends at once with exit code 1', async (crash) => {
  const { log, events, code } = run({});
  await waitFor('the start', () => log.includes('start'));
  events.emit(crash, new Error('a mistake'));
  expect(await code).toBe(1);
  expect(log).toEqual(['start', 'abort']);
});

test('a signal during the start stops what has started', async () => {
  const gate = Promise.withResolvers<void>();
  const { log, events, code } = run({ start: () => gate.promise });
  await waitFor('the handlers', () => events.listenerCount('SIGTERM') === 1);
  events.emit('SIGTERM', 'SIGTERM');
  gate.resolve();
  expect(await code).toBe(0);
  expect(log).toEqual(['stop']);
});

test('what keeps the role from starting is thrown', async () => {
  const { events, code } = run({ start: () => Promise.reject(new Error('the port is taken')) });
  await expect(code).rejects.toThrow('the port is taken');
  expect(events.eventNames()).toEqual([]);
});
