import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createArchive } from '../../src/backup/archive.ts';
import { runCommandLine } from '../../src/cli.ts';
import { inOrder, openDump } from '../../src/store/dump.ts';
import { migrate, migrationState, readMigrations } from '../../src/store/migrate.ts';
import { anyOther } from '../../src/store/outbox-rows.ts';
import { createEngine } from '../../src/tasks/engine.ts';
import { temporaryDirectory } from '../support/git-repository.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { query } from '../support/query.ts';
import { openEngine, openRunner } from '../support/runner-parts.ts';
import { createRunnerWorld, ofType, type RunnerWorld } from '../support/runner-world.ts';
import { waitFor } from '../support/wait-for.ts';

const git = promisify(execFile);
const key = randomBytes(32).toString('base64');
const passphrase = 'correct horse battery staple';
const odd = 'tab\t line\n return\r back\\slash \\. \\N "quotes" 🦔 \u0001';

let world: RunnerWorld;
let place: Awaited<ReturnType<typeof temporaryDirectory>>;
let databases: TestDatabase[];
let ended: { task: string; run: string };
let live: { task: string; run: string };
/** Waits in the queue behind `live`. */
let waiting: { task: string; run: string };
let project: string;
let sealedFile: string;

beforeAll(async () => {
  databases = [];
  place = await temporaryDirectory('backup');
  world = await createRunnerWorld('local');
  await writeFile(join(world.installation.dataDir, 'host-id'), 'host_test\n');
  project = await world.project();
  await world.startRunner();
  ended = await world.sh('echo of the log; echo new > new.txt', project);
  expect(await world.resultOf(ended.run)).toMatchObject({ outcome: 'succeeded' });
  live = await world.sh('echo begun; sleep 600', project);
  await world.told('the second run to have begun', live.run, (events) => ofType(events, 'output').length > 0);
  await query(world.database.url, `UPDATE "Project" SET "limits" = jsonb_set("limits", '{concurrency}', '1')`);
  waiting = await world.sh('echo twice', project);
  await query(
    world.database.url,
    `INSERT INTO "Outbox" ("id", "workspaceId", "key", "platform", "tenant", "channel", "channelKind", "payload", "payloadType", "priority")
     SELECT 'out_waits', "id", 'waits', 'slack', 'T1', 'C1', 'channel', '{"type":"message"}', 'message', 3 FROM "Workspace"`,
  );
  await query(world.database.url, 'INSERT INTO "Meta" VALUES ($1, $1)', [odd]);
  // Null of JSON is not null of SQL.
  await query(
    world.database.url,
    `INSERT INTO "Audit" ("id", "workspaceId", "action", "subject", "data") SELECT 'aud_1', "id", 'x', 'y', 'null' FROM "Workspace"`,
  );
  sealedFile = join(place.path, 'sealed.backup');
  expect(await deckhand(['backup', sealedFile], former({ DECKHAND_BACKUP_PASSPHRASE: passphrase }))).toMatchObject({
    code: 0,
    text: expect.stringContaining('It is sealed'),
  });
});

afterAll(async () => {
  await world.stop(live.task);
  await world.close();
  for (const database of databases) await database.close();
  await place[Symbol.asyncDispose]();
});

const former = (more: Record<string, string> = {}) => ({
  DECKHAND_DATA_DIR: world.installation.dataDir,
  DATABASE_URL: world.database.url,
  DECKHAND_SECRET_KEY: key,
  ...more,
});

/** An installation that nobody has used. */
async function fresh(name: string): Promise<{ DECKHAND_DATA_DIR: string; DATABASE_URL: string }> {
  const database = await createTestDatabase({ empty: true });
  databases.push(database);
  return { DECKHAND_DATA_DIR: join(place.path, name), DATABASE_URL: database.url };
}

async function deckhand(args: string[], env: Record<string, string>): Promise<{ code: number; text: string }> {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  return { code: await runCommandLine(args, { env, out: write, err: write, interactive: false }), text };
}

