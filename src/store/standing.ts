import { Prisma } from '../../prisma/client/client.ts';
import type { Tx } from './database.ts';
import { deadAfterMs } from './runners.ts';

/** How everything stands, over all workspaces: figures for metrics, alerts and `status`. Ages are seconds by the clock of the database. */
export interface Standing {
  /** Age of the oldest event that waits; 0: none does. */
  inboxOldest: number;
  /** Conversations (and whatever else is kept in order) in which events wait. */
  lanesWaiting: number;
  /** Events that were given up within the last hour, and messages; not what a person alone was to get who does not let Deckhand write. */
  deadLetters: { inbound: number; outbound: number };
  /** Messages that wait, and for how long the first of them has. */
  outbox: { platform: string; waiting: number; oldest: number }[];
  /** Runs that are not over. `worker`: the agent, or `shell`. */
  runs: { state: string; worker: string; runs: number }[];
  /** For how long the run waits that was put into the queue first; 0: none does. */
  queueOldest: number;
  decisions: { kind: string; waiting: number; oldest: number }[];
  /** One for each machine of runners: the newest life. `left`: it was stopped, or replaced. */
  runners: {
    host: string;
    /** What it is: contracts/labels.ts `labelList`. */
    labels: string;
    left: boolean;
    draining: boolean;
    alive: boolean;
    capacity: number;
    busy: number;
    beatAge: number;
  }[];
  /** Of machines that have, or lately had, a runner. */
  disks: { host: string; free: number; kept: number; quota: number | null; measuredAge: number }[];
}

const age = (column: string) => Prisma.raw(`GREATEST(0, extract(epoch FROM clock_timestamp() - ${column}))::float8`);

/** One statement, which looks only at what is not over, through indexes. */
export const standingStatement = Prisma.sql`
    SELECT jsonb_build_object(
      'inboxOldest', COALESCE((SELECT ${age('min("receivedAt")')} FROM "Inbox" WHERE "state" = 'pending'), 0),
      'lanesWaiting', (SELECT count(DISTINCT "lane") FROM "Inbox" WHERE "state" = 'pending'),
      'deadLetters', jsonb_build_object(
        'inbound', (SELECT count(*) FROM "Inbox" WHERE "state" = 'failed' AND "doneAt" > now() - interval '1 hour'),
        'outbound', (SELECT count(*) FROM "Outbox" WHERE "state" = 'failed' AND "dueAt" > now() - interval '59 minutes'
          AND NOT ("payloadType" IN ('ephemeral', 'direct') AND starts_with(COALESCE("lastError", ''), 'not_permitted')))
      ),
      'outbox', (SELECT COALESCE(jsonb_agg(o), '[]') FROM (
        SELECT "platform", count(*) AS waiting, ${age('min("pendingSince")')} AS oldest
        FROM "Outbox" WHERE "state" = 'pending' GROUP BY 1 ORDER BY 1) AS o),
      'runs', (SELECT COALESCE(jsonb_agg(r), '[]') FROM (
        SELECT "state", COALESCE("agent"->>'agent', 'shell') AS worker, count(*) AS runs FROM "Run"
        WHERE "state" IN ('queued', 'preparing', 'planning', 'awaiting', 'executing', 'finishing') GROUP BY 1, 2 ORDER BY 1, 2) AS r),
      'queueOldest', COALESCE((SELECT ${age('min("queuedAt")')} FROM "Run" WHERE "state" = 'queued'), 0),
      'decisions', (SELECT COALESCE(jsonb_agg(d), '[]') FROM (
        SELECT "kind", count(*) AS waiting, ${age('min("openedAt")')} AS oldest
        FROM "Interaction" WHERE "state" = 'pending' GROUP BY 1 ORDER BY 1) AS d),
      'runners', (SELECT COALESCE(jsonb_agg(r), '[]') FROM (
        SELECT DISTINCT ON (n."hostId") n."hostId" AS host, n."capacity" = 0 AS left,
          n."capacity" > 0 AND n."beatAt" > now() - make_interval(secs => ${deadAfterMs / 1000}) AS alive,
          n."labels", COALESCE(n."drainingAt", n."drainAskedAt") IS NOT NULL AS draining, n."capacity", ${age('n."beatAt"')} AS "beatAge",
          (SELECT count(*) FROM "Run" WHERE "Run"."runnerId" = n."id"
            AND "Run"."state" IN ('preparing', 'planning', 'awaiting', 'executing', 'finishing')) AS busy
        FROM "Runner" n ORDER BY n."hostId", n."startedAt" DESC, n."id" DESC) AS r),
      'disks', (SELECT COALESCE(jsonb_agg(d), '[]') FROM (
        SELECT "hostId" AS host, "freeBytes" AS free, "keptBytes" AS kept, "quotaBytes" AS quota, ${age('"measuredAt"')} AS "measuredAge"
        FROM "HostDisk" d WHERE EXISTS (SELECT FROM "Runner" n WHERE n."hostId" = d."hostId") ORDER BY 1) AS d)
    ) AS standing`;

export async function standingOf(db: Tx['db']): Promise<Standing> {
  const [row] = await db.$queryRaw<{ standing: Standing }[]>(standingStatement);
  if (row === undefined) throw new Error('looking gave no row');
  return row.standing;
}
