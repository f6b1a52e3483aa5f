import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunSpec } from '../../src/contracts/run-control.ts';
import { bindChannel } from '../../src/store/channels.ts';
import { setRole } from '../../src/store/people.ts';
import { askPolicy, dockerOffer, localOffer, openPolicy, succeeded, TestEngine, type TestWorld } from '../support/test-engine.ts';

let deckhand: TestEngine;
let world: TestWorld;
let runner: string;

beforeEach(async () => {
  deckhand = await TestEngine.start();
  world = await deckhand.world({ policy: askPolicy });
  runner = await deckhand.runner();
});
afterEach(() => deckhand.close());

const box = { kind: 'docker', ref: 'box', isolated: true } as const;

/** A run that Ben has approved, claimed by the runner. */
async function approved(command = 'npm test'): Promise<RunSpec & { created: { task: string; run: string } }> {
  const created = await deckhand.create(world, command);
  await deckhand.decide(created.run, world.people.ben);
  return { ...(await deckhand.claim(created.run, runner)), created };
}

function action(spec: RunSpec, change: object = {}) {
  const { command, timeoutMs, project } = spec;
  return { type: 'command' as const, command, project: project.id, timeoutMs, ...dockerOffer, ...change };
}

describe('promise 7: the check just before execution', () => {
  it('runs exactly what was approved, and uses the approval up', async () => {
    const spec = await approved();
    expect(await deckhand.authorise(spec, runner)).toEqual({ verdict: 'run' });
    const interaction = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: spec.run } });
    expect(interaction).toMatchObject({ state: 'approved', consumedBy: spec.run, consumedAt: deckhand.clock.now() });
    expect(await deckhand.audits('approval.consumed')).toMatchObject([{ subject: interaction.id }]);
    expect(await deckhand.runs.executing(spec.run, runner, box)).toBe(true);
  });

  it('the same run may ask again after a restart of its runner; that is the same use', async () => {
    const spec = await approved();
    expect(await deckhand.authorise(spec, runner)).toEqual({ verdict: 'run' });
    const next = await deckhand.runner();
    expect((await deckhand.claim(spec.run, next)).resume).toMatchObject({ phase: 'preparing' });
    expect(await deckhand.authorise(spec, next)).toEqual({ verdict: 'run' });
    expect(await deckhand.authorise(spec, next)).toEqual({ verdict: 'run' });
    expect(await deckhand.audits('approval.consumed')).toHaveLength(1);
  });

  it('an approval given between two lives of the engine counts: it is a row, not memory', async () => {
    const { run } = await deckhand.create(world, 'npm test');
    const secret = await deckhand.secretOf(run);
    const reborn = deckhand.another();
    await deckhand.press(secret, world.people.ben, 'approve', undefined, reborn);
    expect(deckhand.queue.take()).toEqual([run]);
    const spec = await deckhand.claim(run, runner);
    expect(await deckhand.authorise(spec, runner)).toEqual({ verdict: 'run' });
  });

  it.each([
    ['another sandbox', { sandbox: 'local', image: null }],
    ['another image', { image: 'deckhand/sandbox:2' }],
    ['network', { network: 'host' }],
    ['another directory', { cwd: '/' }],
  ])('%s than approved asks anew; the old approval does not count for it', async (_name, change) => {
    const spec = await approved();
    expect(
      await deckhand.runs.authorise(spec.run, runner, { ...action(spec), ...change } as Parameters<
        typeof deckhand.runs.authorise
      >[2]),
    ).toEqual({
      verdict: 'ask',
    });
    expect(await deckhand.stateOf(spec.run)).toBe('awaiting');
    expect(await deckhand.columnOf(spec.task)).toMatchObject({ column: 'blocked' });
    const [first, second] = await deckhand.db.interaction.findMany({ where: { runId: spec.run }, orderBy: { id: 'asc' } });
    expect(first).toMatchObject({ state: 'approved', consumedAt: null });
    expect(second).toMatchObject({ state: 'pending', action: expect.objectContaining(change) });
    expect(second?.actionHash).not.toBe(first?.actionHash);
    expect(await deckhand.runs.executing(spec.run, runner, box)).toBe(false);
    await deckhand.decide(spec.run, world.people.ada);
    const again = await deckhand.claim(spec.run, runner);
    expect(
      await deckhand.runs.authorise(spec.run, runner, { ...action(again), ...change } as Parameters<
        typeof deckhand.runs.authorise
      >[2]),
    ).toEqual({
      verdict: 'run',
    });
  });

  it.each([
    ['command', { command: 'rm -rf /' }],
    ['project', { project: 'prj_other' }],
    ['time limit', { timeoutMs: 1 }],
  ])('another %s than the task says is never run nor asked for', async (_name, change) => {
    const spec = await approved();
    expect(await deckhand.runs.authorise(spec.run, runner, action(spec, change))).toMatchObject({ verdict: 'deny' });
    expect(await deckhand.resultOf(spec.run)).toMatchObject({ outcome: 'cancelled', cause: 'denied' });
    expect(await deckhand.audits('run.not_authorised')).toMatchObject([{ subject: spec.run }]);
  });

  it('an action that cannot be read is denied', async () => {
    const spec = await approved();
    const broken = { ...action(spec), sandbox: 'moon' } as unknown as ReturnType<typeof action>;
    expect(await deckhand.runs.authorise(spec.run, runner, broken)).toMatchObject({ verdict: 'deny' });
    expect(await deckhand.stateOf(spec.run)).toBe('cancelled');
  });

  it('an approval whose stored action was changed does not count', async () => {
    const spec = await approved();
    const row = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: spec.run } });
    await deckhand.db.interaction.update({ where: { id: row.id }, data: { action: action(spec, { command: 'ls' }) } });
    expect(await deckhand.authorise(spec, runner)).toEqual({ verdict: 'ask' });
  });

  it('an approval that another run used does not count', async () => {
    const spec = await approved();
    await deckhand.db.interaction.updateMany({
      where: { runId: spec.run },
      data: { consumedAt: deckhand.clock.now(), consumedBy: 'run_other' },
    });
    expect(await deckhand.authorise(spec, runner)).toEqual({ verdict: 'ask' });
  });

  it('an approval of one run is no approval of the next, used or not', async () => {
    const spec = await approved();
    await deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, spec.task, world.people.dev));
    await deckhand.runs.finish(spec.run, runner, {
      outcome: 'cancelled',
      cause: 'stopped',
      message: 'Stopped.',
      durationMs: 0,
      files: [],
      artifacts: [],
    });
    const again = await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, spec.task, world.people.dev));
    expect(await deckhand.stateOf(again.run)).toBe('awaiting');
  });

  it('an approval does not count when whoever gave it has lost the right', async () => {
    const spec = await approved();
    await deckhand.tx((tx) => setRole(tx, world.workspace, world.people.ben.user, 'developer'));
    expect(await deckhand.authorise(spec, runner)).toEqual({ verdict: 'ask' });
    expect((await deckhand.events(spec.run)).filter(({ type }) => type === 'note')).toMatchObject([
      { text: 'The approval no longer counts: whoever gave it may not decide any more.' },
    ]);
    expect(await deckhand.stateOf(spec.run)).toBe('awaiting');
  });

  it('a right that came from a channel counts while the channel gives it', async () => {
    const given = await deckhand.world({ policy: askPolicy, roles: { ada: 'owner', ben: null }, channelRole: 'maintainer' });
    for (const keep of [true, false]) {
      const { run } = await deckhand.create(given, 'npm test');
      expect(await deckhand.decide(run, given.people.ben)).toMatchObject({ result: 'decided' });
      const spec = await deckhand.claim(run, runner);
      if (!keep) await deckhand.tx((tx) => bindChannel(tx, given.channel, { project: given.project, defaultRole: 'developer' }));
      expect(await deckhand.authorise(spec, runner)).toEqual({ verdict: keep ? 'run' : 'ask' });
    }
  });

  it('ends the run when nobody is left who could approve', async () => {
    const spec = await approved();
    await deckhand.db.user.updateMany({ where: { workspaceId: world.workspace }, data: { role: 'guest' } });
    expect(await deckhand.authorise(spec, runner)).toMatchObject({ verdict: 'deny' });
    expect(await deckhand.resultOf(spec.run)).toMatchObject({ outcome: 'cancelled', cause: 'no_approver' });
  });

  it('a run that was stopped meanwhile does not start', async () => {
    const spec = await approved();
    await deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, spec.task, world.people.dev));
    expect(await deckhand.authorise(spec, runner)).toMatchObject({ verdict: 'deny' });
    const message = 'Stopped by Dev before the command started.';
    expect(await deckhand.resultOf(spec.run)).toMatchObject({ outcome: 'cancelled', cause: 'stopped', message });
    expect(await deckhand.db.interaction.findFirstOrThrow({ where: { runId: spec.run } })).toMatchObject({ consumedAt: null });
  });

  it('nothing executes without the check, nor in another kind of sandbox than it was for', async () => {
    const spec = await approved();
    expect(await deckhand.runs.executing(spec.run, runner, box)).toBe(false);
    expect(await deckhand.authorise(spec, runner)).toEqual({ verdict: 'run' });
    expect(await deckhand.runs.executing(spec.run, runner, { kind: 'local', ref: '1', isolated: false })).toBe(false);
    expect(await deckhand.runs.executing(spec.run, runner, box)).toBe(true);
    expect(await deckhand.authorise(spec, runner)).toMatchObject({ verdict: 'deny' });
    expect(await deckhand.stateOf(spec.run)).toBe('executing');
  });

  it('of ten checks at once the approval is used once', async () => {
    const spec = await approved();
    const verdicts = await Promise.all(Array.from({ length: 10 }, () => deckhand.authorise(spec, runner)));
    expect(verdicts).toEqual(Array.from({ length: 10 }, () => ({ verdict: 'run' })));
    expect(await deckhand.audits('approval.consumed')).toHaveLength(1);
  });

  it('a rule given for an isolated sandbox does not reach the host', async () => {
    const created = await deckhand.create(world, 'npm test');
    await deckhand.decide(created.run, world.people.ben, 'approve_task');
    const spec = await deckhand.claim(created.run, runner);
    expect(await deckhand.authorise(spec, runner, localOffer)).toEqual({ verdict: 'ask' });
    const pending = await deckhand.db.interaction.findFirstOrThrow({ where: { runId: spec.run, state: 'pending' } });
    expect(pending.risks).toEqual(['not isolated']);
    deckhand.clock.advance(1000);
    await deckhand.decide(spec.run, world.people.ada);
    expect(await deckhand.authorise(await deckhand.claim(spec.run, runner), runner, dockerOffer)).toEqual({ verdict: 'run' });
  });

  it('a plain approval of another action does not widen a rule', async () => {
    const created = await deckhand.create(world, 'npm test');
    await deckhand.decide(created.run, world.people.ben, 'approve_task');
    await deckhand.authorise(await deckhand.claim(created.run, runner), runner, localOffer);
    deckhand.clock.advance(1000);
    await deckhand.decide(created.run, world.people.ben, 'approve');
    const spec = await deckhand.claim(created.run, runner);
    expect(await deckhand.authorise(spec, runner, localOffer)).toEqual({ verdict: 'run' });
    await deckhand.runs.finish(spec.run, runner, succeeded({ outcome: 'failed' }));
    const again = await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, spec.task, world.people.dev));
    expect(await deckhand.authorise(await deckhand.claim(again.run, runner), runner, localOffer)).toEqual({ verdict: 'ask' });
  });

  it('a policy that runs everything needs no approval, and still denies what it names', async () => {
    const open = await deckhand.world({ policy: { ...openPolicy, deny: ['rm *'] } });
    const { task, run } = await deckhand.create(open, 'npm test');
    const spec = await deckhand.claim(run, runner);
    expect(await deckhand.authorise(spec, runner, localOffer)).toEqual({ verdict: 'run' });
    const other = await deckhand.create(open, 'npm run build');
    await deckhand.db.task.update({ where: { id: other.task }, data: { policy: { ...openPolicy, deny: ['npm run *'] } } });
    const denied = await deckhand.claim(other.run, runner);
    expect(await deckhand.authorise(denied, runner)).toMatchObject({ verdict: 'deny' });
    expect(await deckhand.columnOf(other.task)).toMatchObject({ column: 'cancelled' });
    expect(await deckhand.columnOf(task)).toMatchObject({ column: 'running' });
  });
});
