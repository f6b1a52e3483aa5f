import { createHash } from 'node:crypto';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import type { View } from '../../src/contracts/view.ts';
import type { TelegramApi } from './api.ts';
import { messageContent, onlyText } from './outbound.ts';
import { isPrivate, topicOf } from './place.ts';

/** A draft that comes late is of no use. */
const timeoutMs = 5_000;

/**
 * `sendMessageDraft`: what is being written, at the end of a private chat. It takes no reply markup, has no message id, fades after 30 s, and
 * ends with the bot's next message in the chat; edits of other messages leave it alone. So it serves for prose that grows. A card with
 * buttons and state is a message that is edited: a draft of it could not be pressed, and would show the same text twice.
 */
export async function showDraft(api: TelegramApi, to: Conversation, view: View | undefined, key: string): Promise<void> {
  if (!isPrivate(to.channel))
    throw new DeliveryError({ kind: 'rejected', detail: 'Telegram shows drafts in private chats only' });
  if (view !== undefined && !onlyText(view)) throw new DeliveryError({ kind: 'rejected', detail: 'a draft holds text alone' });
  // Without a text Telegram itself says that something is being thought about.
  const { text, entities } = view === undefined ? { text: '', entities: [] } : messageContent(view);
  const args = { chat_id: Number(to.channel), ...topicOf(to.thread), draft_id: draftId(key), text, entities };
  // Showing it twice is showing it once: a lost answer is no unknown outcome.
  await api.read('sendMessageDraft', (raw, signal) => raw.sendMessageDraft(args, signal), { channel: to.channel, timeoutMs });
}

/** The same number for the same key, never 0, which is none: so each text goes over into the next one, also after a restart. */
function draftId(key: string): number {
  return createHash('sha256').update(key).digest().readUIntBE(0, 6) + 1;
}
