import { Prisma } from '../../prisma/client/client.ts';
import { connect } from './connection.ts';
import type { Tx } from './database.ts';

/** How the database itself stands. Ages are seconds by its clock. */
export interface DatabaseStanding {
  /** Of all programs, and how many it takes. */
  connections: number;
  mostConnections: number;
  bytes: number;
  /** What only one process at a time does: for what it is, from which address (null: this machine), and for how long. */
  leases: { name: string; from: string | null; age: number }[];
  /** Since `deckhand backup` last succeeded; null: it never has. */
  backupAge: number | null;
  /** Since when there is something to lose. */
  age: number;
}

const backupKey = 'backup';
const age = (column: string) => Prisma.raw(`GREATEST(0, extract(epoch FROM clock_timestamp() - ${column}))::float8`);

export async function databaseStanding(db: Tx['db']): Promise<DatabaseStanding> {
  const [row] = await db.$queryRaw<{ standing: DatabaseStanding }[]>(Prisma.sql`
    SELECT jsonb_build_object(
      'connections', (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
      'mostConnections', current_setting('max_connections')::int,
      'bytes', pg_database_size(current_database()),
      'leases', (SELECT COALESCE(jsonb_agg(l), '[]') FROM (
        SELECT substr(a.application_name, 10) AS name, host(a.client_addr) AS "from", ${age('a.backend_start')} AS age
        FROM pg_stat_activity a WHERE a.datname = current_database() AND a.application_name LIKE 'deckhand-%'
          AND EXISTS (SELECT FROM pg_locks k WHERE k.pid = a.pid AND k.locktype = 'advisory' AND k.granted)
        ORDER BY 1) AS l),
      'backupAge', (SELECT ${age('"value"::timestamptz')} FROM "Meta" WHERE "key" = ${backupKey}),
      'age', COALESCE((SELECT ${age('min("createdAt")')} FROM "Workspace"), 0)
    ) AS standing`);
  if (row === undefined) throw new Error('looking gave no row');
  return row.standing;
}

/** Notes that all state was backed up as it was at this moment. Throws DH-103. */
export async function noteBackup(url: string, at: Date): Promise<void> {
  const client = await connect(url, 'deckhand backup');
  try {
    await client.query(
      'INSERT INTO "Meta" ("key", "value") VALUES ($1, $2) ON CONFLICT ("key") DO UPDATE SET "value" = EXCLUDED."value"',
      [backupKey, at.toISOString()],
    );
  } finally {
    await client.end();
  }
}
