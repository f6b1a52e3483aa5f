import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultProjectLimits } from '../../src/contracts/settings.ts';
import { newId } from '../../src/runtime/ids.ts';
import { changeLimits } from '../../src/store/projects.ts';
import { deadAfterMs } from '../../src/store/runners.ts';
import { dockerOffer, succeeded, TestEngine, type TestWorld } from '../support/test-engine.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

let deckhand: TestEngine;
let world: TestWorld;
let runner: string;

beforeEach(async () => {
  deckhand = await TestEngine.start({ watchMs: 50 });
  world = await deckhand.world();
  runner = await deckhand.runner();
});
afterEach(() => deckhand.close());

const box = { kind: 'docker', ref: 'box', isolated: true, image: 'deckhand/sandbox:1' } as const;

describe('the life of a run', () => {
  it('goes from the claim to the end, each step told by events numbered without gaps', async () => {
    const { task, run } = await deckhand.create(world, 'npm test');
    expect(await deckhand.claim(run, runner)).toEqual({
      run,
      workspace: world.workspace,
      task,
      taskNumber: 1,
      attempt: 1,
      command: 'npm test',
      title: 'npm test',
      project: {
        id: world.project,
        name: 'web',
        source: { kind: 'git', url: 'https://example.com/acme/web.git' },
        baseBranch: null,
      },
      branch: 'deckhand/1-npm-test',
      base: null,
      head: null,
      policy: expect.objectContaining({ mode: 'yolo' }),
      timeoutMs: 1_800_000,
      requester: { user: world.people.dev.user, name: 'Dev' },
      resume: null,
    });
    expect(await deckhand.columnOf(task)).toMatchObject({ column: 'running' });
    expect(await deckhand.runs.append(run, runner, [{ type: 'stage', stage: 'repository', detail: 'fetching' }])).toBe(true);
    await deckhand.runs.pinBase(run, runner, { branch: 'main', commit: 'c0' });
    // What a command has left cannot be collected before it was allowed to run.
    expect(await deckhand.runs.finishing(run, runner)).toBe(false);
    expect(
      await deckhand.runs.authorise(run, runner, {
        type: 'command',
        command: 'npm test',
        project: world.project,
        timeoutMs: 1_800_000,
        ...dockerOffer,
      }),
    ).toEqual({ verdict: 'run' });
    deckhand.clock.advance(1000);
    expect(await deckhand.runs.executing(run, runner, box)).toBe(true);
    const output = { type: 'output', stream: 'stdout', from: 0, to: 3, text: 'ok\n' } as const;
    expect(await deckhand.runs.append(run, runner, [output], { stdout: 3, stderr: 0 })).toBe(true);
    deckhand.clock.advance(2000);
    expect(await deckhand.runs.finishing(run, runner)).toBe(true);
    const files = [{ path: 'a.ts', added: 4, removed: 1 }];
    expect(await deckhand.runs.finish(run, runner, succeeded({ commit: 'c1', files, durationMs: 2000 }))).toBe(true);
    const events = await deckhand.events(run);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.map((event) => (event.type === 'lifecycle' ? event.to : event.type))).toEqual([
      'queued',
      'preparing',
      'stage',
      'git',
      'executing',
      'sandbox',
      'output',
      'finishing',
      'succeeded',
      'terminal',
    ]);
    expect(await deckhand.db.run.findUniqueOrThrow({ where: { id: run } })).toMatchObject({
      state: 'succeeded',
      lastSeq: 10,
      stdoutBytes: 3n,
      sandboxKind: 'docker',
      sandboxRef: 'box',
      isolated: true,
      result: expect.objectContaining({ outcome: 'succeeded', commit: 'c1' }),
    });
    expect(await deckhand.db.task.findUniqueOrThrow({ where: { id: task } })).toMatchObject({
      column: 'review',
      head: 'c1',
      baseBranch: 'main',
      baseCommit: 'c0',
    });
  });

  it('repeats harmlessly by the same runner', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    const spec = await deckhand.execute(run, runner);
    expect(await deckhand.runs.executing(run, runner, { ...box, ref: `box-${run}` })).toBe(true);
    expect((await deckhand.claim(run, runner)).resume).toMatchObject({ phase: 'executing', sandboxRef: `box-${run}` });
    await deckhand.runs.pinBase(run, runner, { branch: 'main', commit: 'c0' });
    await deckhand.runs.pinBase(run, runner, { branch: 'main', commit: 'c1' });
    expect(await deckhand.runs.finishing(run, runner)).toBe(true);
    expect(await deckhand.runs.finishing(run, runner)).toBe(true);
    expect(await deckhand.runs.finish(run, runner, succeeded())).toBe(true);
    expect(await deckhand.runs.finish(run, runner, succeeded())).toBe(false);
    expect(await deckhand.runs.claim(run, runner)).toEqual({ ok: false, reason: 'not_queued' });
    const types = (await deckhand.events(spec.run)).map(({ type }) => type);
    expect(types.filter((type) => type === 'git')).toHaveLength(1);
    expect(types.filter((type) => type === 'sandbox')).toHaveLength(1);
    expect(types.filter((type) => type === 'terminal')).toHaveLength(1);
  });

  it('refuses whatever comes from a runner that does not hold the run', async () => {
    const other = await deckhand.runner({ host: 'host-2' });
    const { run } = await deckhand.create(world, 'npm test');
    const spec = await deckhand.execute(run, runner);
    const before = await deckhand.events(run);
    expect(await deckhand.runs.append(run, other, [{ type: 'note', level: 'info', text: 'x' }])).toBe(false);
    expect(await deckhand.runs.executing(run, other, box)).toBe(false);
    expect(await deckhand.runs.finishing(run, other)).toBe(false);
    expect(await deckhand.runs.finish(run, other, succeeded())).toBe(false);
    expect(await deckhand.authorise(spec, other)).toMatchObject({ verdict: 'deny' });
    await expect(deckhand.runs.pinBase(run, other, { branch: 'main', commit: 'c' })).rejects.toThrow('not held');
    expect(await deckhand.runs.claim(run, other)).toEqual({ ok: false, reason: 'held_elsewhere' });
    expect(await deckhand.runs.claim(newId('run'), runner)).toEqual({ ok: false, reason: 'unknown' });
    expect(await deckhand.events(run)).toEqual(before);
  });

  it('takes no events from a runner that the engine itself writes, and no success without results', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    expect(() => deckhand.runs.append(run, runner, [{ type: 'terminal', result: succeeded() }])).toThrow('does not append');
    await expect(deckhand.runs.finish(run, runner, succeeded())).rejects.toThrow('results are not collected');
    expect(await deckhand.stateOf(run)).toBe('executing');
  });

  it('promise 11: stores output with NUL bytes and half characters', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    const text = 'a\0b\ud800c\\u0000d"\u2028';
    const event = { type: 'output', stream: 'stdout', from: 0, to: 9, text } as const;
    expect(await deckhand.runs.append(run, runner, [event], { stdout: 9, stderr: 0 })).toBe(true);
    expect((await deckhand.events(run)).at(-1)).toMatchObject({ text: 'a\ufffdb\ufffdc\\u0000d"\u2028' });
    expect(await deckhand.finish(run, runner, { outcome: 'failed', message: 'bad \0 byte' })).toBe(true);
    expect(await deckhand.resultOf(run)).toMatchObject({ message: 'bad \ufffd byte' });
  });

  it('numbers events without gaps while many append, stop and finish at once', async () => {
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    const note = (text: string) =>
      deckhand.runs.append(run, runner, [
        { type: 'note', level: 'info', text },
        { type: 'note', level: 'info', text },
      ]);
    await Promise.all([
      ...Array.from({ length: 20 }, (_, index) => note(String(index))),
      deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, task, world.people.dev)),
      deckhand.runs.finishing(run, runner),
    ]);
    await deckhand.runs.finish(run, runner, succeeded());
    const events = await deckhand.events(run);
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: events.length }, (_, index) => index + 1));
    expect(events).toHaveLength(2 + 2 + 40 + 1 + 1 + 2);
    expect((await deckhand.db.run.findUniqueOrThrow({ where: { id: run } })).lastSeq).toBe(events.length);
    expect(events.at(-1)?.type).toBe('terminal');
  });
});

