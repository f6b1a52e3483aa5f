import { Prisma } from '../../prisma/client/client.ts';
import { type ErrandKind, errandSchema, type PullErrandKind } from '../contracts/pull-news.ts';
import { newId } from '../runtime/ids.ts';
import type { Database, Tx } from './database.ts';
import { storableJson } from './storable.ts';

/** What somebody wants done with a pull request. */
export interface PullErrand {
  id: string;
  pull: string;
  kind: ErrandKind;
  /** Newest commit of the branch when it was asked for. */
  head: string;
  /** Who asked, as `Person` of the engine. */
  by: unknown;
  originKey: string;
  attempts: number;
  createdAt: Date;
}

/** The same `originKey` is the same errand. `waits`: one of this kind waits already for this pull request. */
export async function addErrand(
  tx: Tx,
  errand: { workspace: string; pull: string; kind: PullErrandKind; head: string; by: object; originKey: string; at: Date },
): Promise<'added' | 'known' | 'waits'> {
  const { workspace, pull, kind, head, by, originKey, at } = errand;
  const known = await tx.db.pullErrand.findUnique({ where: { workspaceId_originKey: { workspaceId: workspace, originKey } } });
  if (known !== null) return 'known';
  if ((await tx.db.pullErrand.findFirst({ where: { pullId: pull, kind, state: 'pending' } })) !== null) return 'waits';
  const person = JSON.parse(storableJson(by)) as Prisma.InputJsonObject;
  await tx.db.pullErrand.create({
    data: { id: newId('per'), workspaceId: workspace, pullId: pull, kind, head, by: person, originKey, dueAt: at, createdAt: at },
  });
  tx.notify('pull');
  return 'added';
}

/** Notes that the branch of a pull request that is over is to be deleted, at this commit. Takes the place of what was noted before. */
export async function branchIsOver(
  tx: Tx,
  branch: { workspace: string; pull: string; head: string; at: Date; dueAt: Date },
): Promise<void> {
  const { workspace, pull, head, at, dueAt } = branch;
  await branchIsUsed(tx, pull, at);
  const id = newId('per');
  // Nobody has pressed for it.
  const data = {
    id,
    workspaceId: workspace,
    pullId: pull,
    kind: 'delete_branch',
    head,
    by: {},
    originKey: id,
    dueAt,
    createdAt: at,
  };
  await tx.db.pullErrand.create({ data });
  tx.notify('pull');
}

/** It is not to be deleted any more. */
export async function branchIsUsed(tx: Tx, pull: string, at: Date): Promise<void> {
  const data = { state: 'refused', problem: 'The branch is used again.', endedAt: at };
  await tx.db.pullErrand.updateMany({ where: { pullId: pull, kind: 'delete_branch', state: 'pending' }, data });
}

/** Takes the errand whose turn it is, for `leaseMs`. Undefined: there is none. */
export async function takeErrand(database: Database, now: Date, leaseMs: number): Promise<PullErrand | undefined> {
  const until = new Date(now.getTime() + leaseMs);
  const taken = await database.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    UPDATE "PullErrand" SET "dueAt" = ${until}, "attempts" = "attempts" + 1 WHERE "id" = (
      SELECT "id" FROM "PullErrand" WHERE "state" = 'pending' AND "dueAt" <= ${now} ORDER BY "dueAt" LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING "id"`);
  const id = taken[0]?.id;
  const row = id === undefined ? null : await database.db.pullErrand.findUnique({ where: { id } });
  if (row === null) return undefined;
  const { pullId: pull, kind, head, by, originKey, attempts, createdAt } = row;
  return { id: row.id, pull, kind: errandSchema.parse(kind), head, by, originKey, attempts, createdAt };
}

/** Ends an errand once. False: it had ended. */
export async function endErrand(tx: Tx, id: string, how: 'done' | 'refused', problem: string | null, at: Date): Promise<boolean> {
  const data = { state: how, problem, endedAt: at };
  const { count } = await tx.db.pullErrand.updateMany({ where: { id, state: 'pending' }, data });
  return count > 0;
}

/** It is to be tried again. */
export async function delayErrand(db: Tx['db'], id: string, dueAt: Date, problem: string): Promise<void> {
  await db.pullErrand.updateMany({ where: { id, state: 'pending' }, data: { dueAt, problem } });
}

/** When reviews were last handed to the agent of a task: those made since are new. */
export async function lastAddressed(tx: Tx, pull: string): Promise<Date | undefined> {
  const row = await tx.db.pullErrand.findFirst({
    where: { pullId: pull, kind: 'address', state: 'done' },
    orderBy: { createdAt: 'desc' },
    select: { createdAt: true },
  });
  return row?.createdAt;
}
