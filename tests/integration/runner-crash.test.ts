import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crashPoints } from '../../runner/crash-points.ts';
import type { RunResult } from '../../src/contracts/run-event.ts';
import { git } from '../support/git-repository.ts';
import { createRunnerWorld, ofType, outputText, type RunnerWorld } from '../support/runner-world.ts';
import { waitFor } from '../support/wait-for.ts';

describe.each(['local', 'docker'] as const)('promise 8: a runner on %s that is killed', (kind) => {
  let world: RunnerWorld;
  let project: string;
  beforeAll(async () => {
    world = await createRunnerWorld(kind);
    project = await world.project();
  });
  afterAll(() => world.close());

  /** Writes `lines` lines to both streams, 20 a second; outside of the sandbox (where it can) it leaves a mark of each start. */
  function commandOf(lines: number): string {
    const mark = kind === 'local' ? `echo started >> ${join(world.place.path, '$DECKHAND_RUN.starts')}; ` : '';
    return `${mark}i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i €"; echo "error $i" >&2; sleep 0.05; done; echo "$i" >> counted.txt`;
  }

  /** How often the command of the run was started. */
  async function starts(run: string, since: Date): Promise<number> {
    if (kind === 'local') return (await readFile(join(world.place.path, `${run}.starts`), 'utf8')).trim().split('\n').length;
    const filters = ['event=start', `label=deckhand.run=${run}`, 'label=deckhand.role=sandbox'].flatMap((filter) => [
      '--filter',
      filter,
    ]);
    const span = ['--since', String(since.getTime() / 1000), '--until', String(Date.now() / 1000)];
    const { stdout } = await promisify(execFile)('docker', ['events', ...span, ...filters, '--format', '{{.ID}}']);
    return stdout.trim().split('\n').length;
  }

  async function expectWhole(run: string, task: string, lines: number, since: Date, result: RunResult): Promise<void> {
    const events = await world.eventsOf(run);
    const numbers = Array.from({ length: lines }, (_, index) => index + 1);
    expect(result).toMatchObject({ outcome: 'succeeded', files: [{ path: 'counted.txt', added: 1, removed: 0 }] });
    expect(outputText(events, 'stdout')).toBe(numbers.map((n) => `line ${n} €\n`).join(''));
    expect(outputText(events, 'stderr')).toBe(numbers.map((n) => `error ${n}\n`).join(''));
    expect(ofType(events, 'terminal').length).toBe(1);
    expect(ofType(events, 'sandbox').length).toBe(1);
    expect(await starts(run, since)).toBe(1);
    const log = result.artifacts.find(({ kind: one }) => one === 'log');
    const stored = ofType(events, 'output')
      .map(({ text }) => text)
      .join('');
    expect(Buffer.from((await world.artifacts.read(log?.id ?? '')) ?? []).toString()).toBe(stored);
    expect(await git(world.mirror(project), 'rev-parse', `refs/deckhand/tasks/${task}/head`)).toBe(result.commit);
    expect(await git(world.mirror(project), 'rev-list', '--count', `${world.first}..${result.commit}`)).toBe('1');
    await waitFor('the sandbox to be removed', async () => (await world.sandbox.list()).length === 0, { timeoutMs: 20_000 });
  }

  /** Resolves when a runner that was just spawned works. However long a slow machine needs for that is no part of its life. */
  async function startOf({ stdout }: ChildProcess): Promise<void> {
    if (stdout === null) throw new Error('a runner says when it is ready');
    await once(stdout, 'data');
  }

  /** How a life of the runner ends, or has ended by itself. */
  async function endOf(runner: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
    if (runner.exitCode === null && runner.signalCode === null) await once(runner, 'exit');
    return [runner.exitCode, runner.signalCode];
  }

  it('at every named point of one run, one life after the other, completes the run as if nothing had happened', {
    timeout: 600_000,
  }, async () => {
    const since = new Date();
    const { run, task } = await world.sh(commandOf(120), project);
    for (const point of crashPoints) {
      if (point === 'destroyed') continue;
      const runner = await world.spawnRunner(point);
      const [code, signal] = await endOf(runner);
      expect({ point, code, signal }).toEqual({ point, code: null, signal: 'SIGKILL' });
    }
    expect(await world.stateOf(run)).toBe('succeeded');
    const last = await world.spawnRunner('none');
    await expectWhole(run, task, 120, since, await world.resultOf(run));
    last.kill('SIGKILL');
    await endOf(last);
  });

  it('at any moment of several runs at once completes them all', { timeout: 600_000 }, async () => {
    const since = new Date();
    const runs = await Promise.all(
      [40, 60, 80].map(async (lines) => ({ lines, ...(await world.sh(commandOf(lines), project)) })),
    );
    const over = Promise.all(runs.map(({ run }) => world.resultOf(run, 300_000)));
    let ended = false;
    const note = () => {
      ended = true;
    };
    over.then(note, note);
    for (let life = 0; !ended; life += 1) {
      const runner = await world.spawnRunner('none');
      await Promise.race([startOf(runner), endOf(runner)]);
      // Longer and longer lives: early ones die while they prepare, later ones while output streams or results are collected.
      await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 100 + 300 * life))]);
      runner.kill('SIGKILL');
      expect({ life, end: await endOf(runner) }).toEqual({ life, end: [null, 'SIGKILL'] });
    }
    const results = await over;
    const last = await world.spawnRunner('none');
    for (const [index, { run, task, lines }] of runs.entries()) {
      const result = results[index];
      if (result === undefined) throw new Error('no result');
      await expectWhole(run, task, lines, since, result);
    }
    last.kill('SIGTERM');
    await endOf(last);
  });
});