describe('promise 8: claims', () => {
  it('of twenty at once one wins', async () => {
    const runners = await Promise.all(Array.from({ length: 20 }, (_, index) => deckhand.runner({ host: `host-${index + 10}` })));
    const { run } = await deckhand.create(world, 'npm test');
    const claims = await Promise.all(runners.map((id) => deckhand.runs.claim(run, id)));
    expect(claims.filter(({ ok }) => ok)).toHaveLength(1);
    expect(claims.filter((claim) => !claim.ok && claim.reason === 'held_elsewhere')).toHaveLength(19);
    expect((await deckhand.events(run)).filter((event) => event.type === 'lifecycle' && event.to === 'preparing')).toHaveLength(
      1,
    );
  });

  it('a run without a place is not given', async () => {
    await deckhand.tx((tx) => changeLimits(tx, world.project, { ...defaultProjectLimits, concurrency: 1 }));
    await deckhand.create(world, 'npm test');
    const second = await deckhand.create(world, 'npm test');
    expect(await deckhand.runs.claim(second.run, runner)).toEqual({ ok: false, reason: 'project_busy' });
  });

  it('a runner that takes the place of one of the same host continues its runs from the last stored byte', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    const prepared = await deckhand.create(world, 'npm run build');
    await deckhand.execute(run, runner);
    await deckhand.claim(prepared.run, runner);
    const output = { type: 'output', stream: 'stderr', from: 0, to: 7, text: 'warning' } as const;
    await deckhand.runs.append(run, runner, [output], { stdout: 0, stderr: 7 });
    const startedAt = deckhand.clock.now();
    // The process was killed and starts again at once: its former life beat a moment ago.
    deckhand.clock.advance(2000);
    const next = newId('rnr');
    const left = await deckhand.runs.register({
      id: next,
      host: 'host-1',
      capacity: 4,
      sandboxes: ['docker'],
      offer: dockerOffer,
    });
    expect(left.sort()).toEqual([run, prepared.run].sort());
    expect((await deckhand.claim(run, next)).resume).toEqual({
      phase: 'executing',
      sandboxRef: `box-${run}`,
      cursor: { stdout: 0, stderr: 7 },
      startedAt,
    });
    expect((await deckhand.claim(prepared.run, next)).resume).toMatchObject({ phase: 'preparing', startedAt: null });
    expect(await deckhand.runs.append(run, runner, [output])).toBe(false);
    expect(await deckhand.runs.append(run, next, [output])).toBe(true);
    expect(await deckhand.runs.claim(run, runner)).toEqual({ ok: false, reason: 'held_elsewhere' });
    expect(await deckhand.runs.liveRuns('host-1')).toEqual(expect.arrayContaining([run, prepared.run]));
    expect(await deckhand.runs.liveRuns('host-2')).toEqual([]);
    expect(await deckhand.runs.liveRuns(undefined)).toEqual(expect.arrayContaining([run, prepared.run]));
  });

  it('a runner of another host never takes a run over, however long its runner is dead', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    deckhand.clock.advance(deadAfterMs * 10);
    const other = await deckhand.runner({ host: 'host-2' });
    expect(await deckhand.runs.claim(run, other)).toEqual({ ok: false, reason: 'held_elsewhere' });
  });

  it('registering again tells a new offer and keeps the own runs', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    const again = { id: runner, host: 'host-1', capacity: 4, sandboxes: ['local'] };
    expect(await deckhand.runs.register(again)).toEqual([]);
    expect(await deckhand.runs.finishing(run, runner)).toBe(true);
  });

  it('a run whose project is removed meanwhile ends instead of starting', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    await deckhand.db.project.update({ where: { id: world.project }, data: { archivedAt: deckhand.clock.now() } });
    expect(await deckhand.runs.claim(run, runner)).toEqual({ ok: false, reason: 'not_queued' });
    expect(await deckhand.resultOf(run)).toMatchObject({ outcome: 'cancelled', message: 'Its project has been removed.' });
  });
});

