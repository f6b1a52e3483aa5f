import { AppError } from '../contracts/errors.ts';
import { calledAs } from '../contracts/permissions.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import type { DecisionChoice } from '../contracts/states.ts';
import { type AuditEntry, recordAudit, recordRefusal } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import {
  type Answers,
  findInteraction,
  type InteractionRecord,
  interactionById,
  settleInteraction,
} from '../store/interactions.ts';
import { appendEvents } from '../store/run-events.ts';
import { runById } from '../store/runs.ts';
import { storableText } from '../store/storable.ts';
import { lockTask, type TaskRecord } from '../store/tasks.ts';
import { advanceRun, advanceTask, personActor } from '../tasks/advance.ts';
import { holdChange } from '../tasks/change.ts';
import { cancelledResult, endRun } from '../tasks/end-run.ts';
import { beginPublication } from '../tasks/publish.ts';
import type { DecideInput, DecideResult, DecideVerb, Person } from '../tasks/task-engine.ts';
import { actionTitle } from './action-text.ts';
import { checkAnswers } from './answers.ts';
import { askersOf, mayDecideOn } from './approvers.ts';
import { countsAt, placeText } from './approvers-now.ts';
import { cannotDecide } from './cannot-decide.ts';
import { expireInteraction } from './expire.ts';
import { expiredText } from './expired-text.ts';
import { unseenText } from './follow.ts';
import { type InteractionEventName, interactionTransition } from './interaction-state.ts';
import { makeRules } from './make-rules.ts';
import { isAgents, settleForAgent } from './settle-agent.ts';
import { settledText } from './settled-text.ts';
import { giveApproval } from './several.ts';
import { moreNeeded } from './several-words.ts';

/** What each verb does to a request, by the kind of it. What is missing is no answer to that kind. */
const verbs: Record<InteractionRecord['kind'], Partial<Record<DecideVerb, Meaning>>> = {
  approval: {
    approve: { event: 'approve', choice: 'once' },
    approve_task: { event: 'approve', choice: 'task' },
    deny: { event: 'deny', choice: 'no' },
  },
  plan: {
    approve: { event: 'approve', choice: 'implement' },
    implement: { event: 'approve', choice: 'implement' },
    implement_ask: { event: 'approve', choice: 'implement_ask' },
    revise: { event: 'deny', choice: 'revise' },
    deny: { event: 'deny', choice: 'no' },
  },
  question: { answer: { event: 'answer', choice: 'answer' }, deny: { event: 'deny', choice: 'no' } },
  spend: { approve: { event: 'approve', choice: 'raise' }, deny: { event: 'deny', choice: 'no' } },
  publish: { approve: { event: 'approve', choice: 'once' }, deny: { event: 'deny', choice: 'no' } },
};

interface Meaning {
  event: Extract<InteractionEventName, 'approve' | 'deny' | 'answer'>;
  choice: DecisionChoice;
}

const states = { approve: 'approved', deny: 'denied', answer: 'answered' } as const;

/**
 * Decides a request. The right to decide and the time are looked at here, at the moment of the press; of two at once the second finds
 * the request settled. Where several must say yes, it waits until the last of them has. Interaction, run, task, rule, mail, events and audit commit together. Throws DH-201 for answers that do not fit
 * the questions, and for a plan to be revised without a word what to change; what `holdChange` throws for a change that is none any more.
 */
