import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import type { PressToken } from '../contracts/press.ts';
import { endWithWord, guidedLifeMs, putQuestion, questionPrefix, settleQuestion } from '../delivery/guided-form.ts';
import { answeredView, checkAnswer, fieldOf, repeatedView, type Word, wordFor } from '../delivery/guided-question.ts';
import type { Tx } from '../store/database.ts';
import {
  advanceGuidedForm,
  endGuidedForm,
  type GuidedForm,
  hasAnswered,
  hasGuidedForms,
  lockGuidedForm,
  openGuidedForms,
} from '../store/guided-forms.ts';
import { putInbound } from '../store/inbox.ts';
import { messageByKey, sentMessage } from '../store/sent-messages.ts';
import { workspaceOfTenant } from '../store/workspaces.ts';
import type { CommandContext, CommandDeps } from './command.ts';
import { removeAnswered } from './leaked-key.ts';

type Message = Extract<InboundEvent, { type: 'message' }>;
type Command = Extract<InboundEvent, { type: 'command' }>;
type Press = Extract<InboundEvent, { type: 'press' }>;

/**
 * Takes a message as the answer to a question that its writer was asked: a reply to the question, in a direct conversation the next
 * message. `skip` and `cancel` as commands do what the buttons do, as replies of one word where the question has no buttons. True when it was one: nothing else may happen for it.
 */
export async function takesAnswer(
  tx: Tx,
  deps: Pick<CommandDeps, 'now' | 'removes'>,
  event: Message | Command,
): Promise<boolean> {
  const now = deps.now();
  const word = event.type === 'command' ? /^(skip|cancel)$/i.exec(event.text.trim())?.[1]?.toLowerCase() : undefined;
  if (event.type === 'command' && word === undefined) return false;
  const { platform, tenant, channel } = event.conversation;
  const at = { platform, tenant, channel, account: event.actor.user };
  if (!(await hasGuidedForms(tx, at))) return false;
  const workspace = await workspaceOfTenant(tx, platform, tenant);
  if (workspace === undefined) return false;
  // An answer that comes again must not become the answer to the next question.
  if (await hasAnswered(tx, { ...at, key: event.key })) return true;
  const guided = (await openGuidedForms(tx, workspace.id, at)).at(-1);
  if (guided === undefined || guided.expiresAt <= now) return false;
  if (event.type === 'command') return await byWord(tx, guided, event, word === 'cancel' ? 'cancel' : 'skip', now);
  if (!(await answersQuestion(tx, guided, event))) return false;
  const said = wordFor(guided, event.text);
  if (said !== undefined) return await byWord(tx, guided, event, said, now);
  const field = fieldOf(guided);
  const checked = checkAnswer(field, event.text);
  if (field.type === 'text' && field.secret === true) {
    await removeAnswered(tx, deps, event, { workspace: guided.workspace, identity: { platform, tenant, user: guided.account } });
  }
  if ('problem' in checked) await askAgain(tx, guided, event, checked.problem, now);
  else
    await answer(
      tx,
      guided,
      event,
      field.type === 'select' && field.multiple ? toggled(guided, checked.values) : checked.values,
      now,
    );
  return true;
}

/** A button of a question. Only the person who is asked may press it. */
export async function onGuidedPress(
  ctx: CommandContext,
  press: Press,
  token: Extract<PressToken, { kind: 'guided' }>,
): Promise<void> {
  const now = ctx.deps.now();
  const guided = await lockGuidedForm(ctx.tx, ctx.person.workspace, token.form);
  const { platform, tenant, user } = ctx.person.identity;
  if (guided === undefined || guided.conversation.platform !== platform || guided.conversation.tenant !== tenant)
    throw new AppError('DH-208');
  if (guided.account !== user) throw new AppError('DH-209');
  if (!guided.open || guided.field !== token.field || guided.expiresAt <= now) throw new AppError('DH-208');
  const field = fieldOf(guided);
  switch (token.verb) {
    case 'cancel':
      await endWithWord(ctx.tx, guided, 'cancelled', now, press.key);
      return;
    case 'skip':
      if (field.required) throw new AppError('DH-208');
      return answer(ctx.tx, guided, press, undefined, now);
    case 'keep':
      if (field.initial === undefined) throw new AppError('DH-208');
      return answer(ctx.tx, guided, press, [field.initial], now);
    case 'done':
      return answer(ctx.tx, guided, press, guided.values[field.id], now);
    case 'choose': {
      const chosen = field.type === 'select' ? field.options.find(({ value }) => value === press.values[0]) : undefined;
      if (field.type !== 'select' || chosen === undefined) throw new AppError('DH-208');
      if (!field.multiple) return answer(ctx.tx, guided, press, [chosen.value], now);
      const values = { ...guided.values, [field.id]: toggled(guided, [chosen.value]) };
      return ask(ctx.tx, { ...guided, values }, press, undefined, now);
    }
  }
}

