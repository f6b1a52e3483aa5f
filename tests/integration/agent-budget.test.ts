import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Usage } from '../../src/contracts/agent.ts';
import { reservedMs } from '../../src/store/reservations.ts';
import { AgentTurn } from '../support/agent-turn.ts';
import { askPolicy, TestEngine, type TestWorld } from '../support/test-engine.ts';

let deckhand: TestEngine;
let world: TestWorld;
let runner: string;

beforeAll(async () => {
  deckhand = await TestEngine.start();
});
beforeEach(async () => {
  world = await deckhand.world({ policy: askPolicy });
  runner = await deckhand.runner({ capacity: 1000 });
});
afterAll(() => deckhand.close());

const agents = () => deckhand.engine.agents;
const spent = async ({ task }: AgentTurn) => (await deckhand.db.task.findUniqueOrThrow({ where: { id: task } })).spentUsd;
const cost = (costUsd: number | null, model = 'm'): Usage => {
  return { model, input: 1, output: 1, cacheRead: 0, cacheWrite: 0, costUsd, firstByteMs: 1 };
};

/** A turn whose requests are asked for and settled by name. */
async function spender(budgetUsd: number | null) {
  const turn = await AgentTurn.begin(deckhand, world, runner, { budgetUsd, requester: world.people.ben });
  return {
    turn,
    may: (request: string, mostUsd: number | null, model = 'm') => {
      return agents().maySpend(turn.run, turn.runner, { request, model, mostUsd });
    },
    used: (request: string, usd: number | null, model = 'm') => agents().used(turn.run, turn.runner, cost(usd, model), request),
    unused: (request: string) => agents().unused(turn.run, turn.runner, request, true),
    asks: () => deckhand.db.interaction.findMany({ where: { runId: turn.run, kind: 'spend' }, orderBy: { id: 'asc' } }),
    warnings: async () =>
      (await deckhand.events(turn.run)).flatMap((data) => (data.type === 'note' && data.level === 'warning' ? [data.text] : [])),
  };
}

const go = { verdict: 'go' };
const wait = { verdict: 'wait' };

describe('what a request costs at most is set aside', () => {
  it('so that requests under way do not go beyond the budget together; nobody is asked while they may leave something', async () => {
    const { may, used, asks } = await spender(1);
    expect([await may('a', 0.6), await may('b', 0.3), await may('c', 0.3)]).toEqual([go, go, wait]);
    await used('a', 0.2);
    expect(await may('c', 0.3)).toEqual(go);
    expect(await asks()).toEqual([]);
  });

  it('once, however often it is asked for', async () => {
    const { may } = await spender(1);
    expect([await may('a', 0.4), await may('a', 0.4), await may('b', 0.4), await may('c', 0.4)]).toEqual([go, go, go, wait]);
  });

  it('and free again when the request was not answered', async () => {
    const { may, unused } = await spender(1);
    await may('a', 0.9);
    expect(await may('b', 0.9)).toEqual(wait);
    await unused('a');
    await unused('a');
    expect(await may('b', 0.9)).toEqual(go);
  });

  it('no longer than an hour', async () => {
    const { may } = await spender(1);
    await may('a', 0.9);
    deckhand.clock.advance(reservedMs - 1);
    expect(await may('b', 0.9)).toEqual(wait);
    deckhand.clock.advance(1);
    expect(await may('b', 0.9)).toEqual(go);
  });

  it('promise 8: not beyond the life of the runner that asked', async () => {
    const host = await deckhand.db.runner.findUniqueOrThrow({ where: { id: runner } });
    const { turn, may } = await spender(1);
    await may('a', 0.9);
    expect(await may('b', 0.9)).toEqual(wait);
    const next = await deckhand.runner({ capacity: 1000, host: host.hostId });
    await turn.claim(next);
    expect(await may('b', 0.9)).toEqual(go);
  });

  it('not for a task without a budget, and not after the end of the run', async () => {
    const free = await spender(null);
    expect(await free.may('a', 1e9)).toEqual(go);
    expect(await free.may('b', null)).toEqual(go);
    const { turn, may } = await spender(1);
    await may('a', 0.9);
    expect(await deckhand.db.reservation.count({ where: { taskId: { in: [free.turn.task, turn.task] } } })).toBe(1);
    await deckhand.finish(turn.run, runner, {});
    expect(await deckhand.db.reservation.count({ where: { taskId: turn.task } })).toBe(0);
  });

  it('by requests at once: the task goes beyond its budget by its last request at most', async () => {
    const request = fc.record({
      most: fc.integer({ min: 1, max: 80 }),
      part: fc.integer({ min: 0, max: 100 }),
      fails: fc.boolean(),
    });
    const property = fc.asyncProperty(
      fc.integer({ min: 10, max: 100 }),
      fc.array(request, { minLength: 8, maxLength: 16 }),
      async (cents, requests) => {
        const budget = cents / 100;
        const { turn, may, used, unused } = await spender(budget);
        const underWay = new Map<string, number>();
        let settled = 0;
        await Promise.all(
          requests.map(async ({ most, part, fails }, at) => {
            const name = `r${at}`;
            const usd = most / 100;
            for (;;) {
              const { verdict } = await may(name, usd);
              if (verdict === 'go') break;
              if ((await turn.state()) === 'awaiting') return;
            }
            if (underWay.size > 0) {
              const others = [...underWay.values()].reduce((sum, one) => sum + one, 0);
              expect(settled + others + usd).toBeLessThanOrEqual(budget + 1e-9);
            }
            underWay.set(name, usd);
            await turn.state();
            underWay.delete(name);
            if (fails) return await unused(name);
            await used(name, (usd * part) / 100);
            settled += (usd * part) / 100;
          }),
        );
        const dearest = Math.max(...requests.map(({ most, part }) => (most * part) / 10_000));
        expect(await spent(turn)).toBeCloseTo(settled, 6);
        expect(settled).toBeLessThanOrEqual(budget + dearest + 1e-9);
        await deckhand.finish(turn.run, runner, {});
      },
    );
    await fc.assert(property, { numRuns: 12 });
  });
});

