import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { AppError } from '../contracts/errors.ts';
import { errorText } from '../runtime/error-text.ts';

const connectMs = 10_000;
/** How long a connection is silent before it is asked whether it lives: by itself a system waits two hours. */
export const keepAliveMs = 10_000;

/** Refused connections, unknown hosts and servers that are still starting pass with time; a wrong password does not. */
const passing = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENOENT', 'ECONNRESET', 'ETIMEDOUT', '57P03']);

/**
 * One connection outside of the pool, for a piece of work that needs a session of its own; `name` is what the server shows of it. When it
 * breaks, the statement that uses it fails, nothing else. Waits up to `waitMs` for a server that does not answer yet. Throws DH-103.
 */
export async function connect(url: string, name: string, waitMs = 0): Promise<pg.Client> {
  const until = performance.now() + waitMs;
  for (;;) {
    const client = new pg.Client({
      connectionString: url,
      application_name: name,
      connectionTimeoutMillis: connectMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (!passing.has(code) || performance.now() >= until)
        throw new AppError('DH-103', { detail: errorText(error) }, { cause: error });
      await delay(250);
    }
  }
}
