import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { type Bench, readOutput, toText } from './sandbox-subject.ts';

export function outputContract(bench: Bench): void {
  it('keeps stdout and stderr apart and each in order, also where the command opens them by name', async () => {
    const { stdout, stderr } = await bench.complete(
      'for i in 1 2 3; do echo out $i; echo err $i >&2; done; echo 4 >/dev/stdout; echo 5; echo a >&2; echo b >/dev/stderr; echo c >&2',
    );
    expect(toText(stdout)).toBe('out 1\nout 2\nout 3\n4\n5\n');
    expect(toText(stderr)).toBe('err 1\nerr 2\nerr 3\na\nb\nc\n');
  });

  it('passes bytes as they are: long lines, many short ones, invalid UTF-8, NUL, no line end at the end; and continues at any of them', async () => {
    const long = `head -c 100000 /dev/zero | tr '\\0' x; echo; seq 1 20000`;
    const odd = `printf 'a\\377\\300\\000b\\r\\n\\n\\n\\001end'; printf '\\n\\n' >&2`;
    const { run, stdout, stderr } = await bench.complete(`${long}; ${odd}`);
    const numbers = Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join('');
    expect(stdout).toEqual(Buffer.from(`${'x'.repeat(100_000)}\n${numbers}a\xff\xc0\0b\r\n\n\n\x01end`, 'latin1'));
    expect(toText(stderr)).toBe('\n\n');
    for (const from of [
      { stdout: 1, stderr: 0 },
      { stdout: 100_700, stderr: 1 },
      { stdout: stdout.length - 1, stderr: stderr.length },
      { stdout: stdout.length, stderr: stderr.length },
    ]) {
      const rest = await readOutput(bench.sandbox, run, from);
      expect(rest.stdout).toEqual(stdout.subarray(from.stdout));
      expect(rest.stderr).toEqual(stderr.subarray(from.stderr));
    }
  });

  it('brings 5 MB of random bytes whole, to two readers and again afterwards', async () => {
    const run = await bench.begin('head -c 5000000 /dev/urandom | tee copy; sha256sum copy >&2');
    const [first, second] = await Promise.all([readOutput(bench.sandbox, run), readOutput(bench.subject.open(), run)]);
    const third = await readOutput(bench.sandbox, run);
    expect(first.stdout).toHaveLength(5_000_000);
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    for (const { stdout, stderr } of [first, second, third]) expect(toText(stderr)).toBe(`${digest(stdout)}  copy\n`);
  });

  it('brings output when it is made, also after a quiet time, and a question without a line end while the command waits', async () => {
    const run = await bench.begin(`echo one; sleep 1.2; printf 'Password: '; sleep 60`);
    const arrivals: number[] = [];
    let text = '';
    for await (const { bytes } of bench.sandbox.output(run, { stdout: 0, stderr: 0 })) {
      text += toText(bytes);
      arrivals.push(performance.now());
      if (text.endsWith(': ')) break;
    }
    expect(text).toBe('one\nPassword: ');
    expect(arrivals).toHaveLength(2);
    expect(Number(arrivals[1]) - Number(arrivals[0])).toBeGreaterThan(900);
    expect((await bench.sandbox.status(run)).state).toBe('running');
  });

  it('waits for a slow consumer and loses nothing meanwhile', async () => {
    const run = await bench.begin('seq 1 400000');
    let text = '';
    for await (const { bytes } of bench.sandbox.output(run, { stdout: 0, stderr: 0 })) {
      if (text === '') await bench.sandbox.wait(run);
      text += toText(bytes);
    }
    expect(text.length).toBe(2_688_895);
    expect(text.endsWith('399999\n400000\n')).toBe(true);
  });

  it('tells an exit by a signal from an exit code', async () => {
    expect((await bench.complete('kill -SEGV $$')).result).toMatchObject({ cause: 'exit', exitCode: 139, signal: 'SIGSEGV' });
  });

  it('ends a command that cannot be started as a shell would', async () => {
    const missing = { ...bench.shell(''), argv: ['no-such-command', 'x'] as const };
    await bench.sandbox.create(missing);
    await bench.sandbox.start(missing.run);
    expect(toText((await readOutput(bench.sandbox, missing.run)).stderr)).toMatch(/no-such-command.*not found/);
    expect(await bench.sandbox.wait(missing.run)).toMatchObject({ cause: 'exit', exitCode: 127 });
    const forbidden = { ...bench.shell(''), argv: ['/etc/passwd'] as const };
    await bench.sandbox.create(forbidden);
    await bench.sandbox.start(forbidden.run);
    expect(toText((await readOutput(bench.sandbox, forbidden.run)).stderr)).toMatch(/passwd.*[Pp]ermission denied/);
    expect(await bench.sandbox.wait(forbidden.run)).toMatchObject({ cause: 'exit', exitCode: 126 });
  });

  it('takes the command as a vector: no word of it is read by a shell', async () => {
    const spec = { ...bench.shell(''), argv: ['printf', '%s|', '$HOME', '`id`', "a'b", 'x y', '*', ''] as const };
    await bench.sandbox.create(spec);
    await bench.sandbox.start(spec.run);
    expect(toText((await readOutput(bench.sandbox, spec.run)).stdout)).toBe("$HOME|`id`|a'b|x y|*||");
  });
}
