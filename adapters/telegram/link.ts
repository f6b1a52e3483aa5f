import type { Conversation } from '../../src/contracts/platform.ts';

/**
 * Address of a topic, or of the message that a chain of replies answers. Only messages of supergroups, whose ids begin with -100, have one:
 * https://core.telegram.org/api/links#message-links
 */
export function telegramLink({ channel, thread }: Conversation): string | undefined {
  const chat = /^-100(\d+)$/.exec(channel)?.[1];
  const message = /^[tr](\d+)$/.exec(thread ?? '')?.[1];
  return chat === undefined || message === undefined ? undefined : `https://t.me/c/${chat}/${message}`;
}
