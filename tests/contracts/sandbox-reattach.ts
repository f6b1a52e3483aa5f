import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { SandboxSpec } from '../../runner/sandbox/port.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Bench, readOutput } from './sandbox-subject.ts';

const program = fileURLToPath(new URL('sandbox-first-life.ts', import.meta.url));
const numbers = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}\n`).join('');

interface Heard {
  stream: 'stdout' | 'stderr';
  offset: number;
  base64: string;
}

export function reattachContract(bench: Bench): void {
  /** Runs the spec in a process of its own until `enough`, kills that with SIGKILL and returns the output it had got. */
  async function firstLife(spec: SandboxSpec, enough: (stdout: string) => boolean): Promise<Record<Heard['stream'], Buffer>> {
    const child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const heard = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
    child.on('message', ({ stream, offset, base64 }: Heard) => {
      expect(offset).toBe(heard[stream].length);
      heard[stream] = Buffer.concat([heard[stream], Buffer.from(base64, 'base64')]);
    });
    child.send({ recipe: bench.subject.recipe, spec });
    try {
      await waitFor('the first life to read enough', () => enough(heard.stdout.toString()));
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    return heard;
  }

  function cursorOf(heard: Record<Heard['stream'], Buffer>) {
    return { stdout: heard.stdout.length, stderr: heard.stderr.length };
  }

  it('promise 8: another process continues a running command at the byte after the last one', async () => {
    const spec = bench.shell('i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo line $i; echo e$i >&2; sleep 0.01; done; exit 4');
    const heard = await firstLife(spec, (stdout) => stdout.includes('line 50\n'));
    expect((await bench.sandbox.status(spec.run)).state).toBe('running');
    const rest = await readOutput(bench.sandbox, spec.run, cursorOf(heard));
    expect(rest.stdout.length).toBeGreaterThan(0);
    expect(Buffer.concat([heard.stdout, rest.stdout]).toString()).toBe(numbers(300));
    expect(Buffer.concat([heard.stderr, rest.stderr]).toString()).toBe(
      Array.from({ length: 300 }, (_, i) => `e${i + 1}\n`).join(''),
    );
    expect(await bench.sandbox.wait(spec.run)).toMatchObject({ cause: 'exit', exitCode: 4 });
  }, 30_000);

  it('promise 8: the output and the exit code of a command that ended meanwhile are still there', async () => {
    const spec = bench.shell('i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo line $i; sleep 0.01; done; printf end >&2; exit 9');
    const heard = await firstLife(spec, (stdout) => stdout.includes('line 20\n'));
    await waitFor('the command to end unobserved', async () => (await bench.sandbox.status(spec.run)).state === 'ended');
    const rest = await readOutput(bench.sandbox, spec.run, cursorOf(heard));
    expect(Buffer.concat([heard.stdout, rest.stdout]).toString()).toBe(numbers(100));
    expect(rest.stderr.toString()).toBe('end');
    expect(await bench.sandbox.wait(spec.run)).toMatchObject({ cause: 'exit', exitCode: 9 });
    expect(await bench.subject.open().wait(spec.run)).toEqual(await bench.sandbox.wait(spec.run));
  }, 30_000);

  it('promise 8: another process can stop the command, and start does not start it again', async () => {
    const spec = bench.shell('echo up; sleep 600');
    await firstLife(spec, (stdout) => stdout.includes('up\n'));
    await bench.sandbox.create(spec);
    await bench.sandbox.start(spec.run);
    await bench.sandbox.stop(spec.run, 1000);
    expect(await bench.sandbox.wait(spec.run)).toMatchObject({ cause: 'stopped' });
    expect((await readOutput(bench.sandbox, spec.run)).stdout.toString()).toBe('up\n');
  }, 30_000);
}
