import { isIn } from './access.ts';
import type { Core } from './core.ts';
import type { Message, User } from './model.ts';

/**
 * Whose clients open a reply to a message of the bot: everybody's in the chat, or with `selective` those of people named in its text and of
 * whoever wrote the message that it answers. Nobody's when it forces no reply.
 */
export function forcedToReply(core: Core, message: Message): User[] {
  const chat = core.state.chat(message.chat);
  if (message.asks?.force_reply !== true || chat === undefined) return [];
  const there = [...core.state.users.values()].filter(({ id, is_bot }) => !is_bot && isIn(chat, id));
  if (message.asks.selective !== true) return there;
  const replied = message.reply_to === undefined ? undefined : core.state.message(chat.id, message.reply_to);
  return there.filter((user) => user.id === replied?.from || isNamed(message, user));
}

function isNamed({ text = '', entities }: Message, { id, username }: User): boolean {
  return entities.some(({ type, user, offset, length }) => {
    if (type === 'text_mention') return user === id;
    return type === 'mention' && text.slice(offset + 1, offset + length).toLowerCase() === username?.toLowerCase();
  });
}

/** The message to which a person's client opens a reply: the newest one that forces it, unless they have answered it or it has changed. */
export function openReply(core: Core, user: User, chat: number): Message | undefined {
  const messages = core.state.messagesOf(chat);
  const ask = messages.findLast((message) => forcedToReply(core, message).some(({ id }) => id === user.id));
  if (ask === undefined || ask.edit_date !== undefined) return undefined;
  return messages.some(({ from, reply_to }) => from === user.id && reply_to === ask.id) ? undefined : ask;
}
