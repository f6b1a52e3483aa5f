import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type pg from 'pg';
import { type CopyStreamQuery, from as copyFrom } from 'pg-copy-streams';
import { AppError } from '../contracts/errors.ts';
import { connect } from './connection.ts';
import { type Dump, quoted } from './dump.ts';
import { applyWithin, createdTables, type Migration, prismaLock, readMigrations } from './migrate.ts';
import { type Succession, succeed } from './succession.ts';

/** A database that is being filled with what a dump has read: one transaction, so that it is there whole or not at all. */
export interface Load {
  /** Takes the next rows; tables come one after the other, in the order of the dump. */
  rows(table: Dump['tables'][number], bytes: Uint8Array): Promise<void>;
  /** Sets counters, brings the database to the state of the program, and makes what was under way the business of `as.host`. Returns the
   *  identities of hosts that may have left sandboxes. */
  complete(sequences: Dump['sequences'], as: Succession): Promise<string[]>;
  commit(): Promise<void>;
  /** Leaves the database as it was. Idempotent, and does nothing after `commit`. */
  abandon(): Promise<void>;
}

export interface LoadOptions {
  url: string;
  /** Where the dump is, for what is said about it. */
  file: string;
  /** Of the dump. */
  migrations: Dump['migrations'];
  /** Something may be there; it is deleted. */
  replace: boolean;
}

/**
 * Makes the tables as the dump had them. Throws DH-103 (not reachable), DH-121 (the dump is newer than the program, or does not share its past),
 * DH-122 (something is there), DH-123 (somebody is connected).
 */
export async function openLoad({ url, file, migrations, replace }: LoadOptions): Promise<Load> {
  const program = readMigrations();
  const dumped = sharedWith(program, migrations, file);
  const client = await connect(url, 'deckhand restore');
  let copying: { table: string; stream: CopyStreamQuery; done: Promise<void> } | undefined;

  async function endCopy(): Promise<void> {
    const current = copying;
    copying = undefined;
    current?.stream.end();
    await current?.done;
  }

  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [prismaLock]);
    await requireAlone(client);
    await makeRoom(client, createdTables(program), replace);
    await applyWithin(client, dumped);
    // What migrations have put there is in the dump too.
    const made = createdTables(dumped).map(quoted).join(', ');
    await client.query(`TRUNCATE ${made}`);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  return {
    async rows({ name, columns }, bytes) {
      if (copying?.table !== name) {
        await endCopy();
        const stream = client.query(copyFrom(`COPY ${quoted(name)} (${columns.map(quoted).join(', ')}) FROM STDIN`));
        const done = finished(stream);
        done.catch(() => undefined);
        copying = { table: name, stream, done };
      }
      const { stream, done } = copying;
      if (!stream.write(bytes)) await Promise.race([once(stream, 'drain'), done]);
    },
    async complete(sequences, as) {
      await endCopy();
      for (const { name, value, called } of sequences) {
        await client.query('SELECT setval(to_regclass($1), $2::bigint, $3)', [quoted(name), value, called]);
      }
      const there = new Set(dumped.map(({ name }) => name));
      await applyWithin(
        client,
        program.filter(({ name }) => !there.has(name)),
      );
      return await succeed(client, as);
    },
    async commit() {
      await client.query('COMMIT');
      await client.end();
    },
    async abandon() {
      copying?.stream.destroy();
      await client.end().catch(() => undefined);
    },
  };
}

/** The migrations of the dump as the program has them. */
function sharedWith(program: readonly Migration[], dumped: Dump['migrations'], file: string): Migration[] {
  const known = new Map(program.map((migration) => [migration.name, migration]));
  return dumped.map(({ name, checksum }) => {
    const migration = known.get(name);
    if (migration === undefined)
      throw new AppError('DH-121', { file, problem: `it was made by a newer version of Deckhand (${name})` });
    if (migration.checksum !== checksum)
      throw new AppError('DH-121', { file, problem: `it was made by a version of Deckhand whose ${name} is another` });
    return migration;
  });
}

async function requireAlone(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ count: number; names: string | null }>(
    `SELECT count(*)::int AS count, string_agg(DISTINCT coalesce(nullif(application_name, ''), usename), ', ') AS names
       FROM pg_stat_activity
      WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
  );
  const others = rows[0];
  if (others !== undefined && others.count > 0) throw new AppError('DH-123', { count: others.count, names: others.names ?? '?' });
}

async function makeRoom(client: pg.Client, tables: readonly string[], replace: boolean): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname = ANY($1)`,
    [[...tables, '_prisma_migrations']],
  );
  const names = rows.map(({ name }) => name);
  if (!replace && names.includes('Workspace')) {
    const { rows: workspaces } = await client.query('SELECT FROM "Workspace" LIMIT 1');
    if (workspaces.length > 0) throw new AppError('DH-122', { what: 'The database has the data of an installation' });
  }
  if (names.length > 0) await client.query(`DROP TABLE ${names.map(quoted).join(', ')} CASCADE`);
  // Jobs are hints: what waits is published anew from the tables. Jobs of before would be about something else.
  await client.query('DROP SCHEMA IF EXISTS bullmq CASCADE');
}
