import { Refused } from '../refused.ts';
import { compact, isRecord } from '../slack/json.ts';
import { waitForChange } from '../slack/waiting.ts';
import type { Core } from './core.ts';
import { digits } from './ids.ts';
import type { CallbackQuery, InlineButton, Message, User } from './model.ts';
import { visibleMessage } from './people.ts';
import { plainRun } from './rich-text.ts';
import { wireChat, wireMessage, wireUser } from './wire.ts';

/** Presses of inline buttons. */

/** What the presser saw: a toast, an alert, nothing (the spinner ended), or a spinner until it gave up. */
export interface PressAnswer {
  shown: 'toast' | 'alert' | 'none' | 'spinner';
  text: string;
}

/**
 * Sends the press to the bot. Only buttons with callback data reach it. `shown`: the message as the person still sees it, when the bot has
 * changed it meanwhile; the bot gets the message as it is now.
 */
export function press(core: Core, user: User, given: { chat: number; id: number; data: string; shown?: Message }): CallbackQuery {
  const message = visibleMessage(core, user, given.chat, given.id);
  const button = buttonsOf(given.shown ?? message).find((entry) => entry.callback_data === given.data);
  if (!button) throw new Refused('button_not_found', 'That button is not there any more.');
  const query: CallbackQuery = {
    id: digits(19),
    user: user.id,
    chat: message.chat,
    message: message.id,
    data: given.data,
    at: core.now(),
  };
  core.state.queries.put(query);
  core.state.emit({ type: 'query', query });
  const content = {
    id: query.id,
    from: wireUser(user),
    message: wireMessage(core, message),
    chat_instance: String(-(message.chat ** 2 % 9_007_199_254_740_881)),
    data: query.data,
  };
  core.updates.publish('callback_query', content, `presses ${user.id}`, core.timing.callbackUpdate);
  return query;
}

/** Waits for the bot's answer; a spinner when it does not come while it still could. */
export async function answerTo(core: Core, query: CallbackQuery): Promise<PressAnswer> {
  const timeoutMs = Math.max(0, query.at + core.timing.callback - core.now());
  const look = () => core.state.queries.get(query.id)?.answer;
  try {
    const answer = await waitForChange(core.state, look, { timeoutMs, describe: () => 'no answer to the press' });
    return { shown: answer.shown, text: answer.text };
  } catch {
    return { shown: 'spinner', text: '' };
  }
}

/** Presses the stop button of a draft; the draft goes unless the bot asked to keep it. */
export function stopDraft(core: Core, user: User, draftId: number): void {
  const draft = core.drafts.of(user.id).find((entry) => entry.draft_id === draftId);
  const chat = core.state.chat(user.id);
  if (!draft?.can_stop || !chat) throw new Refused('draft_not_found', 'There is nothing to stop.');
  const content = compact({ chat: wireChat(core, chat), message_thread_id: draft.message_thread_id, draft_id: draftId });
  core.drafts.end(user.id, draft.message_thread_id);
  core.updates.publish('stopped_message_generation', content, `chat ${chat.id}`, core.timing.update);
}

/** All buttons below a message, and before them those in its rich content. */
export function buttonsOf(message: Message): InlineButton[] {
  return [...richButtons(message.rich?.blocks), ...(message.keyboard ?? []).flat()];
}

function richButtons(value: unknown): InlineButton[] {
  if (Array.isArray(value)) return value.flatMap(richButtons);
  if (!isRecord(value)) return [];
  const buttons = value.type === 'button' ? [value.button] : value.type === 'buttons' ? value.buttons : undefined;
  if (!Array.isArray(buttons)) return Object.values(value).flatMap(richButtons);
  return buttons.filter(isRecord).map((button) => ({ ...button, text: plainRun(button.text) }));
}
