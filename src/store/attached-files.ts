import { z } from 'zod';
import { type AttachedFile as AttachedFileRow, Prisma } from '../../prisma/client/client.ts';
import { type AttachedFile, attachedFileSchema, type FileToGive } from '../contracts/given-file.ts';
import { newId } from '../runtime/ids.ts';
import type { Database, Tx } from './database.ts';
import { storableText } from './storable.ts';

/** A file that somebody attached, on its way to the agent of a run. */
export interface AttachedRecord {
  id: string;
  workspace: string;
  run: string;
  came: 'request' | 'before' | 'message';
  origin: string | null;
  source: AttachedFile;
  name: string;
  mime: string | undefined;
  bytes: number | undefined;
  by: string;
  trust: string | undefined;
  state: AttachedState;
  problem: string | undefined;
  artifact: string | undefined;
  attempts: number;
  giveUpAt: Date;
  toldAt: Date | null;
}
export type AttachedState = 'pending' | 'there' | 'failed' | 'dropped';

const cameSchema = z.enum(['request', 'before', 'message']);
const stateSchema = z.enum(['pending', 'there', 'failed', 'dropped']);

export interface NewAttached {
  run: { id: string; workspace: string };
  origin: string | null;
  /** `problem`: it is not even tried. */
  files: readonly (FileToGive & { problem?: string | undefined })[];
  at: Date;
  giveUpAt: Date;
}

/** Adds files behind those that are there; one that is known in the run already is not added again. Returns how many are new. */
export async function addAttached(tx: Tx, { run, origin, files, at, giveUpAt }: NewAttached): Promise<number> {
  const before = await tx.db.attachedFile.count({ where: { runId: run.id } });
  const { count } = await tx.db.attachedFile.createMany({
    data: files.map(({ source, name, mime, bytes, by, trust, came, problem }, place) => ({
      id: newId('fil'),
      workspaceId: run.workspace,
      runId: run.id,
      place: before + place,
      came,
      origin,
      source,
      key: keyOf(source),
      name: storableText(name),
      mime: mime === undefined ? null : storableText(mime),
      bytes: bytes === undefined ? null : BigInt(bytes),
      by: storableText(by),
      trust: trust ?? null,
      state: problem === undefined ? 'pending' : 'failed',
      problem: problem ?? null,
      dueAt: at,
      giveUpAt,
    })),
    skipDuplicates: true,
  });
  tx.notify('files');
  return count;
}

function keyOf({ conversation: { platform, tenant, channel }, message, id }: AttachedFile): string {
  return storableText(JSON.stringify([platform, tenant, channel, message, id]));
}

/** All files of a run, in order. */
export async function attachedOf(tx: Tx, run: string): Promise<AttachedRecord[]> {
  return (await tx.db.attachedFile.findMany({ where: { runId: run }, orderBy: [{ place: 'asc' }, { id: 'asc' }] })).map(toRecord);
}

export async function attachedById(tx: Tx, id: string): Promise<AttachedRecord | undefined> {
  const row = await tx.db.attachedFile.findUnique({ where: { id } });
  return row === null ? undefined : toRecord(row);
}

/** What is known about a file once it is fetched, or will not be. */
export type AttachedOutcome =
  | { artifact: string; name?: string | undefined; mime?: string | undefined; bytes: number; sha256: string }
  | { problem: string }
  | 'dropped';

/** Settles a file that is pending. False: it was settled before. */
export async function settleAttached(tx: Tx, id: string, outcome: AttachedOutcome): Promise<boolean> {
  const { count } = await tx.db.attachedFile.updateMany({ where: { id, state: 'pending' }, data: settled(outcome) });
  return count === 1;
}

function settled(outcome: AttachedOutcome): Prisma.AttachedFileUpdateManyMutationInput {
  if (outcome === 'dropped') return { state: 'dropped' };
  if ('problem' in outcome) return { state: 'failed', problem: storableText(outcome.problem) };
  const { artifact, name, mime, bytes } = outcome;
  return {
    state: 'there',
    artifactId: artifact,
    bytes: BigInt(bytes),
    ...(name === undefined ? {} : { name: storableText(name) }),
    ...(mime === undefined ? {} : { mime: storableText(mime) }),
  };
}

