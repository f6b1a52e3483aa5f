import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCrashPoints, crashPoints } from '../../runner/crash-points.ts';
import type { RunResult } from '../../src/contracts/run-event.ts';
import { briefFlags } from '../support/brief-flags.ts';
import { type StartWatch, watchStarts } from '../support/chaos-starts.ts';
import { git } from '../support/git-repository.ts';
import { createRunnerWorld, ofType, outputText, type RunnerWorld } from '../support/runner-world.ts';
import { waitFor } from '../support/wait-for.ts';

/** An installation, and what becomes of its runs: one on each kind of sandbox. One process has the runners of both, and dies for both. */
interface Place {
  kind: 'local' | 'docker';
  world: RunnerWorld;
  project: string;
  /** Checks what its runs have changed. */
  checked: string;
}
interface Started {
  place: Place;
  project: string;
  run: string;
  task: string;
  lines: number;
}

/** Runs in each place that are killed at named points. */
const sideBySide = 3;

describe('promise 8: a runner that is killed', () => {
  const places: Place[] = [];
  const lives: ChildProcess[] = [];
  let watch: StartWatch | undefined;
  beforeAll(async () => {
    for (const kind of ['local', 'docker'] as const) {
      const world = await createRunnerWorld(kind);
      if (kind === 'docker') watch = watchStarts(world.installation.dataDir);
      const check = { command: `${marked(kind, world, 'checks')}${counting(40, 'check')}; cat counted.txt`, timeoutMs: 60_000 };
      places.push({ kind, world, project: await world.project(), checked: await world.project({ policy: { check } }) });
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

  /** A process with the runners of all places, which kills itself when each of these runs has come to its point; `none`: it lives on. */
  function live(points: Record<string, string> | 'none') {
    const program = join(import.meta.dirname, '../support/runner-process.ts');
    const installations = JSON.stringify(places.map(({ world }) => world.installation));
    const crashAt = points === 'none' ? points : JSON.stringify(points);
    const life = spawn(process.execPath, [...briefFlags, program, installations, crashAt], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
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
  function startEverywhere(lines: number, of: 'project' | 'checked'): Promise<Started[]> {
    return Promise.all(
      places.map(async (place) => {
        const { kind, world, [of]: project } = place;
        const command = `${marked(kind, world, 'starts')}${counting(lines, 'line')}; echo "$i" >> counted.txt`;
        return { place, project, lines, ...(await world.sh(command, project)) };
      }),
    );
  }

  function marked(kind: Place['kind'], world: RunnerWorld, what: string): string {
    return kind === 'local' ? `echo started >> ${join(world.place.path, `$DECKHAND_RUN.${what}`)}; ` : '';
  }

  function counting(lines: number, word: string): string {
    return `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "${word} $i €"; echo "error $i" >&2; sleep 0.05; done`;
  }

  /** How often the command of the run was started. */
  async function starts({ place: { kind, world }, run }: Started): Promise<number> {
    if (kind === 'docker') return watch?.count(run) ?? 0;
    return (await readFile(join(world.place.path, `${run}.starts`), 'utf8')).trim().split('\n').length;
  }

  async function expectWhole(started: Started, result: RunResult): Promise<void> {
    const { place, project, run, task, lines } = started;
    const { world } = place;
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
    await waitFor('the sandbox to be removed', async () => (await world.sandbox.list()).length === 0, {
      timeoutMs: 20_000,
      everyMs: 200,
    });
  }

  /** Its check was started once, and no byte of its output is lost or doubled. */
  async function expectChecked({ place: { kind, world }, run, lines: counted }: Started, { check }: RunResult): Promise<void> {
    expect(check).toMatchObject({ outcome: 'passed', exitCode: 0 });
    const log = Buffer.from((await world.artifacts.read(check?.log?.id ?? '')) ?? []).toString();
    const lines = log.split('\n');
    const numbers = Array.from({ length: 40 }, (_, index) => index + 1);
    expect(lines.filter((line) => line.startsWith('check'))).toEqual(numbers.map((n) => `check ${n} €`));
    expect(lines.filter((line) => line.startsWith('error'))).toEqual(numbers.map((n) => `error ${n}`));
    expect(lines).toContain(String(counted));
    if (kind === 'local') expect(await readFile(join(world.place.path, `${run}.checks`), 'utf8')).toBe('started\n');
  }

  it('at every named point of a run, one life after the other, completes the run as if nothing had happened', {
    timeout: 600_000,
  }, async () => {
    const points = crashPoints.flatMap((point) => (point === 'finished' ? [...checkCrashPoints, point] : [point]));
    // Runs side by side, each of which is killed at every third point on its way: a life costs most for its start.
    const rounds: Started[][] = [];
    for (let round = 0; round < sideBySide; round += 1) rounds.push(await startEverywhere(120, 'checked'));
    const killed = new Set<string>();
    for (let at = 0; at < points.length; at += sideBySide) {
      const plan: Record<string, string> = {};
      for (const [round, runs] of rounds.entries()) {
        // There is nothing to be done any more after the last one.
        const point = points[at + round];
        if (point === undefined || point === 'destroyed') continue;
        killed.add(point);
        for (const { run } of runs) plan[run] = point;
      }
      expect({ plan, end: await endOf(live(plan)) }).toEqual({ plan, end: [null, 'SIGKILL'] });
    }
    expect([...killed, 'destroyed']).toEqual(points);
    const runs = rounds.flat();
    for (const { place, run } of rounds[points.indexOf('finished') % sideBySide] ?? [])
      expect(await place.world.stateOf(run)).toBe('succeeded');
    const last = live('none');
    for (const one of runs) {
      const result = await one.place.world.resultOf(one.run);
      await expectWhole(one, result);
      await expectChecked(one, result);
    }
    last.kill('SIGKILL');
    await endOf(last);
  });

  it('at any moment of several runs at once completes them all', { timeout: 600_000 }, async () => {
    const runs = (await Promise.all([40, 80].map((lines) => startEverywhere(lines, 'project')))).flat();
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
      await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 200 * (number + 1) ** 2))]);
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
