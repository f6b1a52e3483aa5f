import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createLogger } from '../../src/runtime/logger.ts';
import { createEmbeddedPostgres, type EmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import type { Site } from '../site.ts';

const startsAgainAfterMs = 500;
// As on the machine of a small team: what is kept of its log ahead is soon used up on a full disk.
// Processes are killed here, never the machine: what was given to it to write is there.
const settings = ['fsync=off', 'max_connections=200', 'max_wal_size=64MB', 'min_wal_size=32MB', 'wal_recycle=off'];

/** PostgreSQL as the program brings it, started again whenever it stays down, as by a supervisor. */
export async function keepPostgres(site: Site, dataDir: string): Promise<void> {
  await mkdir(dataDir, { mode: 0o711, recursive: true });
  let current: EmbeddedPostgres | undefined;
  let over = false;
  let starting: Promise<void> = Promise.resolve();

  function make(): EmbeddedPostgres {
    return createEmbeddedPostgres({
      dataDir,
      logger: createLogger({ level: 'silent' }),
      settings,
      onGone: (error) => {
        site.say(`the database is down: ${error.message.slice(0, 300)}`);
        starting = again();
      },
    });
  }
  async function again(): Promise<void> {
    while (!over) {
      await delay(startsAgainAfterMs);
      await current?.abort().catch(() => undefined);
      if (over) return;
      const next = make();
      current = next;
      const started = await next.start().then(
        () => true,
        () => false,
      );
      if (!started) continue;
      site.say('the database runs again');
      return;
    }
  }
  site.onEnd(async () => {
    over = true;
    await starting;
    await current?.stop();
  });
  current = make();
  await current.start();
}
