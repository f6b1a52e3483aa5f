import { Prisma } from '../../prisma/client/client.ts';
import type { RunState } from '../contracts/states.ts';
import type { Tx } from './database.ts';
import { inSight, type Sight } from './task-sight.ts';

/** A run that holds or waits for a place. */
export interface QueuedRun {
  run: string;
  state: RunState;
  taskNumber: number;
  title: string;
  project: { id: string; name: string };
  requester: string;
  queuedAt: Date;
  startedAt: Date | null;
}

/** Runs that are not over, in the order they were queued. `projects` undefined: all of the workspace. */
export async function liveRunsOf(
  tx: Tx,
  workspace: string,
  { projects, sight }: { projects: readonly string[] | undefined; sight: Sight },
): Promise<QueuedRun[]> {
  const rows = await tx.db.run.findMany({
    where: {
      workspaceId: workspace,
      state: { in: ['queued', 'preparing', 'planning', 'awaiting', 'executing', 'finishing'] },
      ...(projects === undefined ? {} : { projectId: { in: [...projects] } }),
      task: inSight(sight),
    },
    include: { task: { include: { project: { select: { id: true, name: true } } } } },
    orderBy: [{ queuedAt: 'asc' }, { id: 'asc' }],
    take: 200,
  });
  return rows.map((row) => ({
    run: row.id,
    state: row.state as RunState,
    taskNumber: row.task.number,
    title: row.task.title,
    project: row.task.project,
    requester: row.requestedById,
    queuedAt: row.queuedAt,
    startedAt: row.startedAt,
  }));
}

/** A file that a run left. */
export interface ArtifactRow {
  id: string;
  name: string;
  kind: string;
  bytes: number;
  /** How long it was kept before its file was deleted, in milliseconds; undefined: it is kept. */
  keptMs: number | undefined;
}

export async function artifactsOf(tx: Tx, run: string): Promise<ArtifactRow[]> {
  const rows = await tx.db.artifact.findMany({ where: { runId: run }, orderBy: { id: 'asc' } });
  return rows.map(({ id, name, kind, bytes, createdAt, removedAt }) => ({
    id,
    name,
    kind,
    bytes: Number(bytes),
    keptMs: removedAt === null ? undefined : removedAt.getTime() - createdAt.getTime(),
  }));
}

/** The last output of a run as its events hold it, at most `maxChars`. `whole`: nothing was left out in front. */
export async function outputTail(tx: Tx, run: string, maxChars: number): Promise<{ text: string; whole: boolean }> {
  const parts: string[] = [];
  let length = 0;
  let before: number | undefined;
  while (length < maxChars) {
    const rows: { seq: number; text: string | null }[] = await tx.db.$queryRaw(Prisma.sql`
      SELECT "seq", "data"->>'text' AS text FROM "RunEvent"
      WHERE "runId" = ${run} AND "type" = 'output' ${before === undefined ? Prisma.empty : Prisma.sql`AND "seq" < ${before}`}
      ORDER BY "seq" DESC LIMIT 100`);
    for (const { text } of rows) {
      parts.unshift(text ?? '');
      length += text?.length ?? 0;
      if (length >= maxChars) break;
    }
    before = rows.at(-1)?.seq;
    if (rows.length < 100) {
      const all = parts.join('');
      return { text: all.slice(-maxChars), whole: all.length <= maxChars };
    }
  }
  return { text: parts.join('').slice(-maxChars), whole: false };
}

/** How the log of a run of this workspace stands; undefined: there is no such run to be seen there (promise 12). */
export async function logStanding(
  { db }: Pick<Tx, 'db'>,
  workspace: string,
  run: string,
  sight: Sight,
): Promise<{ lastSeq: number; state: RunState; project: string } | undefined> {
  const where = { id: run, workspaceId: workspace, task: inSight(sight) };
  const row = await db.run.findFirst({ where, select: { lastSeq: true, state: true, projectId: true } });
  return row === null ? undefined : { lastSeq: row.lastSeq, state: row.state as RunState, project: row.projectId };
}
