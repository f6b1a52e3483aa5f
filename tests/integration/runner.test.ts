import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CrashPoint } from '../../runner/crash-points.ts';
import type { RunnerDeps } from '../../runner/run-job.ts';
import { createDockerSandbox } from '../../runner/sandbox/docker.ts';
import { CopyCollided } from '../../runner/sandbox/port.ts';
import { createRunnerWorld, ofType, outputText, type RunnerWorld } from '../support/runner-world.ts';
import { waitFor } from '../support/wait-for.ts';

let world: RunnerWorld;
let project: string;
let stopRunner: () => Promise<void> = async () => undefined;

beforeAll(async () => {
  world = await createRunnerWorld('local');
  project = await world.project();
});
afterEach(() => stopRunner());
afterAll(() => world.close());

async function start(change: Partial<RunnerDeps> = {}) {
  const runner = await world.startRunner(change);
  stopRunner = () => runner.stop();
  return runner;
}

/** Holds runs at a point until `release`. */
function gate(point: CrashPoint) {
  const reached = Promise.withResolvers<string>();
  const released = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    release: () => released.resolve(),
    async at(here: CrashPoint, run: string) {
      if (here !== point) return;
      reached.resolve(run);
      await released.promise;
    },
  };
}

const noteTexts = async (run: string) => ofType(await world.eventsOf(run), 'note').map(({ text }) => text);

describe('stopping', () => {
  it.each(['copy_made', 'copied_in'] as const)(
    'before the command starts (%s) ends the run without starting it',
    async (point) => {
      const hold = gate(point);
      await start({ at: hold.at });
      const { run, task } = await world.sh(`touch ${join(world.place.path, `started-${point}`)}`, project);
      await hold.reached;
      await world.stop(task);
      hold.release();
      expect(await world.resultOf(run)).toMatchObject({ outcome: 'cancelled', cause: 'stopped' });
      expect(ofType(await world.eventsOf(run), 'sandbox')).toEqual([]);
      await waitFor('everything to be removed', async () => (await world.sandbox.list()).length === 0);
    },
  );

  it('between the record that the command starts and its start, over a restart, does not start it', async () => {
    const marker = `echo ran >> ${join(world.place.path, 'never')}`;
    const hold = gate('executing_recorded');
    const first = await world.startRunner({ at: hold.at });
    const { run, task } = await world.sh(`${marker}; echo ran`, project);
    await hold.reached;
    await world.stop(task);
    const leaving = first.stop();
    hold.release();
    await leaving;
    // The next runner's watch has not looked yet when it comes to the start.
    await start({ control: { ...world.engine.runs, watch: () => new AbortController().signal } });
    expect(await world.resultOf(run)).toMatchObject({ outcome: 'cancelled', cause: 'stopped' });
    expect(outputText(await world.eventsOf(run), 'stdout')).toBe('');
  });
});

