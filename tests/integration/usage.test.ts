import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runEventDataSchema } from '../../src/contracts/run-event.ts';
import { type UsagePart, usageByDay, usageParts } from '../../src/store/usage.ts';
import { AgentTurn } from '../support/agent-turn.ts';
import { TestEngine } from '../support/test-engine.ts';

let deckhand: TestEngine;
beforeAll(async () => {
  deckhand = await TestEngine.start();
});
afterAll(() => deckhand.close());

const all = { since: '2026-01-01', until: '2027-12-31' };
const hour = 60 * 60_000;

describe('usage by day', () => {
  it('is what the logs of runs say, whoever asks for it in whichever parts, also with requests at once', async () => {
    const tokens = fc.nat(5_000_000);
    const request = fc.record({
      turn: fc.nat(2),
      model: fc.constantFrom('claude-sonnet-5', 'gpt-6-sol', `${'ü'.repeat(3000)}\0`),
      input: tokens,
      output: tokens,
      cacheRead: tokens,
      cacheWrite: tokens,
      costUsd: fc.option(fc.double({ min: 0, max: 20, noNaN: true })),
    });
    const waves = fc.array(fc.tuple(fc.array(request, { minLength: 1, maxLength: 6 }), fc.nat(30)), {
      minLength: 1,
      maxLength: 4,
    });
    const world = await deckhand.world({ limits: { concurrency: 5 } });
    const other = await deckhand.project(world.workspace, 'api');
    const runner = await deckhand.runner({ capacity: 10 });
    const { ada, ben } = world.people;
    const turns = [
      await AgentTurn.begin(deckhand, world, runner, { requester: ada }),
      await AgentTurn.begin(deckhand, world, runner, { requester: ben, project: other }),
      await AgentTurn.begin(deckhand, world, runner, { requester: ben, settings: { agent: 'codex', mode: 'ask' } }),
    ];
    let made = 0;
    await fc.assert(
      fc.asyncProperty(waves, async (drawn) => {
        for (const [wave, hours] of drawn) {
          await Promise.all(
            wave.map(({ turn: at, ...usage }) => {
              const turn = turns[at] ?? expect.unreachable();
              made += 1;
              return deckhand.engine.agents.used(turn.run, runner, { ...usage, firstByteMs: null }, `r${made}`);
            }),
          );
          deckhand.clock.advance(hours * hour);
        }
        const events = await deckhand.db.runEvent.findMany({
          where: { type: 'usage', runId: { in: turns.map(({ run }) => run) } },
          include: { run: true },
        });
        const told = events.map(({ at, data, run }) => {
          const usage = runEventDataSchema.parse(data);
          if (usage.type !== 'usage') throw new Error('no usage');
          const agent = String((run.agent as { agent?: string } | null)?.agent);
          return { day: at.toISOString().slice(0, 10), project: run.projectId, person: run.requestedById, agent, usage };
        });
        expect(told).toHaveLength(made);
        const partsDrawn: UsagePart[][] = [[], ['project'], ['person', 'agent'], [...usageParts]];
        for (const parts of partsDrawn) {
          const rows = await usageByDay(deckhand.db, { workspace: world.workspace, ...all }, parts);
          for (const key of ['input', 'output', 'cacheRead', 'cacheWrite'] as const) {
            expect(sum(rows.map((row) => row[key]))).toBe(sum(told.map(({ usage }) => usage[key])));
          }
          expect(sum(rows.map(({ requests }) => requests))).toBe(made);
          expect(sum(rows.map(({ costUsd }) => costUsd))).toBeCloseTo(sum(told.map(({ usage }) => usage.costUsd ?? 0)), 6);
        }
        for (const { day, project, person, agent } of told) {
          const which = { workspace: world.workspace, since: day, until: day, projects: [project], people: [person], agent };
          const [row, ...more] = await usageByDay(deckhand.db, which, ['project', 'person', 'agent']);
          const same = told.filter(
            (one) => one.day === day && one.project === project && one.person === person && one.agent === agent,
          );
          expect(more).toEqual([]);
          expect(row).toMatchObject({
            day,
            requests: same.length,
            unpriced: same.filter(({ usage }) => usage.costUsd === null).length,
            input: sum(same.map(({ usage }) => usage.input)),
            parts: { project: { id: project }, person: { id: person }, agent: { id: agent } },
          });
        }
      }),
      { numRuns: 4 },
    );
  });

  it('promise 12: is of one workspace, and counts a person with all accounts that are linked, and stays when log and thread are gone', async () => {
    const world = await deckhand.world();
    const runner = await deckhand.runner();
    const turn = await AgentTurn.begin(deckhand, world, runner, { requester: world.people.dev });
    const usage = { model: 'm', input: 1, output: 2, cacheRead: 0, cacheWrite: 0, costUsd: 0.5, firstByteMs: null };
    await deckhand.engine.agents.used(turn.run, runner, usage, 'r');
    await deckhand.db.runEvent.deleteMany({ where: { runId: turn.run } });
    await deckhand.db.thread.deleteMany({ where: { taskId: turn.task } });
    const foreign = await deckhand.world();
    expect(
      await usageByDay(deckhand.db, { workspace: foreign.workspace, ...all, projects: [world.project] }, ['project']),
    ).toEqual([]);
    await deckhand.db.user.update({ where: { id: world.people.dev.user }, data: { linkedToId: world.people.ben.user } });
    const rows = await usageByDay(deckhand.db, { workspace: world.workspace, ...all }, ['person', 'project', 'channel']);
    expect(rows.map(({ parts }) => parts)).toEqual([
      {
        person: { id: world.people.ben.user, name: 'Ben' },
        project: { id: world.project, name: 'web' },
        channel: { id: world.channel, name: null },
      },
    ]);
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
