import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** The exact commands that rules of the task allow now. */
export async function commandsAllowed(tx: Tx, task: string): Promise<string[]> {
  const rows = await tx.db.rule.findMany({ where: { taskId: task, kind: 'command', revokedAt: null }, select: { match: true } });
  return rows.map(({ match }) => match);
}

/** Allows one exact command in one task. */
export async function createRule(
  tx: Tx,
  rule: { workspace: string; task: string; command: string; by: string; at: Date },
): Promise<string> {
  const row = await tx.db.rule.create({
    data: {
      id: newId('rul'),
      workspaceId: rule.workspace,
      taskId: rule.task,
      kind: 'command',
      match: rule.command,
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
): Promise<{ task: string; command: string } | undefined> {
  const [row] = await tx.db.rule.updateManyAndReturn({
    where: { id: rule, workspaceId: workspace, revokedAt: null },
    data: { revokedAt: at, revokedById: by },
    select: { taskId: true, match: true },
  });
  return row === undefined ? undefined : { task: row.taskId, command: row.match };
}
