import type { AgentMode, Mail } from '../contracts/agent.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { consumeApproval, type InteractionRecord, interactionById } from '../store/interactions.ts';
import { personById } from '../store/people.ts';
import type { RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { actionHash } from './action.ts';
import { expiredText } from './expired-text.ts';
import { isStillDecided } from './several.ts';

export type DecisionMail = Extract<Mail, { type: 'decision' }>;

/** The modes a plan is carried out in. */
export function implementMode(choice: InteractionRecord['choice']): AgentMode | undefined {
  if (choice === 'implement') return 'auto';
  return choice === 'implement_ask' ? 'ask' : undefined;
}

/** What an agent is told about a settled request. */
export async function decisionMail(tx: Tx, interaction: InteractionRecord): Promise<DecisionMail> {
  const { ask, state, choice, answers, reason, decidedBy } = interaction;
  if (ask === null) throw new Error(`interaction ${interaction.id} is no agent's`);
  const person = decidedBy === null ? undefined : await personById(tx, interaction.workspace, decidedBy);
  const name = person?.name ?? 'Somebody';
  switch (state) {
    case 'approved':
      return { type: 'decision', ask, verdict: 'allow', reason: `${name} approved it.`, mode: implementMode(choice) };
    case 'answered':
      return { type: 'decision', ask, verdict: 'allow', reason: `${name} answered.`, answers: answers ?? {} };
    case 'denied': {
      const said = choice === 'revise' ? `${name} wants the plan changed` : `${name} denied it`;
      return { type: 'decision', ask, verdict: 'deny', reason: reason === null ? `${said}.` : `${said}: ${reason}` };
    }
    case 'expired':
      return { type: 'decision', ask, verdict: 'deny', reason: expiredText(interaction) };
    case 'pending':
    case 'superseded':
    case 'cancelled':
      throw new Error(`interaction ${interaction.id} is ${state}`);
  }
}

/**
 * The last look before an agent is given a "yes": whoever decided must still have the right, the decision must be about exactly what
 * people saw, and it is used up by this run. Otherwise the mail becomes a "no" that says why.
 */
export async function lastLook(
  tx: Tx,
  { task, run, at }: { task: TaskRecord; run: RunRecord; at: Date },
  mail: DecisionMail,
  id: string,
): Promise<{ mail: DecisionMail; events: RunEventData[] }> {
  if (mail.verdict === 'deny') return { mail, events: [] };
  const interaction = await interactionById(tx, id);
  const problem = interaction === undefined ? 'the decision is gone' : await problemOf(tx, task, run, interaction, at);
  if (problem === undefined) return { mail, events: [] };
  await recordAudit(tx, {
    workspace: task.workspace,
    action: 'approval.void',
    subject: id,
    data: { task: task.id, run: run.id, hash: interaction?.actionHash ?? null, because: problem },
  });
  const reason = `Not allowed: ${problem}.`;
  const text = `The decision no longer counts: ${problem}.`;
  return {
    mail: { type: 'decision', ask: mail.ask, verdict: 'deny', reason },
    events: [{ type: 'note', level: 'warning', text }],
  };
}

async function problemOf(
  tx: Tx,
  task: TaskRecord,
  run: RunRecord,
  interaction: InteractionRecord,
  at: Date,
): Promise<string | undefined> {
  if (interaction.run !== run.id) return 'it was made for another run';
  if (actionHash(interaction.action) !== interaction.actionHash) return 'what was asked has changed since';
  if (!(await isStillDecided(tx, task.project, interaction))) return 'whoever made it may not decide any more';
  if (interaction.state === 'answered') return undefined;
  const use = await consumeApproval(tx, interaction.id, run.id, at);
  if (use === 'refused') return 'it was used before';
  if (use === 'first') {
    await recordAudit(tx, {
      workspace: task.workspace,
      action: 'approval.consumed',
      subject: interaction.id,
      data: { task: task.id, run: run.id, hash: interaction.actionHash },
    });
  }
  return undefined;
}
