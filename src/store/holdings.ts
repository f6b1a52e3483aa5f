import { Prisma } from '../../prisma/client/client.ts';
import { type DiskState, type Holding, type HoldingKind, holdingKindSchema, type Kept } from '../contracts/housekeeping.ts';
import type { Tx } from './database.ts';

/** Most that are named as taking the room. */
const largestShown = 3;

/** Stores what was found on a host; what belongs to nothing in this database is left out. `all`: what is not named is there no more. */
export async function putHoldings(tx: Tx, host: string, holdings: readonly Holding[], all: boolean, now: Date): Promise<void> {
  const subjects = holdings.map(({ subject }) => subject);
  const [projects, runs] = await Promise.all([
    tx.db.project.findMany({ where: { id: { in: subjects } }, select: { id: true, workspaceId: true } }),
    tx.db.run.findMany({ where: { id: { in: subjects } }, select: { id: true, workspaceId: true, projectId: true } }),
  ]);
  const owners = new Map([
    ...projects.map(({ id, workspaceId }) => [id, { workspaceId, projectId: id }] as const),
    ...runs.map(({ id, ...owner }) => [id, owner] as const),
  ]);
  for (const { kind, subject, bytes } of holdings) {
    const owner = owners.get(subject);
    if (owner === undefined) continue;
    const found = { bytes: bytes === null ? null : BigInt(bytes), measuredAt: now };
    await tx.db.holding.upsert({
      where: { hostId_kind_subject: { hostId: host, kind, subject } },
      create: { hostId: host, kind, subject, since: now, ...owner, ...found },
      update: found,
    });
  }
  if (all) await tx.db.holding.deleteMany({ where: { hostId: host, measuredAt: { lt: now } } });
}

/** What Deckhand keeps on a host: as it was measured last, and the files of runs as they are recorded. */
export async function keptOn(db: Tx['db'], host: string): Promise<Kept> {
  const rows = await db.$queryRaw<{ what: string; bytes: bigint }[]>(Prisma.sql`
    SELECT what, sum(bytes)::bigint AS bytes FROM (
      SELECT CASE h."kind" WHEN 'mirror' THEN 'the mirror of ' ELSE 'working copies of ' END || p."name" AS what, h."bytes"
      FROM "Holding" h JOIN "Project" p ON p."id" = h."projectId" WHERE h."hostId" = ${host} AND h."bytes" IS NOT NULL
      UNION ALL
      SELECT 'files of runs of ' || p."name", a."bytes" FROM "Artifact" a JOIN "Run" r ON r."id" = a."runId"
      JOIN "Project" p ON p."id" = r."projectId" WHERE r."hostId" = ${host} AND a."removedAt" IS NULL
    ) AS kept GROUP BY what ORDER BY 2 DESC`);
  const parts = rows.map(({ what, bytes }) => ({ what, bytes: Number(bytes) }));
  return { bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0), largest: parts.slice(0, largestShown) };
}

export async function putHostDisk(tx: Tx, host: string, kept: number, { free, quota }: DiskState, now: Date): Promise<void> {
  const values = {
    keptBytes: BigInt(kept),
    freeBytes: BigInt(Math.floor(free)),
    quotaBytes: quota === null ? null : BigInt(Math.floor(quota)),
    measuredAt: now,
  };
  await tx.db.hostDisk.upsert({ where: { hostId: host }, create: { hostId: host, ...values }, update: values });
}

export interface HostDiskRow extends DiskState {
  host: string;
  kept: number;
  measuredAt: Date;
}

export async function hostDisks(db: Tx['db']): Promise<HostDiskRow[]> {
  const rows = await db.hostDisk.findMany({ orderBy: { hostId: 'asc' } });
  return rows.map((row) => ({
    host: row.hostId,
    kept: Number(row.keptBytes),
    free: Number(row.freeBytes),
    quota: row.quotaBytes === null ? null : Number(row.quotaBytes),
    measuredAt: row.measuredAt,
  }));
}

/** One line of what is kept. `files`: those of all runs of a project together. */
export interface HeldRow {
  kind: HoldingKind | 'files';
  project: string;
  bytes: number | null;
  /** Since when; of files, when the oldest was left. */
  since: Date;
  /** Of files: how many runs have left them. */
  runs: number;
  /** Of a copy or a sandbox: whose it is. */
  task: { number: number; title: string; state: string } | undefined;
}

export type HeldOrder = 'largest' | 'newest';

/** What is kept of a workspace on all hosts; `projects` undefined: of all of them. */
export async function heldOf(
  db: Tx['db'],
  { workspace, projects, order }: { workspace: string; projects: readonly string[] | undefined; order: HeldOrder },
  page: { size: number; number: number },
): Promise<{ rows: HeldRow[]; total: number }> {
  const only = projects === undefined ? Prisma.empty : Prisma.sql`AND p."id" = ANY(${[...projects]}::text[])`;
  const sorted = order === 'largest' ? Prisma.sql`"bytes" DESC NULLS FIRST, "since"` : Prisma.sql`"since" DESC, "bytes" DESC`;
  const found = await db.$queryRaw<
    {
      kind: string;
      project: string;
      bytes: bigint | null;
      since: Date;
      runs: number;
      number: number | null;
      title: string | null;
      state: string | null;
      total: number;
    }[]
  >(Prisma.sql`
    SELECT *, count(*) OVER ()::int AS total FROM (
      SELECT h."kind", p."name" AS project, h."bytes", h."since", 1 AS runs, t."number", t."title", r."state"
      FROM "Holding" h JOIN "Project" p ON p."id" = h."projectId"
      LEFT JOIN "Run" r ON r."id" = h."subject" LEFT JOIN "Task" t ON t."id" = r."taskId"
      WHERE h."workspaceId" = ${workspace} ${only}
      UNION ALL
      SELECT 'files', p."name", sum(a."bytes")::bigint, min(a."createdAt"), count(DISTINCT a."runId")::int, NULL, NULL, NULL
      FROM "Artifact" a JOIN "Run" r ON r."id" = a."runId" JOIN "Project" p ON p."id" = r."projectId"
      WHERE a."workspaceId" = ${workspace} AND a."removedAt" IS NULL ${only} GROUP BY p."id"
    ) AS held ORDER BY ${sorted} LIMIT ${page.size} OFFSET ${(page.number - 1) * page.size}`);
  const rows = found.map(
    ({ kind, bytes, number, title, state, total: _, ...row }): HeldRow => ({
      ...row,
      kind: kind === 'files' ? kind : holdingKindSchema.parse(kind),
      bytes: bytes === null ? null : Number(bytes),
      task: number === null ? undefined : { number, title: title ?? '', state: state ?? '' },
    }),
  );
  return { rows, total: found[0]?.total ?? 0 };
}
