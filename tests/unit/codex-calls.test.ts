import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeCall, commandCall, scriptOf } from '../../runner/harness/codex-calls.ts';

describe('a command of Codex', () => {
  it('is the script that the shell gets', () => {
    expect(scriptOf("/bin/bash -lc 'npm test'")).toBe('npm test');
    expect(scriptOf('/bin/bash -lc ls')).toBe('ls');
    expect(scriptOf(`bash -lc "echo 'it is'"`)).toBe("echo 'it is'");
    expect(scriptOf(`bash -lc 'echo '"'"'x'"'"`)).toBe("echo 'x'");
    expect(scriptOf("bash -lc 'a\nb'")).toBe('a\nb');
  });

  it.each([
    'npm test',
    'bash -lc $(id)',
    'bash -lc `id`',
    'bash -lc "$HOME"',
    "bash -lc 'ls' extra",
    "bash -lc 'ls'; id",
    "bash -lc 'ls' && id",
    'bash -lc ls > out',
    "bash -lc 'ls",
    "bash -lc 'ls'\nid",
    "python -lc 'ls'",
    "bash -i 'ls'",
    "BASH_ENV=x bash -lc 'ls'",
    "bash -lc 'ls' # it",
    'bash -lc ~',
    'bash -lc *',
  ])('%s is taken whole, because something else may run', (command) => {
    expect(scriptOf(command)).toBeUndefined();
    expect(commandCall(command, '/workspace', '/workspace').command).toBe(command);
  });

  it('is read as a shell reads it, whatever is in it', () => {
    const word = fc.array(fc.constantFrom('a', ' ', "'", '"', '\\', '$', '`', '\n', ';', '&', '|', '-', '*', '!', '#', '~'), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), (parts) => {
        const line = `bash -lc ${parts.map((part) => part.join('')).join('')}`;
        const script = scriptOf(line);
        if (script === undefined) return;
        const print = `print() { printf '%s\\0' "$@"; }; print ${line}`;
        expect(execFileSync('bash', ['-c', print], { encoding: 'utf8' })).toBe(`bash\0-lc\0${script}\0`);
      }),
      { numRuns: 150 },
    );
  });

  it('tells where it runs when that is not the working copy', () => {
    const call = commandCall("/bin/bash -lc 'cat passwd'", '/etc', '/workspace');
    expect(call.command).toBe('cd /etc && cat passwd');
    expect(call.input).toBe(`{"command":"/bin/bash -lc 'cat passwd'","cwd":"/etc"}`);
  });
});

describe('a change of files by Codex', () => {
  const change = { path: '/workspace/src/a.js', kind: 'update', to: null, diff: '@@\n-a\n+b\n' };

  it('names every file that is written or goes away', () => {
    const { files, title, readOnly } = changeCall(
      [change, { ...change, path: '/workspace/old.js', to: '/etc/new.js' }, { ...change, path: '/workspace/x', kind: 'delete' }],
      undefined,
      '/workspace',
    );
    expect(files).toEqual([
      { path: 'src/a.js', change: 'edit', diff: change.diff },
      { path: 'old.js', change: 'delete', diff: change.diff },
      { path: '/etc/new.js', change: 'create' },
      { path: 'x', change: 'delete', diff: change.diff },
    ]);
    expect(title).toBe('Edit src/a.js and 2 more');
    expect(readOnly).toBe(false);
  });

  it('that wants to write everywhere in a directory says so', () => {
    expect(changeCall([change], '/', '/workspace').files).toContainEqual({ path: '/', change: 'create' });
  });
});
