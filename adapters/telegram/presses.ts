import { sealPress } from './handles.ts';
import { readPress } from './keyboard.ts';
import { actorOf, channelName, conversationOf } from './messages.ts';
import type { Callback } from './payloads.ts';
import type { Inbound, InboundContext } from './reading.ts';

/** A press of a button. Presses carry no time; Telegram forgets them within minutes, so that now is when they were made. */
export function pressEvents(callback: Callback, context: InboundContext): Inbound {
  const { id, from, message, data } = callback;
  const ignored = (why: string): Inbound => ({ kind: 'ignored', why, press: id });
  if (from.is_bot) return ignored('not pressed by a person');
  if (message === undefined || data === undefined || data === '') return ignored('a press of nothing of ours');
  const pressed = readPress(data, message.reply_markup?.inline_keyboard ?? []);
  if (pressed.kind === 'heading') return ignored('the heading of a select');
  if (pressed.kind === 'unreadable') return ignored('an option without its select');
  return {
    kind: 'events',
    press: id,
    events: [
      {
        type: 'press',
        key: `cb:${id}`,
        at: context.now().toISOString(),
        conversation: conversationOf(context.bot, message.chat, message),
        ...channelName(message.chat),
        actor: actorOf(from),
        reply: sealPress(id, context),
        token: pressed.token,
        values: pressed.values,
        message: String(message.message_id),
      },
    ],
  };
}
