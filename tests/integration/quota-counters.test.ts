import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { periodStart } from '../../src/budgets/periods.ts';
import { perSchema, type QuotaScope } from '../../src/contracts/quotas.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createDatabase } from '../../src/store/database.ts';
import {
  allowExtra,
  type Counting,
  count,
  forgetConsumption,
  giveBack,
  type NewQuota,
  putQuota,
  removeQuota,
  standingsOf,
  standingsOfRun,
  take,
} from '../../src/store/quotas.ts';
import { TestEngine, type TestWorld } from '../support/test-engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await TestEngine.start();
});
afterAll(() => engine.close());

const at = new Date('2026-03-01T09:30:00Z');

/** A run of a task of Ada in a world of its own. */
async function running(): Promise<{ world: TestWorld; run: Counting }> {
  const world = await engine.world();
  const { task, run } = await engine.create(world, 'true', { by: world.people.ada });
  return {
    world,
    run: { id: run, workspace: world.workspace, task, project: world.project, requestedBy: world.people.ada.user },
  };
}

function quota(world: TestWorld, given: Partial<NewQuota> = {}) {
  const { workspace } = world;
  const common = { workspace, scope: 'workspace', subject: workspace, measure: 'requests', per: 'day', limit: 10 } as const;
  return engine.database.transaction(
    async (tx) => (await putQuota(tx, { ...common, createdBy: world.people.ada.user, at, ...given })).quota,
  );
}

const one = (run: Counting, amount = 1, when = at) =>
  engine.database.transaction(async (tx) => (await take(tx, run, 'requests', amount, when)).refused);
const used = async (world: TestWorld, when = at) =>
  (await standingsOf(engine.database.db, world.workspace, when)).map((standing) => standing.used);

test('fifty that take one at once of a quota of ten get exactly ten, over several quotas and processes', async () => {
  const { world, run } = await running();
  await quota(world);
  await quota(world, { scope: 'project', subject: world.project, limit: 30 });
  await quota(world, { scope: 'channel', subject: world.channel, limit: 10, per: 'hour' });
  const other = createDatabase({ url: engine.url, connections: 5, onEffectError: () => undefined });
  const databases = [engine.database, other];
  const all = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      databases[index % 2]?.transaction(async (tx) => (await take(tx, run, 'requests', 1, at)).refused),
    ),
  );
  await other.close();
  expect(all.filter((refused) => refused?.length === 0)).toHaveLength(10);
  expect(await used(world)).toEqual([10, 10, 10]);
});

test('what is taken in a transaction that fails is not counted', async () => {
  const { world, run } = await running();
  await quota(world, { limit: 1 });
  const failing = engine.database.transaction(async (tx) => {
    expect((await take(tx, run, 'requests', 1, at)).refused).toEqual([]);
    throw new Error('crash');
  });
  await expect(failing).rejects.toThrow('crash');
  expect(await one(run)).toEqual([]);
  expect(await one(run)).toMatchObject([{ used: 1, quota: { limit: 1 } }]);
});

test('a quota that has nothing left takes nothing of the others, and says which it is', async () => {
  const { world, run } = await running();
  await quota(world, { limit: 5 });
  const full = await quota(world, { scope: 'person', subject: world.people.ada.user, limit: 0 });
  expect(await one(run)).toMatchObject([{ quota: { id: full.id }, used: 0 }]);
  expect(await used(world)).toEqual([0, 0]);
  await engine.database.transaction((tx) => allowExtra(tx, full, periodStart('day', at), 2));
  expect(await one(run)).toEqual([]);
  expect(await used(world)).toEqual([1, 1]);
});

test('a new period begins with nothing used; what is given back is free in the period it was taken in', async () => {
  const { world, run } = await running();
  await quota(world, { limit: 1 });
  const tomorrow = new Date(at.getTime() + 24 * 60 * 60_000);
  expect(await one(run)).toEqual([]);
  expect(await one(run, 1, tomorrow)).toEqual([]);
  await engine.database.transaction((tx) => giveBack(tx, run, 'requests', 1, at));
  expect(await used(world)).toEqual([0]);
  expect(await used(world, tomorrow)).toEqual([1]);
  expect(await one(run)).toEqual([]);
});

