import { randomBytes } from 'node:crypto';
import { newDataDir } from './deckhand-process.ts';
import { createTestDatabase } from './postgres.ts';

/** A data directory and a database, both of their own, for lives of `deckhand start`. */
export interface Installation {
  path: string;
  /** What every life needs to be told. */
  settings: Record<string, string>;
  remove(): Promise<void>;
}

/**
 * The database is on the server of the test run: it is there at once, where one in the data directory is made, started and ended
 * with each life. For tests of something else than that.
 */
export async function newInstallation(): Promise<Installation> {
  const dataDir = await newDataDir();
  const database = await createTestDatabase();
  return {
    path: dataDir.path,
    settings: { DATABASE_URL: database.url, DECKHAND_SECRET_KEY: randomBytes(32).toString('base64') },
    async remove() {
      await database.close();
      await dataDir.remove();
    },
  };
}
