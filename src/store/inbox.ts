import { Prisma } from '../../prisma/client/client.ts';
import type { PastMessage } from '../contracts/chat-adapter.ts';
import { type InboundEvent, inboundEventSchema, laneOf } from '../contracts/inbound.ts';
import { traceparent } from '../runtime/trace.ts';
import { type Database, type Tx, wakeChannel } from './database.ts';
import { storableJson } from './storable.ts';

/** One stored event, as its lane hands it to the bus. */
export interface InboxRow {
  id: bigint;
  lane: string;
  attempts: number;
  event: InboundEvent;
  /** The step of a trace that it came from; null: none is recorded. */
  traceparent: string | null;
}

/** An event on its way into the inbox. */
export interface Arrival {
  /** Two deliveries of one event have the same. */
  identity: string;
  row: {
    platform: string;
    tenant: string;
    key: string;
    lane: string;
    event: InboundEvent;
    traceparent: string | null;
  };
}

/** Notes besides which step of a trace the event came with: that of the caller. */
export function arrivalOf(event: InboundEvent): Arrival {
  const { platform, tenant } = event.conversation;
  const row = { platform, tenant, key: event.key, lane: laneOf(event), event, traceparent: traceparent() };
  return { identity: identityOf(row), row };
}

function identityOf({ platform, tenant, key }: { platform: string; tenant: string; key: string }): string {
  return JSON.stringify([platform, tenant, key]);
}

/**
 * Stores events once per (platform, tenant, key), in one statement that also wakes the lanes. When it has returned, the events
 * survive a crash (promise 1); those that were stored before count as duplicates and change nothing (promise 2).
 */
export async function storeInbound(
  database: Database,
  events: readonly InboundEvent[],
): Promise<{ stored: number; duplicate: number }> {
  if (events.length === 0) return { stored: 0, duplicate: 0 };
  const fresh = await storeArrivals(database, events.map(arrivalOf));
  return { stored: fresh.size, duplicate: events.length - fresh.size };
}

/** The statement of `storeInbound`. Returns the identities of those that were not stored before. */
export async function storeArrivals(database: Database, arrivals: readonly Arrival[]): Promise<Set<string>> {
  const rows = arrivals.map(({ row }) => row);
  const wake = database.announce === undefined ? Prisma.sql`pg_notify(${wakeChannel}, 'inbox:' || lane)::text` : Prisma.sql`lane`;
  const inserted = await database.db.$queryRaw<{ platform: string; tenant: string; key: string; lane: string }[]>(Prisma.sql`
    WITH incoming AS (
      INSERT INTO "Inbox" ("platform", "tenant", "key", "lane", "event", "traceparent")
      SELECT "platform", "tenant", "key", "lane", "event", "traceparent"
      FROM jsonb_to_recordset(${storableJson(rows)}::jsonb)
        AS row("platform" text, "tenant" text, "key" text, "lane" text, "event" jsonb, "traceparent" text)
      ON CONFLICT ("platform", "tenant", "key") DO NOTHING
      RETURNING "platform", "tenant", "key", "lane"
    ), woken AS (
      SELECT ${wake} FROM (SELECT DISTINCT "lane" FROM incoming) AS lanes
    )
    SELECT incoming.* FROM incoming, (SELECT count(*) FROM woken) AS waking`);
  if (inserted.length > 0) database.announce?.([...new Set(inserted.map(({ lane }) => `inbox:${lane}`))]);
  return new Set(inserted.map(identityOf));
}

/** Stores an event that another one has led to, in the transaction of that one. Once per key, like all events. */
export async function putInbound(tx: Tx, event: InboundEvent): Promise<void> {
  const { platform, tenant } = event.conversation;
  const lane = laneOf(event);
  await tx.db.$executeRaw(Prisma.sql`
    INSERT INTO "Inbox" ("platform", "tenant", "key", "lane", "event", "traceparent")
    VALUES (${platform}, ${tenant}, ${event.key}, ${lane}, ${storableJson(event)}::jsonb, ${traceparent()})
    ON CONFLICT ("platform", "tenant", "key") DO NOTHING`);
  tx.notify('inbox', lane);
}

/** Lanes that have an event due now, oldest first. */
export async function dueLanes(database: Database, now: Date, limit: number): Promise<string[]> {
  const lanes = await database.db.$queryRaw<{ lane: string }[]>(Prisma.sql`
    SELECT "lane" FROM (
      SELECT DISTINCT ON ("lane") "lane", "id", "dueAt" FROM "Inbox" WHERE "state" = 'pending' ORDER BY "lane", "id"
    ) AS heads
    WHERE "dueAt" <= ${now} ORDER BY "id" LIMIT ${limit}`);
  return lanes.map(({ lane }) => lane);
}

