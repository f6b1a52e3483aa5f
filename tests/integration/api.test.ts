import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createTokenAccess } from '../../src/access/token-access.ts';
import { apiEventsSchema, apiProblemSchema, apiRunSchema, apiTaskSchema, apiTasksSchema } from '../../src/contracts/api.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { viewSecretContext, withSecret } from '../../src/delivery/view-secret.ts';
import { apiGroups } from '../../src/http/api.ts';
import { mostInWindow } from '../../src/http/bad-tokens.ts';
import { mostOfToken } from '../../src/http/open-streams.ts';
import { createHttpServer, type HttpServer } from '../../src/http/server.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createEventLog } from '../../src/store/event-log.ts';
import { appendEvents } from '../../src/store/run-events.ts';
import type { Wakeups } from '../../src/store/wakeups.ts';
import { type Account, type Desk, openDesk, press, type Said, slash, tokenOf } from '../support/desk.ts';
import { readSse, type SseReader } from '../support/sse.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

const system = { type: 'system', part: 'runner' } as const;
const note = (text: string): RunEventData => ({ type: 'note', level: 'info', text });
const terminal: RunEventData = {
  type: 'terminal',
  result: { outcome: 'succeeded', message: 'done', durationMs: 1, files: [], artifacts: [] },
};
/** What an id of another workspace and one that does not exist are answered, but for the id itself and the reference. */
const missing = expect.objectContaining({ status: 404, code: 'DH-224', title: 'No such run' });

/** Where much is written. */
const patient = { timeoutMs: 30_000 };

let desk: Desk;
let wakeups: Wakeups;
let server: HttpServer;
let token: string;
let names = 0;
const metrics = createMetrics();

beforeAll(async () => {
  desk = await openDesk();
  ({ wakeups } = desk);
  server = await serve();
  token = await createToken('ada');
});

afterAll(async () => {
  await server.abort();
  await desk[Symbol.asyncDispose]();
});

async function serve(): Promise<HttpServer> {
  const { database } = desk;
  const logger = createLogger({ level: 'silent' });
  const one = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    logger,
    groups: apiGroups({
      database,
      wakeups,
      log: createEventLog(database, wakeups),
      tokens: createTokenAccess({ database, now: () => new Date(), log: logger }),
      logger,
      version: '1.2.3',
      metrics,
      heartbeatMs: 50,
      stalledMs: 2000,
    }),
    webhooks: [],
    checks: [],
    metrics: metrics.registry,
  });
  await one.start();
  return one;
}

function secretOf(said: Said | undefined): string {
  if (said === undefined || !('view' in said.payload)) throw new Error('nothing was said');
  const view = withSecret(said.payload.view, (sealed) => desk.secretBox.open(sealed, viewSecretContext));
  return view.blocks.flatMap((block) => (block.type === 'code' && block.text.startsWith('dhp_') ? [block.text] : []))[0] ?? '';
}

async function createToken(who: Account, options = ''): Promise<string> {
  names += 1;
  const [said] = await desk.act(slash(who, `token create t${names} ${options}`));
  return secretOf(said);
}

const authorised = (secret = token) => ({ authorization: `Bearer ${secret}` });