describe('leaving and coming back', () => {
  it('promise 8: a graceful stop leaves the command running, and the next runner continues its output', async () => {
    const first = await world.startRunner();
    const { run } = await world.sh('i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo "line $i"; sleep 0.05; done', project);
    await waitFor('some output', async () => outputText(await world.eventsOf(run), 'stdout').includes('line 5\n'));
    await first.stop();
    expect(await world.stateOf(run)).toBe('executing');
    const stored = outputText(await world.eventsOf(run), 'stdout');
    await start();
    expect(await world.resultOf(run)).toMatchObject({ outcome: 'succeeded' });
    const text = outputText(await world.eventsOf(run), 'stdout');
    expect(text.startsWith(stored)).toBe(true);
    expect(text).toBe(Array.from({ length: 60 }, (_, i) => `line ${i + 1}\n`).join(''));
  });

  it('a runner that drains lets what runs end, and takes nothing that comes meanwhile', async () => {
    const first = await world.startRunner({ drainMs: 60_000 });
    const sign = join(world.place.path, 'go-on');
    const { run } = await world.sh(`echo begun; until [ -e ${sign} ]; do sleep 0.05; done; echo over`, project);
    await waitFor('output', async () => outputText(await world.eventsOf(run), 'stdout') === 'begun\n');
    const leaving = first.stop();
    const row = () => world.database.db.runner.findUniqueOrThrow({ where: { id: first.id } });
    await waitFor('the runner to drain', async () => (await row()).drainingAt !== null);
    const late = await world.sh(`touch ${sign}`, project);
    expect(await world.database.db.run.findUniqueOrThrow({ where: { id: late.run } })).toMatchObject({ placedOn: null });
    await writeFile(sign, '');
    await leaving;
    expect(await world.resultOf(run)).toMatchObject({ outcome: 'succeeded' });
    expect(outputText(await world.eventsOf(run), 'stdout')).toBe('begun\nover\n');
    expect(await world.stateOf(late.run)).toBe('queued');
    await start();
    expect(await world.resultOf(late.run)).toMatchObject({ outcome: 'succeeded' });
  });

  it('a runner that stops while it prepares hands the run to the next one', async () => {
    const hold = gate('sandbox_created');
    const first = await world.startRunner({ at: hold.at });
    const { run } = await world.sh('echo hi', project);
    await hold.reached;
    const leaving = first.stop();
    hold.release();
    await leaving;
    expect(await world.stateOf(run)).toBe('preparing');
    await start();
    expect((await world.resultOf(run)).outcome).toBe('succeeded');
  });

  it('a run whose sandbox is gone after a restart ends as interrupted', async () => {
    const first = await world.startRunner();
    const { run } = await world.sh('echo begun; sleep 1000', project);
    await waitFor('output', async () => outputText(await world.eventsOf(run), 'stdout') === 'begun\n');
    await first.stop();
    await world.sandbox.destroy(run);
    await start();
    const result = await world.resultOf(run);
    expect(result).toMatchObject({
      outcome: 'interrupted',
      cause: 'sandbox_lost',
      message: 'The sandbox of the run does not exist any more.',
    });
    expect(Buffer.from((await world.artifacts.read(result.artifacts[0]?.id ?? '')) ?? []).toString()).toBe('begun\n');
  });

  it('a file of the output that is damaged meanwhile is written anew from the events', async () => {
    const first = await world.startRunner();
    const { run } = await world.sh('echo one; sleep 1; echo two', project);
    await waitFor('output', async () => outputText(await world.eventsOf(run), 'stdout') === 'one\n');
    await first.stop();
    await rm(world.artifacts.outputLog(run));
    await start();
    const result = await world.resultOf(run);
    expect(Buffer.from((await world.artifacts.read(result.artifacts[0]?.id ?? '')) ?? []).toString()).toBe('one\ntwo\n');
  });

  it('the engine being away for a moment delays a run and does not end it', async () => {
    let failures = 0;
    const flaky = <A extends unknown[], R>(act: (...args: A) => Promise<R>) => {
      let calls = 0;
      return (...args: A): Promise<R> => {
        calls += 1;
        if (calls % 2 === 0) return act(...args);
        failures += 1;
        return Promise.reject(new Error('connection refused'));
      };
    };
    const { runs } = world.engine;
    await start({
      control: {
        ...runs,
        claim: flaky(runs.claim),
        append: flaky(runs.append),
        pinBase: flaky(runs.pinBase),
        authorise: flaky(runs.authorise),
        executing: flaky(runs.executing),
        finishing: flaky(runs.finishing),
        finish: flaky(runs.finish),
      },
    });
    const { run } = await world.sh('echo hi; echo x > x', project);
    expect(await world.resultOf(run)).toMatchObject({ outcome: 'succeeded', files: [{ path: 'x' }] });
    const events = await world.eventsOf(run);
    expect(outputText(events, 'stdout')).toBe('hi\n');
    expect(ofType(events, 'terminal').length).toBe(1);
    expect(failures).toBeGreaterThan(8);
  });
});

