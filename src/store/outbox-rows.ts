import { z } from 'zod';
import { Prisma } from '../../prisma/client/client.ts';
import { type Operation, operations } from '../contracts/chat-adapter.ts';
import { type OutboxPayload, outboxPayloadSchema, type Priority } from '../contracts/outbox.ts';
import type { Platform } from '../contracts/platform.ts';
import type { Database, Tx } from './database.ts';
import { storable } from './outbox.ts';

/** A row that waits to be sent, without its payload: what the sender needs to decide whose turn it is. */
export interface WaitingRow {
  id: string;
  workspace: string;
  platform: Platform;
  tenant: string;
  channel: string;
  channelKind: 'channel' | 'direct';
  /** Platform thread id; undefined: top level, or not known yet (`threadId` set, `anchor` false). */
  thread: string | undefined;
  threadId: string | undefined;
  anchor: boolean;
  /** Number and title of the task whose thread the message opens; undefined: it opens none. */
  opens: { number: number; title: string } | undefined;
  payloadType: OutboxPayload['type'];
  /** Account that an ephemeral, direct, form or home payload is for. */
  user: string | undefined;
  /** Message that a reaction or a removal is about. */
  about: string | undefined;
  priority: Priority;
  externalId: string | undefined;
  /** Set while the outcome of a call is unknown. */
  attemptedAt: Date | undefined;
  attemptedSlot: string | undefined;
  attemptAgeMs: number | undefined;
  /** How often it was taken for sending. */
  claims: number;
  dueInMs: number;
  waitingMs: number;
  ageMs: number;
  /** Life left of a form. */
  expiresInMs: number | undefined;
  /** Another one after every change of the row, its thread, or the task whose thread it opens. */
  stamp: string;
}

/** One part of a logical message: a platform message (`m0`, `m1` …), a file (`f:…`), an ephemeral (`e0` …). */
export const partSchema = z.object({
  slot: z.string(),
  message: z.string().optional(),
  channel: z.string().optional(),
  thread: z.string().optional(),
  /** What was accepted last; an unchanged part is not edited again. */
  digest: z.string(),
  /** How often it had to be sent anew because somebody deleted it. */
  again: z.number().int().optional(),
});
export type Part = z.infer<typeof partSchema>;

/** Digest of a part of which nobody knows whether it arrived. */
export const doubtfulDigest = '?';
/** Stands for every part that is not known: any of them may have arrived, sent by an installation that is restored here from a backup. */
export const anyOther: Part = { slot: '*', digest: doubtfulDigest };

const callsSchema = z.array(z.tuple([z.enum(operations), z.number()]));
/** Recent platform calls of a row: operation and when it ended, epoch ms. */
export type RecentCalls = [Operation, number][];

/** A row taken for sending, with everything in it. */
export interface ClaimedRow {
  key: string;
  payload: OutboxPayload;
  version: number;
  /** The version that was sent last; 0: none. */
  sentVersion: number;
  priority: Priority;
  parts: Part[];
  degraded: number;
  attempts: number;
  calls: RecentCalls;
  /** Which claim of the row this is: what became of it is stored only while nobody has claimed it since. */
  claim: number;
  /** What looks the same as before is shown all the same: something older may have come over it. */
  anew: boolean;
  /** The step of a trace that its newest version came from; null: none is recorded. */
  traceparent: string | null;
}

/** Transactions that wrote the rows last. */
const stamp = Prisma.sql`concat_ws(' ', o.xmin, t.xmin, k.xmin)`;

/** Of what is shown only what tells about small messages is looked at: cards are kept packed. */
const waitingColumns = Prisma.sql`
  o."id", o."workspaceId" AS workspace, o."platform", o."tenant", o."channel", o."channelKind",
  COALESCE(o."thread", t."externalId") AS thread, o."threadId", o."anchor", o."payloadType",
  CASE WHEN k."id" IS NULL THEN NULL ELSE jsonb_build_object('number', k."number", 'title', k."title") END AS opens,
  CASE WHEN o."payloadType" IN ('ephemeral', 'direct', 'form', 'home') THEN o."payload"->'user'->>'user' END AS "user",
  CASE WHEN o."payloadType" IN ('reaction', 'removal') THEN o."payload"->'message'->>'message' END AS about, ${stamp} AS stamp,
  o."priority", o."externalId", o."attemptedAt", o."attemptedSlot", o."claims",
  extract(epoch FROM clock_timestamp() - o."attemptedAt")::float8 * 1000 AS "attemptAgeMs",
  GREATEST(0, extract(epoch FROM o."dueAt" - clock_timestamp()) * 1000)::float8 AS "dueInMs",
  GREATEST(0, extract(epoch FROM clock_timestamp() - o."dueAt") * 1000)::float8 AS "waitingMs",
  extract(epoch FROM clock_timestamp() - o."createdAt")::float8 * 1000 AS "ageMs",
  CASE WHEN o."payloadType" = 'form'
    THEN extract(epoch FROM (o."payload"->>'expiresAt')::timestamptz - clock_timestamp())::float8 * 1000 END AS "expiresInMs"`;

