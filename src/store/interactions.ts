import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type Interaction, Prisma } from '../../prisma/client/client.ts';
import { type Action, type Approval, actionSchema, approvalSchema, type Policy, policySchema } from '../contracts/policy.ts';
import { type Role, roleSchema } from '../contracts/roles.ts';
import { type DecisionChoice, decisionChoiceSchema, type InteractionState, interactionStateSchema } from '../contracts/states.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';
import { storableJson } from './storable.ts';

const kindSchema = z.enum(['approval', 'plan', 'question', 'spend', 'publish']);
export type InteractionKind = z.infer<typeof kindSchema>;
const answersSchema = z.record(z.string(), z.array(z.string()));
/** Answers to questions by their id. */
export type Answers = z.infer<typeof answersSchema>;

/** A request for a decision as the engine needs it. Its state changes only under the lock of its task. */
export interface InteractionRecord {
  id: string;
  workspace: string;
  task: string;
  run: string;
  kind: InteractionKind;
  /** The agent's name for it within a life of the run; null: a command. */
  ask: string | null;
  life: number;
  state: InteractionState;
  action: Action;
  actionHash: string;
  because: string;
  risks: string[];
  approvers: Policy['approvers'];
  requester: string;
  openedAt: Date;
  remindAt: Date | null;
  escalateAt: Date | null;
  escalateTo: Role | null;
  /** Null: it waits however long that takes. */
  expiresAt: Date | null;
  decidedAt: Date | null;
  decidedBy: string | null;
  decidedOn: string | null;
  reason: string | null;
  choice: DecisionChoice | null;
  /** Who has said yes where several must; null: nobody has. */
  approvals: Approval[] | null;
  answers: Answers | null;
  consumedAt: Date | null;
  consumedBy: string | null;
}

export interface NewInteraction {
  workspace: string;
  task: string;
  run: string;
  /** Default: the approval of a command. */
  kind?: InteractionKind | undefined;
  ask?: string | undefined;
  life?: number | undefined;
  action: Action;
  actionHash: string;
  because: string;
  risks: readonly string[];
  approvers: Policy['approvers'];
  requester: string;
  openedAt: Date;
  remindAt: Date | null;
  escalateAt: Date | null;
  escalateTo: Role | null;
  expiresAt: Date | null;
}

export async function createInteraction(tx: Tx, input: NewInteraction): Promise<InteractionRecord> {
  const { workspace, task, run, kind = 'approval', ask, life = 0, action, requester, risks, ...rest } = input;
  const row = await tx.db.interaction.create({
    data: {
      ...rest,
      id: newId('int'),
      workspaceId: workspace,
      taskId: task,
      runId: run,
      requesterId: requester,
      kind,
      ask: ask ?? null,
      life,
      // JSON has no undefined: optional fields that are not set are left out.
      action: JSON.parse(storableJson(action)) as Prisma.InputJsonObject,
      state: 'pending',
      // 128 bits, 22 characters: what buttons carry. Nobody can guess it, and it grants nothing by itself.
      secret: randomBytes(16).toString('base64url'),
      risks: [...risks],
    },
  });
  tx.notify('interaction', row.id);
  return toRecord(row);
}

/** A secret of another workspace names nothing (promise 12). */
export async function findInteraction(tx: Tx, workspace: string, secret: string): Promise<InteractionRecord | undefined> {
  const row = await tx.db.interaction.findFirst({ where: { secret, workspaceId: workspace } });
  return row === null ? undefined : toRecord(row);
}

export async function interactionById(tx: Tx, id: string): Promise<InteractionRecord | undefined> {
  const row = await tx.db.interaction.findUnique({ where: { id } });
  return row === null ? undefined : toRecord(row);
}

export async function interactionsOfRun(tx: Tx, run: string): Promise<InteractionRecord[]> {
  const rows = await tx.db.interaction.findMany({ where: { runId: run }, orderBy: { id: 'asc' } });
  return rows.map(toRecord);
}

/** Was a request for money of this name ever granted, in whichever run of the task? */
export async function spendGranted(tx: Tx, task: string, ask: string): Promise<boolean> {
  const found = await tx.db.interaction.findFirst({
    where: { taskId: task, kind: 'spend', ask, state: 'approved' },
    select: { id: true },
  });
  return found !== null;
}

/** What of this kind waits for a decision in a task. */
export async function pendingOfTask(tx: Tx, task: string, kind: InteractionKind): Promise<InteractionRecord[]> {
  const rows = await tx.db.interaction.findMany({ where: { taskId: task, kind, state: 'pending' }, orderBy: { id: 'asc' } });
  return rows.map(toRecord);
}

/** Settles a pending interaction. Returns false when it is not pending any more: somebody was first. */
export async function settleInteraction(
  tx: Tx,
  id: string,
  to: Exclude<InteractionState, 'pending'>,
  set: {
    decidedAt: Date;
    decidedById?: string;
    decidedOn?: string;
    reason?: string | null;
    choice?: DecisionChoice;
    answers?: Answers;
  },
): Promise<boolean> {
  const { count } = await tx.db.interaction.updateMany({ where: { id, state: 'pending' }, data: { state: to, ...set } });
  if (count === 1) tx.notify('interaction', id);
  return count === 1;
}

/** Who has said yes so far, while others must follow. The caller holds the lock of the task. */
export async function noteApprovals(tx: Tx, id: string, approvals: readonly Approval[]): Promise<void> {
  await tx.db.interaction.update({ where: { id, state: 'pending' }, data: { approvals: [...approvals] } });
  tx.notify('interaction', id);
}