async function get(path: string, headers: Record<string, string> = authorised()): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${server.url}/api/v1${path}`, { headers });
  return { status: answer.status, body: answer.headers.get('content-type')?.includes('json') ? await answer.json() : undefined };
}

async function problem(path: string, headers?: Record<string, string>): Promise<z.infer<typeof apiProblemSchema>> {
  const answer = await fetch(`${server.url}/api/v1${path}`, { headers: headers ?? authorised() });
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  return apiProblemSchema.parse(await answer.json());
}

const stream = (run: string, headers: Record<string, string> = {}, query = '', at: HttpServer = server): Promise<SseReader> =>
  readSse(`${at.url}/api/v1/runs/${run}/events${query}`, { ...authorised(), ...headers });

/** A run of a new task; its own events make way for those of the test. */
async function newRun(): Promise<{ run: string; task: number }> {
  await desk.act(slash('ada', `sh echo ${names++}`));
  const run = await desk.database.db.run.findFirstOrThrow({ orderBy: { id: 'desc' }, include: { task: true } });
  return { run: run.id, task: run.task.number };
}

async function append(run: string, ...events: RunEventData[]): Promise<void> {
  await desk.database.transaction((tx) => appendEvents(tx, { run, actor: system, events, at: new Date() }));
}

/** The run is over, in its row and in its log, as the engine writes it. */
async function finish(run: string): Promise<void> {
  await desk.database.transaction(async (tx) => {
    await appendEvents(tx, { run, actor: system, events: [terminal], at: new Date() });
    await tx.db.run.update({ where: { id: run }, data: { state: 'succeeded' } });
  });
}

const ids = (reader: SseReader) => reader.events.flatMap(({ id }) => (id === undefined ? [] : [Number(id)]));
const upTo = (last: number) => Array.from({ length: last }, (_, n) => n + 1);

test('a token is shown once, to the person alone, and is kept nowhere', async () => {
  const [said] = await desk.act(slash('ben', 'token create laptop role=guest expires=7d'));
  expect(said?.only).toBe('UBEN');
  const secret = secretOf(said);
  expect(secret).toMatch(/^dhp_/);
  expect(said?.text).not.toContain('dhp_');
  const { db } = desk.database;
  const kept = JSON.stringify(
    [await db.accessToken.findMany(), await db.outbox.findMany(), await db.audit.findMany()],
    (_, value) => (typeof value === 'bigint' ? String(value) : value),
  );
  expect(kept).not.toContain(secret);
  expect(kept).toContain('token.create');
  // The same name again, more rights than one has, and people whose role comes from the channel only.
  expect((await desk.act(slash('ben', 'token create laptop')))[0]?.text).toContain('DH-300');
  expect((await desk.act(slash('ben', 'token create more role=owner')))[0]?.text).toContain('DH-202');
  expect((await desk.act(slash('nobody', 'token create mine')))[0]?.text).toMatch(/DH-20[23]/);
  expect((await get('/tasks', authorised(secret))).status).toBe(200);
  const [list] = await desk.act(slash('ben', 'token list'));
  expect(list?.text).toMatch(new RegExp(`laptop dhp_…${secret.slice(-4)} · may read as guest · good until .* · used just now`));
  // What is of others is not there, neither by name nor by id; owners see it and can end it.
  const { id } = await db.accessToken.findFirstOrThrow({ where: { name: 'laptop' } });
  expect((await desk.act(slash('mia', `token revoke ${id}`)))[0]?.text).toContain('no such token');
  expect((await desk.act(slash('mia', 'token list all')))[0]?.text).toContain('DH-202');
  expect((await desk.act(slash('ada', 'token list all')))[0]?.text).toContain('of Ben');
  await desk.act(press('ben', tokenOf(list, 'Revoke')));
  expect(await problem('/tasks', authorised(secret))).toMatchObject({
    status: 401,
    code: 'DH-222',
    detail: expect.stringContaining('revoked'),
  });
});

test('requests are refused without a token, with a wrong one, and with one that may not, each with its reason', async () => {
  const answer = await fetch(`${server.url}/api/v1/tasks`);
  expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="Deckhand"']);
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  expect(answer.headers.get('set-cookie')).toBeNull();
  expect(await problem('/tasks', authorised('dhp_nothing'))).toMatchObject({
    status: 401,
    detail: expect.stringContaining('not known'),
  });

  const { db } = desk.database;
  const bens = await createToken('ben');
  const row = await db.accessToken.findFirstOrThrow({ orderBy: { id: 'desc' } });
  const change = (data: object) => db.accessToken.update({ where: { id: row.id }, data });
  await change({ scopes: ['of-a-later-version'] });
  expect(await problem('/tasks', authorised(bens))).toMatchObject({
    status: 403,
    code: 'DH-223',
    detail: expect.stringContaining('scope read'),
  });
  await change({ scopes: ['read'], expiresAt: new Date(Date.now() - 1) });
  expect(await problem('/tasks', authorised(bens))).toMatchObject({ status: 401, detail: expect.stringContaining('expired') });
  await change({ expiresAt: new Date(Date.now() + 60_000) });
  await db.user.update({ where: { id: row.userId }, data: { role: null } });
  expect(await problem('/tasks', authorised(bens))).toMatchObject({
    status: 403,
    detail: expect.stringContaining('no role any more'),
  });
  await db.user.update({ where: { id: row.userId }, data: { role: 'developer' } });
  expect((await get('/tasks', authorised(bens))).status).toBe(200);
  const refused = await db.audit.findMany({ where: { action: 'token.refused', subject: row.id } });
  expect(refused.map(({ data }) => (data as { why: string }).why)).toHaveLength(3);
});

test('programs read tasks, runs and events as JSON, as the document about them says', async () => {
  const { run, task } = await newRun();
  const before = (await desk.database.db.run.findUniqueOrThrow({ where: { id: run } })).lastSeq;
  await append(run, note('one'), { type: 'conversation', entry: '{}' }, note('two'));
  const tasks = apiTasksSchema.parse((await get('/tasks?limit=1&column=queued&project=demo')).body);
  expect(tasks.tasks.map(({ number }) => number)).toEqual([task]);
  expect(apiTaskSchema.parse((await get(`/tasks/${task}`)).body)).toMatchObject({
    number: task,
    requester: 'Ada',
    run: { id: run },
  });
  expect(apiRunSchema.parse((await get(`/runs/${run}`)).body)).toMatchObject({ id: run, task, lastEvent: before + 3 });
  const first = apiEventsSchema.parse((await get(`/runs/${run}/events?limit=1&after=${before}`)).body);
  expect(first).toMatchObject({ after: before + 1, more: true, over: false, events: [{ data: { text: 'one' } }] });
  const rest = apiEventsSchema.parse((await get(`/runs/${run}/events?after=${first.after}`)).body);
  expect(rest).toMatchObject({ after: before + 3, more: false, events: [{ seq: before + 3, data: { text: 'two' } }] });

  expect(await problem('/tasks?limit=0')).toMatchObject({ status: 400, code: 'DH-201' });
  expect(await problem('/tasks?project=nope')).toMatchObject({ status: 404, code: 'DH-205' });
  expect(await problem('/tasks/0')).toMatchObject({ status: 404, code: 'DH-204' });
  const document = await (await fetch(`${server.url}/api/v1/openapi.json`)).json();
  const described = z.object({ paths: z.record(z.string(), z.unknown()) }).parse(document).paths;
  expect(Object.keys(described)).toEqual([
    '/api/v1/tasks',
    '/api/v1/tasks/{number}',
    '/api/v1/runs/{id}',
    '/api/v1/runs/{id}/events',
  ]);
});

test('promise 12: a run or a task of another workspace is answered as one that does not exist', async () => {
  const { run, task } = await newRun();
  const { db } = desk.database;
  await db.workspace.create({ data: { id: 'wsp_other', name: 'Other' } });
  const row = await db.run.findUniqueOrThrow({ where: { id: run } });
  await db.run.update({ where: { id: run }, data: { workspaceId: 'wsp_other' } });
  await db.task.update({ where: { id: row.taskId }, data: { workspaceId: 'wsp_other' } });
  const nobody = `run_${'0'.repeat(26)}`;
  const plain = (body: object, id: string) =>
    JSON.stringify(body)
      .replaceAll(id, '…')
      .replace(/req_\w+/, '…');
  for (const path of ['', '/events', '/events?after=3']) {
    const [foreign, unknown] = [await problem(`/runs/${run}${path}`), await problem(`/runs/${nobody}${path}`)];
    expect(foreign).toEqual(missing);
    expect(plain(foreign, run)).toBe(plain(unknown, nobody));
  }
  const [foreign, unknown] = [await stream(run), await stream(nobody)];
  expect([foreign.status, unknown.status]).toEqual([404, 404]);
  await eventually(() => expect(plain(JSON.parse(foreign.text), run)).toBe(plain(JSON.parse(unknown.text), nobody)));
  expect(await problem(`/tasks/${task}`)).toMatchObject({ status: 404, code: 'DH-204' });
});

test('a stream brings what is there and what comes, shows that it lives, and ends with the run', async () => {
  const { run } = await newRun();
  const before = (await desk.database.db.run.findUniqueOrThrow({ where: { id: run } })).lastSeq;
  const reader = await stream(run);
  expect([reader.status, reader.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
  expect(reader.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-accel-buffering': 'no' });
  await eventually(() => expect(ids(reader)).toEqual(upTo(before)));
  await append(run, note('live'));
  await eventually(() => expect(ids(reader)).toEqual(upTo(before + 1)));
  expect(reader.events.at(-1)).toMatchObject({ event: 'note', data: expect.stringContaining('"text":"live"') });
  await eventually(() => expect(reader.notes).toEqual(expect.arrayContaining(['retry: 2000', ':'])));
  expect(await metrics.registry.getSingleMetricAsString('deckhand_event_streams')).toContain('deckhand_event_streams 1');
  await finish(run);
  await eventually(() => expect(reader.closed).toBe(true));
  expect(reader.events.slice(-2).map(({ event }) => event)).toEqual(['terminal', 'end']);
  expect(reader.events.at(-1)).toEqual({ id: undefined, event: 'end', data: JSON.stringify({ run, after: before + 2 }) });
  // A browser comes back once more, and is told that there is no reason to.
  expect((await stream(run, { 'last-event-id': String(before + 2) })).status).toBe(204);
  const late = await stream(run, { 'last-event-id': String(before + 1) });
  await eventually(() => expect(late.events.map(({ event }) => event)).toEqual(['terminal', 'end']));
  const asked = await stream(run, {}, `?after=${before + 2}`);
  await eventually(() => expect(asked.events.map(({ event }) => event)).toEqual(['end']));
  expect((await stream(run, { 'last-event-id': 'x' })).status).toBe(400);
});

test('readers whose connections drop at any moment lose nothing and get nothing twice while events come', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 130 }), { minLength: 2, maxLength: 5 }),
      fc.array(fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 4 }), { minLength: 2, maxLength: 4 }),
      async (batches, drops) => {
        const { run } = await newRun();
        const follow = async (after: readonly number[]) => {
          const got: number[] = [];
          for (let life = 0; ; life += 1) {
            const reader = await stream(run, got.length === 0 ? {} : { 'last-event-id': String(got.at(-1)) });
            if (reader.status === 204) return got;
            const most = after[life];
            await waitFor('events', () => reader.closed || (most !== undefined && reader.events.length >= most), {
              everyMs: 2,
              timeoutMs: 20_000,
            });
            reader.drop();
            got.push(...ids(reader));
            if (reader.events.some(({ event }) => event === 'end')) return got;
          }
        };
        const followers = drops.map(follow);
        for (const size of batches)
          await append(run, ...Array.from({ length: size }, (_, n) => note(`${n} ${'x'.repeat(n * 20)}`)));
        await finish(run);
        const { lastSeq } = await desk.database.db.run.findUniqueOrThrow({ where: { id: run } });
        for (const got of await Promise.all(followers)) expect(got).toEqual(upTo(lastSeq));
      },
    ),
    { numRuns: 5 },
  );
});

test('a reader that takes nothing delays no other, is cut off after a while, and loses nothing when it comes back', async () => {
  const { run } = await newRun();
  const slow = await stream(run);
  await eventually(() => expect(slow.events.length).toBeGreaterThan(0));
  slow.pause();
  const quick = await stream(run);
  const big = Array.from({ length: 50 }, () => note('x'.repeat(16_000)));
  for (let n = 0; n < 12; n += 1) await append(run, ...big);
  const { lastSeq } = await desk.database.db.run.findUniqueOrThrow({ where: { id: run } });
  await eventually(() => expect(ids(quick).at(-1)).toBe(lastSeq), patient);
  // 10 MB wait for it; what is not taken is given up.
  await eventually(
    async () =>
      expect(await metrics.registry.getSingleMetricAsString('deckhand_event_streams')).toContain('deckhand_event_streams 1'),
    patient,
  );
  slow.resume();
  await eventually(() => expect(slow.closed).toBe(true), patient);
  const had = ids(slow);
  expect(had.length).toBeLessThan(lastSeq);
  const again = await stream(run, { 'last-event-id': String(had.at(-1)) });
  await eventually(() => expect(ids(again).at(-1)).toBe(lastSeq), patient);
  expect([...had, ...ids(again)]).toEqual(upTo(lastSeq));
  again.drop();
  quick.drop();
});

test('a stream ends within seconds when its token is revoked, and when its person loses the role', async () => {
  const { run } = await newRun();
  const { db } = desk.database;
  const [bens, mias] = [await createToken('ben'), await createToken('mia')];
  const open = (secret: string) => stream(run, authorised(secret));
  const [ben, mia, ada] = [await open(bens), await open(mias), await open(token)];
  const rows = await db.accessToken.findMany({ orderBy: { id: 'desc' }, take: 2 });
  await desk.act(slash('ben', `token revoke ${rows[1]?.name}`));
  await db.user.updateMany({ where: { id: rows[0]?.userId ?? '' }, data: { role: null } });
  await eventually(() => expect([ben.closed, mia.closed]).toEqual([true, true]));
  expect(ben.events.at(-1)).toMatchObject({ event: 'closed', data: expect.stringContaining('"DH-222"') });
  expect(mia.events.at(-1)).toMatchObject({ event: 'closed', data: expect.stringContaining('"DH-223"') });
  expect((await open(bens)).status).toBe(401);
  expect(ada.closed).toBe(false);
  await db.user.updateMany({ where: { id: rows[0]?.userId ?? '' }, data: { role: 'maintainer' } });
  ada.drop();
});

test('a token has so many streams and no more', async () => {
  const { run } = await newRun();
  const secret = await createToken('mia');
  const readers = await Promise.all(Array.from({ length: mostOfToken }, () => stream(run, authorised(secret))));
  const refused = await stream(run, authorised(secret));
  expect([refused.status, refused.headers['retry-after']]).toEqual([429, '30']);
  expect((await stream(run)).status).toBe(200);
  for (const reader of readers) reader.drop();
  await waitFor('a stream', async () => (await stream(run, authorised(secret))).status === 200);
});

test('an address that tries tokens has to wait, and shuts nobody out whose token was good before', async () => {
  expect((await get('/tasks')).status).toBe(200);
  const statuses: number[] = [];
  for (let n = 0; n <= mostInWindow && statuses.at(-1) !== 429; n += 1)
    statuses.push((await get('/tasks', authorised('guess'))).status);
  expect(statuses.slice(-2)).toEqual([401, 429]);
  expect((await get('/tasks')).status).toBe(200);
});

test('a server that stops tells its readers when to come back, and closes', async () => {
  const other = await serve();
  const { run } = await newRun();
  const reader = await stream(run, {}, '', other);
  await eventually(() => expect(reader.events.length).toBeGreaterThan(0));
  await other.stop();
  await eventually(() => expect(reader.closed).toBe(true));
  const [last = 0] = reader.notes
    .filter((one) => one.startsWith('retry: '))
    .slice(-1)
    .map((one) => Number(one.slice(7)));
  expect(last).toBeGreaterThanOrEqual(500);
  expect(last).toBeLessThan(3000);
});
