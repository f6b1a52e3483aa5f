import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyseShell } from '../../src/approvals/shell-analysis.ts';
import { launch } from '../../src/runtime/launcher.ts';

/** Programs on the PATH of the shells under test: each only records how it was called. */
const programs = ['ls', 'git', 'evil', 'a', 'b'];
const shells = ['bash', 'sh'];
let root: string;
let calls: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'deckhand-shell-'));
  calls = join(root, 'calls');
  mkdirSync(join(root, 'bin'));
  mkdirSync(join(root, 'work'));
  for (const program of programs) {
    const path = join(root, 'bin', program);
    writeFileSync(path, `#!/bin/sh\nprintf '%s\\t' "\${0##*/}" "$@" > '${calls}/'$$\n`);
    chmodSync(path, 0o755);
  }
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Runs the line in a real shell and returns the argument vectors of the programs it started. */
async function startedBy(shell: string, line: string): Promise<string[][]> {
  rmSync(calls, { recursive: true, force: true });
  mkdirSync(calls);
  const running = launch({
    command: `/bin/${shell}`,
    args: ['-c', line],
    cwd: join(root, 'work'),
    env: { PATH: join(root, 'bin') },
    maxOutputBytes: 1_000_000,
    maxErrorBytes: 1000,
  });
  const late = setTimeout(running.kill, 5000);
  await running.ended;
  clearTimeout(late);
  return readdirSync(calls).map((process) => readFileSync(join(calls, process), 'utf8').split('\t').slice(0, -1));
}

const pieces = [
  ...programs,
  ...[' ', ' ', ' ', ' ', '; ', ' && ', ' || ', ' | ', '\n', '&', '!', '! ', '(', ')', '{ ', '; }', '}', '#', ' # '],
  ...[
    '"',
    "'",
    '\\',
    '`',
    '$(',
    '${',
    '$',
    '=',
    '-x',
    '--',
    '>',
    '<',
    '2>',
    '>&1',
    '>/dev/null',
    '<<',
    '[',
    ']',
    '*',
    '~',
    '{a,b}',
  ],
  ...[
    'if ',
    'then ',
    'fi',
    'eval ',
    'PATH=',
    'A=b ',
    'time ',
    'f()',
    '[[ ',
    ' ]]',
    '((',
    '))',
    '\t',
    '\r',
    '\u00a0',
    '%',
    ':',
    ',',
  ],
];
const line = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 14 }).map((parts) => parts.join(''));
/** Mostly well-formed, so that many lines get past the analysis. */
const sound = fc
  .array(
    fc.tuple(
      fc.constantFrom('ls', 'git', 'evil', 'a', '"ls"', "g'i't", '\\b', '(ls', '{ a'),
      fc.array(
        fc.constantFrom(
          'b',
          '-x',
          "'a b'",
          '"a b"',
          'a\\ b',
          '"\\$x"',
          "'$(evil)'",
          '\\;',
          '"a\'b"',
          'x=y',
          '#a',
          '%',
          "''",
          '\\\\',
        ),
      ),
      fc.constantFrom('; ', ' && ', ' || ', ' | ', '\n', ' >/dev/null; ', ' 2>&1 | ', ' # evil\n', '); ', '; }; ', ''),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((commands) => commands.map(([name, args, end]) => [name, ...args].join(' ') + end).join(''));

/** An open word stands for any number of words. */
function covers(words: readonly (string | undefined)[], started: readonly string[]): boolean {
  const open = words.indexOf(undefined);
  const fixed = open === -1 ? words : words.slice(0, open);
  return (open !== -1 || words.length === started.length) && fixed.every((value, index) => value === started[index]);
}

describe('the analysis of a command line, held against real shells', () => {
  it.each(shells)('promise 7: what it calls the whole story is what %s starts', async (shell) => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(line, sound), async (text) => {
        const { commands, escapes } = analyseShell(text);
        fc.pre(escapes.size === 0);
        const known = commands.map(({ words }) => words.map(({ value }) => value));
        for (const started of await startedBy(shell, text)) {
          compared += 1;
          const listed = known.some((words) => covers(words, started));
          expect(listed, `${JSON.stringify(text)} started ${JSON.stringify(started)}, known: ${JSON.stringify(known)}`).toBe(
            true,
          );
        }
        expect(readdirSync(join(root, 'work')), text).toEqual([]);
      }),
      { numRuns: 400, maxSkipsPerRun: 1000 },
    );
    expect(compared).toBeGreaterThan(100);
  });
});
