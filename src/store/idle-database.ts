import { AppError } from '../contracts/errors.ts';
import { createLogger } from '../runtime/logger.ts';
import { type DataDir, openDataDir } from './data-dir.ts';
import { createEmbeddedPostgres } from './embedded-postgres.ts';

/** Holds a data directory as if to run all of Deckhand on it; undefined when Deckhand runs on it already. */
export function holdUnlessRunning(dataDir: string): DataDir | undefined {
  try {
    return openDataDir(dataDir, ['gateway', 'runner']);
  } catch (error) {
    if (error instanceof AppError && error.code === 'DH-101') return undefined;
    throw error;
  }
}

/** Runs the embedded database of a data directory that the caller holds, for as long as `use` works with its address. */
export async function withEmbedded<T>(dataDir: string, use: (url: string) => Promise<T>): Promise<T> {
  const postgres = createEmbeddedPostgres({ dataDir, logger: createLogger({ level: 'silent' }) });
  try {
    await postgres.start();
    return await use(postgres.url);
  } finally {
    await postgres.stop();
  }
}
