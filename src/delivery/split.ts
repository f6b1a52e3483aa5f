import type { Span } from '../contracts/view.ts';
import type { Measure } from './measure.ts';
import { spanText } from './plain-text.ts';

/** Where a text may be cut: prose at paragraphs, lines and words; code at line ends, else within the line. */
export type TextKind = 'prose' | 'code';

/**
 * Cuts a text into pieces no longer than `limit`; put together again they are the text, character by character. A cut never falls into
 * a grapheme (unless one grapheme alone is longer than the limit) and never into a surrogate pair.
 */
export function splitText(text: string, limit: number, measure: Measure, kind: TextKind): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (measure.fill(rest, limit) < rest.length) {
    const at = softCut(rest, limit, measure, kind) ?? hardCut(rest, limit, measure);
    pieces.push(rest.slice(0, at));
    rest = rest.slice(at);
  }
  if (rest !== '' || pieces.length === 0) pieces.push(rest);
  return pieces;
}

/** Spans cut the same way. Only text spans are cut; a person, time or link longer than the limit becomes text first. */
export function splitSpans(spans: readonly Span[], limit: number, measure: Measure): Span[][] {
  const pieces: Span[][] = [];
  let piece: Span[] = [];
  let used = 0;

  function close(): void {
    pieces.push(piece);
    piece = [];
    used = 0;
  }

  function add(span: Span): void {
    piece.push(span);
    used += measure.span(span);
  }

  for (const span of spans) {
    if (used + measure.span(span) <= limit) {
      add(span);
      continue;
    }
    if (span.type !== 'text' && measure.span(span) <= limit) {
      close();
      add(span);
      continue;
    }
    const styled: Extract<Span, { type: 'text' }> = span.type === 'text' ? span : { type: 'text', text: spanText(span) };
    const markup = measure.span({ ...styled, text: '' });
    let rest = styled.text;
    while (measure.fill(rest, limit - used - markup) < rest.length) {
      const room = limit - used - markup;
      const at = softCut(rest, room, measure, 'prose') ?? (used === 0 ? hardCut(rest, room, measure) : 0);
      if (at > 0) add({ ...styled, text: rest.slice(0, at) });
      rest = rest.slice(at);
      close();
    }
    if (rest !== '') add({ ...styled, text: rest });
  }
  if (piece.length > 0 || pieces.length === 0) close();
  return pieces;
}

/** The best place to cut before the limit, after its white space; undefined when there is none worth taking. */
function softCut(text: string, limit: number, measure: Measure, kind: TextKind): number | undefined {
  const end = measure.fill(text, limit);
  if (end === 0) return undefined;
  const head = text.slice(0, end);
  const line = head.lastIndexOf('\n') + 1;
  if (kind === 'code') return line > 0 ? line : undefined;
  const paragraph = head.lastIndexOf('\n\n') + 2;
  if (paragraph > 1 && paragraph >= end / 2) return paragraph;
  if (line > 0 && line >= end / 3) return line;
  const word = lastSpace(head) + 1;
  if (word > 0 && word >= end / 5) return word;
  return line > 0 ? line : undefined;
}

function lastSpace(text: string): number {
  for (let at = text.length - 1; at >= 0; at -= 1) {
    const character = text.charAt(at);
    if (character === ' ' || character === '\t' || character === '\n') return at;
  }
  return -1;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** How far beyond the cut a grapheme is looked at. */
const lookahead = 64;

function hardCut(text: string, limit: number, measure: Measure): number {
  const first = text.codePointAt(0);
  const least = first === undefined ? 0 : String.fromCodePoint(first).length;
  const end = Math.max(measure.fill(text, limit), least);
  if (end >= text.length) return text.length;
  const start = graphemes.segment(text.slice(0, end + lookahead)).containing(end)?.index;
  return start === undefined || start === 0 ? end : start;
}
