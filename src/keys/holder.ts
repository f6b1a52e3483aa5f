import { randomBytes } from 'node:crypto';
import type { Part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createLoop } from '../runtime/loop.ts';
import type { SecretBox } from '../runtime/secret-box.ts';
import type { Database } from '../store/database.ts';
import { forgetHolder, type KeyHolder, noteFirstKey, tellKeys } from '../store/secret-keys.ts';

const tellEveryMs = 20_000;

/** Says in the database which keys this process has, so that a change of the key knows who would be left behind. */
export function createKeyHolder(of: {
  role: string;
  source: KeyHolder['source'];
  get(): { host: string; secretBox: Pick<SecretBox, 'keyIds'>; database: Pick<Database, 'db'> };
  logger: Pick<Logger, 'warn'>;
}): Part {
  const id = `holder_${randomBytes(10).toString('hex')}`;
  const tell = async () => {
    const { host, secretBox, database } = of.get();
    await tellKeys(database.db, { id, host, role: of.role, source: of.source, keys: secretBox.keyIds() });
    return false;
  };
  const loop = createLoop({
    name: 'secret keys',
    idleMs: tellEveryMs,
    run: tell,
    onError: (error, failures) => of.logger.warn({ err: error, failures }, 'it could not be said which keys this process has'),
  });
  return {
    name: 'secret keys',
    async start() {
      const { secretBox, database } = of.get();
      await noteFirstKey(database.db, secretBox.keyIds()[0]);
      await tell();
      loop.start();
    },
    async stop() {
      await loop.stop();
      // Whoever does not say anything any more is forgotten all the same.
      await forgetHolder(of.get().database.db, id).catch(() => undefined);
    },
  };
}
