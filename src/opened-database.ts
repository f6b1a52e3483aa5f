import { existsSync } from 'node:fs';
import type { Config } from './config.ts';
import { AppError } from './contracts/errors.ts';
import { createDatabase, type Database } from './store/database.ts';
import { holdUnlessRunning, withEmbedded } from './store/idle-database.ts';
import { addressOfRunning } from './store/postgres-address.ts';

/**
 * Uses the database of this installation for a command on its machine, whether Deckhand runs or not. Throws DH-137 where there is none.
 */
export async function openedDatabase<T>(
  config: Pick<Config, 'databaseUrl' | 'dataDir'>,
  use: (database: Database) => Promise<T>,
): Promise<T> {
  const { databaseUrl, dataDir } = config;
  const address = databaseUrl ?? (existsSync(dataDir) ? await addressOfRunning(dataDir) : undefined);
  if (address === undefined) throw new AppError('DH-137', { what: dataDir, detail: 'Deckhand was never started here' });
  const held = databaseUrl === undefined ? holdUnlessRunning(dataDir) : undefined;
  if (held === undefined) return await connected(address, use);
  try {
    return await withEmbedded(dataDir, (url) => connected(url, use));
  } finally {
    held.release();
  }
}

async function connected<T>(url: string, use: (database: Database) => Promise<T>): Promise<T> {
  const database = createDatabase({ url, connections: 2, onEffectError: () => undefined });
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}
