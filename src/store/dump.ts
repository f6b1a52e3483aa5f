import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { AppError } from '../contracts/errors.ts';
import { connect } from './connection.ts';
import { createdTables, readMigrations } from './migrate.ts';

/** The rows of a database as they were at one moment, whatever is written meanwhile. */
export interface Dump {
  /** Migrations that the database has, in their order. */
  migrations: { name: string; checksum: string }[];
  /** A table comes after those it refers to. */
  tables: { name: string; columns: string[] }[];
  /** Where counters stand, at that moment or a little later. */
  sequences: { name: string; value: string; called: boolean }[];
  /** Rows of a table in the text format of COPY. One table at a time. */
  rows(table: string): AsyncIterable<Uint8Array>;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens one transaction over all tables of Deckhand; everything is read in it. Keeps nobody from working, only from changing tables
 * (migrations wait). Throws DH-103 when the database is not reachable, DH-105 when it is newer than the program.
 */
export async function openDump(url: string): Promise<Dump> {
  const client = await connect(url, 'deckhand backup');
  try {
    const known = createdTables(readMigrations());
    const { rows: present } = await client.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
         AND c.relname = ANY($1)`,
      [known],
    );
    const names = present.map(({ name }) => name);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    // Before the first look, which decides on the moment: a table that changes later would not be the one of that moment.
    if (names.length > 0) await client.query(`LOCK TABLE ${names.map(quoted).join(', ')} IN ACCESS SHARE MODE`);
    return {
      migrations: await readApplied(client),
      tables: await readTables(client, names),
      sequences: await readSequences(client, names),
      async *rows(table) {
        const columns = await columnsOf(client, table);
        yield* client.query(copyTo(`COPY ${quoted(table)} (${columns.map(quoted).join(', ')}) TO STDOUT`));
      },
      close: () => client.end(),
    };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

export function quoted(name: string): string {
  return pg.escapeIdentifier(name);
}

async function readApplied(client: pg.Client): Promise<Dump['migrations']> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    `SELECT migration_name AS name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL
      ORDER BY migration_name`,
  );
  const known = new Set(readMigrations().map(({ name }) => name));
  const unknown = rows.findLast(({ name }) => !known.has(name));
  if (unknown !== undefined) throw new AppError('DH-105', { migration: unknown.name });
  return rows;
}

async function readTables(client: pg.Client, names: readonly string[]): Promise<Dump['tables']> {
  const { rows: references } = await client.query<{ from: string; to: string }>(
    `SELECT f.relname AS "from", t.relname AS "to" FROM pg_constraint k
       JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
      WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace AND k.conrelid <> k.confrelid`,
  );
  const tables: Dump['tables'] = [];
  for (const name of inOrder(names, references)) tables.push({ name, columns: await columnsOf(client, name) });
  return tables;
}

/** Each after those it refers to. Throws when some refer to each other in a circle. Pure. */
export function inOrder(names: readonly string[], references: readonly { from: string; to: string }[]): string[] {
  const ordered: string[] = [];
  const waiting = new Set([...names].sort());
  while (waiting.size > 0) {
    const next = [...waiting].filter((name) => !references.some(({ from, to }) => from === name && waiting.has(to)));
    if (next.length === 0) throw new Error(`tables refer to each other in a circle: ${[...waiting].join(', ')}`);
    for (const name of next) {
      waiting.delete(name);
      ordered.push(name);
    }
  }
  return ordered;
}

async function columnsOf(client: pg.Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute
      WHERE attrelid = to_regclass(format('%I.%I', current_schema(), $1::text)) AND attnum > 0 AND NOT attisdropped
        AND attgenerated = '' ORDER BY attnum`,
    [table],
  );
  return rows.map(({ name }) => name);
}

async function readSequences(client: pg.Client, tables: readonly string[]): Promise<Dump['sequences']> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT s.relname AS name FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass
       JOIN pg_class t ON t.oid = d.refobjid
      WHERE s.relkind = 'S' AND s.relnamespace = current_schema()::regnamespace AND t.relname = ANY($1) ORDER BY s.relname`,
    [tables],
  );
  const sequences: Dump['sequences'] = [];
  for (const { name } of rows) {
    const { rows: found } = await client.query<{ value: string; called: boolean }>(
      `SELECT last_value AS value, is_called AS called FROM ${quoted(name)}`,
    );
    for (const { value, called } of found) sequences.push({ name, value, called });
  }
  return sequences;
}