describe('stopping and finishing at once', () => {
  it('promise 4: ends in exactly one terminal event, ten times over', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { task, run } = await deckhand.create(world, 'npm test');
      await deckhand.execute(run, runner);
      await deckhand.runs.finishing(run, runner);
      const [stop, ...finishes] = await Promise.allSettled([
        deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, task, world.people.ben)),
        deckhand.runs.finish(run, runner, succeeded()),
        deckhand.runs.finish(run, runner, succeeded({ outcome: 'cancelled', cause: 'stopped' })),
        deckhand.runs.finish(run, runner, succeeded({ outcome: 'failed' })),
      ]);
      const won = finishes.filter((finish) => finish.status === 'fulfilled' && finish.value);
      expect(won).toHaveLength(1);
      if (stop.status === 'rejected') expect(stop.reason).toMatchObject({ code: 'DH-300' });
      const events = await deckhand.events(run);
      expect(events.filter(({ type }) => type === 'terminal')).toHaveLength(1);
      expect(events.at(-1)?.type).toBe('terminal');
    }
  });

  it('a stop before the claim wins or loses against it, never both', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { task, run } = await deckhand.create(world, 'npm test');
      const [stop, claim] = await Promise.all([
        deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, task, world.people.ben)),
        deckhand.runs.claim(run, runner),
      ]);
      expect(await deckhand.stateOf(run)).toBe(claim.ok ? 'preparing' : 'cancelled');
      expect(stop.outcome).toBe(claim.ok ? 'stopping' : 'cancelled');
      if (claim.ok) expect(await deckhand.authorise(claim.spec, runner)).toMatchObject({ verdict: 'deny' });
      expect(await deckhand.resultOf(run)).toMatchObject({ cause: 'stopped' });
    }
  });
});

