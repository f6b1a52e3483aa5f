import { type Platform, platformNames } from '../contracts/platform.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import type { InteractionState } from '../contracts/states.ts';
import { duration } from '../delivery/units.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { findInteraction, type InteractionRecord, interactionById, settleInteraction } from '../store/interactions.ts';
import { idsOf } from '../store/linked-people.ts';
import { personById } from '../store/people.ts';
import { createRule } from '../store/rules.ts';
import { runById } from '../store/runs.ts';
import { storableText } from '../store/storable.ts';
import { lockTask, type TaskRecord } from '../store/tasks.ts';
import { advanceRun, advanceTask, personActor } from '../tasks/advance.ts';
import { cancelledResult, endRun } from '../tasks/end-run.ts';
import type { DecideResult, Person } from '../tasks/task-engine.ts';
import { mayDecide, whoMayDecide } from './approvers.ts';
import { expiredText, expireInteraction } from './expire.ts';
import { interactionTransition } from './interaction-state.ts';

export interface Decision {
  secret: string;
  decision: 'approve' | 'approve_task' | 'deny';
  reason?: string | undefined;
  by: Person;
  on: Platform;
}

/**
 * Decides a request. The right to decide and the time are looked at here, at the moment of the press; of two at once the second finds
 * the request settled. Interaction, run, task, rule, events and audit commit together.
 */
export async function decide(tx: Tx, input: Decision, now: Date): Promise<DecideResult> {
  const { by } = input;
  const found = await findInteraction(tx, by.workspace, input.secret);
  const task = found === undefined ? undefined : await lockTask(tx, found.task);
  // Read again: it may have been settled while this waited for the lock.
  const interaction = found === undefined ? undefined : await interactionById(tx, found.id);
  if (interaction === undefined || task === undefined) return { result: 'unknown' };
  const event = input.decision === 'deny' ? 'deny' : 'approve';
  if (!interactionTransition(interaction.state, event).ok) return already(tx, interaction, by, now);
  if (await expireInteraction(tx, task, interaction, now)) return { result: 'already', what: expiredText(interaction) };
  if (!mayDecide(interaction.approvers, interaction.requester, by)) {
    await audit(tx, 'approval.refused', input, task, interaction);
    return { result: 'not_allowed', whoCan: await whoMayDecide(tx, interaction) };
  }
  const state = event === 'deny' ? 'denied' : 'approved';
  const said = storableText(input.reason?.trim() ?? '');
  const reason = said === '' ? undefined : said;
  const settled = await settleInteraction(tx, interaction.id, state, {
    decidedAt: now,
    decidedById: by.user,
    decidedOn: input.on,
    reason: reason ?? null,
  });
  if (!settled) throw new Error(`interaction ${interaction.id} was settled without the lock of its task`);
  const decided: RunEventData = { type: 'interaction_decided', interaction: interaction.id, state, reason };
  if (state === 'approved') await approve(tx, input, task, interaction, decided, now);
  else await deny(tx, by, task, interaction, decided, reason, now);
  await audit(tx, `approval.${state}`, input, task, interaction);
  return { result: 'decided', state, taskNumber: task.number };
}

async function approve(
  tx: Tx,
  { decision, by }: Decision,
  task: TaskRecord,
  interaction: InteractionRecord,
  decided: RunEventData,
  at: Date,
): Promise<void> {
  const run = await runOf(tx, interaction);
  await advanceRun(tx, { run, event: 'approve', actor: personActor(by), at, before: [decided] });
  await advanceTask(tx, task, 'enqueue', at);
  if (decision !== 'approve_task') return;
  const rule = await createRule(tx, {
    workspace: task.workspace,
    task: task.id,
    command: interaction.action.command,
    by: by.user,
    at,
  });
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action: 'rule.created',
    subject: rule,
    data: { task: task.id, interaction: interaction.id, command: interaction.action.command },
  });
}

async function deny(
  tx: Tx,
  by: Person,
  task: TaskRecord,
  interaction: InteractionRecord,
  decided: RunEventData,
  reason: string | undefined,
  at: Date,
): Promise<void> {
  const run = await runOf(tx, interaction);
  const message = reason === undefined ? `${by.name} denied it.` : `${by.name} denied it: ${reason}`;
  await endRun(tx, {
    task,
    run,
    result: cancelledResult('denied', message),
    actor: personActor(by),
    at,
    before: [decided],
  });
}

async function runOf(tx: Tx, interaction: InteractionRecord) {
  const run = await runById(tx, interaction.run);
  if (run === undefined) throw new Error(`interaction ${interaction.id} has no run`);
  return run;
}

/** Who settled it, when and where: "Ben approved it 2m 5s ago on Slack." */
async function already(tx: Tx, interaction: InteractionRecord, by: Person, now: Date): Promise<DecideResult> {
  return { result: 'already', what: await settledText(tx, interaction, by, now) };
}

async function settledText(tx: Tx, interaction: InteractionRecord, by: Person, now: Date): Promise<string> {
  const { state, decidedAt, decidedBy, decidedOn, reason } = interaction;
  const person = decidedBy === null ? undefined : await personById(tx, interaction.workspace, decidedBy);
  const who = decidedBy !== null && idsOf(by).includes(decidedBy) ? 'You' : (person?.name ?? 'Somebody');
  const when = decidedAt === null ? '' : ` ${duration(now.getTime() - decidedAt.getTime())} ago`;
  const where = decidedOn === null ? '' : ` on ${platformNames[decidedOn as Platform] ?? decidedOn}`;
  const texts: Record<InteractionState, string> = {
    pending: 'It waits for a decision.',
    approved: `${who} approved it${when}${where}.`,
    denied: `${who} denied it${when}${where}${reason === null ? '.' : `: ${reason}`}`,
    answered: `${who} answered it${when}${where}.`,
    expired: expiredText(interaction),
    superseded: 'What would run has changed since, so it was asked anew.',
    cancelled: 'The run ended before anybody decided.',
  };
  return texts[state];
}

async function audit(
  tx: Tx,
  action: string,
  { decision, by, on, reason }: Decision,
  task: TaskRecord,
  interaction: InteractionRecord,
): Promise<void> {
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action,
    subject: interaction.id,
    data: {
      task: task.id,
      run: interaction.run,
      hash: interaction.actionHash,
      decision,
      on,
      role: by.role ?? null,
      reason: reason === undefined ? null : storableText(reason),
    },
  });
}
