import { newId } from '../runtime/ids.ts';
import { connect } from './connection.ts';

/** Tells this installation from others that share a Redis with it: made once, by whichever process asks first. Throws DH-103. */
export async function readInstallationId(url: string): Promise<string> {
  const client = await connect(url, 'deckhand start');
  try {
    const key = 'installation';
    await client.query('INSERT INTO "Meta" ("key", "value") VALUES ($1, $2) ON CONFLICT DO NOTHING', [key, newId('ins')]);
    const { rows } = await client.query<{ value: string }>('SELECT "value" FROM "Meta" WHERE "key" = $1', [key]);
    const [row] = rows;
    if (row === undefined) throw new Error('the installation has no id');
    return row.value;
  } finally {
    await client.end();
  }
}
