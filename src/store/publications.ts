import { z } from 'zod';
import { Prisma, type Publication } from '../../prisma/client/client.ts';
import {
  livePublication,
  type PublicationState,
  type PublishWhat,
  publicationStateSchema,
  publishWhatSchema,
} from '../contracts/publication.ts';
import type { PublishProblem } from '../contracts/publish-control.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';
import { deadAfterMs } from './runners.ts';
import { storableJson } from './storable.ts';

const originSchema = z.object({ platform: z.string(), url: z.string().optional() });
/** Where a publication was asked for. `url`: absent where only some can open it. */
export type PublishOrigin = z.infer<typeof originSchema>;

/** A publication as the engine needs it. Its state changes only under the lock of its task. */
export interface PublicationRecord {
  id: string;
  workspace: string;
  project: string;
  task: string;
  run: string;
  host: string;
  what: PublishWhat;
  state: PublicationState;
  remote: string;
  branch: string;
  baseBranch: string;
  base: string;
  commit: string;
  tree: string;
  expected: string | null;
  pushedAt: Date | null;
  url: string | undefined;
  interaction: string;
  requestedBy: string;
  origin: PublishOrigin | undefined;
  attempts: number;
  runner: string | null;
}

export interface NewPublication
  extends Pick<
    PublicationRecord,
    | 'workspace'
    | 'project'
    | 'task'
    | 'run'
    | 'host'
    | 'what'
    | 'remote'
    | 'branch'
    | 'baseBranch'
    | 'base'
    | 'commit'
    | 'tree'
    | 'interaction'
    | 'requestedBy'
    | 'origin'
  > {
  at: Date;
}

/** Makes a publication in state `pending` and wakes the runners. */
export async function createPublication(tx: Tx, input: NewPublication): Promise<PublicationRecord> {
  const { what, remote, branch, baseBranch, base, commit, tree, origin, at } = input;
  const row = await tx.db.publication.create({
    data: {
      id: newId('pub'),
      workspaceId: input.workspace,
      projectId: input.project,
      taskId: input.task,
      runId: input.run,
      hostId: input.host,
      what,
      state: 'pending',
      remote,
      branch,
      baseBranch,
      base,
      commit,
      tree,
      interactionId: input.interaction,
      requestedById: input.requestedBy,
      origin: origin === undefined ? Prisma.DbNull : (JSON.parse(storableJson(origin)) as Prisma.InputJsonObject),
      dueAt: at,
      createdAt: at,
    },
  });
  tx.notify('publication', row.id);
  return toRecord(row);
}

export async function publicationById(tx: Tx, id: string): Promise<PublicationRecord | undefined> {
  const row = await tx.db.publication.findUnique({ where: { id } });
  return row === null ? undefined : toRecord(row);
}

/** All publications of a task, oldest first. */
export async function publicationsOf(tx: Tx, task: string): Promise<PublicationRecord[]> {
  const rows = await tx.db.publication.findMany({ where: { taskId: task }, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] });
  return rows.map(toRecord);
}

const isLive = Prisma.sql`IN (${Prisma.join([...livePublication])})`;

/**
 * Gives a runner the next publication of its host that is due and that no living runner has: what its own earlier life, or a dead runner,
 * has left included. One of the same task that is older comes first. `except`: those the runner has in hands already.
 */
export async function takePublication(
  tx: Tx,
  { host, runner, except, now }: { host: string; runner: string; except: readonly string[]; now: Date },
): Promise<PublicationRecord | undefined> {
  const dead = new Date(now.getTime() - deadAfterMs);
  const rows = await tx.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    UPDATE "Publication" SET "runnerId" = ${runner} WHERE "id" = (
      SELECT p."id" FROM "Publication" p LEFT JOIN "Runner" h ON h."id" = p."runnerId"
      WHERE p."hostId" = ${host} AND p."state" ${isLive} AND p."dueAt" <= ${now} AND NOT p."id" = ANY(${[...except]}::text[])
        AND (h."id" IS NULL OR h."id" = ${runner} OR h."capacity" = 0 OR h."beatAt" <= ${dead})
        AND EXISTS (SELECT FROM "Runner" me WHERE me."id" = ${runner} AND me."hostId" = ${host} AND me."capacity" > 0)
        AND NOT EXISTS (
          SELECT FROM "Publication" o WHERE o."taskId" = p."taskId" AND o."state" ${isLive}
            AND (o."createdAt", o."id") < (p."createdAt", p."id")
        )
      ORDER BY p."dueAt", p."id" LIMIT 1 FOR UPDATE OF p SKIP LOCKED
    ) RETURNING "id"`);
  return rows[0] === undefined ? undefined : publicationById(tx, rows[0].id);
}

/** What may be set together with a new state. */
export interface PublicationFields {
  expectedRemote?: string | null;
  pushedAt?: Date;
  url?: string | null;
  error?: PublishProblem | null;
  pullRequestId?: string;
  attempts?: number;
  dueAt?: Date;
  runnerId?: null;
  endedAt?: Date;
}

/** Moves a publication. False, with nothing written, when it is not where it should be. */
export async function changePublication(
  tx: Tx,
  { id, from, to, set = {} }: { id: string; from: PublicationState; to: PublicationState; set?: PublicationFields },
): Promise<boolean> {
  const { error, ...fields } = set;
  const stored =
    error === undefined
      ? {}
      : { error: error === null ? Prisma.DbNull : (JSON.parse(storableJson(error)) as Prisma.InputJsonObject) };
  const { count } = await tx.db.publication.updateMany({
    where: { id, state: from },
    data: { ...fields, ...stored, state: to },
  });
  // What waits behind it may be due now.
  if (count === 1) tx.notify('publication', id);
  return count === 1;
}

/** Live publications of hosts on which no runner has beaten since `before`, and that have been due for as long. */
export async function strandedPublications(db: Prisma.TransactionClient, before: Date): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>(Prisma.sql`
    SELECT p."id" FROM "Publication" p WHERE p."state" ${isLive} AND p."dueAt" <= ${before}
      AND NOT EXISTS (SELECT FROM "Runner" r WHERE r."hostId" = p."hostId" AND r."capacity" > 0 AND r."beatAt" > ${before})
    ORDER BY p."id" LIMIT 100`);
  return rows.map(({ id }) => id);
}

function toRecord(row: Publication): PublicationRecord {
  return {
    id: row.id,
    workspace: row.workspaceId,
    project: row.projectId,
    task: row.taskId,
    run: row.runId,
    host: row.hostId,
    what: publishWhatSchema.parse(row.what),
    state: publicationStateSchema.parse(row.state),
    remote: row.remote,
    branch: row.branch,
    baseBranch: row.baseBranch,
    base: row.base,
    commit: row.commit,
    tree: row.tree,
    expected: row.expectedRemote,
    pushedAt: row.pushedAt,
    url: row.url ?? undefined,
    interaction: row.interactionId,
    requestedBy: row.requestedById,
    origin: row.origin === null ? undefined : originSchema.parse(row.origin),
    attempts: row.attempts,
    runner: row.runnerId,
  };
}
