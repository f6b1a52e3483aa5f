import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { type Bench, processesWith, readOutput, takeAll, toText, uniqueSleep } from './sandbox-subject.ts';

const mebibyte = 1024 * 1024;

export function limitsContract(bench: Bench): void {
  const declared = bench.subject.capabilities;

  it('stops a command at its time limit, with all it started', async () => {
    const seconds = uniqueSleep();
    const { result, stdout } = await bench.complete(`echo up; sleep ${seconds} & sleep ${seconds}`, { limits: { timeMs: 700 } });
    expect(result.cause).toBe('timed_out');
    expect(result.exitCode).not.toBe(0);
    expect(result.durationMs).toBeGreaterThanOrEqual(700);
    expect(toText(stdout)).toBe('up\n');
    expect(await processesWith(seconds)).toEqual([]);
  });

  it('stops a command at its output limit and keeps what came before', async () => {
    const { result, stdout } = await bench.complete('yes', { limits: { outputBytes: mebibyte } });
    expect(result.cause).toBe('output_limit');
    expect(stdout.length).toBeLessThanOrEqual(mebibyte);
    expect(stdout.length).toBeGreaterThan(mebibyte / 2);
    expect(toText(stdout).replaceAll('y\n', '')).toMatch(/^y?$/);
  });

  it('keeps a file within its limit', async () => {
    const { result, stdout } = await bench.complete(`head -c ${2 * mebibyte} /dev/zero >big; stat -c %s big`, {
      limits: { fileBytes: mebibyte },
    });
    expect(result.cause).toBe('exit');
    expect(toText(stdout)).toBe(`${mebibyte}\n`);
  });

  it('ends a command that fills the working copy, says so, and stays healthy', async () => {
    const { sandbox, limits } = await bench.subject.nearlyFull();
    const spec = bench.shell('while :; do head -c 33554432 /dev/zero >>big || sleep 0.2; done', { limits });
    await sandbox.create(spec);
    await sandbox.start(spec.run);
    expect((await sandbox.wait(spec.run)).cause).toBe('disk_limit');
    await sandbox.destroy(spec.run);
    expect((await bench.complete('echo next')).result).toMatchObject({ cause: 'exit', exitCode: 0 });
  });

  if (declared.limits.disk) {
    it('names the full disk as the cause when the command fails on it by itself, and its files can still be read', async () => {
      const { run, result, stderr } = await bench.complete('head -c 600000000 /dev/zero >big; exit 3', {
        limits: { diskBytes: 32 * mebibyte },
      });
      expect(result).toMatchObject({ cause: 'disk_limit', exitCode: 3 });
      expect(toText(stderr)).toMatch(/No space left/);
      const listing = { argv: ['sh', '-c', 'stat -c %n big'] as const, timeMs: 10_000, outputBytes: 1000 };
      expect(toText(Buffer.concat(await takeAll(bench.sandbox.collect(run, listing))))).toBe('big\n');
    });

    it('ends a command that uses up the inodes of the working copy', async () => {
      const many = 'i=0; while :; do i=$((i+1)); mkdir d$i; seq 1 2000 | sed "s,^,d$i/," | xargs touch || sleep 0.2; done';
      expect((await bench.complete(many, { limits: { diskBytes: 16 * mebibyte } })).result.cause).toBe('disk_limit');
    }, 60_000);
  } else {
    it('declares that the working copy has no limit of its own', () => {
      expect(declared.limits.disk).toBe(false);
    });
  }

  if (declared.limits.memory) {
    it('reports that memory ran out, and the output until then', async () => {
      const script = `echo before; python3 -c 'x = bytearray(400 * 1024 * 1024); print(len(x))'`;
      const { result, stdout } = await bench.complete(script, { limits: { memoryBytes: 96 * mebibyte } });
      expect(result).toMatchObject({ cause: 'memory_limit', exitCode: 137, oomKilled: true });
      expect(toText(stdout)).toBe('before\n');
    });

    it('reports a process killed for want of memory even when the command survives it', async () => {
      const script = `python3 -c 'x = bytearray(400 * 1024 * 1024)'; echo code $?`;
      const { result, stdout } = await bench.complete(script, { limits: { memoryBytes: 96 * mebibyte } });
      expect(result).toMatchObject({ cause: 'exit', exitCode: 0, oomKilled: true });
      expect(toText(stdout)).toContain('code 137');
    });
  } else {
    it('declares that memory is not limited', () => expect(declared.limits.memory).toBe(false));
  }

  if (declared.peakMemory) {
    it('measures the peak memory of a command that is over in an instant, without the cache of files', async () => {
      const { result } = await bench.complete(`python3 -c 'x = b"x" * (150 * 1024 * 1024)'`);
      expect(result.peakMemoryBytes).toBeGreaterThan(150 * mebibyte);
      expect(result.peakMemoryBytes).toBeLessThan(220 * mebibyte);
      const files = await bench.complete('head -c 40000000 /dev/zero >big; cat big big big >/dev/null');
      expect(files.result.peakMemoryBytes).toBeGreaterThan(0);
      expect(files.result.peakMemoryBytes).toBeLessThan(30 * mebibyte);
    });

    it('measures processes that hold memory together', async () => {
      const hold = `python3 -c 'import time; x = b"x" * (50 * 1024 * 1024); time.sleep(0.5)' &`;
      const { result } = await bench.complete(`${hold} ${hold} ${hold} wait`);
      expect(result.peakMemoryBytes).toBeGreaterThan(150 * mebibyte);
    });
  } else {
    it('leaves the peak memory out', async () => {
      expect((await bench.complete('true')).result.peakMemoryBytes).toBeUndefined();
    });
  }

  if (declared.limits.pids) {
    it('survives a fork bomb', async () => {
      const run = await bench.begin(`sleep 600 & bash -c 'bomb() { bomb | bomb & }; bomb'; wait`, { limits: { pids: 64 } });
      const other = await bench.complete('seq 1 1000 | sha256sum');
      expect(other.result.exitCode).toBe(0);
      await bench.sandbox.stop(run, 500);
      expect(await bench.sandbox.wait(run)).toMatchObject({ cause: 'stopped', pidsRefused: true });
      expect(other.result.pidsRefused).toBe(false);
    });
  } else {
    it('declares that processes are not limited', () => expect(declared.limits.pids).toBe(false));
  }

  it('keeps the output of several commands at once apart', async () => {
    const runs = await Promise.all([1, 2, 3, 4].map((n) => bench.complete(`yes ${n} | head -n 50000`)));
    runs.forEach(({ stdout }, i) => {
      const expected = createHash('sha256')
        .update(`${i + 1}\n`.repeat(50_000))
        .digest('hex');
      expect(createHash('sha256').update(stdout).digest('hex')).toBe(expected);
    });
    const [first] = runs;
    if (first !== undefined) expect(await readOutput(bench.sandbox, first.run)).toMatchObject({ stdout: first.stdout });
  });
}