async function byWord(tx: Tx, guided: GuidedForm, event: Command | Message, word: Word, now: Date): Promise<boolean> {
  if (word === 'cancel') return await endWithWord(tx, guided, 'cancelled', now, event.key);
  const field = fieldOf(guided);
  if (word === 'keep' && field.initial !== undefined) await answer(tx, guided, event, [field.initial], now);
  else if (field.required) await askAgain(tx, guided, event, 'This cannot be left out.', now);
  else await answer(tx, guided, event, undefined, now);
  return true;
}

/** Is it meant as an answer? A reply to something else is not, nor is what one writes in a channel. */
async function answersQuestion(tx: Tx, guided: GuidedForm, { conversation, replyTo }: Message): Promise<boolean> {
  const { thread } = guided.conversation;
  if (replyTo === undefined) {
    return conversation.kind === 'direct' || (thread !== undefined && conversation.thread === thread);
  }
  const sent = await sentMessage(tx, guided.workspace, { ...conversation, message: replyTo });
  if (sent !== undefined) return sent.key.startsWith(questionPrefix(guided.id));
  // People can be faster than the note that the question has arrived.
  const question = await messageByKey(tx, guided.workspace, `${questionPrefix(guided.id)}${guided.asked}`);
  return question?.sent === false;
}

/** Takes the answer to the field (undefined: left out), then asks the next one or hands the whole form in. */
async function answer(
  tx: Tx,
  guided: GuidedForm,
  by: Message | Command | Press,
  values: string[] | undefined,
  now: Date,
): Promise<void> {
  await settleQuestion(tx, guided, answeredView(guided, values));
  const id = fieldOf(guided).id;
  const { [id]: _, ...others } = guided.values;
  const all = values === undefined || values.length === 0 ? others : { ...others, [id]: values };
  const next = guided.field + 1;
  if (next < guided.form.fields.length) {
    return ask(tx, { ...guided, values: all, field: next, asked: guided.asked + 1 }, by, undefined, now);
  }
  await endGuidedForm(tx, guided.id, 'submitted', now, by.key);
  await putInbound(tx, formEvent(guided, by, all));
}

/** The same question once more, as a new message that can be answered; the old one loses its buttons. */
async function askAgain(tx: Tx, guided: GuidedForm, by: { key: string }, problem: string, now: Date): Promise<void> {
  await settleQuestion(tx, guided, repeatedView(guided));
  await ask(tx, { ...guided, asked: guided.asked + 1 }, by, problem, now);
}

/** Asks what `guided` says is asked now. */
async function ask(tx: Tx, guided: GuidedForm, by: { key: string }, problem: string | undefined, now: Date): Promise<void> {
  const expiresAt = new Date(now.getTime() + guidedLifeMs);
  const { values, field, asked } = guided;
  await advanceGuidedForm(tx, guided.id, by.key, { values, field, asked, expiresAt });
  await putQuestion(tx, { ...guided, expiresAt }, problem);
}

/** What the keys of forms begin with that were asked in words, for everybody in the conversation to read. */
export const guidedKey = 'form:';

/** The same event that a form of a platform gives, so that everything after it is the same too. */
function formEvent(guided: GuidedForm, by: Message | Command | Press, values: Record<string, string[]>): InboundEvent {
  return {
    type: 'form',
    key: `${guidedKey}${guided.id}`,
    at: by.at,
    conversation: guided.conversation,
    actor: by.actor,
    ...(by.channelName === undefined ? {} : { channelName: by.channelName }),
    ...(by.reply === undefined ? {} : { reply: by.reply }),
    token: guided.form.token,
    values,
  };
}

/** Chosen becomes not chosen, and the other way round. */
function toggled(guided: GuidedForm, values: readonly string[]): string[] {
  const chosen = guided.values[fieldOf(guided).id] ?? [];
  return [...chosen.filter((value) => !values.includes(value)), ...values.filter((value) => !chosen.includes(value))];
}
