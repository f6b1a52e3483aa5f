import { markedState, stepMarks, strong } from '../../src/contracts/spans.ts';
import type { Block, Span } from '../../src/contracts/view.ts';
import type { Mark, Piece } from './entities.ts';
import { tableLines } from './tables.ts';

type Of<T extends Block['type']> = Extract<Block, { type: T }>;

const rule = '──────────';
const bold: Mark = { type: 'bold' };

/**
 * What a view's blocks say, in one text. Buttons and selects stand below it: see `keyboard.ts`.
 *
 * Rich messages (`sendRichMessage`, Bot API 10.1) would show tables and headings as such, but they have nothing to fall back on: Telegram
 * takes them for every chat, and clients that do not know them (Telegram Web, older and other apps) show an empty bubble or "This message
 * is not supported" instead, of which the bot learns nothing. A card that some cannot read serves worse than one in marks that all show.
 */
export function piecesOf(blocks: readonly Block[]): Piece[] {
  const result: Piece[] = [];
  let before: Block | undefined;
  for (const block of blocks) {
    const pieces = blockPieces(block);
    if (pieces.every(({ text }) => text === '')) continue;
    if (before !== undefined) result.push(plain(gap(before, block)));
    result.push(...pieces);
    before = block;
  }
  return result;
}

/** Small print stands close to its title, paragraphs apart; Telegram itself sets monospaced text apart. */
function gap(before: Block, block: Block): string {
  if (before.type === 'title' || before.type === 'divider' || block.type === 'divider') return '\n';
  return before.type === 'text' && block.type === 'text' ? '\n\n' : '\n';
}

function blockPieces(block: Block): Piece[] {
  switch (block.type) {
    case 'title':
      return [...block.spans.map(strong).flatMap(spanPieces), ...statePieces(block)];
    case 'text':
    case 'context':
      return block.spans.flatMap(spanPieces);
    case 'code':
      return [{ text: block.text, marks: [{ type: 'pre', language: languageOf(block.language) }] }];
    case 'steps':
      return [plain(block.items.map(({ state, text }) => `${stepMarks[state]} ${text}`).join('\n'))];
    case 'fields':
      return block.items.flatMap(({ label, spans }, at) => [
        ...(at === 0 ? [] : [plain('\n')]),
        { text: `${label}:`, marks: [bold] },
        plain(' '),
        ...spans.flatMap(spanPieces),
      ]);
    case 'table':
      return [{ text: tableLines(block), marks: [{ type: 'pre' }] }];
    case 'divider':
      return [plain(rule)];
    case 'buttons':
    case 'select':
      return [];
  }
}

function plain(text: string): Piece {
  return { text, marks: [] };
}

function statePieces(block: Of<'title'>): Piece[] {
  const state = markedState(block);
  return state === undefined ? [] : [plain(`   ${state}`)];
}

function spanPieces(span: Span): Piece[] {
  switch (span.type) {
    case 'text':
      return [{ text: span.text, marks: styleMarks(span.style ?? []) }];
    case 'link':
      return [linkPiece(span)];
    case 'person': {
      const user = userId(span.user);
      const notified = span.notify && user !== undefined;
      return [{ text: span.name, marks: notified ? [{ type: 'text_mention', user, name: span.name }] : [] }];
    }
    case 'time':
      return [{ text: span.text, marks: [{ type: 'date_time', unix: Math.floor(Date.parse(span.at) / 1000) }] }];
  }
}

/** Telegram allows no other style inside `code`. */
function styleMarks(styles: readonly NonNullable<Extract<Span, { type: 'text' }>['style']>[number][]): Mark[] {
  if (styles.includes('code')) return [{ type: 'code' }];
  return styles.map((style): Mark => ({ type: style === 'strike' ? 'strikethrough' : style === 'italic' ? 'italic' : 'bold' }));
}

/** Telegram refuses links to hosts without a dot, `localhost` among them: such an address is shown beside its label. */
function linkPiece({ url, text }: Extract<Span, { type: 'link' }>): Piece {
  const label = text === '' ? url : text;
  if (isLinkable(url)) return { text: label, marks: [{ type: 'text_link', url }] };
  return plain(label === url ? url : `${label} (${url})`);
}

function isLinkable(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return (protocol === 'http:' || protocol === 'https:') && /[.\]]/.test(hostname);
}

/** Account ids of people. Groups have negative ones and are never mentioned. */
export function userId(id: string | undefined): number | undefined {
  return id !== undefined && /^[1-9]\d{0,15}$/.test(id) ? Number(id) : undefined;
}

function languageOf(language: string | undefined): string | undefined {
  return language !== undefined && /^[A-Za-z0-9+#._-]{1,32}$/.test(language) ? language : undefined;
}
