import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { AppError } from '../contracts/errors.ts';
import { errorText } from '../runtime/error-text.ts';
import { connect } from './connection.ts';

/** One folder of prisma/migrations. */
export interface Migration {
  /** Folder name; migrations apply in the order of their names. */
  name: string;
  sql: string;
  /** sha256 of the file, as Prisma computes it. */
  checksum: string;
}

export interface MigrationState {
  /** `server_version` of the database server, for example `18.4`. */
  serverVersion: string;
  /** Newest migration that the database has; undefined: none. */
  version: string | undefined;
  /** Migrations that the database lacks. */
  pending: string[];
  /** How far the server's clock is ahead of ours, in milliseconds. */
  clockSkewMs: number;
}

export const migrationsDir = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));

/** The key under which `prisma migrate deploy` takes its advisory lock, so that the two exclude each other. */
export const prismaLock = 72707369;

/** Prisma's own table (schema-engine, sql-migration-connector): `prisma migrate deploy` and `status` agree with it. */
const createTable = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

export function readMigrations(dir = migrationsDir): Migration[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(dir, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

export interface MigrateOptions {
  url: string;
  migrations?: readonly Migration[] | undefined;
  /** How long to wait for a server that does not answer yet (default 0). */
  waitMs?: number | undefined;
}

/**
 * Brings the database to the state of the code and returns the names of the migrations it applied. Each one is applied in one
 * transaction together with its record, so it is there whole or not at all. Programs that start at the same time wait for each
 * other. Throws DH-103 (not reachable), DH-104 (a migration does not apply) or DH-105 (the database is newer).
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const migrations = options.migrations ?? readMigrations();
  const client = await connect(options.url, 'deckhand migrate', options.waitMs);
  try {
    await client.query('SELECT pg_advisory_lock($1)', [prismaLock]);
    await client.query(createTable);
    const pending = compare(migrations, await readRecords(client));
    for (const migration of pending) await apply(client, migration);
    return pending.map((migration) => migration.name);
  } finally {
    await client.end(); // ends the session, and with it the lock
  }
}

/** What the database has, without changing it. Throws as `migrate` does. */
export async function migrationState(options: MigrateOptions): Promise<MigrationState> {
  const migrations = options.migrations ?? readMigrations();
  const client = await connect(options.url, 'deckhand migrate', options.waitMs);
  try {
    const { rows } = await client.query<{ version: string; present: boolean; now: Date }>(
      `SELECT current_setting('server_version') AS version, to_regclass('_prisma_migrations') IS NOT NULL AS present,
              clock_timestamp() AS now`,
    );
    const clockSkewMs = (rows[0]?.now.getTime() ?? Number.NaN) - Date.now();
    const records = rows[0]?.present === true ? await readRecords(client) : [];
    return {
      serverVersion: rows[0]?.version ?? 'unknown',
      version: records.at(-1)?.name,
      pending: compare(migrations, records).map((migration) => migration.name),
      clockSkewMs,
    };
  } finally {
    await client.end();
  }
}

interface MigrationRecord {
  name: string;
  checksum: string;
  finished: boolean;
}

async function readRecords(client: pg.Client): Promise<MigrationRecord[]> {
  const { rows } = await client.query<MigrationRecord>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
       FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name`,
  );
  return rows;
}

/** The migrations still to apply. Throws when the database and the code do not share their past. */
function compare(migrations: readonly Migration[], records: readonly MigrationRecord[]): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const unknown = records.findLast((record) => !known.has(record.name));
  if (unknown !== undefined) throw new AppError('DH-105', { migration: unknown.name });
  for (const record of records) {
    if (!record.finished) {
      const detail = 'the Prisma command line began it and did not finish; see `prisma migrate resolve`';
      throw new AppError('DH-104', { migration: record.name, detail });
    }
    if (known.get(record.name)?.checksum !== record.checksum) {
      throw new AppError('DH-104', {
        migration: record.name,
        detail: 'its file has changed since it was applied to this database',
      });
    }
  }
  const applied = new Set(records.map((record) => record.name));
  return migrations.filter((migration) => !applied.has(migration.name));
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    await applyOne(client, migration);
    await client.query('COMMIT');
  } catch (error) {
    throw new AppError('DH-104', { migration: migration.name, detail: errorText(error) }, { cause: error });
  }
}

async function applyOne(client: pg.Client, migration: Migration): Promise<void> {
  await client.query(migration.sql);
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
     VALUES ($1, $2, $3, clock_timestamp(), 1)`,
    [randomUUID(), migration.checksum, migration.name],
  );
}

/** Applies migrations in the open transaction of the client, which holds `prismaLock`. Throws what the database says. */
export async function applyWithin(client: pg.Client, migrations: readonly Migration[]): Promise<void> {
  await client.query(createTable);
  for (const migration of migrations) await applyOne(client, migration);
}

/** Tables that these migrations make, but for Prisma's own. */
export function createdTables(migrations: readonly Migration[]): string[] {
  return migrations.flatMap(({ sql }) => [...sql.matchAll(/^CREATE TABLE "(\w+)"/gm)].flatMap(([, name]) => name ?? []));
}