describe('the watch of a runner', () => {
  it('wakes up for a stop', async () => {
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    const until = new AbortController();
    const signal = deckhand.runs.watch(run, runner, until.signal);
    expect(signal.aborted).toBe(false);
    await deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, task, world.people.ben));
    await waitFor('the watch to see the stop', () => signal.aborted);
    expect(signal.reason).toBe('stop');
    until.abort();
  });

  it('sees a stop without any wake-up, and one from before it began', async () => {
    await deckhand.wakeups.stop();
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    const until = new AbortController();
    const early = deckhand.runs.watch(run, runner, until.signal);
    await deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, task, world.people.ben));
    const late = deckhand.runs.watch(run, runner, until.signal);
    await eventually(() => expect([early.reason, late.reason]).toEqual(['stop', 'stop']));
    await deckhand.wakeups.start();
  });

  it('tells a runner that another one has the run, or that it is over', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    const ended = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    await deckhand.execute(ended.run, runner);
    const until = new AbortController();
    const signals = [run, ended.run].map((id) => deckhand.runs.watch(id, runner, until.signal));
    await deckhand.finish(ended.run, runner);
    const next = await deckhand.runner();
    await deckhand.claim(run, next);
    await eventually(() => expect(signals.map(({ reason }) => reason)).toEqual(['lost', 'lost']));
  });

  it('ends without a word when the runner says so', async () => {
    const { task, run } = await deckhand.create(world, 'npm test');
    await deckhand.execute(run, runner);
    const until = new AbortController();
    const ended = deckhand.runs.watch(run, runner, until.signal);
    until.abort();
    const other = deckhand.runs.watch(run, runner, new AbortController().signal);
    await deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, task, world.people.ben));
    await waitFor('another watch to see the stop', () => other.aborted);
    expect(ended.aborted).toBe(false);
  });
});

describe('projects', () => {
  it('stores what a sync found, and keeps the last head when the next one fails', async () => {
    await deckhand.runs.projectSynced(world.project, { ok: true, defaultBranch: 'main', head: 'c0' });
    await deckhand.runs.projectSynced(world.project, { ok: false, code: 'DH-500', detail: 'no route to host' });
    expect(await deckhand.db.project.findUniqueOrThrow({ where: { id: world.project } })).toMatchObject({
      syncState: 'unreachable',
      syncError: { code: 'DH-500', detail: 'no route to host' },
      head: 'c0',
      defaultBranch: 'main',
      syncedAt: deckhand.clock.now(),
    });
    await deckhand.runs.projectSynced(world.project, { ok: true, defaultBranch: 'main', head: 'c1' });
    expect(await deckhand.db.project.findUniqueOrThrow({ where: { id: world.project } })).toMatchObject({
      syncState: 'ready',
      syncError: null,
      head: 'c1',
    });
  });

  it('gives the source of a project that is there, else null', async () => {
    expect(await deckhand.runs.projectSource(world.project)).toMatchObject({ name: 'web', source: { kind: 'git' } });
    expect(await deckhand.runs.projectSource(newId('prj'))).toBeNull();
    await deckhand.db.project.update({ where: { id: world.project }, data: { archivedAt: deckhand.clock.now() } });
    expect(await deckhand.runs.projectSource(world.project)).toBeNull();
  });
});
