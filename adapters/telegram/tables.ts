import type { Block } from '../../src/contracts/view.ts';
import { printable } from './telegram-text.ts';

/** The table in columns of characters, for a monospaced block. */
export function tableLines(table: Extract<Block, { type: 'table' }>): string {
  const header = table.columns.map((column) => column.header);
  const rows = header.every((name) => name === '') ? table.rows : [header, ...table.rows];
  const lines = rows.map((row) => table.columns.map((_, column) => printable(row[column] ?? '').replaceAll('\n', ' ')));
  const widths = table.columns.map((_, column) => Math.max(0, ...lines.map((line) => width(line[column] ?? ''))));
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const space = ' '.repeat((widths[column] ?? 0) - width(cell));
          return table.columns[column]?.align === 'right' ? space + cell : cell + space;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Characters as a reader counts them. */
function width(text: string): number {
  return [...graphemes.segment(text)].length;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
