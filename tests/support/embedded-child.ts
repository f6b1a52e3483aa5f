/**
 * A process that holds a data directory and runs the embedded database on it, as `deckhand start` does. Argument: the directory.
 * Tells its parent `{ url }` or `{ error }`; stops on SIGTERM.
 */
import { AppError } from '../../src/contracts/errors.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { openDataDir } from '../../src/store/data-dir.ts';
import { createEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';

const [dir] = process.argv.slice(2);
if (dir === undefined) throw new Error('usage: embedded-child.ts <data directory>');

try {
  const held = openDataDir(dir, ['gateway', 'runner']);
  const postgres = createEmbeddedPostgres({ dataDir: held.path, logger: createLogger({ level: 'warn' }) });
  process.once('SIGTERM', async () => {
    await postgres.stop();
    held.release();
    process.disconnect?.();
  });
  await postgres.start();
  process.send?.({ url: postgres.url });
} catch (error) {
  process.send?.({ error: error instanceof AppError ? { code: error.code, params: error.params } : String(error) });
  process.exitCode = 1;
  process.disconnect?.();
}
