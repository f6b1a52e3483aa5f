import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Prisma } from '../../prisma/client/client.ts';
import { labelsIn } from '../../src/contracts/labels.ts';
import { givePlaces, suits } from '../../src/store/places.ts';
import { changingRuns } from '../../src/store/projection.ts';
import { TestEngine } from '../support/test-engine.ts';

/** A run of a queue: `left` is the disk that its task is bound to, `at` when it was asked for, and of one that has ended when that was. */
interface QueuedRun {
  id: string;
  task: string;
  project: number;
  person: string;
  state: 'queued' | 'placed' | 'executing' | 'succeeded';
  runsOn: string;
  left: string | null;
  filesComing: boolean;
  host: string;
  at: number;
}

interface Room {
  host: string;
  capacity: number;
  labels: string;
  store: string;
}

const size = 36;
const stores = ['disk-1', 'disk-2'];
const labels = ['', 'gpu', 'eu,gpu'];
const now = new Date('2026-03-01T12:00:00Z');

let deckhand: TestEngine;
let projects: string[] = [];
let made: Pick<QueuedRun, 'id' | 'task' | 'project' | 'person'>[] = [];

beforeAll(async () => {
  deckhand = await TestEngine.start();
  const world = await deckhand.world();
  projects = [world.project];
  for (const name of ['api', 'docs']) projects.push(await deckhand.project(world.workspace, name));
  const people = [world.people.ada, world.people.ben, world.people.dev];
  for (let n = 0; n < size; n += 1) {
    const project = n % projects.length;
    const by = people[n % 7 < 3 ? 0 : n % 2 === 0 ? 1 : 2] ?? world.people.ada;
    const { run, task } = await deckhand.create(world, `echo ${n}`, { by, project: projects[project] ?? world.project });
    made.push({ id: run, task, project, person: by.user });
  }
  made = made.sort((a, b) => (a.id < b.id ? -1 : 1));
});
afterAll(() => deckhand.close());

const someRun = fc.record({
  state: fc.constantFrom('queued', 'queued', 'queued', 'queued', 'placed', 'executing', 'succeeded'),
  runsOn: fc.constantFrom(...labels),
  left: fc.option(fc.constantFrom(...stores), { freq: 2 }),
  filesComing: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  host: fc.constantFrom('a', 'b', 'c'),
  at: fc.integer({ min: 0, max: 100 }),
} satisfies { [K in keyof QueuedRun]?: fc.Arbitrary<QueuedRun[K]> });
const someRoom = fc.record({
  capacity: fc.integer({ min: 1, max: 9 }),
  labels: fc.constantFrom(...labels),
  store: fc.constantFrom(...stores),
});
const someQueue = fc.record({
  runs: fc.array(someRun, { minLength: size, maxLength: size }),
  rooms: fc.array(someRoom, { minLength: 1, maxLength: 3 }),
  concurrency: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 3, maxLength: 3 }),
});

const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000);

async function arrange(runs: readonly QueuedRun[], rooms: readonly Room[], concurrency: readonly number[]): Promise<void> {
  const { db } = deckhand;
  await db.runner.deleteMany({});
  await db.attachedFile.deleteMany({});
  await db.runner.createMany({
    data: rooms.map(({ host, ...room }) => ({ ...room, id: host, hostId: host, sandboxes: {}, beatAt: now })),
  });
  for (const [index, id] of projects.entries()) {
    await db.project.update({ where: { id }, data: { limits: { concurrency: concurrency[index], timeoutMs: 60_000 } } });
  }
  const rows = runs.map(({ id, task, state, runsOn, left, host, at, filesComing }) => {
    const ended = state === 'succeeded' ? minutesAgo(at) : null;
    const placedOn = state === 'placed' ? host : null;
    const values = [id, task, state === 'placed' ? 'queued' : state, runsOn, left, state === 'executing' ? host : null, placedOn];
    return Prisma.sql`(${Prisma.join(values)}, ${minutesAgo(at)}::timestamptz, ${ended}::timestamptz, ${filesComing}::boolean)`;
  });
  await db.$executeRaw(Prisma.sql`
    WITH said (id, task, state, runs_on, kept, host, placed_on, at, ended, coming) AS (VALUES ${Prisma.join(rows)}), tasks AS (
      UPDATE "Task" SET "store" = kept, "head" = kept FROM said WHERE "Task"."id" = said.task
    ), files AS (
      INSERT INTO "AttachedFile" ("id", "workspaceId", "runId", "place", "came", "source", "key", "name", "by", "state", "dueAt", "giveUpAt")
      SELECT gen_random_uuid()::text, "workspaceId", said.id, 1, 'request', '{}', gen_random_uuid()::text, 'a', 'b', 'pending', at, at
      FROM said JOIN "Run" ON "Run"."id" = said.id WHERE coming
    )
    UPDATE "Run" SET "state" = said.state, "runsOn" = runs_on, "hostId" = host, "placedOn" = placed_on, "queuedAt" = at, "endedAt" = ended,
      "startedAt" = CASE WHEN said.state IN ('executing', 'succeeded') THEN at END, "dispatchedAt" = CASE WHEN placed_on IS NOT NULL THEN at END
    FROM said WHERE "Run"."id" = said.id`);
}