/** Notes that the agent, or people, have been told about these. */
export async function noteAttachedTold(tx: Tx, ids: readonly string[], at: Date): Promise<void> {
  await tx.db.attachedFile.updateMany({ where: { id: { in: [...ids] }, toldAt: null }, data: { toldAt: at } });
}

/** Drops what is not wanted any more: with what was said before a request, or, not told yet, with a message that was taken back. */
export async function dropAttached(
  tx: Tx,
  run: string,
  which: { came: 'before' } | { origin: string },
  at: Date,
): Promise<boolean> {
  const untold = 'origin' in which ? { toldAt: null } : {};
  const where = { runId: run, ...which, ...untold, state: { in: ['pending', 'there', 'failed'] } };
  const { count } = await tx.db.attachedFile.updateMany({ where, data: { state: 'dropped', toldAt: at } });
  return count > 0;
}

/** The runs whose agents were to be given files of this message, the last one first. */
export async function runsOfAttached(tx: Tx, workspace: string, origin: string): Promise<string[]> {
  const where = { workspaceId: workspace, origin };
  const rows = await tx.db.attachedFile.findMany({ where, orderBy: { createdAt: 'desc' }, select: { runId: true } });
  return [...new Set(rows.map(({ runId }) => runId))];
}

/**
 * Files of earlier runs of a task that no agent was told of come to this run, each once, where several attempts were to be given the same.
 * Returns whether there are any.
 */
export async function adoptAttached(tx: Tx, task: string, run: string, at: Date, giveUpAt: Date): Promise<boolean> {
  const rows = await tx.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    UPDATE "AttachedFile" SET "runId" = ${run}, "origin" = NULL, "came" = CASE WHEN "came" = 'before' THEN 'before' ELSE 'request' END,
      "state" = CASE WHEN "state" IN ('there', 'failed') THEN "state" ELSE 'pending' END, "dueAt" = ${at}, "giveUpAt" = ${giveUpAt}
    WHERE "id" IN (
      SELECT DISTINCT ON ("key") "id" FROM "AttachedFile"
      WHERE "runId" IN (SELECT "id" FROM "Run" WHERE "taskId" = ${task} AND "id" <> ${run}) AND "toldAt" IS NULL
      ORDER BY "key", "state" = 'there' DESC, "id"
    )
    RETURNING "id"`);
  await tx.db.attachedFile.updateMany({
    where: { run: { taskId: task, id: { not: run } }, toldAt: null },
    data: { state: 'dropped', toldAt: at },
  });
  if (rows.length > 0) tx.notify('files');
  return rows.length > 0;
}

/**
 * Takes pending files that are due, oldest first, until `until`: nobody else takes them before. Whoever fetches one takes it again and
 * again meanwhile; what a killed process had is due soon.
 */
export async function takeAttached(database: Database, now: Date, until: Date, limit: number): Promise<AttachedRecord[]> {
  const rows = await database.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    UPDATE "AttachedFile" SET "dueAt" = ${until} WHERE "id" IN (
      SELECT "id" FROM "AttachedFile" WHERE "state" = 'pending' AND "dueAt" <= ${now}
      ORDER BY "createdAt", "place" LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ) RETURNING "id"`);
  const found = await database.db.attachedFile.findMany({
    where: { id: { in: rows.map(({ id }) => id) } },
    orderBy: [{ createdAt: 'asc' }, { place: 'asc' }],
  });
  return found.map(toRecord);
}

/** A pending file is due at another time. `failed`: it was tried once more. */
export async function putOffAttached(database: Database, id: string, dueAt: Date, failed = false): Promise<void> {
  await database.db.attachedFile.updateMany({
    where: { id, state: 'pending' },
    data: { dueAt, ...(failed ? { attempts: { increment: 1 } } : {}) },
  });
}

function toRecord(row: AttachedFileRow): AttachedRecord {
  return {
    id: row.id,
    workspace: row.workspaceId,
    run: row.runId,
    came: cameSchema.parse(row.came),
    origin: row.origin,
    source: attachedFileSchema.parse(row.source),
    name: row.name,
    mime: row.mime ?? undefined,
    bytes: row.bytes === null ? undefined : Number(row.bytes),
    by: row.by,
    trust: row.trust ?? undefined,
    state: stateSchema.parse(row.state),
    problem: row.problem ?? undefined,
    artifact: row.artifactId ?? undefined,
    attempts: row.attempts,
    giveUpAt: row.giveUpAt,
    toldAt: row.toldAt,
  };
}
