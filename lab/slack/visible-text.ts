import { elementsOf } from './blocks.ts';
import type { Core } from './core.ts';
import { labelOf } from './elements.ts';
import { isRecord } from './json.ts';
import type { Block, Message } from './model.ts';
import { wireMessage } from './payloads.ts';

/** A message as a person sees it. */
export interface Seen extends Message {
  /** Everything readable, blocks, buttons and file names included, one piece per line. The fallback text only where no blocks hide it. */
  plain: string;
  /** Labels of the buttons, in order. */
  buttons: string[];
}

export function seen(core: Core, message: Message): Seen {
  const { blocks } = wireMessage(core, message);
  const shown: Block[] = Array.isArray(blocks) ? blocks : [];
  const files = message.files.flatMap((id) => core.state.files.get(id)?.name ?? []);
  const lines = [...(shown.length > 0 ? textsOf(shown) : [message.text]), ...textsOf(message.attachments), ...files];
  return {
    ...message,
    plain: lines.filter((line) => line !== '').join('\n'),
    buttons: shown.flatMap((block) =>
      elementsOf(block).flatMap((element) => (element.type === 'button' ? [labelOf({ block, element })] : [])),
    ),
  };
}

/** All texts of blocks in reading order. A rich text section is one piece. */
export function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (!isRecord(value)) return [];
  if (/^rich_text_(section|preformatted|quote)$/.test(String(value.type)) && Array.isArray(value.elements)) {
    return [value.elements.map(inlineText).join('')];
  }
  const own = ['text', 'title', 'fallback', 'pretext'].flatMap((key) => (typeof value[key] === 'string' ? [value[key]] : []));
  const nested = Object.entries(value).filter(([key]) => key !== 'confirm' && key !== 'workflow');
  return [...own, ...nested.flatMap(([, entry]) => (typeof entry === 'object' ? textsOf(entry) : []))];
}

function inlineText(element: unknown): string {
  if (!isRecord(element)) return '';
  switch (element.type) {
    case 'user':
      return `<@${element.user_id}>`;
    case 'channel':
      return `<#${element.channel_id}>`;
    case 'emoji':
      return `:${element.name}:`;
    case 'broadcast':
      return `@${element.range}`;
    case 'link':
      return String(element.text ?? element.url);
    default:
      return String(element.text ?? element.fallback ?? '');
  }
}