describe('what may run', () => {
  it('promise 7: asks before anything is prepared, and runs exactly once after the approval', async () => {
    await start();
    const asking = await world.project({ policy: { mode: 'ask' } });
    const { run } = await world.sh('echo approved', asking);
    expect(await world.stateOf(run)).toBe('awaiting');
    await world.approve(run);
    expect((await world.resultOf(run)).outcome).toBe('succeeded');
    expect(ofType(await world.eventsOf(run), 'stage').filter(({ stage }) => stage === 'repository').length).toBe(1);
  });

  it('promise 7: what runs elsewhere than was approved is asked for again, and leaves no sandbox while it waits', async () => {
    const asking = await world.project({ policy: { mode: 'ask' } });
    const first = await world.startRunner();
    const { run } = await world.sh('echo approved', asking);
    await first.stop();
    // Since then the runner offers another sandbox than the one the request was about.
    await start({ places: [{ sandbox: world.sandbox, image: 'other' }] });
    await world.approve(run);
    await waitFor('a second request', async () => ofType(await world.eventsOf(run), 'interaction_opened').length === 2);
    await waitFor('the sandbox to be removed', async () => (await world.sandbox.list()).length === 0);
    expect(await world.stateOf(run)).toBe('awaiting');
    await world.approve(run);
    expect((await world.resultOf(run)).outcome).toBe('succeeded');
  });
});

describe('a container engine that does not answer', () => {
  const nowhere = createDockerSandbox({ engine: { socketPath: '/nonexistent/docker.sock' }, instance: 'nowhere', image: 'x' });

  it('is waited for, then the run ends as not started, with a sentence that says so', async () => {
    await start({ places: [{ sandbox: nowhere, image: 'x' }], engineWaitMs: 700 });
    const { run } = await world.sh('true', project);
    expect(await world.resultOf(run)).toMatchObject({
      outcome: 'failed',
      cause: 'sandbox_unavailable',
      message: 'The container engine does not answer, so the command was not started.',
    });
    expect(await noteTexts(run)).toContain(
      'The container engine does not answer; it must be started on the machine of the runner. ' +
        'The run goes on by itself when the engine is back. This run waits 1 s for it.',
    );
  });

  it('is used as soon as it answers', async () => {
    let asked = 0;
    const coming = {
      ...world.sandbox,
      async create(...args: Parameters<typeof world.sandbox.create>) {
        asked += 1;
        if (asked < 3) return await nowhere.create(...args);
        return await world.sandbox.create(...args);
      },
    };
    await start({ places: [{ sandbox: coming, image: null }] });
    const { run } = await world.sh('echo hi', project);
    expect((await world.resultOf(run)).outcome).toBe('succeeded');
    expect(await noteTexts(run)).toContain('The container engine answers again.');
  });
});

it('a working copy whose copying meets what makes the same directory is copied again', async () => {
  let tries = 0;
  const busy: typeof world.sandbox = {
    ...world.sandbox,
    async copyIn(...args) {
      tries += 1;
      if (tries === 1) throw new CopyCollided('mkdir /workspace/.git: file exists');
      return await world.sandbox.copyIn(...args);
    },
  };
  await start({ places: [{ sandbox: busy, image: null }] });
  const { run } = await world.sh('cat README.md', project);
  expect(await world.resultOf(run)).toMatchObject({ outcome: 'succeeded' });
  expect([tries, await noteTexts(run)]).toEqual([2, []]);
});

it('promise 8: a run whose job never comes is taken all the same, and once', async () => {
  const queue = { work: async () => ({ stop: async () => undefined }) };
  await start({ queue, overlookedEveryMs: 50 });
  const { run } = await world.sh('echo hi', project);
  await world.database.db.run.update({ where: { id: run }, data: { queuedAt: new Date(Date.now() - 60_000) } });
  expect(await world.resultOf(run)).toMatchObject({ outcome: 'succeeded' });
  expect(ofType(await world.eventsOf(run), 'sandbox')).toHaveLength(1);
});

describe('project.sync', () => {
  const sync = (id: string) => world.queue.publish('project.sync', { project: id }, { id });
  const row = (id: string) => world.database.db.project.findUniqueOrThrow({ where: { id } });

  it('records default branch and head, or why the repository cannot be read', async () => {
    await start();
    await sync(project);
    const found = await waitFor('the sync', async () =>
      (await row(project)).syncState === 'ready' ? await row(project) : undefined,
    );
    expect(found).toMatchObject({ defaultBranch: 'main', head: world.first });
    const bad = await world.project({ source: { kind: 'path', path: world.place.path } });
    await sync(bad);
    const failed = await waitFor('the sync', async () =>
      (await row(bad)).syncState === 'unreachable' ? await row(bad) : undefined,
    );
    expect(failed.syncError).toMatchObject({ code: 'DH-501', detail: expect.stringContaining('is not a git repository') });
  });
});