const waitingTables = Prisma.sql`"Outbox" o LEFT JOIN "Thread" t ON t."id" = o."threadId"
    LEFT JOIN "Task" k ON k."id" = t."taskId" AND o."anchor" AND o."thread" IS NULL AND t."externalId" IS NULL`;

/** Rows that wait: these ids, those of an attempt that has not ended, or all. */
export async function waitingRows(
  database: Database,
  which: { ids: readonly string[] } | 'attempted' | 'all',
): Promise<WaitingRow[]> {
  // Among few ids those that wait are picked afterwards: the server may take it for cheaper to read all that wait.
  const filter =
    which === 'all'
      ? Prisma.sql`o."state" = 'pending'`
      : which === 'attempted'
        ? Prisma.sql`o."state" = 'pending' AND o."attemptedAt" IS NOT NULL`
        : Prisma.sql`o."id" = ANY(${[...which.ids]}::text[])`;
  const rows = await database.db.$queryRaw<Record<string, unknown>[]>(
    Prisma.sql`SELECT ${waitingColumns}, o."state" FROM ${waitingTables} WHERE ${filter}`,
  );
  return rows.flatMap(({ state, ...row }) => {
    if (state !== 'pending') return [];
    const filled = Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value ?? undefined]));
    return [filled as unknown as WaitingRow];
  });
}

/** Waiting rows that were put within the last `sinceSeconds` and are not as `known` says: stamps by id. */
export async function changedRows(
  database: Database,
  sinceSeconds: number,
  known: (id: string) => string | undefined,
): Promise<string[]> {
  const rows = await database.db.$queryRaw<{ id: string; stamp: string }[]>(Prisma.sql`
    SELECT o."id", ${stamp} AS stamp FROM ${waitingTables}
    WHERE o."state" = 'pending' AND o."updatedAt" > now() - make_interval(secs => ${sinceSeconds})`);
  return rows.flatMap(({ id, stamp }) => (known(id) === stamp ? [] : [id]));
}

/** The name of the lease of whoever sends. */
export const senderLease = 'sender';

/** Another sender has taken the row, or the lease, since: nothing is stored. */
export class Superseded extends Error {
  constructor() {
    super('another sender has taken over');
    this.name = 'Superseded';
  }
}

/**
 * Takes a row for sending and notes what is about to be called, before it is called. Undefined when the row no longer waits, or another
 * sender has taken it since it was read, or another one leads than that of `term`.
 */
export async function claimRow(
  database: Database,
  row: WaitingRow,
  { slot, term }: { slot: string; term: number },
): Promise<ClaimedRow | undefined> {
  const claimed = await database.db.$queryRaw<Record<string, unknown>[]>(Prisma.sql`
    UPDATE "Outbox" SET "attemptedAt" = clock_timestamp(), "attemptedSlot" = ${slot}, "attempts" = "attempts" + 1, "claims" = "claims" + 1
    WHERE "id" = ${row.id} AND "state" = 'pending' AND "claims" = ${row.claims}
      AND (SELECT "term" FROM "LeaseTerm" WHERE "name" = ${senderLease}) = ${term}
    RETURNING "key", "payload", "version", "sentVersion", "priority", "parts", "degraded", "attempts", "calls", "claims", "shownAnew",
      "traceparent"`);
  const found = claimed[0];
  if (found === undefined) return undefined;
  return {
    key: String(found.key),
    payload: outboxPayloadSchema.parse(found.payload),
    version: Number(found.version),
    sentVersion: Number(found.sentVersion),
    priority: Number(found.priority) as Priority,
    parts: z.array(partSchema).parse(found.parts),
    degraded: Number(found.degraded),
    attempts: Number(found.attempts),
    calls: callsSchema.parse(found.calls),
    claim: Number(found.claims),
    anew: Number(found.sentVersion) < Number(found.shownAnew),
    traceparent: found.traceparent === null ? null : String(found.traceparent),
  };
}

