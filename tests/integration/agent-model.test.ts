import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Ask, NumberedMail } from '../../src/contracts/agent.ts';
import { AgentTurn, editAsk, toolAsk } from '../support/agent-turn.ts';
import { askPolicy, TestEngine, type TestWorld } from '../support/test-engine.ts';

type Act =
  | { type: 'ask'; what: 'read' | 'edit' | 'command' }
  | { type: 'repeat' }
  | { type: 'withdraw'; which: number }
  | { type: 'decide'; which: number; who: 'ada' | 'ben' | 'dev'; verb: 'approve' | 'approve_task' | 'deny' }
  | { type: 'read' }
  | { type: 'say' }
  | { type: 'mode'; mode: 'ask' | 'plan' }
  | { type: 'crash' }
  | { type: 'release'; renames: boolean }
  | { type: 'expire' };

const which = fc.nat(9);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('ask' as const), what: fc.constantFrom('read', 'edit', 'command') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('repeat' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('withdraw' as const), which }) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('decide' as const),
      which,
      who: fc.constantFrom('ada', 'ben', 'dev'),
      verb: fc.constantFrom('approve', 'approve', 'approve_task', 'deny'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('read' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('say' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('mode' as const), mode: fc.constantFrom('ask', 'plan') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('crash' as const) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('release' as const), renames: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('expire' as const) }) },
);

let deckhand: TestEngine;
beforeAll(async () => {
  deckhand = await TestEngine.start({ lostAfterMs: 365 * 24 * 60 * 60_000, quietAfterMs: 365 * 24 * 60 * 60_000 });
});
afterAll(() => deckhand.close());

/** A harness with people around it, and what it has been told. */
class Play {
  readonly #world: TestWorld;
  readonly #turn: AgentTurn;
  #asks = 0;
  #steps = 0;
  #last: Parameters<AgentTurn['step']>[0] = {};
  #mailAt = 0;
  /** What the process of now has asked and not heard of, by name. */
  readonly #open = new Map<string, Ask>();

  private constructor(world: TestWorld, turn: AgentTurn) {
    this.#world = world;
    this.#turn = turn;
  }

  static async begin(): Promise<Play> {
    const world = await deckhand.world({ policy: askPolicy });
    return new Play(world, await AgentTurn.begin(deckhand, world, await deckhand.runner({ capacity: 10_000 })));
  }

