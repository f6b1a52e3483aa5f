import type pg from 'pg';
import { quoted } from './dump.ts';
import { anyOther } from './outbox-rows.ts';

/** Whose place a restored installation takes. */
export interface Succession {
  /** Identity of the data directory that was backed up, and that of the one its files went to. */
  former: string;
  host: string;
  /** The former one was stopped when the backup was made and has done nothing since. */
  idle: boolean;
}

/**
 * Makes rows of a former installation those of this one.
 *
 * The directory has another identity than the one the files were from, so that it never takes sandboxes of the former for its own. What ran is
 * its business, wherever it ran: it finds none of these sandboxes and ends the runs as interrupted.
 *
 * The former one may have gone on after the backup. Unless it is known to have been idle, runs that waited may have run and end as interrupted
 * too, given up by a gateway, and messages that waited are looked for on the platform before they are sent.
 *
 * Returns the identities of all hosts that may have left sandboxes.
 */
export async function succeed(client: pg.Client, { former, host, idle }: Succession): Promise<string[]> {
  const { rows: runners } = await client.query<{ host: string }>('SELECT DISTINCT "hostId" AS host FROM "Runner" ORDER BY 1');
  const over = ['succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted'];
  await client.query('UPDATE "Run" SET "hostId" = $1 WHERE "hostId" = $2 OR ("hostId" IS NOT NULL AND "state" <> ALL ($3))', [
    host,
    former,
    over,
  ]);
  await client.query('UPDATE "Publication" SET "hostId" = $1 WHERE "hostId" = $2', [host, former]);
  await client.query('UPDATE "PruneOrder" SET "waiting" = array_replace("waiting", $2, $1)', [host, former]);
  if (!idle) await doubt(client, former);
  // Two installations with one id would take each other's jobs where they share a Redis.
  await client.query(`DELETE FROM "Meta" WHERE "key" = 'installation'`);
  for (const table of ['Runner', 'Holding', 'HostDisk']) await client.query(`DELETE FROM ${quoted(table)}`);
  return [...new Set([former, ...runners.map((runner) => runner.host)])].filter((one) => one !== 'none');
}

async function doubt(client: pg.Client, former: string): Promise<void> {
  // As if a runner had begun them that is not heard of any more.
  const { rows } = await client.query<{ task: string }>(
    `UPDATE "Run" SET "state" = 'executing', "startedAt" = COALESCE("startedAt", now()), "hostId" = $1, "runnerId" = 'former',
       "placedOn" = NULL
     WHERE "state" IN ('queued', 'preparing') RETURNING "taskId" AS task`,
    [former],
  );
  const tasks = rows.map(({ task }) => task);
  await client.query(`UPDATE "Task" SET "column" = 'running' WHERE "id" = ANY ($1) AND "column" = 'queued'`, [tasks]);
  await client.query(`UPDATE "Outbox" SET "parts" = "parts" || $1::jsonb WHERE "state" = 'pending'`, [
    JSON.stringify([anyOther]),
  ]);
}
