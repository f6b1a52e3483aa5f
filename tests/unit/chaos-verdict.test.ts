import { expect, test } from 'vitest';
import { readOptions } from '../../bench/chaos/options.ts';
import type { Request } from '../../bench/chaos/people.ts';
import { stepsOf } from '../../bench/chaos/plan.ts';
import { type Evidence, findingsOf, findingsOfAll } from '../../bench/chaos/verdict.ts';
import type { RunResult } from '../../src/contracts/run-event.ts';

const request: Request = {
  kind: 'quick',
  marker: 'chaos-0001',
  by: 'ada',
  how: 'slash',
  channel: 'demo',
  accepted: true,
  at: 0,
  ts: undefined,
  retries: false,
  retried: 0,
  heard: false,
  done: true,
};
const run = {
  id: 'run_1',
  state: 'succeeded',
  stdout: 'hello\n',
  log: 'hello\n',
  gapless: true,
  terminals: 1,
  numbered: true,
  projected: true,
  result: null,
  endedAt: new Date(0),
};
const task = {
  id: 'tsk_1',
  number: 1,
  command: 'echo chaos-0001',
  column: 'review',
  project: 'p',
  runs: [run],
  interactions: [],
};
const failedFor = (message: string): RunResult => ({
  outcome: 'failed',
  cause: 'internal',
  message,
  durationMs: 0,
  files: [],
  artifacts: [],
});
const end = { text: '#1 ✔ done in 1 s hello effects.txt', buttons: ['Retry'] };
const live = { text: '#1 ✔ done', buttons: [] };
const whole: Evidence = { request, tasks: [task], cards: [live, end], effects: 1, diskWasFull: false };
const found = (change: Partial<Evidence>) => findingsOf({ ...whole, ...change }).map(({ what, about }) => `${what}: ${about}`);

test('a request with its task, run, effect and cards, each once, gives no finding', () => {
  expect(found({})).toEqual([]);
});

test.each([
  ['a heard request without a task', { tasks: [], cards: [], effects: 0 }, 'lost: chaos-0001 (quick): 0 of 1 tasks'],
  ['two tasks', { tasks: [task, task] }, 'doubled: chaos-0001 (quick): 2 instead of 1 tasks'],
  ['an effect that is not there', { effects: 0 }, 'lost: chaos-0001 (quick): 0 of 1 effects'],
  ['an effect twice', { effects: 2 }, 'doubled: chaos-0001 (quick): 2 instead of 1 effects'],
  ['a card twice', { cards: [live, end, end] }, 'doubled: chaos-0001 (quick): 3 instead of 2 live cards and end cards'],
  ['no end card', { cards: [live, live] }, 'lost: chaos-0001 (quick): 0 of 1 end cards'],
  [
    'a live card left behind',
    { cards: [{ ...live, text: '#1 ▸ running' }, end] },
    'wrong: chaos-0001 (quick): a card still says: #1 ▸ running',
  ],
  [
    'a run that ended otherwise',
    { tasks: [{ ...task, runs: [{ ...run, state: 'interrupted' }] }] },
    'wrong: chaos-0001 (quick): run_1: it is interrupted instead of succeeded: undefined',
  ],
  [
    'output with a gap',
    { tasks: [{ ...task, runs: [{ ...run, gapless: false }] }] },
    'wrong: chaos-0001 (quick): run_1: its output has gaps or overlaps',
  ],
])('%s is found', (_, change, text) => {
  expect(found(change)).toEqual([text]);
});

test('a run whose disk was full may fail for it, and for nothing else', () => {
  const failed = (message: string) => ({
    tasks: [{ ...task, column: 'backlog', runs: [{ ...run, state: 'failed', result: failedFor(message) }] }],
    cards: [{ text: '#1 ✖ failed', buttons: [] }],
    diskWasFull: true,
  });
  expect(found(failed('No space left on device'))).toEqual([]);
  expect(found({ ...failed('No space left on device'), diskWasFull: false })).not.toEqual([]);
  expect(found(failed('Something else'))).not.toEqual([]);
});

test('a request that the platform said nobody had heard has become a task or nothing', () => {
  const unheard = { ...request, accepted: false };
  expect(found({ request: unheard })).toEqual([]);
  expect(found({ request: unheard, tasks: [], cards: [], effects: 0 })).toEqual([]);
});

test('rows that wait, and tasks that nobody asked for, are found', () => {
  const facts = {
    tasks: [task],
    inbox: { done: 3, failed: 1 },
    outbox: { 'message sent': 2, 'message unknown': 1, 'form failed': 1 },
  };
  expect(findingsOfAll(facts, ['chaos-0002']).map(({ about }) => about)).toEqual([
    '1 inbound events are failed',
    '1 outbound rows are: message unknown',
    'nobody asked for task #1',
  ]);
});

test('a seed gives the same steps, each kind once before any comes again; Redis breaks only where there is one', () => {
  const first = (seed: number, redis: boolean, length: number) => {
    const steps = stepsOf({ seed, redis, database: undefined });
    return Array.from({ length }, () => steps.next().value);
  };
  expect(first(7, true, 60)).toEqual(first(7, true, 60));
  expect(first(7, true, 60)).not.toEqual(first(8, true, 60));
  expect(new Set(first(7, true, 28).map(({ what }) => what)).size).toBe(28);
  expect(first(7, false, 60).filter(({ what }) => what.includes('Redis'))).toEqual([]);
});

test('options are read, and what cannot be meant is refused', () => {
  expect(readOptions(['--minutes', '5', '--redis'], () => 9)).toMatchObject({
    seed: 9,
    minutes: 5,
    runs: 50,
    redis: true,
    sandbox: 'local',
  });
  expect(() => readOptions(['--seed', 'x'], () => 9)).toThrow('--seed takes a number');
  expect(() => readOptions(['--sandbox', 'none'], () => 9)).toThrow('--sandbox takes local or docker');
  expect(() => readOptions(['--sead', '1'], () => 9)).toThrow('--sead');
});