export async function decide(tx: Tx, input: DecideInput, now: Date): Promise<DecideResult> {
  const { by } = input;
  const found = await findInteraction(tx, by.workspace, input.secret);
  const task = found === undefined ? undefined : await lockTask(tx, found.task);
  // Read again: it may have been settled while this waited for the lock.
  const interaction = found === undefined ? undefined : await interactionById(tx, found.id);
  if (interaction === undefined || task === undefined) return { result: 'unknown' };
  const meaning = verbs[interaction.kind][input.decision];
  if (meaning === undefined) return { result: 'unknown' };
  if (!interactionTransition(interaction.state, meaning.event).ok) {
    await auditRefusal(tx, 'approval.late', input, task, interaction, { state: interaction.state });
    return { result: 'already', what: await settledText(tx, interaction, by, now) };
  }
  if (await expireInteraction(tx, task, interaction, now)) {
    await auditRefusal(tx, 'approval.late', input, task, interaction, { state: 'expired' });
    return { result: 'already', what: expiredText(interaction) };
  }
  if (!(await mayDecideOn(tx, { ...interaction, project: task.project }, by))) {
    await auditRefusal(tx, 'approval.refused', input, task, interaction);
    const askers = await askersOf(tx.db, interaction);
    return {
      result: 'not_allowed',
      error: await cannotDecide(tx, by, 'decide this', { ...interaction, project: task.project, askers }),
    };
  }
  if (!countsAt(interaction.approvers, by.at)) {
    await auditRefusal(tx, 'approval.elsewhere', input, task, interaction);
    const { approvers } = interaction;
    const unseen = await unseenText(tx, task.workspace, task.id, approvers);
    return { result: 'elsewhere', where: (await placeText(tx, task.workspace, approvers)).trim(), unseen: unseen.trim() };
  }
  const { action } = interaction;
  const publishing =
    action.type === 'publish' && meaning.event === 'approve'
      ? { change: await holdChange(tx, interaction.run, by), action }
      : undefined;
  const reason = reasonOf(input);
  if (meaning.choice === 'revise' && reason === undefined) {
    throw new AppError('DH-201', { problem: 'What is to be changed is missing.', example: 'Leave the tests as they are.' });
  }
  const answers = meaning.event === 'answer' ? answersOf(interaction, input.answers) : undefined;
  let { choice } = meaning;
  if (meaning.event === 'approve') {
    const given = await giveApproval(tx, interaction, { project: task.project, by, on: input.on, choice, at: now });
    if (given.outcome === 'again')
      return { result: 'already', what: `You have approved it. ${moreNeeded(given.missing, given.owners)}` };
    if (given.outcome === 'more') {
      await appendEvents(tx, { run: interaction.run, actor: personActor(by), at: now, events: [given.event] });
      await audit(tx, 'approval.given', input, task, interaction);
      return {
        result: 'one_of_several',
        taskNumber: task.number,
        missing: given.missing,
        ...(given.owners === '' ? {} : { owners: given.owners }),
      };
    }
    choice = given.choice;
  }
  const state = states[meaning.event];
  const settled = await settleInteraction(tx, interaction.id, state, {
    decidedAt: now,
    decidedById: by.user,
    decidedOn: input.on,
    reason: reason ?? null,
    choice,
    ...(answers === undefined ? {} : { answers }),
  });
  if (!settled) throw new Error(`interaction ${interaction.id} was settled without the lock of its task`);
  const decided: RunEventData = { type: 'interaction_decided', interaction: interaction.id, state, reason };
  if (choice === 'task') await makeRules(tx, { task, interaction, by: by.user, at: now });
  if (publishing !== undefined) {
    const { origin } = input;
    await beginPublication(tx, { ...publishing, interaction: interaction.id, by, origin, at: now, before: [decided] });
  } else {
    await carryOut(tx, { task, interaction, decided, by, reason, at: now });
  }
  await audit(tx, `approval.${state}`, input, task, interaction);
  return { result: 'decided', state, taskNumber: task.number };
}

interface Decided {
  task: TaskRecord;
  interaction: InteractionRecord;
  decided: Extract<RunEventData, { type: 'interaction_decided' }>;
  by: Person;
  reason: string | undefined;
  at: Date;
}

/** An agent is told, and goes on; the run of a command is queued, or ends; a change that is not to be brought out stays where it is. */
async function carryOut(tx: Tx, { task, interaction, decided, by, reason, at }: Decided): Promise<void> {
  const run = await runById(tx, interaction.run);
  if (run === undefined) throw new Error(`interaction ${interaction.id} has no run`);
  const actor = personActor(by);
  if (interaction.action.type === 'publish') {
    await appendEvents(tx, { run: run.id, actor, at, events: [decided] });
  } else if (isAgents(interaction)) {
    await settleForAgent(tx, { task, run, interaction: interaction.id, decided, actor, at });
  } else if (decided.state === 'approved') {
    await advanceRun(tx, { run, event: 'approve', actor, at, before: [decided] });
    await advanceTask(tx, task, 'enqueue', at);
  } else {
    const message = reason === undefined ? `${by.name} denied it.` : `${by.name} denied it: ${reason}`;
    await endRun(tx, { task, run, result: cancelledResult('denied', message), actor, at, before: [decided] });
  }
}

function reasonOf({ reason }: DecideInput): string | undefined {
  const said = storableText(reason?.trim() ?? '');
  return said === '' ? undefined : said;
}

function answersOf({ action }: InteractionRecord, answers: Readonly<Record<string, readonly string[]>> | undefined): Answers {
  if (action.type !== 'question') throw new Error(`a ${action.type} is not answered`);
  const checked = checkAnswers(action.questions, answers ?? {});
  if (checked.ok) return checked.answers;
  const first = action.questions[0]?.options[0]?.label;
  throw new AppError('DH-201', { problem: checked.problem, example: first ?? 'yes' });
}

type Told = Pick<DecideInput, 'decision' | 'by' | 'on' | 'reason'>;

async function audit(tx: Tx, action: string, input: Told, task: TaskRecord, interaction: InteractionRecord): Promise<void> {
  await recordAudit(tx, lineOf(action, input, task, interaction));
}

/** Somebody wanted to decide, and it does not count. What they wrote is not kept: it says nothing more, and could be new each time. */
async function auditRefusal(
  tx: Tx,
  action: 'approval.refused' | 'approval.elsewhere' | 'approval.late',
  input: Told,
  task: TaskRecord,
  interaction: InteractionRecord,
  also: Record<string, string> = {},
): Promise<void> {
  const { data, ...line } = lineOf(action, { ...input, reason: undefined }, task, interaction);
  await recordRefusal(tx, { ...line, data: { ...data, ...also } });
}

function lineOf(
  action: string,
  { decision, by, on, reason }: Told,
  task: TaskRecord,
  interaction: InteractionRecord,
): AuditEntry {
  return {
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
      role: calledAs(by),
      ...(by.limit === undefined ? {} : { bundle: by.limit.bundle }),
      reason: reason === undefined ? null : storableText(reason),
      ...(interaction.action.type !== 'command'
        ? { kind: interaction.kind, title: storableText(actionTitle(interaction.action)) }
        : {}),
    },
  };
}