/**
 * Uses an approval up for a run or a publication (`by`). `again`: it had used it before, which is the same use. `refused`: another use was
 * first, or it is no approval.
 */
export async function consumeApproval(tx: Tx, id: string, by: string, at: Date): Promise<'first' | 'again' | 'refused'> {
  const first = await tx.db.interaction.updateMany({
    where: { id, state: 'approved', consumedAt: null },
    data: { consumedAt: at, consumedBy: by },
  });
  if (first.count === 1) return 'first';
  return (await tx.db.interaction.count({ where: { id, state: 'approved', consumedBy: by } })) === 1 ? 'again' : 'refused';
}

/** An answer to what waited when the run was let go of counts for an ask of its next life: once, and under the name it has now. */
export async function carryOver(tx: Tx, id: string, life: number, ask: string): Promise<boolean> {
  const { count } = await tx.db.interaction.updateMany({ where: { id, life: { gte: 0, lt: life } }, data: { life, ask } });
  return count === 1;
}

/**
 * The process that has dealt with these answers is gone: a negative life keeps them out of what the next one asks. An answer that it has
 * not dealt with stays.
 */
export async function retireAnswered(tx: Tx, run: string): Promise<void> {
  await tx.db.$executeRaw(Prisma.sql`
    UPDATE "Interaction" SET "life" = -"life" - 1
    WHERE "runId" = ${run} AND "state" <> 'pending' AND "ask" IS NOT NULL AND "life" >= 0 AND NOT EXISTS (
      SELECT FROM "RunMail" JOIN "Run" ON "Run"."id" = "RunMail"."runId"
      WHERE "RunMail"."runId" = ${run} AND "RunMail"."interactionId" = "Interaction"."id" AND "RunMail"."seq" > "Run"."mailSeq"
    )`);
}

/** Since when a run waits for a decision; undefined: it does not. */
export async function waitingSince(db: Prisma.TransactionClient, run: string): Promise<Date | undefined> {
  const first = await db.interaction.findFirst({
    where: { runId: run, state: 'pending' },
    select: { openedAt: true },
    orderBy: { openedAt: 'asc' },
  });
  return first?.openedAt;
}

/** Pending interactions whose time is over. */
export async function overdueInteractions(db: Prisma.TransactionClient, now: Date, limit: number): Promise<string[]> {
  const rows = await db.interaction.findMany({
    where: { state: 'pending', expiresAt: { lte: now } },
    select: { id: true },
    orderBy: { expiresAt: 'asc' },
    take: limit,
  });
  return rows.map(({ id }) => id);
}

const notOver = (now: Date) => [{ expiresAt: null }, { expiresAt: { gt: now } }];

/** Pending interactions about which nobody was reminded in time. */
export async function interactionsToRemind(db: Prisma.TransactionClient, now: Date, limit: number): Promise<string[]> {
  const rows = await db.interaction.findMany({
    where: { state: 'pending', remindedAt: null, remindAt: { lte: now }, OR: notOver(now) },
    select: { id: true },
    orderBy: { remindAt: 'asc' },
    take: limit,
  });
  return rows.map(({ id }) => id);
}

/** Notes the reminder; true for the one who is first. */
export async function noteReminder(tx: Tx, id: string, now: Date): Promise<boolean> {
  const { count } = await tx.db.interaction.updateMany({
    where: { id, state: 'pending', remindedAt: null },
    data: { remindedAt: now },
  });
  if (count === 1) tx.notify('interaction', id);
  return count === 1;
}

/** Pending interactions about which others are to be asked now. */
export async function interactionsToEscalate(db: Prisma.TransactionClient, now: Date, limit: number): Promise<string[]> {
  const rows = await db.interaction.findMany({
    where: { state: 'pending', escalatedAt: null, escalateAt: { lte: now }, OR: notOver(now) },
    select: { id: true },
    orderBy: { escalateAt: 'asc' },
    take: limit,
  });
  return rows.map(({ id }) => id);
}

/** Notes that others are asked, and who may decide from now on; true for the one who is first. The caller holds the lock of the task. */
export async function noteEscalation(tx: Tx, id: string, approvers: Policy['approvers'], now: Date): Promise<boolean> {
  const { count } = await tx.db.interaction.updateMany({
    where: { id, state: 'pending', escalatedAt: null },
    data: { escalatedAt: now, approvers },
  });
  if (count === 1) tx.notify('interaction', id);
  return count === 1;
}

function toRecord(row: Interaction): InteractionRecord {
  return {
    id: row.id,
    workspace: row.workspaceId,
    task: row.taskId,
    run: row.runId,
    kind: kindSchema.parse(row.kind),
    ask: row.ask,
    life: row.life,
    state: interactionStateSchema.parse(row.state),
    action: actionSchema.parse(row.action),
    actionHash: row.actionHash,
    because: row.because,
    risks: Array.isArray(row.risks) ? row.risks.map(String) : [],
    approvers: policySchema.shape.approvers.parse(row.approvers),
    requester: row.requesterId,
    openedAt: row.openedAt,
    remindAt: row.remindAt,
    escalateAt: row.escalateAt,
    escalateTo: row.escalateTo === null ? null : roleSchema.parse(row.escalateTo),
    expiresAt: row.expiresAt,
    decidedAt: row.decidedAt,
    decidedBy: row.decidedById,
    decidedOn: row.decidedOn,
    reason: row.reason,
    choice: row.choice === null ? null : decisionChoiceSchema.parse(row.choice),
    approvals: row.approvals === null ? null : z.array(approvalSchema).parse(row.approvals),
    answers: row.answers === null ? null : answersSchema.parse(row.answers),
    consumedAt: row.consumedAt,
    consumedBy: row.consumedBy,
  };
}
