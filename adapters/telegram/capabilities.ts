import type { Capabilities } from '../../src/contracts/chat-adapter.ts';
import { maxOptions } from './keyboard.ts';
import { grows } from './telegram-text.ts';

/**
 * What Telegram can carry. A message holds 4,096 UTF-16 units (core.telegram.org/bots/api#sendmessage); what is put in between
 * against unwanted links counts too. A little is kept for what stands between blocks.
 */
export const telegramCapabilities: Capabilities = {
  platform: 'telegram',
  text: { unit: 'utf16', escapes: grows, maxMessage: 4000, maxBlock: 3900, maxBlocks: 20, maxTitle: 250 },
  buttons: { perRow: 4, perMessage: 24, label: 40 },
  select: { options: maxOptions, label: 64 },
  forms: 'guided',
  // The alert of a press; elsewhere `ephemeral` rejects and a direct message is sent.
  ephemeral: true,
  threads: true,
  cards: 'many',
  edit: true,
  reactions: true,
  // In groups as an administrator who may delete messages.
  removes: { channels: true, direct: true },
  home: false,
  // Uploads by bots: 50 MB; ten documents make an album, one is left for a comment that is too long for a caption.
  files: { maxBytes: 50 * 1024 * 1024, perMessage: 9 },
  // sendMessageDraft works in private chats only; elsewhere prose streams by edits.
  streaming: 'draft',
  findsSent: false,
  // Published limits (core.telegram.org/bots/faq): one message a second in a chat, 20 a minute in a group, 30 a second in all.
  // Edits are not mentioned there; grammY's documentation counts them together with messages.
  // Answers to presses are no messages, and opening a direct conversation is no call. For drafts nothing is published: as often as a
  // reader can follow, within what all calls share.
  budgets: [
    { operations: ['send', 'edit', 'upload'], scope: 'conversation', calls: 1, windowMs: 1000 },
    { operations: ['send', 'edit', 'upload'], scope: 'conversation', calls: 20, windowMs: 60_000 },
    { operations: ['draft'], scope: 'conversation', calls: 3, windowMs: 1000 },
    {
      operations: ['send', 'edit', 'upload', 'ephemeral', 'react', 'draft', 'remove'],
      scope: 'tenant',
      calls: 30,
      windowMs: 1000,
    },
  ],
};
