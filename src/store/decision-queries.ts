import { z } from 'zod';
import { type Action, actionSchema, approvalSchema, type Policy, policySchema } from '../contracts/policy.ts';
import { type InteractionState, interactionStateSchema } from '../contracts/states.ts';
import type { Tx } from './database.ts';
import type { RuleKind } from './rules.ts';
import { type everywhere, inSight, type Sight } from './task-sight.ts';

/** A request for a decision, as lists show it. */
export interface InteractionRow {
  id: string;
  secret: string;
  state: InteractionState;
  task: { id: string; number: number; command: string; project: { id: string; name: string } };
  /** What is asked for, as it was when it was asked. */
  action: Action;
  because: string;
  requester: string;
  approvers: Policy['approvers'];
  openedAt: Date;
  remindedAt: Date | undefined;
  /** Null: it waits however long that takes. */
  expiresAt: Date | null;
}

const include = { task: { include: { project: { select: { id: true, name: true } } } } } as const;

/** What waits for a decision, what expires first in front. `projects` undefined: all of the workspace. */
export async function pendingInteractions(
  tx: Tx,
  workspace: string,
  { projects, sight }: { projects: readonly string[] | undefined; sight: Sight | typeof everywhere },
  now: Date,
): Promise<InteractionRow[]> {
  const rows = await tx.db.interaction.findMany({
    where: {
      workspaceId: workspace,
      state: 'pending',
      OR: [{ expiresAt: null }, { expiresAt: { gt: now } }],
      task: { ...inSight(sight), ...(projects === undefined ? {} : { projectId: { in: [...projects] } }) },
    },
    include,
    orderBy: { expiresAt: { sort: 'asc', nulls: 'last' } },
    take: 50,
  });
  return rows.map(toInteraction);
}

/** The interaction that buttons with this secret are about; a secret of another workspace names nothing (promise 12). */
export async function interactionBySecret(tx: Tx, workspace: string, secret: string): Promise<InteractionRow | undefined> {
  const row = await tx.db.interaction.findFirst({ where: { secret, workspaceId: workspace }, include });
  return row === null ? undefined : toInteraction(row);
}

/** What waits for a decision in tasks that were asked for in this channel, in the order in which tasks are locked. */
export async function pendingFrom(
  tx: Tx,
  channel: string,
): Promise<{ task: string; run: string; approvers: Policy['approvers'] }[]> {
  const rows = await tx.db.interaction.findMany({
    where: { state: 'pending', task: { originId: channel } },
    orderBy: [{ taskId: 'asc' }, { id: 'asc' }],
  });
  return rows.map((row) => ({
    task: row.taskId,
    run: row.runId,
    approvers: policySchema.shape.approvers.parse(row.approvers),
  }));
}

/** Decided interactions of a task, oldest first: who decided what, all of them where several had to approve. */
export async function decisionsOf(
  tx: Tx,
  task: string,
): Promise<{ state: InteractionState; by: string[]; at: Date | undefined; reason: string | undefined }[]> {
  const rows = await tx.db.interaction.findMany({ where: { taskId: task }, orderBy: { id: 'asc' } });
  return rows.map((row) => ({
    state: interactionStateSchema.parse(row.state),
    by: decidersOf(row),
    at: row.decidedAt ?? undefined,
    reason: row.reason ?? undefined,
  }));
}

function decidersOf({
  state,
  approvals,
  decidedById,
}: {
  state: string;
  approvals: unknown;
  decidedById: string | null;
}): string[] {
  const approved = state === 'approved' && approvals !== null ? saidYes.parse(approvals).map(({ user }) => user) : [];
  return approved.length > 1 || decidedById === null ? approved : [decidedById];
}

const saidYes = z.array(approvalSchema);

const ruleKindSchema = z.enum(['command', 'path', 'tool', 'host']);

/** A rule "for this task" that holds. */
export interface RuleRow {
  id: string;
  taskNumber: number;
  project: string;
  kind: RuleKind;
  match: string;
  createdBy: string;
  createdAt: Date;
}

/** Rules that hold, newest first. `task` narrows to one task, `projects` to some projects. */
export async function rulesOf(
  tx: Tx,
  workspace: string,
  filter: { task?: string | undefined; projects?: readonly string[] | undefined; limit: number },
): Promise<RuleRow[]> {
  const rows = await tx.db.rule.findMany({
    where: {
      workspaceId: workspace,
      revokedAt: null,
      ...(filter.task === undefined ? {} : { taskId: filter.task }),
      ...(filter.projects === undefined ? {} : { task: { projectId: { in: [...filter.projects] } } }),
    },
    include: { task: { select: { number: true, projectId: true } } },
    orderBy: { id: 'desc' },
    take: filter.limit,
  });
  return rows.map(toRule);
}

/** The rule with this id in this workspace, while it holds. */
export async function ruleById(tx: Tx, workspace: string, id: string): Promise<RuleRow | undefined> {
  const row = await tx.db.rule.findFirst({
    where: { id, workspaceId: workspace, revokedAt: null },
    include: { task: { select: { number: true, projectId: true } } },
  });
  return row === null ? undefined : toRule(row);
}

function toRule(row: {
  id: string;
  kind: string;
  match: string;
  createdById: string;
  createdAt: Date;
  task: { number: number; projectId: string };
}): RuleRow {
  return {
    id: row.id,
    taskNumber: row.task.number,
    project: row.task.projectId,
    kind: ruleKindSchema.parse(row.kind),
    match: row.match,
    createdBy: row.createdById,
    createdAt: row.createdAt,
  };
}

function toInteraction(row: {
  id: string;
  secret: string;
  state: string;
  action: unknown;
  because: string;
  requesterId: string;
  approvers: unknown;
  openedAt: Date;
  remindedAt: Date | null;
  expiresAt: Date | null;
  task: { id: string; number: number; command: string; project: { id: string; name: string } };
}): InteractionRow {
  const { id, number, command, project } = row.task;
  return {
    id: row.id,
    secret: row.secret,
    state: interactionStateSchema.parse(row.state),
    task: { id, number, command, project },
    action: actionSchema.parse(row.action),
    because: row.because,
    requester: row.requesterId,
    approvers: policySchema.shape.approvers.parse(row.approvers),
    openedAt: row.openedAt,
    remindedAt: row.remindedAt ?? undefined,
    expiresAt: row.expiresAt,
  };
}
