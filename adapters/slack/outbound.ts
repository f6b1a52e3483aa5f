import type { HomeView, KnownBlock, ModalView } from '@slack/types';
import { z } from 'zod';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import { type Conversation, conversationSchema } from '../../src/contracts/platform.ts';
import type { Form, View } from '../../src/contracts/view.ts';
import { compactBlocks, richBlocks } from './blocks.ts';
import { inputBlock, plainText } from './controls.ts';
import { escapeText, printable, shorten } from './slack-text.ts';

/** What a message says: `text` feeds notifications and screen readers, `blocks` are what is shown. */
export interface MessageContent {
  text: string;
  blocks: KnownBlock[];
}

/** The undocumented cap on the blocks of one message, in characters of JSON (slackapi/bolt-js#2509), with a little to spare. */
export const maxBlocksJson = 13_200;
const maxMessageBlocks = 50;
const maxHomeBlocks = 100;
/** `chat.update` refuses texts above 4,000 characters; a notification shows far less. */
const maxFallback = 3000;

/**
 * A view as a message. Nothing is left out: what does not fit in full dress is sent in plainer dress. Throws `rejected` for a
 * view beyond the capabilities.
 */
export function messageContent(view: View): MessageContent {
  const blocks = view.blocks.length === 0 ? [] : firstFitting(view);
  return {
    text: escapedWithin(printable(view.fallback), maxFallback),
    blocks: blocks.length === 0 ? richBlocks([fallbackBlock(view)], 'message') : blocks,
  };
}

function firstFitting(view: View): KnownBlock[] {
  let size = 0;
  for (const level of [0, 1, 2, 3] as const) {
    const blocks = level === 0 ? richBlocks(view.blocks, 'message') : compactBlocks(view.blocks, level);
    size = JSON.stringify(blocks).length;
    if (size <= maxBlocksJson && blocks.length <= maxMessageBlocks) return blocks;
  }
  throw new DeliveryError({
    kind: 'rejected',
    detail: `the message needs ${size} characters of blocks, Slack takes ${maxBlocksJson}`,
  });
}

/** The content of a person's App Home. */
export function homeView(view: View): HomeView {
  const rich = richBlocks(view.blocks, 'home');
  const blocks = rich.length <= maxHomeBlocks ? rich : compactBlocks(view.blocks, 1);
  if (blocks.length > maxHomeBlocks) {
    throw new DeliveryError({
      kind: 'rejected',
      detail: `the home view needs ${blocks.length} blocks, Slack takes ${maxHomeBlocks}`,
    });
  }
  return { type: 'home', blocks: blocks.length === 0 ? richBlocks([fallbackBlock(view)], 'home') : blocks };
}

/** A form as a modal. The conversation travels in `private_metadata`, because a submission names none. */
export function modalView(form: Form, about: Conversation): ModalView {
  return {
    type: 'modal',
    callback_id: form.token,
    private_metadata: JSON.stringify({ conversation: about }),
    title: plainText(form.title, 24, 'Deckhand'),
    submit: plainText(form.submit, 24, 'Send'),
    close: plainText('Cancel', 24, 'Cancel'),
    blocks: form.fields.map(inputBlock),
  };
}

const modalMetadata = z.object({ conversation: conversationSchema });

/** Reads back what `modalView` put there; `undefined` for anything else. */
export function readModalMetadata(text: string): Conversation | undefined {
  try {
    return modalMetadata.safeParse(JSON.parse(text)).data?.conversation;
  } catch {
    return undefined;
  }
}

function fallbackBlock(view: View): View['blocks'][number] {
  return { type: 'text', spans: [{ type: 'text', text: view.fallback }] };
}

/** The longest beginning whose escaped form fits. */
function escapedWithin(text: string, max: number): string {
  const escaped = escapeText(text);
  if (escaped.length <= max) return escaped;
  let keep = Math.min(text.length, max);
  while (escapeText(shorten(text, keep)).length > max) keep = Math.floor(keep * 0.8);
  return escapeText(shorten(text, keep));
}
