import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../src/contracts/errors.ts';
import { isTerminal, type RunOutcome, type RunState, runOutcomeSchema } from '../../src/contracts/states.ts';
import { defaultEngineSettings } from '../../src/tasks/engine-settings.ts';
import { type RunEventName, runTransition } from '../../src/tasks/run-state.ts';
import { askPolicy, localOffer, openPolicy, succeeded, TestEngine, type TestWorld } from '../support/test-engine.ts';

/** What may happen, in any order and at the same time. Numbers choose among what exists at that moment. */
type Happening =
  | { type: 'create'; asks: boolean }
  | { type: 'press'; which: number; who: 'ada' | 'ben' | 'dev'; decision: 'approve' | 'approve_task' | 'deny' }
  | { type: 'work'; which: number; runner: number; local: boolean }
  | { type: 'finish'; which: number; runner: number; outcome: RunOutcome }
  | { type: 'stop'; which: number }
  | { type: 'retry'; which: number }
  | { type: 'move'; which: number; to: 'backlog' | 'queued' | 'review' | 'done' | 'cancelled' }
  | { type: 'restart'; host: number }
  | { type: 'time'; ms: number }
  | { type: 'sweep' };

const which = fc.nat({ max: 5 });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('create' as const), asks: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('press' as const),
      which,
      who: fc.constantFrom('ada', 'ben', 'dev'),
      decision: fc.constantFrom('approve', 'approve', 'approve_task', 'deny'),
    }),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('work' as const), which, runner: which, local: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('finish' as const),
      which,
      runner: which,
      outcome: fc.constantFrom(...runOutcomeSchema.options),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('stop' as const), which }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('retry' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('move' as const),
      which,
      to: fc.constantFrom('backlog', 'queued', 'review', 'done', 'cancelled'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const), host: fc.nat({ max: 1 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('time' as const), ms: fc.constantFrom(1000, 60_001, askPolicy.expiresMs) }),
  },
  { weight: 2, arbitrary: fc.constant({ type: 'sweep' as const }) },
);

/** One world in which things happen. Whatever the engine refuses with a reason for people is part of the game. */
class Game {
  readonly #deckhand: TestEngine;
  readonly world: TestWorld;
  readonly #asking: string;
  readonly #runners: string[] = [];

  private constructor(deckhand: TestEngine, world: TestWorld, asking: string) {
    this.#deckhand = deckhand;
    this.world = world;
    this.#asking = asking;
  }

  static async start(deckhand: TestEngine): Promise<Game> {
    await deckhand.db.runner.updateMany({ data: { capacity: 0 } });
    const world = await deckhand.world({ policy: openPolicy, limits: { concurrency: 2 } });
    const asking = await deckhand.project(world.workspace, 'asking', { policy: askPolicy, limits: { concurrency: 2 } });
    const game = new Game(deckhand, world, asking);
    await game.play({ type: 'restart', host: 0 });
    await game.play({ type: 'restart', host: 1 });
    return game;
  }

