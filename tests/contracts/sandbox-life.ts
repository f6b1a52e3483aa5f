import { expect, it } from 'vitest';
import { type Sandbox, SandboxGone, SandboxUnreachable } from '../../runner/sandbox/port.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Bench, processesWith, readOutput, readUntil, takeAll, toText, uniqueSleep } from './sandbox-subject.ts';

const helper = { argv: ['true'] as const, timeMs: 10_000, outputBytes: 1000 };

export function lifeContract(bench: Bench): void {
  it('runs a command from create to destroy', async () => {
    const spec = bench.shell('echo "hello $WHO"; pwd >&2; exit 7', { env: { WHO: 'you' } });
    await bench.sandbox.create(spec);
    expect(await bench.sandbox.status(spec.run)).toEqual({ state: 'created', expiresAt: spec.expiresAt });
    await bench.sandbox.start(spec.run);
    const { stdout, stderr } = await readOutput(bench.sandbox, spec.run);
    expect(toText(stdout)).toBe('hello you\n');
    expect(toText(stderr)).toMatch(/\/work/);
    const result = await bench.sandbox.wait(spec.run);
    expect(result).toMatchObject({ cause: 'exit', exitCode: 7, oomKilled: false });
    expect(result.signal).toBeUndefined();
    expect(result.durationMs).toBeLessThan(10_000);
    expect((await bench.sandbox.status(spec.run)).state).toBe('ended');
    await bench.sandbox.destroy(spec.run);
    await expect(bench.sandbox.status(spec.run)).rejects.toThrow(SandboxGone);
  });

  it('creates and starts once, however often it is asked to, also by another process and with another command', async () => {
    const spec = bench.shell('echo started >>marks; echo first');
    await bench.sandbox.create(spec);
    await bench.subject.open().create({ ...spec, argv: ['sh', '-c', 'echo second'] });
    await Promise.all([bench.sandbox.start(spec.run), bench.sandbox.start(spec.run), bench.subject.open().start(spec.run)]);
    await bench.sandbox.create(spec);
    await bench.sandbox.wait(spec.run);
    await bench.sandbox.create(spec);
    await bench.sandbox.start(spec.run);
    await bench.sandbox.wait(spec.run);
    expect(toText((await readOutput(bench.sandbox, spec.run)).stdout)).toBe('first\n');
    const chunks = await takeAll(bench.sandbox.collect(spec.run, { ...helper, argv: ['cat', 'marks'] }));
    expect(toText(Buffer.concat(chunks))).toBe('started\n');
  });

  it('create completes what another left half made', async () => {
    const spec = bench.shell('echo whole');
    await bench.subject.leaveHalfMade(spec.run);
    expect(await bench.sandbox.list()).toContainEqual(expect.objectContaining({ run: spec.run, state: 'partial' }));
    await bench.sandbox.create(spec);
    await bench.sandbox.start(spec.run);
    expect(toText((await readOutput(bench.sandbox, spec.run)).stdout)).toBe('whole\n');
  });

  it('destroy is idempotent, ends what runs, and also takes what never was and what is half made', async () => {
    const seconds = uniqueSleep();
    const run = await bench.begin(`setsid sleep ${seconds} & sleep ${seconds}`);
    await waitFor('the processes', async () => (await processesWith(seconds)).length >= 2);
    await bench.sandbox.destroy(run);
    expect(await processesWith(seconds)).toEqual([]);
    await bench.sandbox.destroy(run);
    await bench.sandbox.destroy('run_never-was');
    const half = bench.newRun();
    await bench.subject.leaveHalfMade(half);
    await bench.sandbox.destroy(half);
    expect((await bench.sandbox.list()).map((entry) => entry.run)).toEqual(expect.not.arrayContaining([run, half]));
  });

  it('says gone, and nothing else, of a sandbox that does not exist', async () => {
    const run = bench.newRun();
    const { sandbox } = bench;
    const cursor = { stdout: 0, stderr: 0 };
    const nothing = async function* () {};
    const attempts: [string, () => Promise<unknown>][] = [
      ['status', () => sandbox.status(run)],
      ['copyIn', () => sandbox.copyIn(run, nothing())],
      ['start', () => sandbox.start(run)],
      ['output', () => takeAll(sandbox.output(run, cursor))],
      ['wait', () => sandbox.wait(run)],
      ['stop', () => sandbox.stop(run, 0)],
      ['pause', () => sandbox.pause(run)],
      ['resume', () => sandbox.resume(run)],
      ['exec', () => sandbox.exec(run, helper)],
      ['collect', () => takeAll(sandbox.collect(run, helper))],
    ];
    for (const [name, attempt] of attempts) await expect(attempt(), name).rejects.toThrow(SandboxGone);
  });

  const { unreachable } = bench.subject;
  if (unreachable !== undefined) {
    it('says unreachable, and never gone, when the engine does not answer', async () => {
      const away: Sandbox = unreachable();
      const run = await bench.begin('echo still here');
      await expect(away.status(run)).rejects.toThrow(SandboxUnreachable);
      await expect(away.create(bench.shell('true'))).rejects.toThrow(SandboxUnreachable);
      await expect(away.wait(run)).rejects.toThrow(SandboxUnreachable);
      await expect(takeAll(away.output(run, { stdout: 0, stderr: 0 }))).rejects.toThrow(SandboxUnreachable);
      await expect(away.destroy(run)).rejects.toThrow(SandboxUnreachable);
      await expect(away.list()).rejects.toThrow(SandboxUnreachable);
      expect((await away.probe()).some((check) => !check.ok && check.remedy !== undefined)).toBe(true);
      expect(toText((await readOutput(bench.sandbox, run)).stdout)).toBe('still here\n');
    });
  } else {
    it('has nothing in between that could be unreachable', () => {
      expect(bench.subject.capabilities.isolated).toBe(false);
    });
  }

  it('lists what exists with its state and expiry, for another process too; what was stopped before its start can be started', async () => {
    const created = bench.shell('echo started');
    await bench.sandbox.create(created);
    const running = await bench.begin(`trap 'echo tidied; exit 5' TERM; echo up; while :; do sleep 0.05; done`);
    const { run: ended } = await bench.complete('true');
    const listed = await bench.subject.open().list();
    const states = Object.fromEntries(listed.map(({ run, state }) => [run, state]));
    expect(states).toMatchObject({ [created.run]: 'created', [running]: 'running', [ended]: 'ended' });
    expect(listed.find(({ run }) => run === created.run)?.expiresAt).toEqual(created.expiresAt);
    await bench.sandbox.stop(created.run, 0);
    await bench.sandbox.start(created.run);
    expect(toText((await readOutput(bench.sandbox, created.run)).stdout)).toBe('started\n');
    // And one that runs is left the time to end by itself.
    await readUntil(bench.sandbox, running, 'up');
    await bench.sandbox.stop(running, 10_000);
    expect(await bench.sandbox.wait(running)).toMatchObject({ cause: 'stopped', exitCode: 5 });
    expect(toText((await readOutput(bench.sandbox, running)).stdout)).toBe('up\ntidied\n');
  });

  it('stop ends a tree that ignores SIGTERM, processes that left the group included', async () => {
    const seconds = uniqueSleep();
    const stubborn = `trap "" TERM; while :; do sleep ${seconds}; done`;
    const run = await bench.begin(`setsid sh -c '${stubborn}' & sh -c '${stubborn}' & echo up; ${stubborn}`);
    await waitFor('the tree', async () => (await processesWith(seconds)).length >= 6);
    await bench.sandbox.stop(run, 200);
    expect(await processesWith(seconds)).toEqual([]);
    expect(await bench.sandbox.wait(run)).toMatchObject({ cause: 'stopped', exitCode: 137 });
    expect(toText((await readOutput(bench.sandbox, run)).stdout)).toBe('up\n');
    await bench.sandbox.stop(run, 200);
  });

  it('what the command leaves running ends with it', async () => {
    const seconds = uniqueSleep();
    const { result } = await bench.complete(`sleep ${seconds} & setsid sleep ${seconds} & echo done`);
    expect(result).toMatchObject({ cause: 'exit', exitCode: 0 });
    expect(await processesWith(seconds)).toEqual([]);
  });

  it('pause freezes the command and its time, resume lets it go on, stop works in between', async () => {
    const run = await bench.begin('i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo $i; sleep 0.05; done', {
      limits: { timeMs: 6000 },
    });
    await readUntil(bench.sandbox, run, '3\n');
    await bench.sandbox.pause(run);
    await bench.sandbox.pause(run);
    expect((await bench.sandbox.status(run)).state).toBe('paused');
    const frozenAt = Date.now();
    const size = async () => {
      const seen = new AbortController();
      let bytes = 0;
      setTimeout(() => seen.abort(new Error('looked long enough')), 300);
      try {
        for await (const chunk of bench.sandbox.output(run, { stdout: 0, stderr: 0 }, seen.signal)) bytes += chunk.bytes.length;
      } catch (error) {
        expect(error).toBe(seen.signal.reason);
      }
      return bytes;
    };
    const before = await size();
    expect(await size()).toBe(before);
    // Longer than the whole time limit, were the pause counted.
    await waitFor('more than the time limit to pass', () => Date.now() - frozenAt > 6000, { timeoutMs: 8000 });
    await bench.sandbox.resume(run);
    await bench.sandbox.resume(run);
    expect(await bench.sandbox.wait(run)).toMatchObject({ cause: 'exit', exitCode: 0 });
    const other = await bench.begin('sleep 60');
    await bench.sandbox.pause(other);
    await bench.sandbox.stop(other, 1000);
    expect(await bench.sandbox.wait(other)).toMatchObject({ cause: 'stopped' });
  }, 30_000);

  it('an abort only stops waiting', async () => {
    const run = await bench.begin('echo up; sleep 1; echo over');
    const abort = new AbortController();
    const waiting = bench.sandbox.wait(run, abort.signal);
    const reading = takeAll(bench.sandbox.output(run, { stdout: 0, stderr: 0 }, abort.signal));
    await readUntil(bench.sandbox, run, 'up');
    const reason = new Error('no longer wanted');
    abort.abort(reason);
    // Both at once: each rejects whenever it hears of it.
    await Promise.all([expect(waiting).rejects.toBe(reason), expect(reading).rejects.toBe(reason)]);
    await expect(bench.sandbox.wait(run, abort.signal)).rejects.toBe(reason);
    expect(toText((await readOutput(bench.sandbox, run)).stdout)).toBe('up\nover\n');
  });
}
