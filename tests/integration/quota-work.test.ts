import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Usage } from '../../src/contracts/agent.ts';
import type { Permission } from '../../src/contracts/permissions.ts';
import { givePlaces } from '../../src/store/places.ts';
import { queuePlace } from '../../src/store/queue-place.ts';
import { type NewQuota, putQuota, removeQuota, standingsOf } from '../../src/store/quotas.ts';
import { AgentTurn } from '../support/agent-turn.ts';
import { openPolicy, TestEngine, type TestWorld } from '../support/test-engine.ts';

let deckhand: TestEngine;
let world: TestWorld;
let runner: string;

beforeAll(async () => {
  deckhand = await TestEngine.start();
});
beforeEach(async () => {
  world = await deckhand.world({ policy: openPolicy, limits: { concurrency: 100 } });
  runner = await deckhand.runner({ capacity: 1000 });
});
afterAll(() => deckhand.close());

const hour = 60 * 60_000;
/** Time goes on, and the runner is there all the while. */
async function later(ms: number): Promise<void> {
  deckhand.clock.advance(ms);
  await deckhand.runs.beat(runner);
}
const agents = () => deckhand.engine.agents;

function quota(given: Partial<NewQuota> = {}) {
  const { workspace, project } = world;
  const common = { workspace, scope: 'project', subject: project, measure: 'tokens', per: 'day', limit: 1000 } as const;
  const made = { ...common, createdBy: world.people.ada.user, at: deckhand.clock.now(), ...given };
  return deckhand.tx(async (tx) => (await putQuota(tx, made)).quota);
}

const used = async () => (await standingsOf(deckhand.db, world.workspace, deckhand.clock.now())).map((standing) => standing.used);

async function worker() {
  const turn = await AgentTurn.begin(deckhand, world, runner, { budgetUsd: null, requester: world.people.dev });
  let requests = 0;
  const usage = (tokens: number): Usage => {
    return { model: 'm', input: tokens, output: 0, cacheRead: 10_000, cacheWrite: 0, costUsd: tokens / 1000, firstByteMs: 1 };
  };
  return {
    turn,
    may: () => agents().maySpend(turn.run, turn.runner, { request: `r${requests}`, model: 'm', mostUsd: null }),
    use: (tokens: number) => agents().used(turn.run, turn.runner, usage(tokens), `r${requests++}`),
    asks: () => deckhand.db.interaction.findMany({ where: { runId: turn.run, kind: 'spend' }, orderBy: { id: 'asc' } }),
    warnings: async () =>
      (await deckhand.events(turn.run)).flatMap((data) => (data.type === 'note' && data.level === 'warning' ? [data.text] : [])),
  };
}

const go = { verdict: 'go' };
const wait = { verdict: 'wait' };

describe('a quota of tokens', () => {
  it('warns once at 80 %, counts a repeated report once, and what the cache gave not at all', async () => {
    await quota();
    const { use, turn, warnings } = await worker();
    await use(700);
    await agents().used(
      turn.run,
      turn.runner,
      { model: 'm', input: 700, output: 0, cacheRead: 0, cacheWrite: 0, costUsd: 0, firstByteMs: 1 },
      'r0',
    );
    expect(await used()).toEqual([700]);
    await use(150);
    await use(50);
    expect(await warnings()).toEqual([
      '85 % of a quota is used: 850 of 1,000 tokens a day in project web. 150 is left, free again in about 15 h, at 00:00 UTC.',
    ]);
  });

  it('pauses the agent, asks those who may raise it once, and goes on when one does; what else counts for it goes on too', async () => {
    const made = await quota();
    const [one, other] = [await worker(), await worker()];
    await one.use(1200);
    expect([await one.may(), await one.may(), await other.may()]).toEqual([wait, wait, wait]);
    expect(await one.turn.state()).toBe('awaiting');
    const [asked] = await one.asks();
    expect(asked?.action).toMatchObject({
      type: 'quota',
      name: '1,000 tokens a day in project web',
      limit: 1000,
      raised: 101_200,
    });
    expect(asked?.expiresAt).toEqual(new Date('2026-03-02T00:10:00Z'));
    for (const extra of [[], ['action.approve-as-maintainer']] satisfies Permission[][]) {
      expect(await deckhand.press(asked?.secret ?? '', { ...world.people.dev, extra })).toMatchObject({ result: 'not_allowed' });
    }
    const manages = { ...world.people.dev, extra: ['quota.manage'] satisfies Permission[] };
    expect(await deckhand.press(asked?.secret ?? '', manages)).toMatchObject({ result: 'decided' });
    expect([await one.may(), await other.may()]).toEqual([go, go]);
    expect([await one.turn.state(), await other.turn.state()]).toEqual(['executing', 'executing']);
    expect((await other.asks())[0]?.state).toBe('cancelled');
    expect(await deckhand.audits('quota.raised')).toMatchObject([{ subject: made.id, data: { from: 1000, to: 101_200 } }]);
    await one.use(100_000);
    expect(await one.may()).toEqual(wait);
    expect(await one.asks()).toHaveLength(2);
    await later(24 * hour);
    await deckhand.engine.sweep();
  });

  it('goes on by itself in the next period, also where the runner has let go of it; a quota that is gone holds nothing', async () => {
    const made = await quota({ per: 'hour', limit: 10 });
    const { turn, use, may, asks } = await worker();
    await use(10);
    await may();
    expect(await agents().release(turn.run, turn.runner, { session: null, head: null })).toBe(true);
    await deckhand.engine.sweep();
    expect(await turn.state()).toBe('awaiting');
    await later(hour);
    await deckhand.engine.sweep();
    expect(await turn.state()).toBe('queued');
    expect((await asks())[0]?.state).toBe('cancelled');
    const next = await worker();
    await next.use(10);
    await next.may();
    await deckhand.tx((tx) => removeQuota(tx, made.id));
    await deckhand.engine.sweep();
    expect(await next.turn.state()).toBe('executing');
  });

  it('ends the turn when the answer is no, and says which quota it was', async () => {
    await quota({ scope: 'workspace', subject: world.workspace, measure: 'cost', per: 'month', limit: 1 });
    const { use, may, asks } = await worker();
    await use(2000);
    await may();
    const [asked] = await asks();
    expect(await deckhand.press(asked?.secret ?? '', world.people.ben, 'deny')).toMatchObject({ result: 'not_allowed' });
    await deckhand.press(asked?.secret ?? '', world.people.ada, 'deny');
    const denied = await may();
    expect(denied).toMatchObject({ verdict: 'deny', trouble: 'quota' });
    expect(denied).toMatchObject({ because: expect.stringContaining('$2.00 of $1.00 a month in the whole workspace') });
  });

  it('and what it counts commit together: after a crash in between both are missing, and are there once', async () => {
    await quota({ measure: 'cost', limit: 100 });
    const { use, turn } = await worker();
    await deckhand.db
      .$executeRaw`CREATE FUNCTION fail() RETURNS trigger AS 'BEGIN RAISE EXCEPTION ''crash''; END' LANGUAGE plpgsql`;
    await deckhand.db.$executeRaw`CREATE TRIGGER fail BEFORE INSERT ON "RunEvent" FOR EACH ROW EXECUTE FUNCTION fail()`;
    await expect(use(1000)).rejects.toThrow('crash');
    await deckhand.db.$executeRaw`DROP TRIGGER fail ON "RunEvent"`;
    expect(await used()).toEqual([0]);
    await agents().used(
      turn.run,
      turn.runner,
      { model: 'm', input: 1, output: 1, cacheRead: 0, cacheWrite: 0, costUsd: 3, firstByteMs: 1 },
      'r0',
    );
    expect(await used()).toEqual([3]);
    expect((await deckhand.events(turn.run)).filter(({ type }) => type === 'usage')).toHaveLength(1);
  });
});

