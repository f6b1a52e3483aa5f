import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { taskBranch, taskTitle } from '../../src/tasks/naming.ts';

describe('the title of a task', () => {
  it.each([
    ['npm test', 'npm test'],
    ['\n\n  npm   test\t--watch \nls', 'npm test --watch'],
    ['a\u2028b\u0007c', 'a b c'],
    ['curl -H "Authorization: Bearer abcdefghijklmnop" x', 'curl -H "Authorization: Bearer [redacted]" x'],
    ['x'.repeat(200), `${'x'.repeat(79)}…`],
  ])('%j is %j', (command, title) => expect(taskTitle(command)).toBe(title));

  it('never splits a character', () => {
    expect(taskTitle('🦀'.repeat(100))).toBe(`${'🦀'.repeat(79)}…`);
  });
});

describe('the branch of a task', () => {
  it.each([
    ['npm test', 'deckhand/7-npm-test'],
    ['Überprüfe Straße', 'deckhand/7-uberprufe-stra-e'],
    ['rm -rf ../../x.lock', 'deckhand/7-rm-rf-x-lock'],
    ['日本', 'deckhand/7-task'],
    [`${'a'.repeat(39)} b`, `deckhand/7-${'a'.repeat(39)}`],
  ])('%j is %s', (title, branch) => expect(taskBranch(7, title)).toBe(branch));

  it('does not tell a secret of the command', () => {
    const title = taskTitle('TOKEN=ghp_0123456789abcdefghijABCDEFGHIJ012345 npm publish');
    expect([title, taskBranch(7, title)]).toEqual([
      'TOKEN=[redacted github token] npm publish',
      'deckhand/7-token-redacted-github-token-npm-publish',
    ]);
  });

  it('promise 11: is a safe git ref whatever the title says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.string({ unit: 'binary' }), (number, text) => {
        expect(taskBranch(number, taskTitle(text))).toMatch(/^deckhand\/\d+-[a-z0-9]+(-[a-z0-9]+)*$/);
      }),
    );
    const samples = fc.sample(fc.string({ unit: 'binary' }), 20).map((text) => taskBranch(1, text));
    for (const branch of samples) {
      expect(spawnSync('git', ['check-ref-format', `refs/heads/${branch}`]).status, branch).toBe(0);
    }
  });
});
