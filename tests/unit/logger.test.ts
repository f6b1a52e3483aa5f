import { expect, test } from 'vitest';
import { createLogger, type LoggerOptions } from '../../src/runtime/logger.ts';

function recorder(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const logger = createLogger({ level: 'debug', ...options, destination: { write: (line) => void lines.push(line) } });
  return { logger, lines, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('a line is one JSON object with level, time, fields and text', () => {
  const { logger, records } = recorder();
  logger.info({ run: 'run_1', ms: 12 }, 'claimed');
  expect(records()).toEqual([{ level: 'info', time: expect.stringMatching(/^20.*Z$/), run: 'run_1', ms: 12, msg: 'claimed' }]);
});

test('text under the name of a secret is blanked out, however deep, also in errors of libraries', () => {
  const { logger, lines, records } = recorder();
  const error = Object.assign(new Error('request failed'), {
    config: {
      headers: { Authorization: 'Basic dXNlcjpwdw==', Cookie: 'session=abc' },
      body: { password: 'with "quotes" and \\' },
    },
  });
  logger.error({ err: error, botToken: 'plain', nested: [{ apiKey: 'k1', client_secret: 'k2' }], tokens: 41 }, 'failed');
  const text = lines.join('');
  for (const secret of ['dXNlcjpwdw', 'session=abc', 'quotes', 'plain', 'k1', 'k2']) expect(text).not.toContain(secret);
  expect(records()[0]).toMatchObject({ botToken: '[redacted]', tokens: 41, msg: 'failed' });
});

test('known values and things that look like secrets are blanked out in texts, fields, stacks and children', () => {
  const { logger, lines } = recorder({ secrets: ['hunter2-"hunter2"'] });
  const child = logger.child({ where: 'hunter2-"hunter2"' });
  child.warn({ err: new Error(`cannot use ${'xoxb'}-1234567890-abcdef`) }, 'with hunter2-"hunter2"');
  expect(lines.join('')).not.toMatch(/hunter2|1234567890-abcdef/);
  expect(() => JSON.parse(lines[0] ?? '')).not.toThrow();
});

test('on a terminal a line is for people, with the stack of an error below it', () => {
  const { logger, lines } = recorder({ readable: true, secrets: ['top-secret-value'] });
  logger.info({ port: 3000, note: 'top-secret-value' }, 'listening');
  logger.error({ err: new Error('boom') }, 'failed');
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d info {2}listening port=3000 note=\[redacted\]\n$/);
  expect(lines[1]).toMatch(/^\d\d:\d\d:\d\d error failed\n {4}Error: boom\n {8}at /);
});

test('levels below the chosen one are not written', () => {
  const { logger, lines } = recorder({ level: 'warn' });
  logger.info('not this');
  logger.warn('but this');
  expect(lines).toHaveLength(1);
});
