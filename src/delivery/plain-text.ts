import { stepMarks } from '../contracts/spans.ts';
import type { Block, Span } from '../contracts/view.ts';

/** What a span says, without its looks. */
export function spanText(span: Span): string {
  if (span.type === 'person') return span.name;
  if (span.type === 'link') return span.text === span.url ? span.url : `${span.text} (${span.url})`;
  return span.text;
}

export function spansText(spans: readonly Span[]): string {
  return spans.map(spanText).join('');
}

/** What a block says as plain lines; '' for what only looks (a divider) or only acts (buttons, a select). */
export function plainText(block: Block): string {
  switch (block.type) {
    case 'title':
      return block.state === undefined ? spansText(block.spans) : `${spansText(block.spans)} · ${block.state.text}`;
    case 'text':
    case 'context':
      return spansText(block.spans);
    case 'code':
      return block.text;
    case 'steps':
      return block.items.map(stepLine).join('\n');
    case 'fields':
      return block.items.map(({ label, spans }) => `${label}: ${spansText(spans)}`).join('\n');
    case 'table':
      return tableText(block);
    case 'buttons':
    case 'select':
    case 'divider':
      return '';
  }
}

export function stepLine(step: { state: keyof typeof stepMarks; text: string }): string {
  return `${stepMarks[step.state]} ${step.text}`;
}

/** A table in columns of characters, for a monospaced block. */
export function tableText(table: Extract<Block, { type: 'table' }>): string {
  const lines = [table.columns.map(({ header }) => header), ...table.rows].map((row) =>
    row.map((cell) => cell.replaceAll('\n', ' ')),
  );
  const widths = table.columns.map((_, column) => Math.max(...lines.map((row) => width(row[column] ?? ''))));
  const shown = table.columns.every(({ header }) => header === '') ? lines.slice(1) : lines;
  return shown
    .map((row) =>
      table.columns
        .map(({ align }, column) => {
          const cell = row[column] ?? '';
          const gap = ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell)));
          return align === 'right' ? gap + cell : cell + gap;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Characters as a reader counts them: what is one grapheme takes one column. */
function width(text: string): number {
  let count = 0;
  for (const _ of graphemes.segment(text)) count += 1;
  return count;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
