import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunEvent, RunEventData } from '../../src/contracts/run-event.ts';
import { emptyRunView, foldRuns } from '../../src/delivery/run-view.ts';
import { beginThinning, runsToThin } from '../../src/store/forget-old.ts';
import { eventsAfter } from '../../src/store/projection.ts';
import { appendEvents } from '../../src/store/run-events.ts';
import { endThinning, thinSome } from '../../src/store/thin-log.ts';
import { createForgetting } from '../../src/tasks/forget.ts';
import { TestEngine, type TestWorld } from '../support/test-engine.ts';

const day = 24 * 60 * 60_000;
let deckhand: TestEngine;
let world: TestWorld;
let runner: string;
beforeAll(async () => {
  deckhand = await TestEngine.start();
  world = await deckhand.world({ limits: { concurrency: 20 } });
  runner = await deckhand.runner({ capacity: 64 });
});
afterAll(() => deckhand.close());

/** Ids are made by the clock of the machine, what happened is by that of the test: long ago. */
const now = new Date(Date.now() + 40 * day);
const forget = () => createForgetting(deckhand.database, { ...usual, eventsMs: 30 * day })(now);
const usual = { auditMs: 90 * day };

/** Whatever is in a log comes into it, from runners, agents and people. */
const add = (run: string, events: readonly RunEventData[]) =>
  deckhand.tx((tx) => appendEvents(tx, { run, actor: { type: 'system', part: 'runner' }, events, at: deckhand.clock.now() }));

/** A run that has ended, with these events before its end. */
async function ended(data: readonly RunEventData[]): Promise<{ run: string; task: string }> {
  const made = await deckhand.create(world, 'npm test');
  await deckhand.execute(made.run, runner);
  await add(made.run, data);
  await deckhand.finish(made.run, runner);
  return made;
}

/** The end of a log with nothing but notes, so that what is asked about lies before it. */
const tail = Array.from({ length: 100 }, (): RunEventData => ({ type: 'note', level: 'info', text: 'later' }));
const output = (text: string): RunEventData => ({ type: 'output', stream: 'stdout', from: 0, to: text.length, text });
const list = (text: string): RunEventData => ({ type: 'checklist', items: [{ state: 'open', text }] });

/** The log as cards read it. */
async function logOf(run: string): Promise<RunEvent[]> {
  const found: RunEvent[] = [];
  for (;;) {
    const page = (await eventsAfter(deckhand.db, [{ run, after: found.at(-1)?.seq ?? 0 }], 1000)).get(run) ?? [];
    if (page.length === 0) return found;
    found.push(...page);
  }
}

const bulk = new Set(['output', 'assistant', 'thinking', 'tool', 'tool_ended', 'checklist', 'conversation']);
const anyEvent = fc.oneof(
  fc.string({ maxLength: 20 }).map(output),
  fc.string({ minLength: 1, maxLength: 9 }).map(list),
  fc.constantFrom<RunEventData>(
    { type: 'thinking', part: 'p', text: 'hm', final: true },
    { type: 'tool', id: 't', tool: 'bash', title: 'ls' },
    { type: 'tool_ended', id: 't', ok: true, summary: '' },
    { type: 'note', level: 'warning', text: 'kept' },
    { type: 'stage', stage: 'checks', detail: 'kept' },
  ),
);

test('of any old log the bulk goes but for the end and the newest list of steps, in parts of any size, and what it shows of the end stays', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyEvent, { maxLength: 60 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 25 }),
      async (data, long, most) => {
        const one = await ended([...data, ...(long ? tail : [])]);
        const before = await logOf(one.run);
        await deckhand.tx((tx) => beginThinning(tx, one));
        for (let after: number | undefined = 0; after !== undefined; ) {
          const step = await thinSome(deckhand.database, { run: one.run, after, most });
          expect(step.removed).toBeLessThanOrEqual(most);
          after = step.last;
        }
        await endThinning(deckhand.database, one.run, now);
        const left = await logOf(one.run);
        const last = before.at(-1)?.seq ?? 0;
        const mustStay = before.filter(({ seq, data: { type } }) => seq > last - 100 || !bulk.has(type));
        expect(left.filter(({ data: { type } }) => type !== 'checklist').map(({ seq }) => seq)).toEqual(
          mustStay.filter(({ data: { type } }) => type !== 'checklist').map(({ seq }) => seq),
        );
        const lists = (events: readonly RunEvent[]) => events.filter(({ data: { type } }) => type === 'checklist');
        expect(lists(left).at(-1)?.seq).toBe(lists(before).at(-1)?.seq);
        const [was, is] = [before, left].map((events) => foldRuns(emptyRunView(one.run), events));
        expect({ ...is, tail: undefined, agent: undefined }).toEqual({ ...was, tail: undefined, agent: undefined });
      },
    ),
    { numRuns: 8 },
  );
});

test('a long log is made short in statements that nobody waits for, goes on after a crash, and is done once', async () => {
  const { db } = deckhand;
  const long = 12_000;
  const one = await ended([list('plan')]);
  const { lastSeq } = await db.run.findUniqueOrThrow({ where: { id: one.run } });
  await db.$executeRaw`
    INSERT INTO "RunEvent" ("runId", "seq", "type", "at", "actor", "data")
    SELECT ${one.run}, ${lastSeq} + n, 'output', now(), '{"type":"system","part":"runner"}',
      jsonb_build_object('type', 'output', 'stream', 'stdout', 'from', n, 'to', n + 1, 'text', 'x')
    FROM generate_series(1, ${long}) AS n`;
  await db.run.update({ where: { id: one.run }, data: { lastSeq: lastSeq + long, projectedSeq: lastSeq + long } });
  const other = await ended([output('short')]);
  const due = () => runsToThin(db, { after: '', before: now, most: 1000 });
  const both = [one, other].map(({ run, task }) => ({ run, task }));
  expect(await due()).toEqual(expect.arrayContaining(both));

  // A process begins and dies. What is gone is told as a gap from the first moment on.
  await deckhand.tx((tx) => beginThinning(tx, one));
  const first = await thinSome(deckhand.database, { run: one.run, after: 0, most: 500 });
  expect(first.removed).toBeGreaterThan(400);
  expect((await logOf(one.run)).every(({ gaps }) => gaps)).toBe(true);
  expect(await due()).toEqual(expect.arrayContaining(both));

  // While another goes on with it, nobody is kept from continuing the task or from adding to the log.
  const going = forget();
  await add(one.run, [{ type: 'note', level: 'info', text: 'x' }]);
  expect(await going).toBeGreaterThan(long - 1000);
  expect(await db.runEvent.count({ where: { runId: one.run } })).toBeLessThan(150);
  expect((await logOf(one.run)).map(({ data }) => data.type)).toContain('checklist');
  expect(await due()).toEqual([]);
  expect(await forget()).toBe(0);
});

test('what still goes on keeps its log', async () => {
  const lively = await deckhand.create(world, 'npm test');
  await deckhand.execute(lively.run, runner);
  await add(lively.run, [output('a'), ...tail]);
  const again = await ended([output('b'), ...tail]);
  await deckhand.tx((tx) => deckhand.engine.tasks.retry(tx, again.task, world.people.dev));
  await forget();
  for (const { run } of [lively, again]) expect((await logOf(run)).map(({ data }) => data.type)).toContain('output');
});
