import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Output of a program that ends with something else than 0; '' when all is well. */
function complaintsOf(program: string, ...args: string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
    resolve(error === null ? '' : `${stdout}${stderr}` || error.message),
  );
  return promise;
}

test('the types are right', { timeout: 180_000 }, async () => {
  // Several checkers each work out most types anew: a third of the time where they have cores of their own, twice the work where they have not.
  const known = ['--incremental', '--tsBuildInfoFile', 'node_modules/.cache/deckhand-types.tsbuildinfo'];
  expect(await complaintsOf('node_modules/.bin/tsc', '--noEmit', '--checkers', '1', ...known)).toBe('');
});

test('the files are formatted and free of lint', { timeout: 120_000 }, async () => {
  expect(await complaintsOf('node_modules/.bin/biome', 'check', '.')).toBe('');
});

test('the generated pages say what the code says', { timeout: 60_000 }, async () => {
  expect(await complaintsOf(process.execPath, 'docs/generate.ts', '--check')).toBe('');
});
