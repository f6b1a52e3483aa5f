import { Prisma } from '../../prisma/client/client.ts';
import { newId } from '../runtime/ids.ts';
import { type ChainedLine, type HashedLine, installationChain, zeroHash } from './audit-line.ts';
import type { Database, Tx } from './database.ts';
import { storableJson } from './storable.ts';

/** Where a chain ends. `seq` 0: it has no line yet. */
export interface ChainHead {
  workspace: string;
  seq: number;
  hash: string;
  signature: string | null;
  at: Date;
  /** The last line from before there were chains. */
  earlier: string | null;
}

/** `beyond`: the last line, where it comes after the end. Then somebody has put the end back. */
export interface HeldChain extends ChainHead {
  beyond: { seq: number; hash: string } | undefined;
}

/** A line that is stored and has no place in its chain yet. */
export type WaitingLine = Omit<ChainedLine, 'seq' | 'prev'>;

interface HeadRow extends Omit<ChainHead, 'seq'> {
  seq: bigint;
}

const headColumns = Prisma.sql`"workspaceId" AS workspace, "seq", "hash", "signature", "at", "earlier"`;
const lineColumns = Prisma.sql`"id", "workspaceId" AS workspace, "at", "actorId" AS actor, "action", "subject", "data", "via"`;

/** Workspaces with lines that wait for their place. */
export async function workspacesToChain({ db }: Pick<Database, 'db'>): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>(Prisma.sql`
    SELECT w."id" FROM (
      SELECT "id" FROM "Workspace" UNION SELECT "workspaceId" FROM "AuditChain" UNION SELECT ${installationChain}
    ) w WHERE EXISTS (SELECT FROM "Audit" a WHERE a."workspaceId" = w."id" AND a."seq" IS NULL)`);
  return rows.map(({ id }) => id);
}

/** The ends of all chains that have a line, or of one. */
export async function chainHeads(db: Prisma.TransactionClient, workspace?: string): Promise<ChainHead[]> {
  const rows = await db.$queryRaw<HeadRow[]>(Prisma.sql`
    SELECT ${headColumns} FROM "AuditChain" WHERE "seq" > 0
      AND ${workspace === undefined ? Prisma.sql`true` : Prisma.sql`"workspaceId" = ${workspace}`} ORDER BY "workspaceId"`);
  return rows.map(toHead);
}

/**
 * The end of the chain, held until the transaction ends: nobody else adds to the chain or takes from it meanwhile. Undefined: somebody
 * else holds it now.
 */
export async function holdChain(tx: Tx, workspace: string): Promise<HeldChain | undefined> {
  const held = await lockHead(tx, workspace);
  if (held !== undefined) return held;
  const made = await tx.db.$executeRaw(Prisma.sql`
    INSERT INTO "AuditChain" ("workspaceId", "seq", "hash") VALUES (${workspace}, 0, ${zeroHash}) ON CONFLICT DO NOTHING`);
  return made === 0 ? undefined : await lockHead(tx, workspace);
}

async function lockHead(tx: Tx, workspace: string): Promise<HeldChain | undefined> {
  const [row] = await tx.db.$queryRaw<HeadRow[]>(Prisma.sql`
    SELECT ${headColumns} FROM "AuditChain" WHERE "workspaceId" = ${workspace} FOR UPDATE SKIP LOCKED`);
  if (row === undefined) return undefined;
  const [last] = await tx.db.$queryRaw<{ seq: bigint; hash: string | null }[]>(Prisma.sql`
    SELECT "seq", "hash" FROM "Audit" WHERE "workspaceId" = ${workspace} AND "seq" > ${row.seq} ORDER BY "seq" DESC LIMIT 1`);
  const beyond = last === undefined ? undefined : { seq: Number(last.seq), hash: last.hash ?? zeroHash };
  return { ...toHead(row), beyond };
}

function toHead(row: HeadRow): ChainHead {
  return { ...row, seq: Number(row.seq) };
}

