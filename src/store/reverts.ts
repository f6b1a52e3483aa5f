import type { Prisma } from '../../prisma/client/client.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';
import { type PullRecord, pullById } from './pull-requests.ts';
import { storableJson } from './storable.ts';

/** Kind of the errand that a run stands for which undoes a pull request. Nobody has to carry it out: the run does. */
const kind = 'revert';

/** Notes which pull request the run with this key undoes, and who asked for it. */
export async function noteRevert(
  tx: Tx,
  { workspace, pull, by, originKey, at }: { workspace: string; pull: PullRecord; by: object; originKey: string; at: Date },
): Promise<void> {
  const person = JSON.parse(storableJson(by)) as Prisma.InputJsonObject;
  const head = pull.facts.head.commit;
  const times = { dueAt: at, createdAt: at, endedAt: at };
  const data = {
    id: newId('per'),
    workspaceId: workspace,
    pullId: pull.id,
    kind,
    head,
    by: person,
    originKey,
    state: 'done',
    ...times,
  };
  await tx.db.pullErrand.create({ data });
}

/** The pull request that a run undoes; undefined: none. */
export async function revertedBy(tx: Pick<Tx, 'db'>, run: string): Promise<PullRecord | undefined> {
  const row = await tx.db.run.findUnique({ where: { id: run }, select: { rebase: true, originKey: true, workspaceId: true } });
  if (row?.rebase !== kind || row.originKey === null) return undefined;
  const { workspaceId, originKey } = row;
  const errand = await tx.db.pullErrand.findUnique({ where: { workspaceId_originKey: { workspaceId, originKey } } });
  return errand?.kind === kind ? await pullById(tx.db, errand.pullId) : undefined;
}

/** Runs that were to undo a pull request, the first in front. */
export async function revertsOf(tx: Tx, task: string, pull: string): Promise<{ run: string; state: string; made: boolean }[]> {
  const errands = await tx.db.pullErrand.findMany({ where: { pullId: pull, kind }, select: { originKey: true } });
  const rows = await tx.db.run.findMany({
    where: { taskId: task, rebase: kind, originKey: { in: errands.map(({ originKey }) => originKey) } },
    select: { id: true, state: true, result: true },
    orderBy: { attempt: 'asc' },
  });
  return rows.map(({ id, state, result }) => ({ run: id, state, made: hasCommit(result) }));
}

/** The last run up to this one that has made a revert of it what the task is about. */
export async function lastRevert(tx: Tx, task: string, upTo: string): Promise<{ run: string; branch: string } | undefined> {
  const rows = await tx.db.run.findMany({
    where: { taskId: task },
    select: { id: true, result: true },
    orderBy: { attempt: 'asc' },
  });
  const until = rows.findIndex(({ id }) => id === upTo);
  for (const { id, result } of rows.slice(0, until + 1).reverse()) {
    const branch = branchIn(result);
    if (branch !== undefined) return { run: id, branch };
  }
  return undefined;
}

/** What the task changes belongs to this branch from now on. */
export async function setBranch(tx: Tx, task: string, branch: string): Promise<void> {
  await tx.db.task.update({ where: { id: task }, data: { branch } });
}

function hasCommit(result: Prisma.JsonValue): boolean {
  return typeof result === 'object' && result !== null && 'commit' in result && typeof result.commit === 'string';
}

function branchIn(result: Prisma.JsonValue): string | undefined {
  if (typeof result !== 'object' || result === null || !('branch' in result)) return undefined;
  return typeof result.branch === 'string' ? result.branch : undefined;
}