  async act(one: Act): Promise<void> {
    const turn = this.#turn;
    switch (one.type) {
      case 'ask': {
        this.#asks += 1;
        await this.#ask(askOf(one.what, `ask-${this.#asks}`, this.#asks));
        break;
      }
      case 'repeat':
        expect(await turn.step(this.#last)).toBe(true);
        break;
      case 'withdraw': {
        const name = [...this.#open.keys()].at(one.which);
        if (name === undefined) return;
        this.#open.delete(name);
        await this.#step({ withdrawn: [name] });
        break;
      }
      case 'decide': {
        const pending = await this.#pending();
        const row = pending.at(one.which % Math.max(1, pending.length));
        if (row === undefined) return;
        const result = await deckhand.press(row.secret, this.#world.people[one.who], one.verb);
        expect(result.result).toBe(one.who === 'dev' ? 'not_allowed' : 'decided');
        break;
      }
      case 'read':
        await this.#read();
        break;
      case 'say': {
        const said = { task: turn.task, text: 'Go on.', when: 'next', by: this.#world.people.dev } as const;
        this.#asks += 1;
        await deckhand.tx((tx) => deckhand.engine.tasks.steer(tx, { ...said, origin: `${turn.run}/${this.#asks}` }));
        break;
      }
      case 'mode':
        await deckhand.tx((tx) =>
          deckhand.engine.tasks.changeSettings(tx, turn.task, { mode: one.mode }, this.#world.people.dev),
        );
        break;
      case 'crash': {
        const spec = await turn.claim(await deckhand.runner({ capacity: 10_000 }));
        expect(spec.resume?.phase).toBe('executing');
        expect(spec.agent?.mail).toBe(this.#mailAt);
        break;
      }
      case 'release':
        await this.#release(one.renames);
        break;
      case 'expire':
        deckhand.clock.advance(askPolicy.expiresMs);
        await deckhand.runs.beat(turn.runner);
        await deckhand.engine.sweep();
        await deckhand.runs.beat(turn.runner);
        break;
    }
  }

  async #step(step: Parameters<AgentTurn['step']>[0]): Promise<void> {
    this.#steps += 1;
    this.#last = { id: `${this.#turn.run}/${this.#steps}`, ...step };
    expect(await this.#turn.step(this.#last)).toBe(true);
  }

  async #ask(ask: Ask): Promise<void> {
    this.#open.set(ask.ask, ask);
    await this.#step({ asks: [ask] });
  }

  async #read(): Promise<void> {
    const mail = await this.#turn.mail(this.#mailAt);
    for (const { seq, mail: one } of mail) {
      this.#mailAt = seq;
      if (one.type === 'decision') this.#open.delete(one.ask);
    }
    await this.#step({ mail: this.#mailAt });
  }

  /** Parks, is let go of, waits until all is decided, and goes on in another process that asks again what it has not heard of. */
  async #release(renames: boolean): Promise<void> {
    const turn = this.#turn;
    expect(await deckhand.engine.agents.release(turn.run, turn.runner, { session: null, head: null })).toBe(true);
    for (const { secret } of await this.#pending()) {
      expect(await deckhand.press(secret, this.#world.people.ben)).toMatchObject({ result: 'decided' });
    }
    expect(await turn.state()).toBe('queued');
    // Of what was answered without people it hears by mail.
    const asked = await deckhand.db.interaction.findMany({ where: { runId: turn.run }, select: { ask: true } });
    const waited = [...this.#open.values()].filter(({ ask }) => asked.some((row) => row.ask === ask));
    this.#open.clear();
    expect((await turn.claim(await deckhand.runner({ capacity: 10_000 }))).agent).toMatchObject({ resumed: true, inputs: 0 });
    await turn.start();
    const before = await this.#pending();
    for (const ask of waited) await this.#ask(renames ? { ...ask, ask: `${ask.ask}'` } : ask);
    // Everything was decided: nobody is asked a second time.
    expect(await this.#pending()).toEqual(before);
  }

  #pending() {
    const where = { runId: this.#turn.run, state: 'pending' };
    return deckhand.db.interaction.findMany({ where, orderBy: { id: 'asc' } });
  }

  async check(): Promise<void> {
    const { run: id, task } = this.#turn;
    const run = await deckhand.db.run.findUniqueOrThrow({ where: { id } });
    const pending = await this.#pending();
    expect(run.state === 'awaiting').toBe(pending.length > 0);
    const mode = (run.agent as { mode: string }).mode;
    if (pending.length === 0) expect(run.state).toBe(mode === 'plan' ? 'planning' : 'executing');
    expect((await deckhand.columnOf(task)).column).toBe(pending.length > 0 ? 'blocked' : 'running');
    // Everything that was asked is waiting or answered.
    const mail = await deckhand.db.runMail.findMany({ where: { runId: id }, orderBy: { seq: 'asc' } });
    const numbered = mail.map(({ seq, data }) => ({ seq, mail: data as NumberedMail['mail'] }));
    const told = numbered.flatMap(({ mail: one }) => (one.type === 'decision' ? [one] : []));
    for (const name of this.#open.keys()) {
      const waits = pending.some(({ ask }) => ask === name);
      expect({ name, known: waits || told.some(({ ask }) => ask === name) }).toEqual({ name, known: true });
    }
    expect(mail.map(({ seq }) => seq)).toEqual(mail.map((_, at) => at + 1));
    await this.#checkApprovals(mail.filter(({ data }) => (data as { verdict?: string }).verdict === 'allow'));
    const events = await deckhand.db.runEvent.findMany({ where: { runId: id }, select: { seq: true }, orderBy: { seq: 'asc' } });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
  }

  /** Every "yes" about more than reading is the word of somebody who may, or a rule that came of one. */
  async #checkApprovals(allowed: { interactionId: string | null; data: unknown; givenAt: Date | null }[]): Promise<void> {
    const rules = await deckhand.db.rule.findMany({ where: { taskId: this.#turn.task } });
    for (const { interactionId, data, givenAt } of allowed) {
      const { ask } = data as { ask: string };
      if (interactionId === null) {
        expect(ask.startsWith('read') || rules.length > 0).toBe(true);
        continue;
      }
      const row = await deckhand.db.interaction.findUniqueOrThrow({ where: { id: interactionId } });
      expect(row.state).toBe('approved');
      expect([this.#world.people.ada.user, this.#world.people.ben.user]).toContain(row.decidedById);
      if (givenAt !== null) expect(row.consumedBy).toBe(this.#turn.run);
    }
  }

  async end(): Promise<void> {
    const { run, runner, task } = this.#turn;
    expect(await deckhand.finish(run, runner)).toBe(true);
    expect(await this.#pending()).toEqual([]);
    expect(await deckhand.db.runMail.count({ where: { runId: run, state: 'unread' } })).toBe(0);
    expect((await deckhand.columnOf(task)).column).toBe('done');
    expect((await this.#turn.types()).filter((type) => type === 'terminal')).toHaveLength(1);
  }
}

/** Different calls, so that none is the repetition of another. */
function askOf(what: 'read' | 'edit' | 'command', name: string, number: number): Ask {
  if (what === 'edit') return editAsk(name, `src/${number}.ts`);
  if (what === 'command') return toolAsk(name, { command: `npm run ${number}`, input: `${number}` });
  return toolAsk(`read-${name}`, { tool: 'Grep', command: undefined, readOnly: true, input: `${number}` });
}

it('promises 7 and 8: whatever happens, every ask is answered once by who may, and the run waits exactly while people are asked', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 25 }), async (acts) => {
      const play = await Play.begin();
      for (const one of acts) {
        await play.act(one);
        await play.check();
      }
      await play.end();
    }),
    { numRuns: 12, endOnFailure: true },
  );
});
