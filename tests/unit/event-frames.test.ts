import fc from 'fast-check';
import { expect, test } from 'vitest';
import { apiEvent, apiEventSchema } from '../../src/contracts/api.ts';
import type { RunEvent, RunEventData } from '../../src/contracts/run-event.ts';
import { eventFrame, heartbeatFrame, noticeFrame, retryFrame } from '../../src/http/event-frames.ts';
import { createRunTails, type TailReader } from '../../src/http/run-tails.ts';
import { createSseParser, type ReadEvent } from '../support/sse.ts';
import { eventually } from '../support/wait-for.ts';

const at = new Date('2026-05-01T12:00:00Z');
const actor = { type: 'system', part: 'runner' } as const;
const event = (seq: number, data: RunEventData): RunEvent => ({ run: 'run_1', seq, at, actor, data });
const note = (text: string): RunEventData => ({ type: 'note', level: 'info', text });
const terminal: RunEventData = {
  type: 'terminal',
  result: { outcome: 'succeeded', message: 'done', durationMs: 1, files: [], artifacts: [] },
};

function parsed(pieces: readonly string[]): { events: ReadEvent[]; notes: string[] } {
  const events: ReadEvent[] = [];
  const notes: string[] = [];
  const parse = createSseParser({ event: (one) => void events.push(one), note: (one) => void notes.push(one) });
  for (const piece of pieces) parse(piece);
  return { events, notes };
}

test('whatever is in the texts of events, a reader gets each of them whole, however the bytes are cut', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a\n\nevent: end\ndata: {}\n\n', '\r\n', ' ', ':x\u2028'));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 9 }), (texts, size) => {
      const shown = texts.flatMap((one, place) => apiEvent(event(place + 1, note(one))) ?? []);
      const bytes = [retryFrame(2000), ...shown.map(eventFrame), heartbeatFrame, noticeFrame('end', { run: 'run_1' })].join('');
      const pieces = bytes.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      const { events, notes } = parsed(pieces);
      expect(events.slice(0, -1).map(({ id, event: type, data }) => ({ id, type, data: JSON.parse(data) }))).toEqual(
        shown.map((one) => ({ id: String(one.seq), type: 'note', data: one })),
      );
      expect(events.at(-1)).toEqual({ id: undefined, event: 'end', data: '{"run":"run_1"}' });
      expect(notes).toEqual(['retry: 2000', ':']);
    }),
    { numRuns: 25 },
  );
});

test('programs are shown what people are: not how an agent goes on by itself', () => {
  expect(apiEvent(event(1, { type: 'conversation', entry: '{}' }))).toBeUndefined();
  expect(apiEvent(event(1, { type: 'session', session: 's' }))).toBeUndefined();
  const session = { id: 'art_1', name: 'session', kind: 'session', bytes: 1 } as const;
  const log = { id: 'art_2', name: 'output.log', kind: 'log', bytes: 1 } as const;
  const shown = apiEvent(event(2, { ...terminal, result: { ...terminal.result, artifacts: [session, log] } }));
  expect(shown?.data).toMatchObject({ type: 'terminal', result: { artifacts: [log] } });
  expect(apiEventSchema.parse(shown)).toEqual(shown);
});

/** A log in memory that counts how often it is read, and whose readers are woken by hand. */
function memoryLog() {
  const events: RunEvent[] = [];
  const wakes = new Set<() => void>();
  const reads: number[] = [];
  const tails = createRunTails({
    log: {
      async read(_run, after, limit = 1000) {
        reads.push(after);
        return events.filter(({ seq }) => seq > after).slice(0, limit);
      },
    },
    wakeups: {
      subscribe(_topic, _id, wake) {
        const one = () => wake('run_1');
        wakes.add(one);
        return () => void wakes.delete(one);
      },
    },
    logger: { warn: (context) => expect.fail(JSON.stringify(context)) },
  });
  const append = (...data: RunEventData[]) => {
    for (const one of data) events.push(event(events.length + 1, one));
    for (const wake of wakes) wake();
  };
  return { append, reads, wakes, tails, events };
}

/** Everything a reader gets until the end. */
async function all(reader: TailReader, after = 0, got: string[] = []): Promise<string[]> {
  let cursor = after;
  for (;;) {
    const frames = await reader.next(cursor);
    if (frames === undefined) return got;
    got.push(...parsed([frames.bytes.toString()]).events.flatMap(({ id }) => id ?? []));
    cursor = frames.to;
  }
}

test('a hundred followers of a run cost one read for what is new, and each gets all of it once', async () => {
  const { append, reads, tails, wakes } = memoryLog();
  append(note('1'), note('2'));
  const readers = Array.from({ length: 100 }, () => tails.join('run_1', { lastSeq: 2, over: false }));
  const last: string[] = [];
  const ends = readers.map((reader, place) => all(reader, 0, place === 99 ? last : []));
  for (const text of ['3', '4', '5']) {
    append(note(text));
    await eventually(() => expect(last.at(-1)).toBe(text));
  }
  append(note('6'), terminal);
  for (const end of ends) expect(await end).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  // One for the old events, one look for each news, and few besides: not one for each of the hundred.
  expect(reads.length).toBeLessThan(12);
  for (const reader of readers) reader.leave();
  expect(wakes.size).toBe(0);
});

test('a reader that stops taking is passed by the others, and goes on from the log where it was', async () => {
  const { append, tails } = memoryLog();
  const big = 'x'.repeat(20_000);
  const quick = tails.join('run_1', { lastSeq: 0, over: false });
  const slow = tails.join('run_1', { lastSeq: 0, over: false });
  append(note('first'));
  const first = await slow.next(0);
  expect(first?.to).toBe(1);
  const quicks = all(quick);
  for (let n = 0; n < 30; n += 1) append(...Array.from({ length: 10 }, () => note(big)));
  append(terminal);
  expect(await quicks).toHaveLength(302);
  // It gets a page at a time, however much there is.
  const next = await slow.next(1);
  expect(next?.bytes.length).toBeLessThan(101 * 21_000);
  expect([...(next === undefined ? [] : [String(next.to)]), ...(await all(slow, next?.to))].at(-1)).toBe('302');
  expect(await all(slow, 1)).toHaveLength(301);
});

test('a run that is over ends at once for who has all of it, and passes over what is not kept any more', async () => {
  const { append, tails, events } = memoryLog();
  append(...Array.from({ length: 9 }, (_, n) => note(String(n))), terminal);
  expect(await tails.join('run_1', { lastSeq: 10, over: true }).next(10)).toBeUndefined();
  events.splice(0, 7);
  expect(await all(tails.join('run_1', { lastSeq: 10, over: true }))).toEqual(['8', '9', '10']);
  events.splice(0);
  expect(await all(tails.join('run_1', { lastSeq: 10, over: true }))).toEqual([]);
});

test('a reader that leaves ends its waiting, and the last one the looking', async () => {
  const { tails, wakes } = memoryLog();
  const reader = tails.join('run_1', { lastSeq: 0, over: false });
  const waiting = reader.next(0);
  expect(wakes.size).toBe(1);
  reader.leave();
  await expect(waiting).rejects.toThrow('has left');
  expect(wakes.size).toBe(0);
});
