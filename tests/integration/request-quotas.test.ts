import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeQuota } from '../../src/budgets/make-quota.ts';
import { periodStart } from '../../src/budgets/periods.ts';
import type { RunResult } from '../../src/contracts/run-event.ts';
import { wasCounted } from '../../src/store/agent-runs.ts';
import { countRequest } from '../../src/store/counted-requests.ts';
import type { Tx } from '../../src/store/database.ts';
import { lockCounting, lockQuotas } from '../../src/store/quota-lock.ts';
import { putQuota, setConsumed, standingsOf } from '../../src/store/quotas.ts';
import { AgentTurn } from '../support/agent-turn.ts';
import { TestEngine, type TestWorld } from '../support/test-engine.ts';

let deckhand: TestEngine;
let world: TestWorld;
let runner: string;

beforeAll(async () => {
  deckhand = await TestEngine.start();
});
beforeEach(async () => {
  world = await deckhand.world({ limits: { concurrency: 5 } });
  runner = await deckhand.runner({ capacity: 100 });
});
afterAll(() => deckhand.close());

const usage = { model: 'm', input: 1, output: 1, cacheRead: 0, cacheWrite: 0, costUsd: 0.1, firstByteMs: 1 };
const asked = (request: string) => ({ request, model: 'm', mostUsd: 0.1 });
const may = (turn: AgentTurn, request: string, engine = deckhand.engine) =>
  engine.agents.maySpend(turn.run, runner, asked(request));

async function limit(most: number, per: 'hour' | 'day' = 'day', project = world.project) {
  const { workspace, people } = world;
  const at = deckhand.clock.now();
  const about = { scope: 'project', subject: project, measure: 'requests', per } as const;
  await deckhand.tx((tx) => putQuota(tx, { workspace, ...about, limit: most, createdBy: people.ada.user, at }));
}

async function counted(): Promise<number> {
  return (await deckhand.db.consumption.findMany({ where: { workspaceId: world.workspace } })).reduce(
    (sum, { value }) => sum + value,
    0,
  );
}

