import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signinAddress } from './access/signin-link.ts';
import { localAccessFile } from './local-call.ts';
import type { Part } from './runtime/lifecycle.ts';

/** What opens the API to programs of this machine, until the gateway ends. New at each launch, kept in no database. */
export function newLocalToken(): string {
  return `dhl_${randomBytes(32).toString('hex')}`;
}

/** Writes the address and the token where only the user who runs Deckhand can read them, while the gateway runs. */
export function localAccessPart(dataDir: string, token: string, url: () => string): Part {
  const file = join(dataDir, localAccessFile);
  return {
    name: 'local access',
    async start() {
      const address = signinAddress(url());
      // It listens on no address that is the machine's alone.
      if (address === undefined) return await rm(file, { force: true });
      const fresh = `${file}.new`;
      await rm(fresh, { force: true });
      await writeFile(fresh, `${JSON.stringify({ url: address, token })}\n`, { mode: 0o600, flag: 'wx' });
      await rename(fresh, file);
    },
    stop: () => rm(file, { force: true }),
  };
}