/** The first lines that wait, in the order in which they were made. */
export async function waitingLines(tx: Tx, workspace: string, most: number): Promise<WaitingLine[]> {
  const rows = await tx.db.$queryRaw<(Omit<WaitingLine, 'at'> & { at: Date })[]>(Prisma.sql`
    SELECT ${lineColumns} FROM "Audit" WHERE "workspaceId" = ${workspace} AND "seq" IS NULL ORDER BY "id" LIMIT ${most}`);
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}

/** How many lines wait, and since when the first of them. */
export async function waitingCount(
  db: Prisma.TransactionClient,
  workspace: string,
): Promise<{ lines: number; since: Date | null }> {
  const [row] = await db.$queryRaw<{ lines: number; since: Date | null }[]>(Prisma.sql`
    SELECT count(*)::int AS lines, min("at") AS since FROM "Audit" WHERE "workspaceId" = ${workspace} AND "seq" IS NULL`);
  return row ?? { lines: 0, since: null };
}

/** What waiting lines with this action are about. */
export async function waitingSubjects(db: Prisma.TransactionClient, workspace: string, action: string): Promise<Set<string>> {
  const rows = await db.audit.findMany({ where: { workspaceId: workspace, seq: null, action }, select: { subject: true } });
  return new Set(rows.map(({ subject }) => subject));
}

/** A line that the chain writes itself, without its place. */
export function ownLine(workspace: string, at: Date, fields: Pick<ChainedLine, 'action' | 'subject' | 'data'>): WaitingLine {
  return { workspace, id: newId('aud'), at: at.toISOString(), actor: null, via: null, ...fields };
}

