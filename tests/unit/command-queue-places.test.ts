import { expect, it } from 'vitest';
import { placesOf } from '../../src/commands/queue-places.ts';
import type { QueuedRun } from '../../src/store/run-queries.ts';

const now = new Date('2026-11-20T12:00:00Z');
const before = (seconds: number) => new Date(now.getTime() - seconds * 1000);

function run(id: string, state: QueuedRun['state'], startedAt: Date | null, concurrency = 1, project = 'web'): QueuedRun {
  return {
    run: id,
    state,
    taskNumber: 1,
    title: id,
    project: { id: project, name: project, concurrency },
    requester: 'usr_a',
    queuedAt: before(600),
    startedAt,
  };
}

const shown = (runs: QueuedRun[], means: [string, number][]) =>
  placesOf(runs, new Map(means), now).map((place) => [place.run.run, place.place, place.waitMs]);

it('each waiting run takes the place that is free first', () => {
  const runs = [
    run('a', 'executing', before(40), 2),
    run('b', 'executing', before(10), 2),
    ...['c', 'd', 'e'].map((id) => run(id, 'queued', null, 2)),
  ];
  expect(shown(runs, [['web', 60_000]])).toEqual([
    ['c', 1, 20_000],
    ['d', 2, 50_000],
    ['e', 3, 80_000],
  ]);
});

it('a run that takes longer than usual is expected to end any moment', () => {
  expect(shown([run('a', 'executing', before(500)), run('b', 'queued', null)], [['web', 60_000]])).toEqual([['b', 1, 0]]);
});

it('nothing is estimated for a project that nothing was run in', () => {
  expect(shown([run('a', 'executing', before(5)), run('b', 'queued', null)], [])).toEqual([['b', 1, undefined]]);
});

it('projects do not wait for each other, and what waits for a decision holds no place', () => {
  const runs = [run('a', 'awaiting', null), run('b', 'queued', null, 1, 'api'), run('c', 'queued', null)];
  expect(
    shown(runs, [
      ['web', 60_000],
      ['api', 1000],
    ]),
  ).toEqual([
    ['b', 1, 0],
    ['c', 1, 0],
  ]);
});