describe('a model without a known price, with a budget,', () => {
  it('promise 7: is asked about once for the task, and its requests go on only with a yes', async () => {
    const { turn, may, used, asks } = await spender(5);
    expect([await may('a', null, 'mystery-1'), await may('b', null, 'mystery-1')]).toEqual([wait, wait]);
    const [asked] = await asks();
    expect(asked).toMatchObject({ ask: 'price/mystery-1', action: { unpriced: 'mystery-1', budgetUsd: 5, spentUsd: 0 } });
    expect(await turn.decide('price/mystery-1', world.people.ben)).toMatchObject({ result: 'decided', state: 'approved' });
    expect(await turn.state()).toBe('executing');
    expect([await may('a', null, 'mystery-1'), await may('b', null, 'mystery-1')]).toEqual([go, go]);
    await used('a', null, 'mystery-1');
    expect(await asks()).toHaveLength(1);
    expect((await deckhand.db.task.findUniqueOrThrow({ where: { id: turn.task } })).budgetUsd).toBe(5);
    // Others, and what has a price, are looked at as before.
    expect(await may('c', null, 'mystery-2')).toEqual(wait);
    expect(await may('d', 1)).toEqual(go);
  });

  it('promise 7: is not used when the answer is no', async () => {
    const { turn, may } = await spender(5);
    await may('a', null, 'mystery-1');
    await turn.decide('price/mystery-1', world.people.ben, 'deny', { reason: 'Take another.' });
    expect(await may('a', null, 'mystery-1')).toEqual({
      verdict: 'deny',
      trouble: 'unpriced',
      because: expect.stringMatching(/mystery-1 no known price.*: Take another\.\.?$/),
    });
    expect(await may('b', null, 'x'.repeat(101))).toMatchObject({ verdict: 'deny' });
  });

  it('waits for a budget without a limit, not for a higher one', async () => {
    const { turn, may } = await spender(5);
    await may('a', null, 'mystery-1');
    const set = (usd: number | null) =>
      deckhand.tx((tx) => deckhand.engine.tasks.setBudget(tx, turn.task, usd, world.people.ben, 'slack'));
    await set(50);
    expect(await turn.state()).toBe('awaiting');
    await set(null);
    expect(await turn.state()).toBe('executing');
  });
});

describe('a budget', () => {
  it('is warned of once when most of it is used, and again when it was raised', async () => {
    const { turn, used, warnings } = await spender(1);
    await used('a', 0.79);
    expect(await warnings()).toEqual([]);
    await used('b', 0.02);
    await used('c', 0.02);
    expect(await warnings()).toEqual(['81 % of the budget is used: $0.81 of $1.00.']);
    await deckhand.tx((tx) => deckhand.engine.tasks.setBudget(tx, turn.task, 2, world.people.ben, 'slack'));
    await used('d', 0.9);
    expect(await warnings()).toHaveLength(2);
  });

  it('that is lowered again to what was granted more for before is asked about anew', async () => {
    const { turn, may, used, asks } = await spender(1);
    await used('a', 1.5);
    await may('b', 0.1);
    await turn.decide('spend/1', world.people.ben);
    expect(await may('b', 0.1)).toEqual(go);
    await deckhand.tx((tx) => deckhand.engine.tasks.setBudget(tx, turn.task, 1, world.people.ben, 'slack'));
    expect([await may('c', 0.1), await may('c', 0.1)]).toEqual([wait, wait]);
    expect((await asks()).map(({ ask, state }) => [ask, state])).toEqual([
      ['spend/1', 'approved'],
      ['spend/1/2', 'pending'],
    ]);
  });
});
