import { Prisma } from '../../prisma/client/client.ts';
import { type Action, type Approval, actionSchema, approvalSchema } from '../contracts/policy.ts';
import { type DecisionChoice, decisionChoiceSchema, type InteractionState, interactionStateSchema } from '../contracts/states.ts';
import type { Tx } from './database.ts';

/** A commit that Deckhand knows of, and the task that led to it. */
export interface KnownCommit {
  commit: string;
  task: string;
  project: string;
}

/**
 * Tasks that have made, brought out or merged a commit whose name begins so; `start`: hexadecimal digits in small letters. Only those of the
 * workspace (promise 12). Newest first, at most `most`.
 */
export async function tasksOfCommit(db: Tx['db'], workspace: string, start: string, most: number): Promise<KnownCommit[]> {
  const like = `${start}%`;
  return await db.$queryRaw<KnownCommit[]>(Prisma.sql`
    SELECT found."commit", t."id" AS task, t."projectId" AS project FROM (
      SELECT "taskId", "result"->>'commit' AS "commit" FROM "Run"
        WHERE "workspaceId" = ${workspace} AND "result"->>'commit' LIKE ${like}
      UNION SELECT "taskId", "commit" FROM "Publication" WHERE "workspaceId" = ${workspace} AND "commit" LIKE ${like}
      UNION SELECT "taskId", "head" FROM "PullRequest" WHERE "workspaceId" = ${workspace} AND "head" LIKE ${like}
      UNION SELECT "taskId", "facts"->>'mergeCommit' FROM "PullRequest"
        WHERE "workspaceId" = ${workspace} AND "facts"->>'mergeCommit' LIKE ${like}
    ) found JOIN "Task" t ON t."id" = found."taskId" AND t."workspaceId" = ${workspace}
    ORDER BY t."number" DESC, found."commit" LIMIT ${most}`);
}

/** What was asked of people in a task, and what they said. */
export interface DecisionFacts {
  id: string;
  run: string;
  kind: string;
  state: InteractionState;
  action: Action;
  actionHash: string;
  /** Why it was asked: the rule, demand or mode that wanted it. */
  because: string;
  openedAt: Date;
  decidedAt: Date | undefined;
  /** User id. */
  by: string | undefined;
  on: string | undefined;
  reason: string | undefined;
  choice: DecisionChoice | undefined;
  /** Those who have said yes where several must. */
  approvals: Approval[];
}

/** All decisions of a task, oldest first, without those that nobody needed any more. */
export async function decisionFacts(db: Tx['db'], task: string): Promise<DecisionFacts[]> {
  const rows = await db.interaction.findMany({ where: { taskId: task, state: { not: 'superseded' } }, orderBy: { id: 'asc' } });
  return rows.map((row) => ({
    id: row.id,
    run: row.runId,
    kind: row.kind,
    state: interactionStateSchema.parse(row.state),
    action: actionSchema.parse(row.action),
    actionHash: row.actionHash,
    because: row.because,
    openedAt: row.openedAt,
    decidedAt: row.decidedAt ?? undefined,
    by: row.decidedById ?? undefined,
    on: row.decidedOn ?? undefined,
    reason: row.reason ?? undefined,
    choice: decisionChoiceSchema.safeParse(row.choice).data,
    approvals: approvalSchema.array().safeParse(row.approvals).data ?? [],
  }));
}

/** What people have allowed for a whole task, oldest first, also what was taken back. */
export async function rulesEver(
  db: Tx['db'],
  task: string,
): Promise<{ match: string; by: string; at: Date; revokedBy: string | undefined }[]> {
  const rows = await db.rule.findMany({ where: { taskId: task }, orderBy: { id: 'asc' } });
  return rows.map((row) => ({
    match: row.match,
    by: row.createdById,
    at: row.createdAt,
    revokedBy: row.revokedById ?? undefined,
  }));
}
