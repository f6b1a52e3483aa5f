import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crashPoints } from '../../runner/crash-points.ts';
import type { RunResult } from '../../src/contracts/run-event.ts';
import { type StartWatch, watchStarts } from '../support/chaos-starts.ts';
import { git } from '../support/git-repository.ts';
import { createRunnerWorld, ofType, outputText, type RunnerWorld } from '../support/runner-world.ts';
import { waitFor } from '../support/wait-for.ts';

/** An installation, and what becomes of its runs: one on each kind of sandbox. One process has the runners of both, and dies for both. */
interface Place {
  kind: 'local' | 'docker';
  world: RunnerWorld;
  project: string;
}
interface Started {
  place: Place;
  run: string;
  task: string;
  lines: number;
}

describe('promise 8: a runner that is killed', () => {
  const places: Place[] = [];
  const lives: ChildProcess[] = [];
  let watch: StartWatch | undefined;
  beforeAll(async () => {
    for (const kind of ['local', 'docker'] as const) {
      const world = await createRunnerWorld(kind);
      if (kind === 'docker') watch = watchStarts(world.installation.dataDir);
      places.push({ kind, world, project: await world.project() });
    }
  });
  afterAll(async () => {
    for (const life of lives) {
      life.kill('SIGKILL');
      await endOf(life);
    }
    watch?.end();
    for (const { world } of places) await world.close();
  });

  /** A process with the runners of all places, which kills itself when all have come to the point. */
  function live(crashAt: string) {
    const program = join(import.meta.dirname, '../support/runner-process.ts');
    const installations = JSON.stringify(places.map(({ world }) => world.installation));
    const life = spawn(process.execPath, [program, installations, crashAt], { stdio: ['ignore', 'pipe', 'inherit'] });
    life.stdout.on('data', () => undefined);
    lives.push(life);
    return life;
  }

  /** How a life ends, or has ended by itself. */
  async function endOf(life: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
    if (life.exitCode === null && life.signalCode === null) await once(life, 'exit');
    return [life.exitCode, life.signalCode];
  }

  /**
   * Starts a command in each place that writes `lines` lines to both streams, 20 a second; outside of the sandbox (where it can) it leaves
   * a mark of each start.
   */
  function startEverywhere(lines: number): Promise<Started[]> {
    return Promise.all(
      places.map(async (place) => {
        const { kind, world, project } = place;
        const mark = kind === 'local' ? `echo started >> ${join(world.place.path, '$DECKHAND_RUN.starts')}; ` : '';
        const count = `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i €"; echo "error $i" >&2; sleep 0.05; done`;
        return { place, lines, ...(await world.sh(`${mark}${count}; echo "$i" >> counted.txt`, project)) };
      }),
    );
  }

  /** How often the command of the run was started. */
  async function starts({ place: { kind, world }, run }: Started): Promise<number> {
    if (kind === 'docker') return watch?.count(run) ?? 0;
    return (await readFile(join(world.place.path, `${run}.starts`), 'utf8')).trim().split('\n').length;
  }

  async function expectWhole(started: Started, result: RunResult): Promise<void> {
    const { place, run, task, lines } = started;
    const { world, project } = place;
    const events = await world.eventsOf(run);
    const numbers = Array.from({ length: lines }, (_, index) => index + 1);
    expect(result).toMatchObject({ outcome: 'succeeded', files: [{ path: 'counted.txt', added: 1, removed: 0 }] });
    expect(outputText(events, 'stdout')).toBe(numbers.map((n) => `line ${n} €\n`).join(''));
    expect(outputText(events, 'stderr')).toBe(numbers.map((n) => `error ${n}\n`).join(''));
    expect(ofType(events, 'terminal').length).toBe(1);
    expect(ofType(events, 'sandbox')).toMatchObject([{ kind: place.kind }]);
    expect(await starts(started)).toBe(1);
    const log = result.artifacts.find(({ kind: one }) => one === 'log');
    const stored = ofType(events, 'output')
      .map(({ text }) => text)
      .join('');
    expect(Buffer.from((await world.artifacts.read(log?.id ?? '')) ?? []).toString()).toBe(stored);
    expect(await git(world.mirror(project), 'rev-parse', `refs/deckhand/tasks/${task}/head`)).toBe(result.commit);
    expect(await git(world.mirror(project), 'rev-list', '--count', `${world.first}..${result.commit}`)).toBe('1');
    await waitFor('the sandbox to be removed', async () => (await world.sandbox.list()).length === 0, { timeoutMs: 20_000 });
  }

  it('at every named point of a run, one life after the other, completes the run as if nothing had happened', {
    timeout: 600_000,
  }, async () => {
    const runs = await startEverywhere(120);
    for (const point of crashPoints) {
      if (point === 'destroyed') continue;
      expect({ point, end: await endOf(live(point)) }).toEqual({ point, end: [null, 'SIGKILL'] });
    }
    for (const { place, run } of runs) expect(await place.world.stateOf(run)).toBe('succeeded');
    const last = live('none');
    for (const one of runs) await expectWhole(one, await one.place.world.resultOf(one.run));
    last.kill('SIGKILL');
    await endOf(last);
  });

  it('at any moment of several runs at once completes them all', { timeout: 600_000 }, async () => {
    const runs = (await Promise.all([40, 60, 80].map(startEverywhere))).flat();
    const over = Promise.all(runs.map(({ place, run }) => place.world.resultOf(run, 300_000)));
    let ended = false;
    const note = () => {
      ended = true;
    };
    over.then(note, note);
    for (let number = 0; !ended; number += 1) {
      const life = live('none');
      // However long a slow machine needs for the start is no part of the life.
      await Promise.race([once(life.stdout, 'data'), endOf(life)]);
      // Longer and longer lives: early ones die while they prepare, later ones while output streams or results are collected.
      await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 100 * (number + 1) ** 2))]);
      life.kill('SIGKILL');
      expect({ number, end: await endOf(life) }).toEqual({ number, end: [null, 'SIGKILL'] });
    }
    const results = await over;
    const last = live('none');
    for (const [index, one] of runs.entries()) {
      const result = results[index];
      if (result === undefined) throw new Error('no result');
      await expectWhole(one, result);
    }
    last.kill('SIGTERM');
    expect(await endOf(last)).toEqual([0, null]);
  });
});
