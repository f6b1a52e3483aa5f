import { calledAs } from '../contracts/permissions.ts';
import type { Platform } from '../contracts/platform.ts';
import type { PublishAction } from '../contracts/policy.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import {
  consumeApproval,
  createInteraction,
  type InteractionRecord,
  interactionById,
  settleInteraction,
} from '../store/interactions.ts';
import type { PublicationRecord } from '../store/publications.ts';
import type { RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';
import type { Person } from '../tasks/task-engine.ts';
import { actionHash } from './action.ts';
import { mayDecideOn } from './approvers.ts';
import { countsAt } from './approvers-now.ts';
import { cannotDecide } from './cannot-decide.ts';
import { deadlines } from './deadlines.ts';
import type { Terms } from './demands.ts';
import { followWhereItCounts } from './follow.ts';
import { isStillDecided } from './several.ts';

export interface PublishRequest {
  task: TaskRecord;
  run: RunRecord;
  /** Exactly what is to be brought out. */
  action: PublishAction;
  terms: Terms;
  by: Person;
  because: string;
  risks: readonly string[];
  at: Date;
}

/**
 * Stores a request to bring a change out. Who asked for the run is its requester, whoever presses: where the requester may not decide, that
 * is about whose change it is.
 */
export async function openPublish(tx: Tx, request: PublishRequest): Promise<InteractionRecord> {
  const { task, run, action, terms, because, risks, by, at } = request;
  const hash = actionHash(action);
  const interaction = await createInteraction(tx, {
    workspace: task.workspace,
    task: task.id,
    run: run.id,
    kind: 'publish',
    action,
    actionHash: hash,
    because,
    risks,
    approvers: terms.approvers,
    requester: run.requestedBy,
    ...deadlines(terms, at),
  });
  await followWhereItCounts(tx, task, terms.approvers, at);
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action: 'approval.opened',
    subject: interaction.id,
    data: { task: task.id, run: run.id, hash, kind: 'publish', what: action.what, commit: action.commit },
  });
  return interaction;
}

/** May this person decide that the change is brought out? As for every other request: role, people, not whose work it is. */
export async function mayPublish(
  tx: Tx,
  { task, run, terms: { approvers } }: Pick<PublishRequest, 'task' | 'run' | 'terms'>,
  by: Person,
  at: Date,
): Promise<boolean> {
  const asked = {
    workspace: task.workspace,
    project: task.project,
    task: task.id,
    action: { type: 'publish' },
    approvers,
    requester: run.requestedBy,
    openedAt: at,
  };
  return mayDecideOn(tx, asked, by);
}

/**
 * For what is not asked about but refused: throws DH-202 for whoever may not bring the change out, or not from where they are. `action`
 * completes "may not …".
 */
export async function requireMayPublish(
  tx: Tx,
  change: Pick<PublishRequest, 'task' | 'run' | 'terms'>,
  by: Person,
  action: string,
  at: Date,
): Promise<void> {
  const { task, run, terms } = change;
  const { approvers } = terms;
  const may = await mayPublish(tx, change, by, at);
  if (may && countsAt(approvers, by.at)) return;
  const question = { workspace: task.workspace, project: task.project, approvers, requester: run.requestedBy };
  throw await cannotDecide(tx, by, may ? `${action} from here` : action, question);
}

/** Settles a request by the press of somebody who may decide, and says so in the audit. */
export async function approvePublish(
  tx: Tx,
  { interaction, by, on, at }: { interaction: InteractionRecord; by: Person; on: Platform; at: Date },
): Promise<void> {
  const decided = { decidedAt: at, decidedById: by.user, decidedOn: on, choice: 'once' } as const;
  if (!(await settleInteraction(tx, interaction.id, 'approved', decided))) {
    throw new Error(`interaction ${interaction.id} was settled without the lock of its task`);
  }
  await auditApproval(tx, 'approval.approved', { interaction, by, on });
}

/** Says in the audit that somebody has said yes, alone (`approved`) or as one of several (`given`). */
export async function auditApproval(
  tx: Tx,
  action: 'approval.approved' | 'approval.given',
  { interaction, by, on }: { interaction: InteractionRecord; by: Person; on: Platform },
): Promise<void> {
  await recordAudit(tx, {
    workspace: interaction.workspace,
    actor: by.user,
    action,
    subject: interaction.id,
    data: {
      task: interaction.task,
      run: interaction.run,
      hash: interaction.actionHash,
      decision: 'approve',
      on,
      role: calledAs(by),
      kind: 'publish',
    },
  });
}

/** The action that the row of a publication stands for: its hash is that of the approval, or the row is not what was approved. */
export function actionOf(publication: PublicationRecord): PublishAction {
  const { project, remote, branch, baseBranch, base, commit, tree, what } = publication;
  return { type: 'publish', project, remote, branch, baseBranch, base, commit, tree, what };
}

/**
 * The look just before a step (promise 7). Undefined: the approval is of exactly this action, by somebody who still may decide, and used for
 * nothing else; it is used up by this. Else what is wrong, to complete "…: ". The caller holds the lock of the task.
 */
export async function useApproval(
  tx: Tx,
  task: TaskRecord,
  publication: PublicationRecord,
  now: Date,
): Promise<string | undefined> {
  const interaction = await interactionById(tx, publication.interaction);
  if (interaction === undefined || interaction.workspace !== publication.workspace || interaction.task !== task.id) {
    return 'there is no such approval';
  }
  if (interaction.kind !== 'publish' || interaction.state !== 'approved') return 'the approval is not given';
  const hash = actionHash(actionOf(publication));
  // The stored action must still be what its hash says: what people saw is what is pushed.
  if (interaction.actionHash !== hash || actionHash(interaction.action) !== hash) {
    return 'the approval is about something else';
  }
  if (interaction.run !== publication.run) return 'the approval is about another run';
  if (!(await isStillDecided(tx, task.project, interaction))) return 'whoever approved it may not decide any more';
  const use = await consumeApproval(tx, interaction.id, publication.id, now);
  if (use === 'refused') return 'the approval has been used already';
  if (use === 'first') {
    await recordAudit(tx, {
      workspace: task.workspace,
      action: 'approval.consumed',
      subject: interaction.id,
      data: { task: task.id, run: publication.run, publication: publication.id, hash },
    });
  }
  return undefined;
}