describe('a quota of time', () => {
  it('counts what a run is at work, however often it is looked at, and stops a command that uses it up', async () => {
    await quota({ measure: 'wall', per: 'week', limit: hour });
    const { run } = await deckhand.create(world, 'make');
    await deckhand.execute(run, runner);
    await later(hour / 2);
    await Promise.all([deckhand.engine.sweep(), deckhand.engine.sweep()]);
    await later(hour / 4);
    await deckhand.finish(run, runner);
    expect(await used()).toEqual([(hour * 3) / 4]);
    const next = await deckhand.create(world, 'make');
    await deckhand.execute(next.run, runner);
    await later(hour / 2);
    await deckhand.engine.sweep();
    const row = await deckhand.db.run.findUniqueOrThrow({ where: { id: next.run } });
    expect(row).toMatchObject({ stopRequestedAt: deckhand.clock.now(), stopRequestedBy: null });
    await deckhand.finish(next.run, runner, { outcome: 'cancelled', cause: 'stopped', message: 'Stopped.' });
    expect((await deckhand.resultOf(next.run))?.message).toMatch(
      /^The command was stopped: a quota of time is used up \(1h 15m of 1h of work a week/,
    );
  });

  it('does not count what a run waits for people', async () => {
    await quota({ measure: 'wall', per: 'month', limit: 1000 * hour });
    await quota({ limit: 1 });
    const { turn, use, may } = await worker();
    await later(hour);
    await use(1);
    await may();
    expect(await turn.state()).toBe('awaiting');
    await later(hour);
    await deckhand.engine.sweep();
    const [wall] = await used();
    expect(wall).toBe(hour);
  });
});

describe('a quota of runs at once', () => {
  it('lets no more go on, keeps nobody else waiting, and lets the next one begin when one ends', async () => {
    const other = await deckhand.project(world.workspace, 'api', { policy: openPolicy, limits: { concurrency: 100 } });
    await quota({ measure: 'concurrent', per: 'once', limit: 2 });
    const waiting: string[] = [];
    for (let at = 0; at < 4; at += 1) waiting.push((await deckhand.create(world, 'make')).run);
    const free = (await deckhand.create(world, 'make', { project: other })).run;
    await deckhand.tx((tx) => givePlaces(tx, deckhand.clock.now()));
    const placed = async () =>
      (await deckhand.db.run.findMany({ where: { id: { in: [...waiting, free] }, dispatchedAt: { not: null } } })).map(
        ({ id }) => id,
      );
    expect((await placed()).sort()).toEqual([waiting[0], waiting[1], free].sort());
    expect(await queuePlace(deckhand.db, waiting[2] ?? '', deckhand.clock.now())).toMatchObject({ waitsFor: 'quota' });
    await deckhand.execute(waiting[0] ?? '', runner);
    await deckhand.finish(waiting[0] ?? '', runner);
    await deckhand.tx((tx) => givePlaces(tx, deckhand.clock.now()));
    expect(await placed()).toContain(waiting[2]);
    expect(await placed()).not.toContain(waiting[3]);
  });
});
