import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import { joined, markedState, percent, stepMarks, strong } from '../../src/contracts/spans.ts';
import type { Block, Span, View } from '../../src/contracts/view.ts';
import { maxComment } from './talk-capabilities.ts';
import { escapeMarkdown, fenced, inlineCode, joiner, keepIndents, printable } from './talk-escape.ts';

/** The login of a person who is mentioned, by account id; what is not in it is shown as a name. */
export type Logins = ReadonlyMap<string, string>;

const marks = { bold: '**', italic: '*', strike: '~~' } as const;

/** The body of a comment: the view, and its key where nobody sees it. Throws `rejected` for one that GitHub would not take. */
export function commentBody(view: View, key: string | undefined, logins: Logins): string {
  const parts = view.blocks.map((block) => blockMarkdown(block, logins)).filter((part) => part.trim() !== '');
  const text = parts.length === 0 ? keepIndents(escapeMarkdown(view.fallback)) : parts.join('\n\n');
  const body = key === undefined ? text : `${text}\n\n${keyMark(key)}`;
  if (body.length <= maxComment) return body;
  const detail = `the comment has ${body.length} characters, GitHub takes ${maxComment}`;
  throw new DeliveryError({ kind: 'rejected', detail });
}

/** The last line of an own comment, which GitHub does not show. */
export function keyMark(key: string): string {
  return `<!-- deckhand:${encodeURIComponent(key).replace(/[^\w%.]/g, percent)} -->`;
}

/** The key of an own comment. Nothing that is shown can look like it: `<` is escaped there. */
export function keyOf(body: string): string | undefined {
  const coded = /(?:^|\n)<!-- deckhand:([\w%.]*) -->\s*$/.exec(body)?.[1];
  try {
    return coded === undefined ? undefined : decodeURIComponent(coded);
  } catch {
    return undefined;
  }
}

/** Accounts that a view mentions. */
export function mentioned(view: View): string[] {
  const spans = view.blocks.flatMap((block) =>
    block.type === 'fields' ? block.items.flatMap((item) => item.spans) : 'spans' in block ? block.spans : [],
  );
  return [...new Set(spans.flatMap((span) => (span.type === 'person' && span.notify && span.user ? [span.user] : [])))];
}

function blockMarkdown(block: Block, logins: Logins): string {
  switch (block.type) {
    case 'title': {
      const state = markedState(block);
      return `${spansMarkdown(block.spans.map(strong), logins)}${state === undefined ? '' : ` · ${escapeMarkdown(state)}`}`;
    }
    case 'text':
    case 'context':
      return spansMarkdown(block.spans, logins);
    case 'code':
      return fenced(block.text, block.language);
    case 'table':
      return tableMarkdown(block);
    case 'steps':
      return keepIndents(block.items.map(({ state, text }) => `${stepMarks[state]} ${escapeMarkdown(text)}`).join('\n'));
    case 'fields':
      return block.items
        .map(({ label, spans }) => spansMarkdown([strong({ type: 'text', text: `${label}:` }), space, ...spans], logins))
        .join('\n');
    case 'divider':
      return '---';
    case 'buttons':
    case 'select':
      return '';
  }
}

const space: Span = { type: 'text', text: ' ' };

function spansMarkdown(spans: readonly Span[], logins: Logins): string {
  let text = '';
  for (const span of joined(spans)) {
    const { before, core, after } = spanMarkdown(span, logins);
    // What touches would be read together: two marks, the `@` of one text and the name of the next, the halves of an address.
    const touches = before === '' && /\S$/.test(text) && /^\S/.test(core);
    text += `${touches ? joiner : ''}${before}${core}${after}`;
  }
  return keepIndents(text);
}

interface Piece {
  before: string;
  core: string;
  after: string;
}

const bare = (core: string): Piece => ({ before: '', core, after: '' });

function spanMarkdown(span: Span, logins: Logins): Piece {
  switch (span.type) {
    case 'text':
      return styled(span);
    case 'link':
      return bare(linkMarkdown(span));
    case 'person': {
      const login = span.notify && span.user !== undefined ? logins.get(span.user) : undefined;
      return bare(login === undefined ? escapeMarkdown(span.name) : `@${login}`);
    }
    case 'time':
      return bare(escapeMarkdown(span.text));
  }
}

/** White space stays outside of the marks. Within them, the joiner makes them marks whatever stands next to them. */
function styled({ text, style = [] }: Extract<Span, { type: 'text' }>): Piece {
  const [, before = '', inside = '', after = ''] = /^(\s*)([\s\S]*?)(\s*)$/.exec(printable(text)) ?? [];
  const code = style.includes('code') ? inlineCode(inside) : undefined;
  const outer = (['bold', 'italic', 'strike'] as const).filter((name) => style.includes(name)).map((name) => marks[name]);
  // An empty line ends a paragraph, and a mark with it.
  const isMarked = inside !== '' && (outer.length > 0 || code !== undefined) && !/\n\s*\n/.test(inside);
  if (!isMarked) return bare(escapeMarkdown(text));
  const core = code ?? escapeMarkdown(inside);
  if (outer.length === 0) return { before, core, after };
  return { before, core: `${outer.join('')}${joiner}${core}${joiner}${outer.toReversed().join('')}`, after };
}

function linkMarkdown({ url, text }: Extract<Span, { type: 'link' }>): string {
  if (!/^https?:\/\//i.test(url)) return escapeMarkdown(text);
  const words = escapeMarkdown(text.replace(/\s+/g, ' ').trim() || url);
  return `[${words}](<${url.replace(/[<>\s\\]/g, percent)}>)`;
}

function tableMarkdown({ columns, rows }: Extract<Block, { type: 'table' }>): string {
  const cell = (text: string) => escapeMarkdown(text.replace(/\s+/g, ' ').trim());
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ header }) => cell(header))),
    line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map((_, at) => cell(row[at] ?? '')))),
  ].join('\n');
}
