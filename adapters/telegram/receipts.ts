import type { ReactionTypeEmoji } from 'grammy/types';
import type { MessageRef } from '../../src/contracts/platform.ts';
import type { TelegramApi } from './api.ts';
import { chatId, messageId } from './place.ts';

type Mark = 'received' | 'read' | 'refused';

/** Reactions that stand for a receipt. Telegram offers bots a fixed list, without a tick. */
export const receiptReactions = { received: '👀', read: '👍', refused: '👎' } as const satisfies Record<
  Mark,
  ReactionTypeEmoji['emoji']
>;

const maxKnown = 2_000;

/**
 * Receipts as reactions. A bot has one reaction on a message, so that a later mark takes the place of an earlier one; taking back a
 * mark that is not the one shown changes nothing. Telegram does not tell a bot its own reactions: what was shown last is remembered
 * while the process lives.
 */
export function createReceipts(api: TelegramApi): { react(ref: MessageRef, mark: Mark, on: boolean): Promise<void> } {
  const shown = new Map<string, Mark>();
  return {
    async react(ref, mark, on) {
      const key = `${ref.channel}:${ref.message}`;
      const now = shown.get(key);
      if (!on && now !== undefined && now !== mark) return;
      const reaction: ReactionTypeEmoji[] = on ? [{ type: 'emoji', emoji: receiptReactions[mark] }] : [];
      const args = { chat_id: chatId(ref.channel), message_id: messageId(ref.message), reaction };
      await api.call('setMessageReaction', (raw, signal) => raw.setMessageReaction(args, signal), { channel: ref.channel });
      shown.delete(key);
      if (on) shown.set(key, mark);
      if (shown.size > maxKnown) shown.delete(shown.keys().next().value ?? key);
    },
  };
}
