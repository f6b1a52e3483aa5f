import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { migrate, migrationState, readMigrations } from '../../src/store/migrate.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { query } from '../support/query.ts';
import { makeScratch } from '../support/scratch.ts';
import { createRelay } from '../support/socket-relay.ts';
import { waitFor } from '../support/wait-for.ts';

function migration(name: string, sql: string) {
  return { name, sql, checksum: `checksum of ${sql}`.padEnd(64, '.').slice(0, 64) };
}

const a = migration('20260101000000_a', 'CREATE TABLE a (id int)');
const b = migration('20260102000000_b', 'CREATE TABLE b (id int); INSERT INTO b VALUES (1)');

test('migrations apply once, in the order of their names, and are recorded as Prisma records them', async () => {
  await using database = await createTestDatabase({ empty: true });
  expect(await migrate({ url: database.url, migrations: [a, b] })).toEqual([a.name, b.name]);
  expect(await migrate({ url: database.url, migrations: [a, b] })).toEqual([]);
  const records = await query(database.url, 'SELECT * FROM _prisma_migrations ORDER BY migration_name');
  expect(records).toEqual([
    expect.objectContaining({ migration_name: a.name, checksum: a.checksum, applied_steps_count: 1, rolled_back_at: null }),
    expect.objectContaining({ migration_name: b.name, checksum: b.checksum, applied_steps_count: 1, rolled_back_at: null }),
  ]);
  expect(records.every((record) => record.finished_at instanceof Date)).toBe(true);
});

test('programs that start at the same time apply each migration once', async () => {
  await using database = await createTestDatabase({ empty: true });
  const applied = await Promise.all(Array.from({ length: 6 }, () => migrate({ url: database.url, migrations: [a, b] })));
  expect(applied.flat().sort()).toEqual([a.name, b.name]);
  expect(await query(database.url, 'SELECT count(*)::int AS rows FROM b')).toEqual([{ rows: 1 }]);
});

test('a migration that fails leaves nothing of itself and names its cause', async () => {
  await using database = await createTestDatabase({ empty: true });
  const broken = migration('20260103000000_c', 'CREATE TABLE c (id int); CREATE TABLE a (id int)');
  await expect(migrate({ url: database.url, migrations: [a, broken] })).rejects.toMatchObject({
    code: 'DH-104',
    params: { migration: broken.name, detail: expect.stringContaining('"a" already exists') },
  });
  expect(await query(database.url, "SELECT to_regclass('c') AS c")).toEqual([{ c: null }]);
  expect(await migrationState({ url: database.url, migrations: [a, broken] })).toMatchObject({
    version: a.name,
    pending: [broken.name],
  });
});

test('a connection that breaks in the middle of a migration fails the migration, not the program', async () => {
  await using database = await createTestDatabase({ empty: true });
  const scratch = makeScratch();
  const address = new URL(database.url);
  const socket = '.s.PGSQL.5432';
  const server = join(address.searchParams.get('host') ?? '', socket);
  address.searchParams.set('host', scratch.path);
  const relay = createRelay({ path: join(scratch.path, socket) }, { path: server });
  try {
    await relay.mend();
    const endless = migration('20260103000000_c', 'CREATE TABLE c (id int); SELECT pg_sleep(3600)');
    const result = migrate({ url: address.href, migrations: [a, endless] }).catch((error: unknown) => error);
    const asleep = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    await waitFor('the migration to be under way', async () => (await query(database.url, asleep)).length > 0);
    relay.drop();
    expect(await result).toMatchObject({
      code: 'DH-104',
      params: { migration: endless.name, detail: 'Connection terminated unexpectedly' },
    });
  } finally {
    await relay.cut();
    scratch.remove();
  }
});

test('a database with a migration that the program does not know is refused', async () => {
  await using database = await createTestDatabase({ empty: true });
  await migrate({ url: database.url, migrations: [a, b] });
  await expect(migrate({ url: database.url, migrations: [a] })).rejects.toMatchObject({
    code: 'DH-105',
    params: { migration: b.name },
  });
});

test('a migration file that changed after it was applied is refused', async () => {
  await using database = await createTestDatabase({ empty: true });
  await migrate({ url: database.url, migrations: [a] });
  const edited = { ...a, checksum: 'another'.padEnd(64, '.') };
  await expect(migrate({ url: database.url, migrations: [edited] })).rejects.toMatchObject({ code: 'DH-104' });
});

test('a migration that the Prisma command line left unfinished is refused, one it rolled back is applied', async () => {
  await using database = await createTestDatabase({ empty: true });
  await migrate({ url: database.url, migrations: [] });
  const insert = 'INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)';
  await query(database.url, insert, [randomUUID(), a.checksum, a.name]);
  await expect(migrate({ url: database.url, migrations: [a] })).rejects.toMatchObject({ code: 'DH-104' });
  await query(database.url, 'UPDATE _prisma_migrations SET rolled_back_at = now()');
  expect(await migrate({ url: database.url, migrations: [a] })).toEqual([a.name]);
});

test('a server that does not answer is named without the password', async () => {
  const url = 'postgresql://deckhand:very-secret@127.0.0.1:1/deckhand';
  const error = await migrate({ url, migrations: [] }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'DH-103', params: { detail: expect.stringContaining('127.0.0.1:1') } });
  expect(String(error)).not.toContain('very-secret');
});

test('the state of a database without migrations is read without changing it', async () => {
  await using database = await createTestDatabase({ empty: true });
  expect(await migrationState({ url: database.url })).toEqual({
    serverVersion: expect.stringMatching(/^\d+\.\d+/),
    version: undefined,
    pending: readMigrations().map((one) => one.name),
    clockSkewMs: expect.any(Number),
  });
  expect(await query(database.url, "SELECT to_regclass('_prisma_migrations') AS present")).toEqual([{ present: null }]);
});