/** Gives waiting lines their places, and stores those that the chain has made itself. The caller holds the chain. */
export async function storeChained(tx: Tx, lines: readonly HashedLine[], own: ReadonlySet<string>): Promise<void> {
  const made = lines.filter(({ id }) => own.has(id));
  if (made.length > 0) {
    await tx.db.$executeRaw(Prisma.sql`
      INSERT INTO "Audit" ("id", "workspaceId", "at", "actorId", "action", "subject", "data", "seq", "prev", "hash")
      SELECT l->>'id', l->>'workspace', (l->>'at')::timestamptz, l->>'actor', l->>'action', l->>'subject', l->'data',
             (l->>'seq')::bigint, l->>'prev', l->>'hash'
      FROM jsonb_array_elements(${storableJson(made)}::jsonb) l`);
  }
  const placed = lines.filter(({ id }) => !own.has(id));
  const ids = placed.map(({ id }) => id);
  const count = await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Audit" a SET "seq" = l.seq, "prev" = l.prev, "hash" = l.hash
    FROM unnest(${ids}::text[], ${placed.map(({ seq }) => seq)}::bigint[], ${placed.map(({ prev }) => prev)}::text[],
                ${placed.map(({ hash }) => hash)}::text[]) AS l(id, seq, prev, hash)
    WHERE a."id" = l.id AND a."seq" IS NULL`);
  if (count !== placed.length)
    throw new Error(`${placed.length - count} of ${placed.length} lines are gone or have a place already`);
}

/** Moves the end of a chain that the caller holds. Throws when it is not where the caller has found it. */
export async function moveHead(
  tx: Tx,
  from: ChainHead,
  to: { seq: number; hash: string; signature: string; at: Date },
): Promise<void> {
  const moved = await tx.db.auditChain.updateMany({
    where: { workspaceId: from.workspace, seq: from.seq, hash: from.hash },
    data: to,
  });
  if (moved.count !== 1) throw new Error(`the chain of ${from.workspace} does not end at ${from.seq} any more`);
}

/** Takes the first lines of a chain away, up to that place; returns how many. The caller holds the chain. */
export async function removeThrough(tx: Tx, workspace: string, last: number): Promise<number> {
  return await tx.db.$executeRaw(Prisma.sql`DELETE FROM "Audit" WHERE "workspaceId" = ${workspace} AND "seq" <= ${last}`);
}

/** Chained lines after a place, in their order. */
export async function chainedLines(
  db: Prisma.TransactionClient,
  workspace: string,
  { after, most }: { after: number; most: number },
): Promise<HashedLine[]> {
  return await linesWhere(db, Prisma.sql`"workspaceId" = ${workspace} AND "seq" > ${after} ORDER BY "seq" LIMIT ${most}`);
}

/** Chained lines with these actions, in their order. */
export async function chainedLinesWith(
  db: Prisma.TransactionClient,
  workspace: string,
  actions: readonly string[],
): Promise<HashedLine[]> {
  return await linesWhere(
    db,
    Prisma.sql`"workspaceId" = ${workspace} AND "seq" > 0 AND "action" = ANY(${[...actions]}) ORDER BY "seq"`,
  );
}

async function linesWhere(db: Prisma.TransactionClient, where: Prisma.Sql): Promise<HashedLine[]> {
  const rows = await db.$queryRaw<(Omit<HashedLine, 'at' | 'seq' | 'v'> & { at: Date; seq: bigint })[]>(Prisma.sql`
    SELECT ${lineColumns}, "seq", coalesce("prev", '') AS prev, coalesce("hash", '') AS hash FROM "Audit" WHERE ${where}`);
  return rows.map((row) => ({ v: 1, ...row, at: row.at.toISOString(), seq: Number(row.seq) }));
}

/** Place of the first chained line from a moment on; undefined: there is none. */
export async function firstSince(db: Prisma.TransactionClient, workspace: string, since: Date): Promise<number | undefined> {
  const [row] = await db.$queryRaw<{ seq: bigint | null }[]>(Prisma.sql`
    SELECT min("seq") AS seq FROM "Audit" WHERE "workspaceId" = ${workspace} AND "seq" IS NOT NULL AND "at" >= ${since}`);
  return row?.seq === undefined || row.seq === null ? undefined : Number(row.seq);
}

/**
 * A digest of the log of a run up to an event: SHA-256 over the hashes of its events one after the other, each over number, type, milliseconds since 1970,
 * actor and data as PostgreSQL writes them. Made by the database: logs are long. `events` below `through`: some are not kept any more.
 */
export async function runLogDigests(
  db: Prisma.TransactionClient,
  runs: readonly { run: string; through: number }[],
): Promise<Map<string, { events: number; digest: string; kept: boolean }>> {
  const rows = await db.$queryRaw<{ run: string; events: number; digest: string; kept: boolean }[]>(Prisma.sql`
    SELECT l.run, count(*)::int AS events, bool_and(r."eventsRemovedAt" IS NULL) AS kept,
           encode(sha256(string_agg(sha256(convert_to(
             e."seq" || ' ' || e."type" || ' ' || floor(extract(epoch FROM e."at") * 1000)::bigint || ' ' || e."actor"::text || ' ' || e."data"::text,
             'UTF8')), ''::bytea ORDER BY e."seq")), 'hex') AS digest
    FROM unnest(${runs.map(({ run }) => run)}::text[], ${runs.map(({ through }) => through)}::int[]) AS l(run, through)
    JOIN "Run" r ON r."id" = l.run JOIN "RunEvent" e ON e."runId" = l.run AND e."seq" <= l.through
    GROUP BY l.run`);
  return new Map(rows.map(({ run, ...digest }) => [run, digest]));
}

/** Reads at one moment, however long it takes; nothing can be written. */
export async function readAtOneMoment<T>(
  { db }: Pick<Database, 'db'>,
  read: (db: Prisma.TransactionClient) => Promise<T>,
): Promise<T> {
  return await db.$transaction(
    async (snapshot) => {
      await snapshot.$executeRaw(Prisma.sql`SET TRANSACTION READ ONLY`);
      return await read(snapshot);
    },
    { isolationLevel: 'RepeatableRead', maxWait: 10_000, timeout: 24 * 60 * 60_000 },
  );
}