  async play(happens: Happening): Promise<void> {
    try {
      await this.#play(happens);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  }

  async #play(happens: Happening): Promise<void> {
    const deckhand = this.#deckhand;
    const { tasks, runs } = deckhand.engine;
    const { people } = this.world;
    switch (happens.type) {
      case 'create':
        await deckhand.create(this.world, 'npm test', happens.asks ? { project: this.#asking } : {});
        return;
      case 'press': {
        const waiting = await deckhand.db.interaction.findMany({ where: { workspaceId: this.world.workspace } });
        const secret = pick(waiting, happens.which)?.secret;
        if (secret !== undefined) await deckhand.press(secret, people[happens.who], happens.decision);
        return;
      }
      case 'work': {
        const run = pick(await this.#live(), happens.which);
        const runner = pick(this.#runners, happens.runner);
        if (run === undefined || runner === undefined) return;
        const claim = await runs.claim(run, runner);
        if (!claim.ok || claim.spec.resume?.phase === 'executing') return;
        const offer = happens.local ? localOffer : undefined;
        if ((await deckhand.authorise(claim.spec, runner, offer)).verdict !== 'run') return;
        await runs.executing(run, runner, { kind: happens.local ? 'local' : 'docker', ref: run, isolated: !happens.local });
        await runs.append(run, runner, [{ type: 'note', level: 'info', text: 'output' }]);
        return;
      }
      case 'finish': {
        const held = await deckhand.db.run.findMany({
          where: { workspaceId: this.world.workspace, state: { in: ['executing', 'finishing'] } },
          orderBy: { id: 'asc' },
        });
        const run = pick(held, happens.which);
        const runner = happens.runner === 0 ? pick(this.#runners, happens.which) : run?.runnerId;
        if (run === undefined || runner === undefined || runner === null) return;
        if (!(await runs.finishing(run.id, runner))) return;
        await runs.finish(run.id, runner, succeeded({ outcome: happens.outcome }));
        return;
      }
      case 'stop':
      case 'retry':
      case 'move': {
        const rows = await deckhand.db.task.findMany({ where: { workspaceId: this.world.workspace }, orderBy: { id: 'asc' } });
        const task = pick(rows, happens.which)?.id;
        if (task === undefined) return;
        if (happens.type === 'stop') await deckhand.tx((tx) => tasks.stop(tx, task, people.ben));
        if (happens.type === 'retry') await deckhand.tx((tx) => tasks.retry(tx, task, people.dev));
        if (happens.type === 'move') await deckhand.tx((tx) => tasks.move(tx, task, happens.to, people.dev));
        return;
      }
      case 'restart':
        this.#runners.unshift(await deckhand.runner({ host: `host-${this.world.workspace}-${happens.host}`, capacity: 2 }));
        return;
      case 'time':
        deckhand.clock.advance(happens.ms);
        return;
      case 'sweep':
        await deckhand.engine.sweep();
    }
  }

  async #live(): Promise<string[]> {
    const rows = await this.#deckhand.db.run.findMany({
      where: { workspaceId: this.world.workspace, state: { in: ['queued', 'preparing', 'executing'] } },
      orderBy: { id: 'asc' },
      select: { id: true },
    });
    return rows.map(({ id }) => id);
  }

  /** Time goes on and nobody does anything any more: everything has to come to an end by itself. */
  async settle(): Promise<void> {
    const { clock, engine } = this.#deckhand;
    for (let round = 0; round < 3; round += 1) {
      clock.advance(askPolicy.expiresMs + defaultEngineSettings.lostAfterMs);
      await engine.sweep();
    }
  }

  async check(): Promise<void> {
    const { db } = this.#deckhand;
    const tasks = await db.task.findMany({
      where: { workspaceId: this.world.workspace },
      include: { runs: true, interactions: true },
    });
    for (const task of tasks) {
      const runs = task.runs.sort((a, b) => a.attempt - b.attempt);
      const latest = runs.at(-1);
      for (const run of runs) {
        await this.#checkRun(run);
        const pending = task.interactions.filter(({ runId, state }) => runId === run.id && state === 'pending');
        expect(pending, run.state).toHaveLength(run.state === 'awaiting' ? 1 : 0);
        if (run !== latest) expect(isTerminal(run.state as RunState)).toBe(true);
      }
      expect(columnsOf(latest?.state as RunState), `${latest?.state} in ${task.column}`).toContain(task.column);
    }
  }

  async #checkRun(run: { id: string; state: string; lastSeq: number; projectId: string; taskId: string }): Promise<void> {
    const events = await this.#deckhand.events(run.id);
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: run.lastSeq }, (_, index) => index + 1));
    let state: RunState | null = null;
    for (const event of events) {
      if (event.type !== 'lifecycle') continue;
      expect(event.from).toBe(state);
      const names: RunEventName[] = ['claim', 'park', 'approve', 'execute', 'collect', ...runOutcomeSchema.options];
      const from = state;
      if (from !== null) {
        const ways = names.map((name) => runTransition(from, name));
        expect(
          ways.some((way) => way.ok && way.to === event.to),
          `${from} to ${event.to}`,
        ).toBe(true);
      }
      state = event.to;
    }
    expect(state).toBe(run.state);
    const ends = events.filter(({ type }) => type === 'terminal');
    expect(ends).toHaveLength(isTerminal(run.state as RunState) ? 1 : 0);
    if (ends.length === 1) expect(events.at(-1)?.type).toBe('terminal');
    await this.#checkApproval(run, events);
  }

  /** Promise 7: what executed was approved for this run, or a rule of a person with the right allowed it. */
  async #checkApproval(
    run: { id: string; projectId: string; taskId: string },
    events: Awaited<ReturnType<TestEngine['events']>>,
  ): Promise<void> {
    const { db } = this.#deckhand;
    const interactions = await db.interaction.findMany({ where: { runId: run.id } });
    for (const interaction of interactions) {
      const decided = events.filter((event) => event.type === 'interaction_decided' && event.interaction === interaction.id);
      expect(decided).toHaveLength(interaction.state === 'pending' ? 0 : 1);
      if (interaction.consumedBy !== null) expect(interaction).toMatchObject({ state: 'approved', consumedBy: run.id });
      expect(interaction.decidedById).not.toBe(this.world.people.dev.user);
    }
    const executed = events.find((event) => event.type === 'sandbox');
    if (run.projectId !== this.#asking || executed?.type !== 'sandbox') return;
    const used = interactions.filter(({ consumedBy }) => consumedBy === run.id);
    const rules = await db.rule.count({ where: { taskId: run.taskId } });
    expect(used.length + rules).toBeGreaterThan(0);
    if (rules === 0) expect(used.map(({ action }) => (action as { sandbox: string }).sandbox)).toContain(executed.kind);
  }
}

function pick<T>(items: readonly T[], index: number): T | undefined {
  return items.length === 0 ? undefined : items[index % items.length];
}

function columnsOf(state: RunState): string[] {
  if (state === 'queued') return ['queued'];
  if (state === 'awaiting') return ['blocked'];
  return isTerminal(state) ? ['backlog', 'review', 'done', 'cancelled'] : ['running'];
}

let deckhand: TestEngine;

beforeAll(async () => {
  deckhand = await TestEngine.start();
});
afterAll(() => deckhand.close());

describe('promises 4, 7 and 8: whatever happens, in whatever order and at once', () => {
  it('logs have no gaps, runs end once, nothing unapproved executes, and everything comes to an end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(happening, { minLength: 1, maxLength: 4 }), { maxLength: 14 }), async (rounds) => {
        const game = await Game.start(deckhand);
        for (const round of rounds) await Promise.all(round.map((happens) => game.play(happens)));
        await game.check();
        await game.settle();
        await game.check();
        const unfinished = await deckhand.db.run.count({
          where: { workspaceId: game.world.workspace, state: { in: ['awaiting', 'preparing', 'executing', 'finishing'] } },
        });
        expect(unfinished).toBe(0);
      }),
      { numRuns: 25, endOnFailure: true },
    );
  }, 120_000);
});
