import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { query } from './query.ts';

/** A database of its own with all migrations applied, on the real PostgreSQL of this test run. */
export interface TestDatabase extends AsyncDisposable {
  url: string;
  /** Drops the database, with whatever is still connected to it. Idempotent. */
  close(): Promise<void>;
}

export const templateDatabase = 'deckhand_template';

/**
 * One per test file, usually:
 *
 *     let database: TestDatabase;
 *     beforeAll(async () => { database = await createTestDatabase(); });
 *     afterAll(() => database.close());
 *
 * or in one test: `await using database = await createTestDatabase();`. `empty` leaves the migrations out.
 */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  const name = `test_${randomBytes(8).toString('hex')}`;
  const template = options.empty === true ? 'template1' : templateDatabase;
  await query(server, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`);
  const close = async () => {
    await query(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  };
  return { url: databaseUrl(server, name), close, [Symbol.asyncDispose]: close };
}

/** The address of another database of the same server. */
export function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