/** Whether whoever sends by this term has been followed by another. */
export async function isFollowed(database: Database, term: number): Promise<boolean> {
  const rows = await database.db.$queryRaw<unknown[]>(Prisma.sql`
    SELECT FROM "LeaseTerm" WHERE "name" = ${senderLease} AND "term" > ${term}`);
  return rows.length > 0;
}

/** A row as whoever claimed it knows it: what is stored about it has an effect only while nobody has claimed it since. */
export interface Claim {
  id: string;
  claim: number;
}

/** What has arrived of a row so far. */
export interface Arrived {
  parts: readonly Part[];
  calls: RecentCalls;
  /** Where the message really is: a direct message goes to a channel known only then. */
  channel?: string | undefined;
}

/** Notes that a part has arrived and which call comes next (`slot`), in one write. Throws `Superseded`, as all that stores what became of a row. */
export async function notePart(tx: Pick<Tx, 'db'>, claim: Claim, arrived: Arrived, slot: string): Promise<void> {
  const noted = await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Outbox" SET ${arrivedColumns(arrived)}, "attemptedAt" = clock_timestamp(), "attemptedSlot" = ${slot} WHERE ${still(claim)}`);
  if (noted === 0) throw new Superseded();
}

/** The version is out. When a newer one was put meanwhile the row goes on waiting; returns whether it does. */
export async function settleRow(tx: Pick<Tx, 'db'>, claim: Claim, version: number, arrived: Arrived): Promise<boolean> {
  const [row] = await tx.db.$queryRaw<{ state: string }[]>(Prisma.sql`
    UPDATE "Outbox" SET ${arrivedColumns(arrived)}, "attemptedAt" = NULL, "attemptedSlot" = NULL, "attempts" = 0, "lastError" = NULL,
      "sentVersion" = ${version}, "state" = CASE WHEN "version" = ${version} THEN 'sent' ELSE 'pending' END,
      "dueAt" = CASE WHEN "version" = ${version} THEN "dueAt" ELSE clock_timestamp() END,
      "pendingSince" = CASE WHEN "version" = ${version} THEN "pendingSince" ELSE clock_timestamp() END
    WHERE ${still(claim)} RETURNING "state"`);
  if (row === undefined) throw new Superseded();
  return row.state === 'pending';
}

/**
 * What is there is shown anew, in its newest version: a sender that was followed by another has edited it meanwhile, so that something
 * older may stand over something newer.
 */
export async function showAnew(tx: Tx, id: string): Promise<void> {
  const rows = await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Outbox" SET "version" = "version" + 1, "shownAnew" = "version" + 1,
      "dueAt" = CASE WHEN "state" = 'sent' THEN GREATEST("dueAt", now()) ELSE "dueAt" END,
      "pendingSince" = CASE WHEN "state" = 'sent' THEN now() ELSE "pendingSince" END, "state" = 'pending', "updatedAt" = now()
    WHERE "id" = ${id} AND "state" IN ('pending', 'sent')`);
  if (rows > 0) tx.notify('outbox', id);
}

/**
 * The message that opens a thread is out: the thread has an id from now on. The first to say so wins. Nothing is said when the
 * conversation has moved while the message of `row` went out to `row.channel`.
 */
export async function openThread(
  tx: Tx,
  row: { id: string; channel: string },
  thread: string,
  externalId: string,
): Promise<void> {
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Thread" SET "externalId" = ${externalId} WHERE "id" = ${thread} AND "externalId" IS NULL
      AND EXISTS (SELECT 1 FROM "Outbox" WHERE "id" = ${row.id} AND "channel" = ${row.channel})`);
}

export interface PutBack extends Arrived {
  /** Not before so many milliseconds from now. */
  delayMs: number;
  error: string;
  /** How plain it is from now on. */
  degraded: number;
}

