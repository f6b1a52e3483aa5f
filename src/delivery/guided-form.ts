import { type OutboxPayload, type OutboxPut, priorities } from '../contracts/outbox.ts';
import type { Conversation } from '../contracts/platform.ts';
import type { View } from '../contracts/view.ts';
import type { Tx } from '../store/database.ts';
import {
  createGuidedForm,
  endGuidedForm,
  type GuidedEnd,
  type GuidedForm,
  lockGuidedForm,
  openGuidedForms,
} from '../store/guided-forms.ts';
import { putOutbox } from '../store/outbox.ts';
import { nameOfAccount } from '../store/people.ts';
import { messageByKey } from '../store/sent-messages.ts';
import { endedView, expiredWord, questionView, staysAsAsked } from './guided-question.ts';
import { textView } from './list-view.ts';

/** How long the person has for each answer. Milliseconds. */
export const guidedLifeMs = 10 * 60 * 1000;

/**
 * Begins to ask a form field by field. `origin` (the outbox row) starts it once, however often it is tried. A form that the person is
 * asked in this conversation already gives way.
 */
export async function startGuidedForm(
  tx: Tx,
  input: { workspace: string; origin: string; conversation: Conversation; payload: Extract<OutboxPayload, { type: 'form' }> },
  now: Date,
): Promise<void> {
  const { workspace, origin, conversation, payload } = input;
  const account = payload.user.user;
  // Where others read along nobody is asked for a secret.
  if (conversation.kind !== 'direct' && payload.form.fields.some((field) => field.type === 'text' && field.secret === true)) {
    const view = textView('That is asked for in a direct message only, where nobody else reads along. Send me the same there.');
    await putOutbox(tx, {
      workspace,
      key: `secret-place:${origin}`,
      target: { type: 'conversation', conversation },
      payload: { type: 'ephemeral', user: payload.user, view },
      priority: priorities.reply,
    });
    return;
  }
  const older = await openGuidedForms(tx, workspace, { ...conversation, account });
  const expiresAt = new Date(now.getTime() + guidedLifeMs);
  const guided = await createGuidedForm(tx, { workspace, conversation, account, origin, form: payload.form, expiresAt });
  if (guided === undefined) return;
  for (const form of older) await endWithWord(tx, form, 'superseded', now);
  await putQuestion(tx, guided);
}

/** Asks what is asked now. `problem`: what was wrong with the answer before. */
export async function putQuestion(tx: Tx, guided: GuidedForm, problem?: string): Promise<void> {
  const { platform, tenant } = guided.conversation;
  const name = await nameOfAccount(tx, { platform, tenant, user: guided.account });
  await putOutbox(tx, questionPut(guided, questionView(guided, name, problem)));
}

/**
 * Ends a form that was not submitted and shows it in its question. One that stays as it was asked says itself until when it counts; that it
 * is cancelled is said below it. False when the form is over already.
 */
export async function endWithWord(
  tx: Tx,
  guided: GuidedForm,
  end: Exclude<GuidedEnd, 'submitted'>,
  now: Date,
  key?: string,
): Promise<boolean> {
  if (!(await endGuidedForm(tx, guided.id, end, now, key))) return false;
  const question = questionPut(guided, endedView(guided, end));
  const isAsked = (await messageByKey(tx, guided.workspace, question.key))?.sent !== false;
  if (!staysAsAsked(guided) || !isAsked) await putOutbox(tx, question);
  else if (end === 'cancelled') await putOutbox(tx, { ...question, key: endKey(guided) });
  return true;
}

/** What becomes of a question that has got its answer, when it can change. */
export async function settleQuestion(tx: Tx, guided: GuidedForm, view: View): Promise<void> {
  if (!staysAsAsked(guided)) await putOutbox(tx, questionPut(guided, view));
}

/** Ends a form whose time is over and tells the person; nothing when it is over already or was answered just now. */
export async function expireGuidedForm(tx: Tx, form: { id: string; workspace: string }, now: Date): Promise<void> {
  const guided = await lockGuidedForm(tx, form.workspace, form.id);
  if (guided === undefined || !guided.open || guided.expiresAt > now) return;
  if (await endWithWord(tx, guided, 'expired', now)) await putOutbox(tx, wordPut(guided, expiredWord(guided)));
}

/** The row of the question that stands now. */
function questionPut(guided: GuidedForm, view: View): OutboxPut {
  return {
    workspace: guided.workspace,
    key: `${questionPrefix(guided.id)}${guided.asked}`,
    target: { type: 'conversation', conversation: guided.conversation },
    payload: { type: 'message', view },
    priority: priorities.reply,
  };
}

/** What the keys of all questions of a form begin with. */
export function questionPrefix(id: string): string {
  return `guided:${id}:`;
}

function endKey({ id }: GuidedForm): string {
  return `guided-end:${id}`;
}

function wordPut(guided: GuidedForm, view: View): OutboxPut {
  const { workspace, conversation, account } = guided;
  const { platform, tenant } = conversation;
  const user = { platform, tenant, user: account };
  return {
    workspace,
    key: endKey(guided),
    target: { type: 'conversation', conversation },
    payload: conversation.kind === 'direct' ? { type: 'message', view } : { type: 'ephemeral', user, view },
    priority: priorities.reply,
  };
}
