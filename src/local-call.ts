import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from './contracts/errors.ts';

/** In the data directory: how programs of the user who runs Deckhand reach the gateway that runs there. */
export const localAccessFile = 'local-access.json';
const localAccessSchema = z.object({ url: z.string(), token: z.string() });

/** Asks the gateway of this data directory for something of its API; the answer as text. Throws DH-133. */
export async function askLocally(dataDir: string, path: string): Promise<{ ok: boolean; text: string }> {
  const text = await readFile(join(dataDir, localAccessFile), 'utf8').catch(() => undefined);
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