/**
 * The oldest pending event of the lane, locked for this transaction. `undefined`: nothing is due, or another process works on the
 * lane (the head row is locked, and no later one may overtake it: promise 3).
 */
export async function takeLaneHead(tx: Tx, lane: string, now: Date): Promise<InboxRow | undefined> {
  const heads = await tx.db.$queryRaw<HeadRow[]>(Prisma.sql`
    SELECT "id", "lane", "attempts", "event", "dueAt", "traceparent" FROM "Inbox"
    WHERE "id" = (SELECT min("id") FROM "Inbox" WHERE "state" = 'pending' AND "lane" = ${lane})
      AND "state" = 'pending'
    FOR UPDATE SKIP LOCKED`);
  const head = heads[0];
  if (head === undefined || head.dueAt > now) return undefined;
  const { id, attempts } = head;
  return { id, lane: head.lane, attempts, event: inboundEventSchema.parse(head.event), traceparent: head.traceparent };
}

interface HeadRow {
  id: bigint;
  lane: string;
  attempts: number;
  event: unknown;
  dueAt: Date;
  traceparent: string | null;
}

/** Marks the event handled, in the transaction that holds its effects. Secrets in it, though sealed, are forgotten. */
export async function markDone(tx: Tx, { id, event }: Pick<InboxRow, 'id' | 'event'>, now: Date): Promise<void> {
  await forgetSealed(tx, id, event);
  await tx.db.inbox.update({ where: { id }, data: { state: 'done', doneAt: now } });
}

/** Marks the event given up, in the transaction that holds the answer saying so. */
export async function markFailed(tx: Tx, { id, event }: Pick<InboxRow, 'id' | 'event'>, error: string, now: Date): Promise<void> {
  await forgetSealed(tx, id, event);
  await tx.db.inbox.update({ where: { id }, data: { state: 'failed', doneAt: now, error } });
}

/** What is left of a secret that was handled. */
export const forgottenSecret = '[secret]';

/** Whether the message was a secret: what it is changed to may be one too. */
export async function wasSecret(db: Tx['db'], event: Extract<InboundEvent, { type: 'message_edited' }>): Promise<boolean> {
  const rows = await db.$queryRaw<unknown[]>(Prisma.sql`
    SELECT 1 FROM "Inbox" WHERE "state" IN ('pending', 'done', 'failed') AND "lane" = ${laneOf(event)}
      AND "event"->>'type' = 'message' AND "event"->>'message' = ${event.message}
      AND ("event"->>'text' = ${forgottenSecret} OR "event"->>'text' LIKE 'sealed:v1.%') LIMIT 1`);
  return rows.length > 0;
}

async function forgetSealed(tx: Tx, id: bigint, event: InboundEvent): Promise<void> {
  if (!JSON.stringify(event).includes('sealed:v1.')) return;
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Inbox" SET "event" = regexp_replace("event"::text, 'sealed:v1\\.[A-Za-z0-9_.-]+', ${forgottenSecret}, 'g')::jsonb WHERE "id" = ${id}`);
}

/** Puts the event off after an internal error; the rest of its lane waits with it. */
export async function putOff(database: Database, id: bigint, dueAt: Date, error: string): Promise<void> {
  await database.db.inbox.update({ where: { id }, data: { attempts: { increment: 1 }, dueAt, error } });
}

/** What people said to Deckhand in a conversation before a message, oldest first: all that is known where the platform tells nothing. */
export async function messagesBefore(
  tx: Tx,
  { key, conversation }: Pick<InboundEvent, 'key' | 'conversation'>,
  limit: number,
): Promise<PastMessage[]> {
  const { platform, tenant, channel, thread } = conversation;
  const rows = await tx.db.$queryRaw<{ event: unknown }[]>(Prisma.sql`
    SELECT "event" FROM "Inbox"
    WHERE "platform" = ${platform} AND "tenant" = ${tenant} AND "event"->>'type' = 'message'
      AND "event"->'conversation'->>'channel' = ${channel}
      AND "event"->'conversation'->>'thread' IS NOT DISTINCT FROM ${thread ?? null}::text
      AND "id" < (SELECT "id" FROM "Inbox" WHERE "platform" = ${platform} AND "tenant" = ${tenant} AND "key" = ${key})
      AND "receivedAt" > now() - interval '7 days'
    ORDER BY "receivedAt" DESC, "id" DESC LIMIT ${limit}`);
  return rows
    .flatMap(({ event }) => inboundEventSchema.safeParse(event).data ?? [])
    .flatMap((event) => (event.type === 'message' ? [pastMessage(event)] : []))
    .reverse();
}

function pastMessage({ message, at, actor, text, attachments }: Extract<InboundEvent, { type: 'message' }>): PastMessage {
  const { user, name, bot } = actor;
  return { message, at, author: { user, name, bot, own: false }, text, attachments };
}
