import { readFileSync } from 'node:fs';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { type MigrationList, SchemaEngine } from '@prisma/schema-engine-wasm';
import pg from 'pg';
import { expect, test } from 'vitest';
import { schemaDifference } from '../../prisma/diff.ts';
import { migrate, migrationState, migrationsDir, readMigrations } from '../../src/store/migrate.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { query } from '../support/query.ts';

const schema = readFileSync(new URL('../../prisma/schema.prisma', import.meta.url), 'utf8');

/** Everything in the schema `public` that Deckhand makes, as lines that can be compared. */
const catalogue = `
  SELECT 'column ' || table_name || '.' || column_name || ' ' || udt_name || coalesce('(' || datetime_precision || ')', '')
         || ' ' || is_nullable || ' ' || coalesce(column_default, '') AS line
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_prisma_migrations'
  UNION ALL
  SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> '_prisma_migrations'
  UNION ALL
  SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'
  UNION ALL
  SELECT 'enum ' || enumtypid::regtype || ' ' || enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid
    WHERE typnamespace = 'public'::regnamespace
  ORDER BY line`;

async function linesOf(url: string): Promise<unknown[]> {
  return (await query(url, catalogue)).map(({ line }) => line);
}

function prismaList(): MigrationList {
  return {
    baseDir: migrationsDir,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: readMigrations().map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
    })),
  };
}

/** What `prisma migrate deploy` does, in Prisma's own engine. */
async function prismaDeploy(url: string): Promise<string[]> {
  const pool = new pg.Pool({ connectionString: url });
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPg(pool));
  const engine = await SchemaEngine.new({ datamodels: [['schema.prisma', schema]] }, () => undefined, adapter);
  try {
    const filters = { externalTables: [], externalEnums: [] };
    return (await engine.applyMigrations({ migrationsList: prismaList(), filters })).appliedMigrationNames;
  } finally {
    engine.free();
    await pool.end(); // its session holds the lock of migrations
  }
}

test('the migrations make exactly what the schema says', async () => {
  await using migrated = await createTestDatabase();
  await using direct = await createTestDatabase({ empty: true });
  await query(direct.url, await schemaDifference(undefined, schema));
  const lines = await linesOf(migrated.url);
  expect(lines.length).toBeGreaterThan(100);
  expect(lines).toEqual(await linesOf(direct.url));
});

test('the schema kept with the last migration is the present one', async () => {
  const last = readMigrations().at(-1)?.name ?? 'none';
  const kept = readFileSync(`${migrationsDir}/${last}/schema.prisma`, 'utf8');
  expect(await schemaDifference(kept, schema)).toBe('');
});

test('a difference between two schemas is the SQL that leads from one to the other', async () => {
  const more = schema.replace('model Meta {', 'model Meta {\n  note String?');
  expect((await schemaDifference(schema, more)).replace(/\s+/g, ' ')).toContain('ALTER TABLE "Meta" ADD COLUMN "note" TEXT;');
  await expect(schemaDifference(schema, `${schema}\nmodel Broken {`)).rejects.toThrow();
});

test('Prisma agrees with what Deckhand applied, and Deckhand with what Prisma applied', async () => {
  const names = readMigrations().map(({ name }) => name);
  await using ours = await createTestDatabase({ empty: true });
  expect(await migrate({ url: ours.url })).toEqual(names);
  expect(await prismaDeploy(ours.url)).toEqual([]);

  await using theirs = await createTestDatabase({ empty: true });
  expect(await prismaDeploy(theirs.url)).toEqual(names);
  expect(await migrate({ url: theirs.url })).toEqual([]);
  expect(await migrationState({ url: theirs.url })).toMatchObject({ version: names.at(-1), pending: [] });
});