/** Puts a row back to wait after a failure. */
export async function putBackRow(tx: Pick<Tx, 'db'>, claim: Claim, back: PutBack): Promise<void> {
  const rows = await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Outbox" SET "attemptedAt" = NULL, "attemptedSlot" = NULL, "lastError" = ${back.error}, "degraded" = ${back.degraded}, ${arrivedColumns(back)},
      "dueAt" = clock_timestamp() + make_interval(secs => ${back.delayMs / 1000})
    WHERE ${still(claim)}`);
  if (rows === 0) throw new Superseded();
}

/**
 * Ends a row that is not sent. A later version of one that failed is tried again, but not within the next minute. When it was to open a thread,
 * the next row of that thread opens it.
 */
export async function endRow(
  tx: Tx,
  row: Claim & { threadId: string | undefined; anchor: boolean },
  end: { state: 'failed' | 'unknown' | 'expired'; error: string; arrived: Arrived },
): Promise<void> {
  const ended = await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Outbox" SET "state" = ${end.state}, "lastError" = ${end.error}, "attemptedAt" = NULL, "attemptedSlot" = NULL,
      ${arrivedColumns(end.arrived)},
      "dueAt" = CASE WHEN ${end.state} = 'failed' THEN clock_timestamp() + interval '1 minute' ELSE "dueAt" END
    WHERE ${still(row)}`);
  if (ended === 0) throw new Superseded();
  if (!row.anchor || row.threadId === undefined) return;
  const next = await tx.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    UPDATE "Outbox" SET "anchor" = true WHERE "id" = (
      SELECT o."id" FROM "Outbox" o JOIN "Thread" t ON t."id" = o."threadId"
      WHERE o."threadId" = ${row.threadId} AND t."externalId" IS NULL AND o."state" = 'pending' AND NOT o."anchor"
        AND o."payloadType" = 'message' ORDER BY o."id" LIMIT 1
    ) RETURNING "id"`);
  if (next.length > 0) await tx.db.$executeRaw(Prisma.sql`UPDATE "Outbox" SET "anchor" = false WHERE "id" = ${row.id}`);
  for (const { id } of next) tx.notify('outbox', id);
}

/** Who asked for the task of a thread, as an account of that platform: told when its messages cannot be delivered. */
export async function requesterAccount(tx: Tx, thread: string, platform: Platform, tenant: string): Promise<string | undefined> {
  const rows = await tx.db.$queryRaw<{ account: string }[]>(Prisma.sql`
    SELECT i."externalId" AS account FROM "Thread" t JOIN "Task" k ON k."id" = t."taskId"
    JOIN "User" u ON u."id" = k."requesterId"
    JOIN "Identity" i ON i."userId" = COALESCE(u."linkedToId", u."id") AND i."platform" = ${platform} AND i."tenant" = ${tenant}
    WHERE t."id" = ${thread} ORDER BY i."id" LIMIT 1`);
  return rows[0]?.account;
}

/** A call of the last `seconds`, for the rate budgets of a sender that starts. */
export interface PastCall {
  operation: Operation;
  platform: Platform;
  tenant: string;
  channel: string;
  id: string;
  externalId: string | null;
  /** How long ago, in milliseconds. */
  agoMs: number;
}

export async function pastCalls(database: Database, seconds: number): Promise<PastCall[]> {
  return await database.db.$queryRaw<PastCall[]>(Prisma.sql`
    SELECT call->>0 AS operation, o."platform", o."tenant", o."channel", o."id", o."externalId",
      GREATEST(0, extract(epoch FROM clock_timestamp()) * 1000 - (call->>1)::float8) AS "agoMs"
    FROM "Outbox" o, jsonb_array_elements(o."calls") AS call
    WHERE (o."calls"->-1->>1)::float8 > extract(epoch FROM clock_timestamp() - make_interval(secs => ${seconds})) * 1000`);
}

function still({ id, claim }: Claim): Prisma.Sql {
  return Prisma.sql`"id" = ${id} AND "claims" = ${claim}`;
}

function arrivedColumns({ parts, calls, channel }: Arrived): Prisma.Sql {
  const first = parts.find(({ slot }) => slot === 'm0');
  return Prisma.sql`"parts" = ${storable(parts)}::jsonb, "calls" = ${JSON.stringify(calls)}::jsonb,
    "externalId" = ${first?.message ?? null}, "thread" = COALESCE("thread", ${first?.thread ?? null}),
    "channel" = COALESCE(${channel ?? null}, "channel")`;
}