/** Who gets a place where, as queue-turns.ts says it: each time every waiting run gets its number, and none is left out. */
function inTurn(runs: QueuedRun[], rooms: readonly Room[], concurrency: readonly number[]): [string, string][] {
  const hosts = new Set(rooms.map(({ host }) => host));
  // A place on a host that is not there is taken back.
  let waiting = runs.filter(({ state, host }) => state === 'queued' || (state === 'placed' && !hosts.has(host)));
  const busy = runs.filter((run) => run.state === 'executing' || (run.state === 'placed' && !waiting.includes(run)));
  const left = rooms.map((room) => ({
    ...room,
    free: Math.max(0, room.capacity - busy.filter(({ host }) => host === room.host).length),
  }));
  const served = (which: (run: QueuedRun) => boolean) =>
    Math.max(-Infinity, ...runs.filter((run) => run.state === 'succeeded' && run.at < 60 && which(run)).map(({ at }) => -at));
  const ofPerson = (run: QueuedRun) => (other: QueuedRun) => ofProject(run)(other) && other.person === run.person;
  const ofProject = (run: QueuedRun) => (other: QueuedRun) => other.project === run.project;
  const before = (a: readonly (number | string)[], b: readonly (number | string)[]) => {
    const at = a.findIndex((value, index) => value !== b[index]);
    return at < 0 ? 0 : (a[at] ?? 0) < (b[at] ?? 0) ? -1 : 1;
  };
  const need = ({ runsOn, left: bound }: QueuedRun) => ({
    runsOn,
    store: rooms.some(({ store }) => store === bound) ? (bound ?? '') : '',
  });
  const roomsFor = (run: QueuedRun) => left.filter((room) => room.free > 0 && suits(need(run), room));
  const given: [string, string][] = [];
  for (;;) {
    const open = waiting.filter((run) => !run.filesComing && roomsFor(run).length > 0);
    const byAge = (run: QueuedRun) => [-run.at, run.id] as const;
    const numbered = (
      list: QueuedRun[],
      key: (run: QueuedRun) => readonly (number | string)[],
      same: (run: QueuedRun) => (other: QueuedRun) => boolean,
    ) => {
      const sorted = list.toSorted((a, b) => before(key(a), key(b)));
      return (run: QueuedRun) => busy.filter(same(run)).length + sorted.filter(same(run)).indexOf(run) + 1;
    };
    const personal = numbered(open, byAge, ofPerson);
    const share = numbered(open, (run) => [personal(run), served(ofPerson(run)), ...byAge(run)], ofProject);
    const turn = (run: QueuedRun) => [share(run), served(ofProject(run)), ...byAge(run)];
    const free = left.reduce((sum, room) => sum + room.free, 0);
    const next = open
      .filter((run) => share(run) <= (concurrency[run.project] ?? 1))
      .sort((a, b) => before(turn(a), turn(b)))
      .slice(0, free);
    if (next.length === 0) return given;
    for (const run of next) {
      const rank = (room: Room & { free: number }) => [labelsIn(room.labels).length, -room.free, room.host];
      const [room] = roomsFor(run).sort((a, b) => before(rank(a), rank(b)));
      if (room === undefined) continue;
      room.free -= 1;
      given.push([run.id, room.host]);
      waiting = waiting.filter((other) => other !== run);
      busy.push(run);
    }
  }
}

it('places go to those whose turn it is, in whatever queue, as when every waiting run is looked at', async () => {
  let places = 0;
  await fc.assert(
    fc.asyncProperty(someQueue, async ({ runs, rooms, concurrency }) => {
      const all = made.map((one, index) => ({
        ...one,
        ...(runs[index] ?? { state: 'succeeded' as const, runsOn: '', left: null, filesComing: false, host: 'a', at: 0 }),
      }));
      const named = rooms.map((room, index) => ({ ...room, host: ['a', 'b', 'c'][index] ?? 'd' }));
      await arrange(all, named, concurrency);
      const changing = await changingRuns(deckhand.database);
      for (const [index, project] of projects.entries()) {
        const waits = all
          .filter((run) => run.project === index && run.state === 'queued')
          .sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
        expect(changing.queued.filter((run) => run.project === project).map(({ run }) => run)).toEqual(waits.map(({ id }) => id));
      }
      const given = await deckhand.tx((tx) => givePlaces(tx, now));
      expect(given.map(({ run, host }) => [run, host])).toEqual(inTurn(all, named, concurrency));
      places += given.length;
    }),
    { numRuns: 40 },
  );
  expect(places).toBeGreaterThan(40);
});
