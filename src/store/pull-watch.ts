import { Prisma } from '../../prisma/client/client.ts';
import { type PullFacts, pullFactsSchema } from '../contracts/code-host.ts';
import type { Database, Tx } from './database.ts';
import { type PullRecord, pullById } from './pull-requests.ts';

const conflictsFoundMs = 2000;

/** A pull request that is to be looked at. */
export interface WatchedPull extends PullRecord {
  /** Stands for this look: whoever is told of news meanwhile changes it, and then another look follows. */
  look: Date;
}

/**
 * Takes the pull request whose turn it is, for `leaseMs`: nobody else looks at it meanwhile, and after a crash somebody does again.
 * Undefined: there is none.
 */
export async function takeDuePull(database: Database, now: Date, leaseMs: number): Promise<WatchedPull | undefined> {
  const look = new Date(now.getTime() + leaseMs);
  const taken = await database.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    UPDATE "PullRequest" SET "lookAt" = ${look} WHERE "id" = (
      SELECT "id" FROM "PullRequest" WHERE "lookAt" <= ${now} ORDER BY "lookAt" LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING "id"`);
  const id = taken[0]?.id;
  const row = id === undefined ? undefined : await pullById(database.db, id);
  return row === undefined ? undefined : { ...row, look };
}

/** The facts of a pull request as they are stored now, since `at`. In the transaction that changes them, under the lock of its task. */
export async function pullNow(tx: Tx, id: string): Promise<{ facts: PullFacts; run: string; at: Date } | undefined> {
  const row = await tx.db.pullRequest.findUnique({ where: { id }, select: { facts: true, runId: true, updatedAt: true } });
  return row === null ? undefined : { facts: pullFactsSchema.parse(row.facts), run: row.runId, at: row.updatedAt };
}

/** When the next look is due; null: when the code host tells of something. Leaves alone what somebody has asked for since this look began. */
export async function lookAgain(
  db: Tx['db'],
  { id, look }: Pick<WatchedPull, 'id' | 'look'>,
  next: { at: Date | null; failures: number; problem: string | null },
): Promise<void> {
  const { at, failures, problem } = next;
  await db.pullRequest.updateMany({ where: { id, lookAt: look }, data: { lookAt: at } });
  await db.pullRequest.update({ where: { id }, data: { failures, problem } });
}

/** Something has happened to this one. */
export async function lookSoon(tx: Tx, id: string, now: Date): Promise<void> {
  await tx.db.pullRequest.update({ where: { id }, data: { lookAt: now } });
  tx.notify('pull');
}

/** One was merged: the other open ones of its repository may conflict with that. The code host takes a moment to find out. */
export async function lookAtOthers(tx: Tx, { id, repository }: Pick<PullRecord, 'id' | 'repository'>, now: Date): Promise<void> {
  const lookAt = new Date(now.getTime() + conflictsFoundMs);
  await tx.db.pullRequest.updateMany({
    where: {
      repository: { equals: repository, mode: 'insensitive' },
      state: 'open',
      id: { not: id },
      OR: [{ lookAt: null }, { lookAt: { gt: lookAt } }],
    },
    data: { lookAt },
  });
  tx.notify('pull');
}

/** Something may have happened to these: by number, or to whose branch is at a commit. Returns how many are known. */
export async function pullsChanged(
  tx: Tx,
  { repository, numbers, head, now }: { repository: string; numbers: readonly number[]; head: string | undefined; now: Date },
): Promise<number> {
  const { count } = await tx.db.pullRequest.updateMany({
    where: {
      repository: { equals: repository, mode: 'insensitive' },
      OR: [{ number: { in: [...numbers] } }, ...(head === undefined ? [] : [{ head }])],
    },
    data: { lookAt: now },
  });
  if (count > 0) tx.notify('pull');
  return count;
}

/** Commits that Deckhand has pushed for a task. */
export async function pushedCommits(tx: Tx, task: string): Promise<Set<string>> {
  const rows = await tx.db.publication.findMany({ where: { taskId: task, pushedAt: { not: null } }, select: { commit: true } });
  return new Set(rows.map(({ commit }) => commit));
}
