import { Prisma } from '../../prisma/client/client.ts';
import { type BaseStand, baseStandSchema, type OpenChange } from '../contracts/base-look.ts';
import { livePublication } from '../contracts/publication.ts';
import type { RunSpec } from '../contracts/run-control.ts';
import type { Tx } from './database.ts';
import { storedSource } from './projects.ts';
import { liveStates } from './runs.ts';

/** More are not looked at in one go. */
const most = 300;

/** See BaseControl.openChanges; those in which something has happened since `since`. */
export async function openChangesOf(
  db: Tx['db'],
  host: string,
  since: Date,
): Promise<{ project: RunSpec['project']; changes: OpenChange[] }[]> {
  const rows = await db.$queryRaw<
    {
      task: string;
      head: string;
      baseBranch: string;
      baseCommit: string;
      stand: unknown;
      project: string;
      name: string;
      sourceKind: string;
      source: string;
      configured: string | null;
    }[]
  >(Prisma.sql`
    SELECT t."id" AS task, t."head", t."baseBranch", t."baseCommit", t."baseStand" AS stand,
      p."id" AS project, p."name", p."sourceKind", p."source", p."baseBranch" AS configured
    FROM "Task" t JOIN "Project" p ON p."id" = t."projectId"
    WHERE p."archivedAt" IS NULL AND t."head" IS NOT NULL AND t."baseCommit" IS NOT NULL AND t."baseBranch" <> 'HEAD'
      AND t."column" IN ('backlog', 'review', 'done') AND t."commitsRemovedAt" IS NULL AND t."updatedAt" > ${since}
      AND EXISTS (
        SELECT FROM "Run" r WHERE r."taskId" = t."id" AND r."hostId" = ${host} AND r."result"->>'commit' = t."head"
      )
      AND NOT EXISTS (SELECT FROM "Run" r WHERE r."taskId" = t."id" AND r."state" IN (${Prisma.join([...liveStates])}))
      AND NOT EXISTS (
        SELECT FROM "Publication" q WHERE q."taskId" = t."id" AND q."state" IN (${Prisma.join([...livePublication])})
      )
      AND NOT EXISTS (SELECT FROM "PullRequest" q WHERE q."taskId" = t."id" AND q."state" IN ('open', 'merged'))
      AND COALESCE(t."baseStand"->>'state' <> 'merged' OR t."baseStand"->>'head' <> t."head", true)
    ORDER BY t."updatedAt" DESC LIMIT ${most}`);
  const projects = new Map<string, { project: RunSpec['project']; changes: OpenChange[] }>();
  for (const row of rows) {
    const { task, head } = row;
    const known = projects.get(row.project) ?? { project: projectOf(row), changes: [] };
    const stand = standOf(row.stand, head);
    known.changes.push({ task, head, base: { branch: row.baseBranch, commit: row.baseCommit }, stand });
    projects.set(row.project, known);
  }
  return [...projects.values()];
}

function projectOf(row: { project: string; name: string; sourceKind: string; source: string; configured: string | null }) {
  return { id: row.project, name: row.name, source: storedSource(row), baseBranch: row.configured };
}

/** What was found about this very change. */
export function standOf(stored: unknown, head: string | null): BaseStand | undefined {
  const stand = baseStandSchema.safeParse(stored).data;
  return stand?.head === head ? stand : undefined;
}

export async function baseStandOf(tx: Tx, task: string, head: string | null): Promise<BaseStand | undefined> {
  const row = await tx.db.task.findUnique({ where: { id: task }, select: { baseStand: true } });
  return standOf(row?.baseStand, head);
}

export async function setBaseStand(tx: Tx, task: string, stand: BaseStand): Promise<void> {
  await tx.db.task.update({ where: { id: task }, data: { baseStand: stand } });
}