/** Every row of every table, but for what tells where something is. */
async function contentOf(url: string): Promise<Record<string, unknown[]>> {
  const tables = await query(
    url,
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`,
  );
  const content: Record<string, unknown[]> = {};
  for (const name of tables.map((row) => String(row.name)).sort()) {
    if (['Runner', 'Holding', 'HostDisk', '_prisma_migrations'].includes(name)) continue;
    const rows = await query(url, `SELECT (to_jsonb(t) - 'hostId')::text AS row FROM "${name}" t ORDER BY 1`);
    // When a backup was made last is noted after it.
    content[name] = rows.map(({ row }) => row).filter((row) => !String(row).includes('"key": "backup"'));
  }
  return content;
}

test('promise 8: what a backup was made of while runs went on is there again elsewhere, and the runs end as interrupted', async () => {
  const here = await fresh('elsewhere');
  const restored = await deckhand(['restore', sealedFile], { ...here, DECKHAND_BACKUP_PASSPHRASE: passphrase });
  expect(restored).toMatchObject({ code: 0, text: expect.stringContaining('deckhand.instance=host-test') });
  // What waited may have been done since: it is not simply done again.
  const begun = ([waiting.run, waiting.task, 'out_waits'] as const).map((id) => `"id": "${id}"`);
  const certain = (content: Record<string, unknown[]>) =>
    Object.entries(content).map(([name, rows]) => [name, rows.filter((row) => !begun.some((id) => String(row).includes(id)))]);
  const content = await contentOf(here.DATABASE_URL);
  expect(certain(content)).toEqual(certain(await contentOf(world.database.url)));
  expect(content.Run).toHaveLength(3);
  expect(await query(here.DATABASE_URL, 'SELECT "parts" FROM "Outbox"')).toEqual([{ parts: [anyOther] }]);
  expect(content.Meta).toContain(JSON.stringify({ key: odd, value: odd }).replace('","', '", "').replaceAll('":"', '": "'));
  expect(await query(here.DATABASE_URL, 'SELECT * FROM "Audit" WHERE "data" IS NULL')).toEqual([]);

  // The key came with the sealed file; the identity is a new one, so that nobody's sandboxes are taken for its own.
  expect(await readFile(join(here.DECKHAND_DATA_DIR, 'secret-key'), 'utf8')).toBe(`${key}\n`);
  const hostId = (await readFile(join(here.DECKHAND_DATA_DIR, 'host-id'), 'utf8')).trim();
  expect(hostId).not.toBe('host_test');
  const ofRuns = await query(here.DATABASE_URL, `SELECT DISTINCT "hostId" FROM "Run" WHERE "id" <> '${waiting.run}'`);
  expect(ofRuns).toEqual([{ hostId }]);

  const mirror = join(here.DECKHAND_DATA_DIR, 'mirrors', `${project}.git`);
  const refs = async (repository: string) => (await git('git', ['-C', repository, 'for-each-ref'])).stdout;
  expect(await refs(mirror)).toBe(await refs(world.mirror(project)));
  expect(await refs(mirror)).toContain(`refs/deckhand/tasks/${ended.task}/head`);
  await git('git', ['-C', mirror, 'fsck', '--strict', '--connectivity-only']);
  const log = ['artifacts', ended.run, 'output.log'] as const;
  expect(await readFile(join(here.DECKHAND_DATA_DIR, ...log))).toEqual(await readFile(join(world.installation.dataDir, ...log)));

  // The program goes on there, and the one that was backed up does so here.
  const installation = { ...world.installation, url: here.DATABASE_URL, dataDir: here.DECKHAND_DATA_DIR, prefix: 'elsewhere' };
  const parts = await openEngine(installation);
  const { runner } = openRunner(installation, parts, () => undefined, { hostId });
  try {
    await runner.start();
    const run = (id: string) => parts.database.db.run.findUniqueOrThrow({ where: { id } });
    const state = await waitFor('the run of before to end', async () => {
      const { state, result } = await run(live.run);
      return result === null ? undefined : state;
    });
    expect(state).toBe('interrupted');
    // Nobody has the run that waited.
    let aheadMs = 0;
    const gateway = createEngine({ ...parts, clock: { now: () => new Date(Date.now() + aheadMs) } });
    await gateway.sweep();
    expect(await run(waiting.run)).toMatchObject({ state: 'executing', result: null });
    aheadMs = 10 * 60_000;
    await gateway.sweep();
    expect(await run(waiting.run)).toMatchObject({ state: 'interrupted', result: { cause: 'runner_lost' } });
    expect(await parts.database.db.task.findUniqueOrThrow({ where: { id: waiting.task } })).toMatchObject({ column: 'backlog' });
    expect(await world.stateOf(live.run)).toBe('executing');
    expect(await world.stateOf(waiting.run)).toBe('queued');
    const inbox = await query(
      here.DATABASE_URL,
      `INSERT INTO "Inbox" ("platform", "tenant", "key", "lane", "event") VALUES ('slack', 'T1', 'k', 'l', '{}') RETURNING "id"`,
    );
    expect(inbox).toHaveLength(1);
  } finally {
    await runner.stop();
    await parts.close();
  }
});

test('a backup goes from PostgreSQL to the embedded one and back; of one that was stopped before, all goes on as it was', async () => {
  const dataDir = join(place.path, 'embedded');
  const embedded = { DECKHAND_DATA_DIR: dataDir };
  const plain = join(place.path, 'plain.backup');
  expect(await deckhand(['backup', plain], former())).toMatchObject({
    code: 0,
    text: expect.stringContaining('It is not sealed'),
  });
  expect(await deckhand(['restore', plain, '--moved'], { ...embedded, DECKHAND_SECRET_KEY: key })).toMatchObject({ code: 0 });
  const back = join(place.path, 'back.backup');
  // Not running: the database is started for it.
  expect(await deckhand(['backup', back], { ...embedded, DECKHAND_SECRET_KEY: key })).toMatchObject({ code: 0 });
  const here = await fresh('back');
  const again = { ...here, DECKHAND_SECRET_KEY: key };
  expect(await deckhand(['restore', back, '--moved'], again)).toMatchObject({ code: 0 });
  const content = await contentOf(here.DATABASE_URL);
  expect(content).toEqual(await contentOf(world.database.url));

  expect(await deckhand(['restore', plain], again)).toMatchObject({ code: 1, text: expect.stringContaining('DH-122') });
  expect(await deckhand(['restore', plain, '--replace', '--moved'], again)).toMatchObject({ code: 0 });
  expect(await contentOf(here.DATABASE_URL)).toEqual(content);
  expect(await readdir(join(here.DECKHAND_DATA_DIR, 'mirrors'))).toEqual([`${project}.git`]);
});

test('what cannot be used changes nothing and says why', async () => {
  const here = { ...(await fresh('refused')), DECKHAND_BACKUP_PASSPHRASE: passphrase };
  const bytes = await readFile(sealedFile);
  const damaged = join(place.path, 'damaged.backup');
  const middle = Math.floor(bytes.length / 2);
  await writeFile(damaged, bytes);
  const handle = await open(damaged, 'r+');
  await handle.write(Buffer.from([(bytes[middle] ?? 0) ^ 1]), 0, 1, middle);
  await handle.close();
  const cut = join(place.path, 'cut.backup');
  await writeFile(cut, bytes);
  await truncate(cut, bytes.length - 100);
  const newer = join(place.path, 'newer.backup');
  const archive = createArchive(newer, undefined);
  const migrations = [{ name: '29990101000000_later', checksum: '0' }];
  const manifest = { format: 1, version: '9.0.0', createdAt: new Date().toISOString(), hostId: 'h', migrations };
  await archive.add('deckhand-backup.json', Buffer.from(JSON.stringify({ ...manifest, key: { id: 'x', included: true } })));
  await archive.finish();
  const plain = join(place.path, 'no-key.backup');
  expect(await deckhand(['backup', plain], former())).toMatchObject({ code: 0 });

  const refused = async (args: string[], env: Record<string, string>) => (await deckhand(['restore', ...args], env)).text;
  expect(await refused([damaged], here)).toContain('DH-121');
  expect(await refused([cut], here)).toMatch(/DH-121.*ends too early/s);
  expect(await refused([sealedFile], { ...here, DECKHAND_BACKUP_PASSPHRASE: 'another passphrase' })).toMatch(
    /DH-121.*passphrase/s,
  );
  expect(await refused([newer], here)).toMatch(/DH-121.*newer version of Deckhand \(29990101000000_later\)/s);
  expect(await refused([plain], here)).toContain('DH-124');
  const another = { ...here, DECKHAND_SECRET_KEY: randomBytes(32).toString('base64') };
  expect(await refused([sealedFile], another)).toContain('DH-124');
  expect(await deckhand(['restore', sealedFile, '--chek'], here)).toMatchObject({ code: 64 });
  expect(await query(here.DATABASE_URL, `SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace`)).toEqual([]);
  // Somebody works there, and its rows are those of somebody else.
  expect(await refused([sealedFile, '--replace'], former({ DECKHAND_BACKUP_PASSPHRASE: passphrase }))).toContain('DH-123');
  expect(await world.stateOf(live.run)).toBe('executing');
  expect(await deckhand(['backup', plain], former())).toMatchObject({ code: 1, text: expect.stringContaining('DH-120') });
});

test('a backup of an older version is brought to the state of this one, all its hosts are named', async () => {
  const [old, here] = [await fresh('older'), await fresh('newer')];
  const key = { DECKHAND_SECRET_KEY: randomBytes(32).toString('base64') };
  const all = readMigrations();
  await migrate({ url: old.DATABASE_URL, migrations: all.slice(0, 6) });
  await query(old.DATABASE_URL, `INSERT INTO "Workspace" ("id", "name") VALUES ('wsp_old', 'Old')`);
  for (const host of ['a', 'b'])
    await query(
      old.DATABASE_URL,
      `INSERT INTO "Runner" ("id", "hostId", "capacity", "sandboxes", "beatAt") VALUES ('r_${host}', 'host_${host}', 1, '[]', now())`,
    );
  await mkdir(old.DECKHAND_DATA_DIR);
  const file = join(place.path, 'older.backup');
  expect(await deckhand(['backup', file], { ...old, ...key })).toMatchObject({ code: 0 });
  const restored = await deckhand(['restore', file], { ...here, ...key });
  expect(restored).toMatchObject({ code: 0, text: expect.stringMatching(/instance=host-a\n.*instance=host-b\n/) });
  expect(await migrationState({ url: here.DATABASE_URL })).toMatchObject({ version: all.at(-1)?.name, pending: [] });
  expect(await query(here.DATABASE_URL, 'SELECT "name" FROM "Workspace"')).toEqual([{ name: 'Old' }]);
});

test('a dump holds the moment at which it was opened, and its tables come after those they refer to', async () => {
  const dump = await openDump(world.database.url);
  try {
    await query(world.database.url, `INSERT INTO "Meta" VALUES ('late', 'x')`);
    let text = '';
    for await (const chunk of dump.rows('Meta')) text += Buffer.from(chunk).toString();
    expect(text).toContain('back\\\\slash');
    expect(text).not.toContain('late');
    const names = dump.tables.map(({ name }) => name);
    expect(names.indexOf('Workspace')).toBeLessThan(names.indexOf('Task'));
    expect(names.indexOf('Run')).toBeLessThan(names.indexOf('RunEvent'));
  } finally {
    await dump.close();
  }
  const circle = [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'a' },
  ];
  expect(() => inOrder(['a', 'b'], circle)).toThrow('circle');
});
