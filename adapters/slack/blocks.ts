import type { KnownBlock, RichTextBlockElement, RichTextElement } from '@slack/types';
import { markedState, stepMarks, strong } from '../../src/contracts/spans.ts';
import type { Block, Span } from '../../src/contracts/view.ts';
import { buttonBlocks, selectBlock } from './controls.ts';
import { bareElements, plainElements, richElements, text } from './rich-text.ts';
import { smallPrint } from './small-print.ts';
import { tableBlock, tableLines } from './tables.ts';

export type Surface = 'message' | 'home';

/** A view's blocks as Block Kit, one Slack block each where nothing speaks against it. */
export function richBlocks(blocks: readonly Block[], surface: Surface): KnownBlock[] {
  const result: KnownBlock[] = [];
  let tables = 0;
  for (const [index, block] of blocks.entries()) {
    if (block.type === 'context') {
      const small = smallPrint(block.spans);
      if (small !== undefined) {
        result.push(small);
        continue;
      }
    }
    if (block.type === 'table' && surface === 'message' && tables === 0) {
      const native = tableBlock(block);
      if (native !== undefined) {
        tables += 1;
        result.push(native);
        continue;
      }
    }
    result.push(...(controls(block, index, true) ?? richTextOf([block], richElements)));
  }
  return result;
}

/**
 * The same content in fewer characters of JSON: neighbouring texts share a block, tables become monospaced text. Level 1 keeps
 * styles, links and dates; level 2 keeps mentions only; level 3 is nothing but text and buttons.
 */
export function compactBlocks(blocks: readonly Block[], level: 1 | 2 | 3): KnownBlock[] {
  const elements = level === 1 ? richElements : level === 2 ? plainElements : bareElements;
  const result: KnownBlock[] = [];
  let texts: Block[] = [];
  for (const [index, block] of blocks.entries()) {
    const acting = controls(block, index, level < 3);
    if (acting === undefined) {
      texts.push(block);
      continue;
    }
    result.push(...richTextOf(texts, elements), ...acting);
    texts = [];
  }
  return [...result, ...richTextOf(texts, elements)];
}

/** What can be pressed, and dividers; `undefined` for what is text. */
function controls(block: Block, index: number, confirms: boolean): KnownBlock[] | undefined {
  if (block.type === 'buttons') return buttonBlocks(block.buttons, index, confirms);
  if (block.type === 'select') return selectBlock(block);
  return block.type === 'divider' ? [{ type: 'divider' }] : undefined;
}

/** Texts as one `rich_text` block, one below the other; nothing when there is nothing to show. */
function richTextOf(blocks: readonly Block[], elements: (spans: readonly Span[]) => RichTextElement[]): KnownBlock[] {
  const parts: RichTextBlockElement[] = [];
  for (const block of blocks) {
    if (block.type === 'code' || block.type === 'table') {
      const content = text(block.type === 'code' ? block.text : tableLines(block));
      if (content.length > 0) parts.push({ type: 'rich_text_preformatted', elements: content });
      continue;
    }
    const content = elements(spansOf(block));
    if (content.length === 0) continue;
    const last = parts.at(-1);
    if (last?.type === 'rich_text_section') last.elements.push(...text('\n'), ...content);
    else parts.push({ type: 'rich_text_section', elements: content });
  }
  return parts.length === 0 ? [] : [{ type: 'rich_text', elements: parts }];
}

/** The text of a block as spans, lines separated by newlines. */
function spansOf(block: Block): Span[] {
  switch (block.type) {
    case 'title':
      return [...block.spans.map(strong), ...stateSpans(block)];
    case 'text':
    case 'context':
      return [...block.spans];
    case 'steps':
      return lines(block.items.map(({ state, text: label }) => [{ type: 'text', text: `${stepMarks[state]} ${label}` }]));
    case 'fields':
      return lines(block.items.map(({ label, spans }) => [strong({ type: 'text', text: `${label}: ` }), ...spans]));
    default:
      return [];
  }
}

function lines(rows: readonly (readonly Span[])[]): Span[] {
  return rows.flatMap((row, index): Span[] => (index === 0 ? [...row] : [{ type: 'text', text: '\n' }, ...row]));
}

function stateSpans(block: Extract<Block, { type: 'title' }>): Span[] {
  const state = markedState(block);
  return state === undefined ? [] : [{ type: 'text', text: `   ${state}` }];
}
