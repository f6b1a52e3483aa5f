import pg from 'pg';

/** Asks a database over a connection of its own. Rejects also when there is no address. */
export async function query(url: string | undefined, sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  if (url === undefined) throw new Error('there is no database to ask');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** Ends the sessions that a program of this name has in the database, as a server does that is shut down. */
export async function endSessions(url: string, application: string): Promise<void> {
  await query(
    url,
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()',
    [application],
  );
}
