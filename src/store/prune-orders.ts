import { Prisma } from '../../prisma/client/client.ts';
import { type Freed, freedSchema } from '../contracts/housekeeping.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** An order that finished things are deleted. */
export interface PruneOrderRow {
  id: string;
  workspace: string;
  cardKey: string;
  /** Hosts that have not carried it out. */
  waiting: string[];
  /** Hosts that were given up: they will not carry it out. */
  missed: string[];
  freed: Freed;
}

/** The same card is one order. */
export async function createPruneOrder(
  tx: Tx,
  order: { workspace: string; by: string; cardKey: string; hosts: readonly string[]; freed: Freed },
  now: Date,
): Promise<void> {
  const { workspace, by, cardKey, hosts, freed } = order;
  await tx.db.pruneOrder.upsert({
    where: { workspaceId_cardKey: { workspaceId: workspace, cardKey } },
    create: {
      id: newId('pro'),
      workspaceId: workspace,
      requestedBy: by,
      cardKey,
      waiting: [...hosts],
      freed,
      createdAt: now,
    },
    update: {},
  });
  tx.notify('housekeeping');
}

/** An order that this host has not carried out yet, the oldest first. */
export async function orderFor(db: Tx['db'], host: string): Promise<{ id: string; workspace: string } | undefined> {
  const row = await db.pruneOrder.findFirst({
    where: { endedAt: null, waiting: { has: host } },
    select: { id: true, workspaceId: true },
    orderBy: { id: 'asc' },
  });
  return row === null ? undefined : { id: row.id, workspace: row.workspaceId };
}

/** Notes what a host has freed, once; undefined: it had said so before, or was given up. */
export async function orderCarriedOut(
  tx: Tx,
  id: string,
  host: string,
  freed: Freed,
  now: Date,
): Promise<PruneOrderRow | undefined> {
  const row = await heldOrder(tx, id);
  if (row === undefined || !row.waiting.includes(host)) return undefined;
  const all: Freed = {
    files: row.freed.files + freed.files,
    commits: row.freed.commits + freed.commits,
    bytes: row.freed.bytes + freed.bytes,
  };
  return await change(tx, { ...row, waiting: row.waiting.filter((one) => one !== host), freed: all }, now);
}

/** Orders that wait for a host of which no runner was heard since then. */
export async function strandedOrders(db: Tx['db'], since: Date): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>(Prisma.sql`
    SELECT "id" FROM "PruneOrder" WHERE "endedAt" IS NULL AND NOT "waiting" <@ ${heardSince(since)} ORDER BY "id"`);
  return rows.map(({ id }) => id);
}

/** The order waits no more for hosts of which no runner was heard since then; undefined: there is none among them any more. */
export async function giveUpHosts(tx: Tx, id: string, since: Date, now: Date): Promise<PruneOrderRow | undefined> {
  const row = await heldOrder(tx, id);
  if (row === undefined) return undefined;
  const [{ heard } = { heard: [] }] = await tx.db.$queryRaw<{ heard: string[] }[]>(
    Prisma.sql`SELECT ${heardSince(since)} AS heard`,
  );
  const gone = row.waiting.filter((host) => !heard.includes(host));
  if (gone.length === 0) return undefined;
  const waiting = row.waiting.filter((host) => heard.includes(host));
  return await change(tx, { ...row, waiting, missed: [...row.missed, ...gone] }, now);
}

const heardSince = (since: Date) => Prisma.sql`ARRAY(SELECT DISTINCT "hostId" FROM "Runner" WHERE "beatAt" > ${since})`;

async function heldOrder(tx: Tx, id: string): Promise<PruneOrderRow | undefined> {
  await tx.db.$queryRaw(Prisma.sql`SELECT "id" FROM "PruneOrder" WHERE "id" = ${id} FOR UPDATE`);
  const row = await tx.db.pruneOrder.findUnique({ where: { id } });
  if (row === null) return undefined;
  const { workspaceId: workspace, cardKey, waiting, missed } = row;
  return { id, workspace, cardKey, waiting, missed, freed: freedSchema.parse(row.freed) };
}

async function change(tx: Tx, order: PruneOrderRow, now: Date): Promise<PruneOrderRow> {
  const { id, waiting, missed, freed } = order;
  const data = { waiting, missed, freed, ...(waiting.length === 0 ? { endedAt: now } : {}) };
  await tx.db.pruneOrder.update({ where: { id }, data });
  return order;
}

/** Hosts whose runner lives. */
export async function liveHosts(db: Tx['db'], aliveSince: Date): Promise<string[]> {
  const rows = await db.runner.findMany({
    where: { capacity: { gt: 0 }, beatAt: { gt: aliveSince } },
    select: { hostId: true },
    distinct: ['hostId'],
  });
  return rows.map(({ hostId }) => hostId).sort();
}
