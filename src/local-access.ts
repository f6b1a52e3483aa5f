import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { signinAddress } from './access/signin-link.ts';
import { AppError } from './contracts/errors.ts';
import type { Part } from './runtime/lifecycle.ts';

/** In the data directory: how programs of the user who runs Deckhand reach the gateway that runs there. */
const fileName = 'local-access.json';
const localAccessSchema = z.object({ url: z.string(), token: z.string() });

/** What opens the API to programs of this machine, until the gateway ends. New at each launch, kept in no database. */
export function newLocalToken(): string {
  return `dhl_${randomBytes(32).toString('hex')}`;
}

/** Writes the address and the token where only the user who runs Deckhand can read them, while the gateway runs. */
export function localAccessPart(dataDir: string, token: string, url: () => string): Part {
  const file = join(dataDir, fileName);
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

/** Asks the gateway of this data directory for something of its API; the answer as text. Throws DH-133. */
export async function askLocally(dataDir: string, path: string): Promise<{ ok: boolean; text: string }> {
  const text = await readFile(join(dataDir, fileName), 'utf8').catch(() => undefined);
  if (text === undefined) throw new AppError('DH-133', { dir: dataDir });
  const { url, token } = localAccessSchema.parse(JSON.parse(text));
  try {
    const answer = await fetch(`${url}/api/v1/${path.replace(/^\/+(?:api\/v1\/+)?/, '')}`, {
      headers: { authorization: `Bearer ${token}` },
      redirect: 'error',
    });
    return { ok: answer.ok, text: await answer.text() };
  } catch (error) {
    throw new AppError('DH-133', { dir: dataDir }, { cause: error });
  }
}
