import { z } from 'zod';
import { Prisma } from '../../prisma/client/client.ts';
import type { Platform } from '../contracts/platform.ts';
import type { Database } from './database.ts';

/** A time in which people may have written on a platform while nobody listened, that nobody has looked into yet. */
export interface OpenGap {
  /** Its beginning. */
  since: Date;
  /** Another one each time that a gap is told. */
  told: string;
}

const stored = z.object({ since: z.coerce.date(), told: z.string() });
const keyOf = (platform: Platform) => `gap:${platform}`;

/**
 * Keeps that there is a gap on this platform until `closeGap`: another process goes on when this one ends before. It began with the last message
 * that was stored before `from`, at the latest. Other acts do not count: they come over other ways too, where a platform has such (Discord's
 * interactions over HTTP), and say nothing about what was heard. Without a message within `longestMs` it began then, or with the first
 * act of anybody, also one of the same millisecond: the database rounds. Nothing is kept when there was none: then nobody has missed anything
 * yet. A gap that is open goes on.
 */
export async function keepGap({ db }: Database, platform: Platform, from: Date, longestMs: number): Promise<void> {
  const earliest = new Date(from.getTime() - longestMs);
  await db.$executeRaw(Prisma.sql`
    WITH heard AS (
      SELECT COALESCE(
        (SELECT max("receivedAt") FROM "Inbox"
          WHERE "platform" = ${platform} AND "receivedAt" >= ${earliest} AND "receivedAt" < ${from}
            AND "event"->>'type' IN ('message', 'message_edited', 'message_deleted')),
        GREATEST(${earliest}, (SELECT min("receivedAt") FROM "Inbox" WHERE "platform" = ${platform}))
      ) AS "since"
      WHERE EXISTS (SELECT 1 FROM "Inbox" WHERE "platform" = ${platform})
    )
    INSERT INTO "Meta" ("key", "value")
    SELECT ${keyOf(platform)}, json_build_object('since', "since", 'told', gen_random_uuid()::text)::text FROM heard
    ON CONFLICT ("key") DO UPDATE SET "value" = json_build_object(
      'since', LEAST(("Meta"."value"::jsonb->>'since')::timestamptz, (EXCLUDED."value"::jsonb->>'since')::timestamptz),
      'told', EXCLUDED."value"::jsonb->>'told')::text`);
}

export async function openGap({ db }: Database, platform: Platform): Promise<OpenGap | undefined> {
  const row = await db.meta.findUnique({ where: { key: keyOf(platform) } });
  return row === null ? undefined : stored.parse(JSON.parse(row.value));
}

/** The gap was looked into. One that was told since it was read stays open. */
export async function closeGap({ db }: Database, platform: Platform, { told }: OpenGap): Promise<void> {
  await db.$executeRaw`DELETE FROM "Meta" WHERE "key" = ${keyOf(platform)} AND "value"::jsonb->>'told' = ${told}`;
}