describe('a quota of requests to models', () => {
  it('lets exactly so many through, of 50 at once from several runs and processes', async () => {
    await limit(10);
    const turns = [
      await AgentTurn.begin(deckhand, world, runner),
      await AgentTurn.begin(deckhand, world, runner, { budgetUsd: 100 }),
    ];
    const other = deckhand.another();
    const verdicts = await Promise.all(
      Array.from({ length: 50 }, (_, at) => {
        const turn = turns[at % 2] ?? expect.unreachable();
        return may(turn, `r${at}`, at % 3 === 0 ? other : deckhand.engine);
      }),
    );
    expect(verdicts.filter(({ verdict }) => verdict === 'go')).toHaveLength(10);
    const denied = verdicts.filter(({ verdict }) => verdict === 'deny');
    expect(denied).toHaveLength(40);
    // The clock of the test stands at 09:00.
    expect(denied[0]).toEqual({
      verdict: 'deny',
      because: expect.stringMatching(/^10 of 10 requests to models a day in project web are used; free again in .*00:00 UTC\.$/),
      trouble: 'quota',
      seconds: 15 * 3600,
    });
    expect(await counted()).toBe(10);
    // What is not made holds no money back.
    expect(await deckhand.db.reservation.count({ where: { taskId: turns[1]?.task ?? '' } })).toBe(
      verdicts.filter(({ verdict }, at) => verdict === 'go' && at % 2 === 1).length,
    );
  });

  it('counts a request once however often it is asked for, and gives it back once, only when it never left', async () => {
    await limit(2);
    const turn = await AgentTurn.begin(deckhand, world, runner);
    const { agents } = deckhand.engine;
    for (const _ of [1, 2, 3]) expect(await may(turn, 'a')).toEqual({ verdict: 'go' });
    expect(await counted()).toBe(1);
    expect(await may(turn, 'b')).toEqual({ verdict: 'go' });
    expect(await may(turn, 'c')).toMatchObject({ verdict: 'deny', trouble: 'quota' });
    await Promise.all([1, 2, 3].map(() => agents.unused(turn.run, runner, 'a', false)));
    expect(await counted()).toBe(1);
    expect(await may(turn, 'c')).toEqual({ verdict: 'go' });
    await agents.unused(turn.run, runner, 'c', true);
    await agents.unused(turn.run, runner, 'c', false);
    await agents.used(turn.run, runner, usage, 'b');
    await agents.unused(turn.run, runner, 'b', false);
    expect(await counted()).toBe(2);
    expect(await deckhand.db.countedRequest.count({ where: { runId: turn.run } })).toBe(0);
  });

  it('is told in the thread and in the channels of its project when 80 % of it are used, once', async () => {
    await limit(5);
    const turn = await AgentTurn.begin(deckhand, world, runner);
    for (const request of ['a', 'b', 'c']) await may(turn, request);
    const notes = async () => (await deckhand.events(turn.run)).flatMap((data) => (data.type === 'note' ? [data.text] : []));
    const told = () =>
      deckhand.db.outbox.count({ where: { workspaceId: world.workspace, key: { startsWith: 'quota-warned/' } } });
    expect([await notes(), await told()]).toEqual([[], 0]);
    await may(turn, 'd');
    expect(await notes()).toEqual([
      expect.stringMatching(/^80 % of a quota is used: 4 of 5 requests to models a day in project web\. 1 is left/),
    ]);
    expect(await told()).toBeGreaterThan(0);
    const before = await told();
    await deckhand.engine.agents.unused(turn.run, runner, 'd', false);
    await may(turn, 'e');
    expect(await told()).toBe(before);
  });

  it('is not given back one too many where a quota was made while the request was under way, and counts it from then on', async () => {
    await limit(10);
    const turn = await AgentTurn.begin(deckhand, world, runner);
    for (const request of ['a', 'b', 'c']) expect(await may(turn, request)).toEqual({ verdict: 'go' });
    const { agents } = deckhand.engine;
    await agents.used(turn.run, runner, usage, 'c');
    const { workspace, people } = world;
    const at = deckhand.clock.now();
    const about = { scope: 'workspace', subject: workspace, measure: 'requests', per: 'day' } as const;
    const { quota: made } = await deckhand.tx((tx) =>
      makeQuota(tx, { workspace, ...about, limit: 10, createdBy: people.ada.user, at }),
    );
    const used = async () => (await standingsOf(deckhand.db, workspace, at)).find(({ quota }) => quota.id === made.id)?.used;
    expect(await used()).toBe(3);
    await agents.unused(turn.run, runner, 'a', false);
    expect(await used()).toBe(2);
    // One that nobody has counted it against gives nothing back.
    const late = await deckhand.tx(
      async (tx) => (await putQuota(tx, { workspace, ...about, per: 'hour', limit: 10, createdBy: people.ada.user, at })).quota,
    );
    await deckhand.tx((tx) => setConsumed(tx, late, periodStart('hour', at), 5));
    await agents.unused(turn.run, runner, 'b', false);
    const all = await standingsOf(deckhand.db, workspace, at);
    expect(all.find(({ quota }) => quota.id === late.id)?.used).toBe(5);
    expect(await used()).toBe(1);
  });

  it('counts what was under way when it was made, also of what asks at that very moment, and lets exactly the rest through', async () => {
    const turns = [await AgentTurn.begin(deckhand, world, runner), await AgentTurn.begin(deckhand, world, runner)];
    const other = deckhand.another();
    const ask = (name: string, many: number) =>
      Array.from({ length: many }, async (_, at) => {
        const turn = turns[at % 2] ?? expect.unreachable();
        const { verdict } = await may(turn, `${name}${at}`, at % 3 === 0 ? other : deckhand.engine);
        return verdict === 'go' ? 1 : 0;
      });
    const gone = async (asks: Promise<number>[]) => (await Promise.all(asks)).reduce((sum, one) => sum + one, 0);
    expect(await gone(ask('before', 8))).toBe(8);
    const { workspace, people } = world;
    const about = { scope: 'workspace', subject: workspace, measure: 'requests', per: 'day' } as const;
    const at = deckhand.clock.now();
    const meanwhile = ask('meanwhile', 20);
    const had = await deckhand.tx(async (tx) => {
      await makeQuota(tx, { workspace, ...about, limit: 12, createdBy: people.ada.user, at });
      return (await standingsOf(tx.db, workspace, at))[0]?.used ?? 0;
    });
    const through = 8 + (await gone(meanwhile));
    expect(through).toBe(Math.max(12, had));
    expect(await counted()).toBe(through);
    // Smaller than what is under way, it lets nothing through until so much of that has come back unsent.
    await deckhand.tx((tx) => makeQuota(tx, { workspace, ...about, limit: 7, createdBy: people.ada.user, at }));
    expect(await gone(ask('refused', 2))).toBe(0);
    const under = await deckhand.db.countedRequest.findMany({ where: { runId: { in: turns.map(({ run }) => run) } } });
    expect(under).toHaveLength(through);
    await Promise.all(under.slice(5).map(({ runId, request }) => deckhand.engine.agents.unused(runId, runner, request, false)));
    expect(await counted()).toBe(5);
    expect(await gone(ask('after', 5))).toBe(2);
  });

  it('cannot be made in the middle of what counts, before a request and after it', async () => {
    const turn = await AgentTurn.begin(deckhand, world, runner);
    const run = { id: turn.run, workspace: world.workspace, task: turn.task, project: world.project, requestedBy: '' };
    const at = deckhand.clock.now();
    const locks = (count: (tx: Tx) => Promise<unknown>) =>
      deckhand.tx(async (tx) => {
        await count(tx);
        return await tx.db
          .$queryRaw`SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted`;
      });
    expect(await locks((tx) => countRequest(tx, run, 'a', at))).toEqual([{ mode: 'ShareLock' }]);
    expect(await locks((tx) => wasCounted(tx, run, 'a'))).toEqual([{ mode: 'ShareLock' }]);
    expect(await locks((tx) => lockCounting(tx, world.workspace))).toEqual([{ mode: 'ShareLock' }]);
    expect(await locks((tx) => lockQuotas(tx, world.workspace))).toEqual([{ mode: 'ExclusiveLock' }]);
  });

  it('is of its project and its period; other projects and workspaces without one write nothing', async () => {
    await limit(1, 'hour');
    const turn = await AgentTurn.begin(deckhand, world, runner);
    const other = await AgentTurn.begin(deckhand, world, runner, { project: await deckhand.project(world.workspace, 'api') });
    expect(await may(turn, 'a')).toEqual({ verdict: 'go' });
    expect(await may(turn, 'b')).toMatchObject({ verdict: 'deny', seconds: 3600 });
    for (const request of ['a', 'b', 'c']) expect(await may(other, request)).toEqual({ verdict: 'go' });
    deckhand.clock.advance(3_600_000);
    expect(await may(turn, 'b')).toEqual({ verdict: 'go' });
    // Counted in the hour before: given back there.
    await deckhand.engine.agents.unused(turn.run, runner, 'a', false);
    const counters = await deckhand.db.consumption.findMany({
      where: { workspaceId: world.workspace },
      orderBy: { since: 'asc' },
    });
    expect(counters.map(({ value }) => value)).toEqual([0, 1]);
  });

  it('promise 8: stays counted when nobody knows what became of a request whose run is over', async () => {
    await limit(5);
    const turn = await AgentTurn.begin(deckhand, world, runner);
    await may(turn, 'lost');
    const result: RunResult = { outcome: 'failed', message: 'x', durationMs: 1, files: [], artifacts: [] };

    await deckhand.runs.finish(turn.run, runner, result);
    expect(await counted()).toBe(1);
    expect(await deckhand.db.countedRequest.count({ where: { runId: turn.run } })).toBe(0);
  });
});
