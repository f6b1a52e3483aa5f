import { joined, markedState, percent, stepMarks, strong } from '../../src/contracts/spans.ts';
import type { Block, Span } from '../../src/contracts/view.ts';
import { escapeMarkdown, isSnowflake, printable } from './discord-text.ts';
import { tableLines } from './tables.ts';

/** How much of the looks is kept: all, all but small print, or nothing but mentions. */
export type Dress = 'full' | 'plain' | 'bare';

const marks = { bold: '**', italic: '*', strike: '~~' } as const;

/** The text of a block in Discord's markdown; `undefined` for what is no text, '' when there is nothing to show. */
export function blockMarkdown(block: Block, dress: Dress): string | undefined {
  switch (block.type) {
    case 'title': {
      const state = markedState(block);
      return `${spansMarkdown(block.spans.map(strong), dress)}${state === undefined ? '' : `   ${escaped(state)}`}`;
    }
    case 'text':
      return spansMarkdown(block.spans, dress);
    case 'context': {
      const text = spansMarkdown(block.spans, dress);
      return dress === 'full' && text.trim() !== '' ? text.replace(/^(?=.*\S)/gm, '-# ') : text;
    }
    case 'code':
      return fenced(block.text, block.language);
    case 'table':
      return fenced(tableLines(block), undefined);
    case 'steps':
      return block.items.map(({ state, text }) => `${stepMarks[state]} ${escaped(text)}`).join('\n');
    case 'fields':
      return block.items
        .map(({ label, spans }) => spansMarkdown([strong({ type: 'text', text: `${label}:` }), space, ...spans], dress))
        .join('\n');
    default:
      return undefined;
  }
}

const space: Span = { type: 'text', text: ' ' };

/** People whom the blocks notify: nobody else may be, whatever a text says. */
export function mentioned(blocks: readonly Block[]): string[] {
  const spans = blocks.flatMap((block) =>
    block.type === 'fields' ? block.items.flatMap((item) => item.spans) : 'spans' in block ? block.spans : [],
  );
  return [...new Set(spans.flatMap((span) => (isMention(span) ? [span.user] : [])))];
}

export function spansMarkdown(spans: readonly Span[], dress: Dress): string {
  let text = '';
  let closing = '';
  for (const span of joined(spans)) {
    const { body, mark } = spanMarkdown(span, dress);
    // `**a***b*` reads as something else: of two styles that touch, the second gives way.
    const touches = closing !== '' && mark !== '';
    text += touches && span.type === 'text' ? escaped(span.text) : body;
    closing = touches ? '' : mark;
  }
  return text;
}

/** `mark`: the style mark that the text ends with. */
function spanMarkdown(span: Span, dress: Dress): { body: string; mark: string } {
  if (isMention(span)) return { body: `<@${span.user}>`, mark: '' };
  if (span.type === 'text') return dress === 'bare' ? { body: escaped(span.text), mark: '' } : styled(span);
  if (span.type === 'person') return { body: escaped(span.name), mark: '' };
  if (dress !== 'bare' && span.type === 'time') {
    return { body: `<t:${Math.floor(Date.parse(span.at) / 1000)}:${span.exact === true ? 'f' : 'R'}>`, mark: '' };
  }
  if (dress !== 'bare' && span.type === 'link') return { body: linkMarkdown(span), mark: '' };
  return { body: escaped(span.text), mark: '' };
}

function styled({ text, style = [] }: Extract<Span, { type: 'text' }>): { body: string; mark: string } {
  const [, before = '', core = '', after = ''] = /^(\s*)([\s\S]*?)(\s*)$/.exec(printable(text)) ?? [];
  if (core === '' || style.length === 0) return { body: escaped(text), mark: '' };
  const outer = (['bold', 'italic', 'strike'] as const).filter((name) => style.includes(name)).map((name) => marks[name]);
  // Nothing can be escaped within inline code, so that what holds its mark is shown as text.
  const isCode = style.includes('code') && !/[`\n]/.test(core) && !core.endsWith('\\');
  const body = `${outer.join('')}${isCode ? `\`${core}\`` : escapeMarkdown(core)}${outer.toReversed().join('')}`;
  return { body: `${before}${body}${after}`, mark: after === '' ? (outer.at(0) ?? (isCode ? '`' : '')) : '' };
}

/** Angle brackets keep Discord from showing a preview. */
function linkMarkdown({ url, text }: Extract<Span, { type: 'link' }>): string {
  if (!/^https?:\/\//i.test(url)) return escaped(text);
  const address = url.replace(/[<>\s\\()[\]]/g, percent);
  const words = printable(text).replaceAll('\n', ' ').trim();
  if (words === '' || words === url) return `<${address}>`;
  // Discord takes no link whose words look like an address.
  return /:\/\//.test(words) ? `${escapeMarkdown(words)} (<${address}>)` : `[${escapeLabel(words)}](<${address}>)`;
}

function escapeLabel(words: string): string {
  return escapeMarkdown(words).replace(/[\]()]/g, '\\$&');
}

/** A block of code. One that holds a fence itself is shown as text: it could end the block. */
function fenced(content: string, language: string | undefined): string {
  const shown = printable(content).replace(/^\n+|\s+$/g, '');
  if (shown === '') return '';
  if (shown.includes('```') || shown.startsWith('`') || shown.endsWith('`')) return escapeMarkdown(shown);
  return `\`\`\`${/^[a-z0-9+#-]{1,20}$/.test(language ?? '') ? language : ''}\n${shown}\n\`\`\``;
}

function isMention(span: Span): span is Extract<Span, { type: 'person' }> & { user: string } {
  return span.type === 'person' && span.notify && isSnowflake(span.user);
}

function escaped(text: string): string {
  return escapeMarkdown(printable(text));
}
