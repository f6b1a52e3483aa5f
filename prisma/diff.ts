/**
 * Writes the SQL of a schema change into a new migration folder, without a database.
 *
 *   node prisma/diff.ts <name>          new migration from the last migration's schema to prisma/schema.prisma
 *   node prisma/diff.ts <name> --redo   write the last migration again (only for one that nobody has applied yet)
 *
 * Each folder keeps the schema it leads to (schema.prisma), so that the next difference is taken schema to schema. SQL that the
 * schema language cannot say goes below the line `-- By hand`; --redo keeps it.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { SchemaEngine } from '@prisma/schema-engine-wasm';

const schemaFile = fileURLToPath(new URL('schema.prisma', import.meta.url));
const migrationsDir = fileURLToPath(new URL('migrations', import.meta.url));
const byHand = '-- By hand';
const lockFile = '# Names the database of these migrations for the Prisma command line\nprovider = "postgresql"\n';

/**
 * The SQL that leads from one schema text to another; '' when they are the same. `from` undefined stands for an empty database.
 * Throws the engine's own message when a schema is not valid.
 */
export async function schemaDifference(from: string | undefined, to: string): Promise<string> {
  const engine = await SchemaEngine.new({ datamodels: [['schema.prisma', to]] }, () => undefined, offlineAdapter());
  try {
    const result = await engine.diff({
      from: from === undefined ? { tag: 'empty' } : { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: from }] },
      to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: to }] },
      script: true,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    });
    return result.exitCode === 0 ? '' : (result.stdout ?? '');
  } finally {
    engine.free();
  }
}

/** The engine asks a new connection for the server's version and whether the schema exists; between two schemas it asks no more. */
function offlineAdapter() {
  const refuse = async (): Promise<never> => {
    throw new Error('a difference between two schemas needs no database');
  };
  const connection = {
    provider: 'postgres' as const,
    adapterName: 'offline',
    queryRaw: async (query: { sql: string }) => {
      if (!query.sql.includes('version()')) return refuse();
      return {
        columnTypes: [5, 7, 0] as (5 | 7 | 0)[], // boolean, text, int32 in the driver adapter's numbering
        columnNames: ['exists', 'version', 'numeric_version'],
        rows: [[true, 'PostgreSQL 18.4', 180004]],
      };
    },
    executeRaw: refuse,
    executeScript: refuse,
    startTransaction: refuse,
    getConnectionInfo: () => ({ supportsRelationJoins: true }),
    dispose: async () => undefined,
  };
  return bindMigrationAwareSqlAdapterFactory({
    provider: 'postgres',
    adapterName: 'offline',
    connect: async () => connection,
    connectToShadowDb: async () => connection,
  });
}

async function main(args: string[]): Promise<string> {
  const redo = args.includes('--redo');
  const name = args.find((arg) => !arg.startsWith('--'));
  if (name === undefined || !/^[a-z0-9_]+$/.test(name))
    throw new Error('usage: node prisma/diff.ts <name_in_lower_case> [--redo]');

  mkdirSync(migrationsDir, { recursive: true });
  const folders = readdirSync(migrationsDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  const last = folders.at(-1);
  if (redo && last === undefined) throw new Error('there is no migration to write again');
  const base = redo ? folders.at(-2) : last;
  const from = base === undefined ? undefined : readFileSync(join(migrationsDir, base, 'schema.prisma'), 'utf8');
  const to = readFileSync(schemaFile, 'utf8');

  const sql = await schemaDifference(from, to);
  if (sql === '') return 'The schema has not changed: nothing to write.';
  let manual = '';
  if (redo && last !== undefined) {
    const old = readFileSync(join(migrationsDir, last, 'migration.sql'), 'utf8');
    const at = old.indexOf(byHand);
    if (at >= 0) manual = `\n${old.slice(at)}`;
  }
  const stamp = redo ? last?.slice(0, 14) : new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const folder = `${stamp}_${name}`;
  if (redo && last !== undefined && last !== folder) renameSync(join(migrationsDir, last), join(migrationsDir, folder));
  mkdirSync(join(migrationsDir, folder), { recursive: true });
  writeFileSync(join(migrationsDir, folder, 'migration.sql'), `${sql.trimEnd()}\n${manual}`);
  writeFileSync(join(migrationsDir, folder, 'schema.prisma'), to);
  writeFileSync(join(migrationsDir, 'migration_lock.toml'), lockFile);
  return `Wrote prisma/migrations/${folder}/migration.sql`;
}

if (import.meta.main) {
  try {
    process.stdout.write(`${await main(process.argv.slice(2))}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