test('only quotas about the run count: another project, channel, person or workspace has its own', async () => {
  const { world, run } = await running();
  const other = await engine.world();
  for (const scope of ['project', 'channel', 'person'] satisfies QuotaScope[]) {
    const subject = { project: other.project, channel: other.channel, person: world.people.ben.user }[scope];
    await quota(world, { scope, subject, limit: 0 });
  }
  await quota(other, { limit: 0 });
  expect(await one(run)).toEqual([]);
  expect(await used(world)).toEqual([0, 0, 0]);
});

test('a person with linked accounts is one person for a quota', async () => {
  const { world, run } = await running();
  const { ada, ben } = world.people;
  await quota(world, { scope: 'person', subject: ben.user, limit: 0 });
  expect(await one(run)).toEqual([]);
  await engine.database.transaction((tx) => tx.db.user.update({ where: { id: ada.user }, data: { linkedToId: ben.user } }));
  expect(await one(run)).toMatchObject([{ quota: { scope: 'person', subject: ben.user } }]);
});

test('what has happened is counted beyond every limit, of several measures at once', async () => {
  const { world, run } = await running();
  await quota(world, { measure: 'tokens', limit: 100 });
  await quota(world, { measure: 'cost', limit: 1, per: 'month' });
  await engine.database.transaction((tx) => count(tx, run, { tokens: 90, cost: 0.5 }, at));
  const [tokens, cost] = await engine.database.transaction((tx) => count(tx, run, { tokens: 90, cost: 0.25 }, at));
  expect(tokens).toMatchObject({ quota: { measure: 'tokens' }, used: 180 });
  expect(cost).toMatchObject({ quota: { measure: 'cost' }, used: 0.75, since: new Date('2026-03-01T00:00:00Z') });
});

test('another limit keeps what is used; a quota that is removed takes its counters along', async () => {
  const { world, run } = await running();
  const made = await quota(world, { limit: 1 });
  await one(run);
  await quota(world, { limit: 3 });
  expect(await standingsOfRun(engine.database.db, run, ['requests'], at)).toMatchObject([
    { quota: { id: made.id, limit: 3 }, used: 1 },
  ]);
  await engine.database.transaction((tx) => removeQuota(tx, made.id));
  expect(await standingsOf(engine.database.db, world.workspace, at)).toEqual([]);
  expect(await engine.database.db.consumption.count({ where: { quotaId: made.id } })).toBe(0);
});

test('counters of periods that are long over are forgotten, those of this month are not', async () => {
  const { world, run } = await running();
  await quota(world, { per: 'month' });
  await one(run, 1, new Date('2025-10-01T00:00:00Z'));
  await one(run);
  expect(await forgetConsumption(engine.db, new Date('2025-12-01T00:00:00Z'), 100)).toBe(1);
  expect(await used(world)).toEqual([1]);
});

test('the database begins periods when src/budgets does', async () => {
  const { world } = await running();
  for (const per of perSchema.exclude(['once']).options) await quota(world, { per });
  const moments = fc.date({ min: new Date('2000-01-01Z'), max: new Date('2060-01-01Z'), noInvalidDate: true });
  await fc.assert(
    fc.asyncProperty(moments, async (moment) => {
      for (const { quota: of, since } of await standingsOf(engine.database.db, world.workspace, moment)) {
        if (of.per !== 'once') expect(since).toEqual(periodStart(of.per, moment));
      }
    }),
    { numRuns: 50 },
  );
});

test.each([3, 7])('however many take and give back, in whatever order, no quota of %i is exceeded', async (limit) => {
  const { world, run } = await running();
  await quota(world, { limit });
  await quota(world, { scope: 'project', subject: world.project, limit: limit + 2, per: 'hour' });
  const amounts = fc.sample(fc.integer({ min: 1, max: limit }), { numRuns: 40, seed: limit });
  let held = 0;
  await Promise.all(
    amounts.map(async (amount, index) => {
      const refused = await one({ ...run, id: newId('run') }, amount);
      if (refused.length > 0) return;
      if (index % 2 === 0) held += amount;
      else await engine.database.transaction((tx) => giveBack(tx, run, 'requests', amount, at));
    }),
  );
  expect(held).toBeLessThanOrEqual(limit);
  expect(await used(world)).toEqual([held, held]);
});
