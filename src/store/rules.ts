import { Prisma } from '../../prisma/client/client.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** What a rule is about: an exact command line, an exact path, the name of a tool, a host. */
export type RuleKind = 'command' | 'path' | 'tool' | 'host';

/** What rules of a task allow its agent in a place (digest of sandbox, image and network): one given for a container holds for no host. */
export async function rulesIn(
  tx: Tx,
  task: string,
  place: string,
): Promise<{ commands: string[]; paths: string[]; tools: string[] }> {
  const rows = await tx.db.rule.findMany({
    where: { taskId: task, place, revokedAt: null },
    select: { kind: true, match: true },
    orderBy: { id: 'asc' },
  });
  const of = (kind: RuleKind) => rows.flatMap((row) => (row.kind === kind ? [row.match] : []));
  return { commands: of('command'), paths: of('path'), tools: of('tool') };
}

/** The exact commands that rules of the task allow now. */
export async function commandsAllowed(tx: Tx, task: string): Promise<string[]> {
  const rows = await tx.db.rule.findMany({ where: { taskId: task, kind: 'command', revokedAt: null }, select: { match: true } });
  return rows.map(({ match }) => match);
}

/**
 * The exact commands that rules of the task allow for this very action. A rule is made in the transaction of the decision it comes
 * from, at the same moment by the same person; so it is known which action, sandbox and network included, the person saw.
 */
export async function commandsAllowedFor(tx: Tx, task: string, actionHash: string): Promise<string[]> {
  const rows = await tx.db.$queryRaw<{ match: string }[]>(Prisma.sql`
    SELECT "Rule"."match" FROM "Rule" JOIN "Interaction" ON "Interaction"."taskId" = "Rule"."taskId"
      AND "Interaction"."decidedById" = "Rule"."createdById" AND "Interaction"."decidedAt" = "Rule"."createdAt"
    WHERE "Rule"."taskId" = ${task} AND "Rule"."kind" = 'command' AND "Rule"."revokedAt" IS NULL
      AND "Interaction"."state" = 'approved' AND "Interaction"."actionHash" = ${actionHash}`);
  return rows.map(({ match }) => match);
}

/** Who has taken back the rule that allowed exactly this command in the task, the last time; undefined: there was none. */
export async function commandTakenBackBy(tx: Tx, task: string, command: string): Promise<string | undefined> {
  const row = await tx.db.rule.findFirst({
    where: { taskId: task, kind: 'command', match: command, revokedAt: { not: null } },
    orderBy: { revokedAt: 'desc' },
    select: { revokedById: true },
  });
  return row?.revokedById ?? undefined;
}

/** Allows one exact thing in one task. `at` is the moment of the decision it comes from; `place`: where it holds, for agents. */
export async function createRule(
  tx: Tx,
  rule: { workspace: string; task: string; kind: RuleKind; match: string; place?: string | undefined; by: string; at: Date },
): Promise<string> {
  const row = await tx.db.rule.create({
    data: {
      id: newId('rul'),
      workspaceId: rule.workspace,
      taskId: rule.task,
      kind: rule.kind,
      match: rule.match,
      place: rule.place ?? null,
      createdById: rule.by,
      createdAt: rule.at,
    },
  });
  return row.id;
}

/** Ends a rule of this workspace. Returns its task, or undefined when there is none that holds. */
export async function endRule(
  tx: Tx,
  workspace: string,
  rule: string,
  by: string,
  at: Date,
): Promise<{ task: string; kind: string; match: string } | undefined> {
  const [row] = await tx.db.rule.updateManyAndReturn({
    where: { id: rule, workspaceId: workspace, revokedAt: null },
    data: { revokedAt: at, revokedById: by },
    select: { taskId: true, kind: true, match: true },
  });
  return row === undefined ? undefined : { task: row.taskId, kind: row.kind, match: row.match };
}
