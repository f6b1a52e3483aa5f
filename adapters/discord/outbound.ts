import { createHash } from 'node:crypto';
import {
  type APIAllowedMentions,
  type APIComponentInContainer,
  type APIContainerComponent,
  ComponentType,
  MessageFlags,
} from 'discord-api-types/v10';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { Block, Tone, View } from '../../src/contracts/view.ts';
import { buttonRows, selectRows } from './controls.ts';
import { blockMarkdown, type Dress, mentioned } from './markdown.ts';

/** What a message says, as parts of the request that sends or edits it. */
export interface MessageContent {
  flags: number;
  components: APIContainerComponent[];
  allowed_mentions: APIAllowedMentions;
}

/** Discord's limits of one message of components. */
export const maxTexts = 4000;
export const maxComponents = 40;

const colours: Partial<Record<Tone, number>> = {
  active: 0x58_65_f2,
  waiting: 0xf0_b2_32,
  good: 0x23_a5_5a,
  bad: 0xf2_3f_43,
};

/**
 * A view as a message of components. Nothing is left out: what does not fit in full dress is sent in plainer dress. Throws `rejected`
 * for a view beyond the capabilities. Nobody is notified but the people whom the view names (promise 11).
 */
export function messageContent(view: View, mark?: ComponentMark): MessageContent {
  const shown = view.blocks.length === 0 ? [] : firstFitting(view.blocks);
  const components = shown.length === 0 ? partsOf([fallbackBlock(view)], 'full').parts : shown;
  const colour = colourOf(view.blocks);
  const [first, ...others] = components;
  const container: APIContainerComponent = {
    type: ComponentType.Container,
    ...(mark === undefined ? {} : { id: mark[0] }),
    ...(colour === undefined ? {} : { accent_color: colour }),
    components: first === undefined || mark === undefined ? components : [{ ...first, id: mark[1] }, ...others],
  };
  return {
    flags: MessageFlags.IsComponentsV2,
    components: [container],
    allowed_mentions: { parse: [], users: mentioned(view.blocks).slice(0, 100) },
  };
}

/** Two numbers of 31 bits that stand for the key a message was sent with: ids of components, which Discord gives back unchanged. */
export type ComponentMark = readonly [number, number];

export function componentMark(key: string): ComponentMark {
  const hash = createHash('sha256').update(key).digest();
  // Small numbers are what Discord itself gives to components without an id.
  const one = 1000 + (hash.readUInt32BE(0) % 2_000_000_000);
  const other = 1000 + (hash.readUInt32BE(4) % 2_000_000_000);
  return [one, other === one ? one + 1 : other];
}

/** The nonce of a key: sending again with it within some minutes gives back the message that is there. */
export function nonceOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 25);
}

function firstFitting(blocks: readonly Block[]): APIComponentInContainer[] {
  let problem = '';
  for (const dress of ['full', 'plain', 'bare'] as const) {
    const { parts, characters, components } = partsOf(blocks, dress);
    if (characters <= maxTexts && components < maxComponents) return parts;
    problem = `${characters} characters in ${components + 1} components, Discord takes ${maxTexts} in ${maxComponents}`;
  }
  throw new DeliveryError({ kind: 'rejected', detail: `the message needs ${problem}` });
}

/** Neighbouring texts share a component, in plainer dress neighbouring buttons do too and dividers fall away. */
function partsOf(
  blocks: readonly Block[],
  dress: Dress,
): { parts: APIComponentInContainer[]; characters: number; components: number } {
  const parts: APIComponentInContainer[] = [];
  let lines: string[] = [];
  let characters = 0;
  let controls = 0;
  const flush = () => {
    const content = lines.join('\n');
    if (lines.length > 0) parts.push({ type: ComponentType.TextDisplay, content });
    characters += content.length;
    lines = [];
  };
  for (const block of dress === 'full' ? blocks : packed(blocks)) {
    const text = blockMarkdown(block, dress);
    if (text !== undefined) {
      if (text.trim() !== '') lines.push(text);
      continue;
    }
    flush();
    const rows =
      block.type === 'buttons' ? buttonRows(block.buttons, controls) : block.type === 'select' ? selectRows(block, controls) : [];
    if (block.type === 'divider') parts.push({ type: ComponentType.Separator });
    controls += block.type === 'buttons' ? block.buttons.length : rows.length;
    parts.push(...rows);
  }
  flush();
  const components = parts.reduce((sum, part) => sum + 1 + ('components' in part ? part.components.length : 0), 0);
  return { parts, characters, components };
}

function packed(blocks: readonly Block[]): Block[] {
  const result: Block[] = [];
  for (const block of blocks) {
    const last = result.at(-1);
    if (block.type === 'divider') continue;
    if (block.type === 'buttons' && last?.type === 'buttons') {
      result[result.length - 1] = { ...last, buttons: [...last.buttons, ...block.buttons] };
    } else result.push(block);
  }
  return result;
}

function colourOf(blocks: readonly Block[]): number | undefined {
  const title = blocks.find((block) => block.type === 'title');
  return title?.state === undefined ? undefined : colours[title.state.tone];
}

function fallbackBlock(view: View): Block {
  return { type: 'text', spans: [{ type: 'text', text: view.fallback }] };
}
