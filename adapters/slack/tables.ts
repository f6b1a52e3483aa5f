import type { TableBlock } from '@slack/types';
import type { Block } from '../../src/contracts/view.ts';
import { printable } from './slack-text.ts';

type Table = Extract<Block, { type: 'table' }>;

const maxRows = 100;
const maxColumns = 20;
/** A cell costs about 30 characters beside its text, so that only a small table is worth a block of its own. */
const maxJson = 6000;

/** A native table, which scrolls on phones; `undefined` when Slack would refuse it. Only one is allowed in a message. */
export function tableBlock(table: Table): TableBlock | undefined {
  const lines = linesOf(table);
  const columns = table.columns.length;
  if (lines.length === 0 || lines.length > maxRows || columns === 0 || columns > maxColumns) return undefined;
  const block: TableBlock = {
    type: 'table',
    // A raw text cell is shown as it is; it may not be empty.
    rows: lines.map((line) => line.map((cell) => ({ type: 'raw_text', text: cell === '' ? ' ' : cell }))),
    column_settings: table.columns.map(({ align }) => ({ align, is_wrapped: true })),
  };
  return JSON.stringify(block).length <= maxJson ? block : undefined;
}

/** The table in columns of characters, for a monospaced block. */
export function tableLines(table: Table): string {
  const lines = linesOf(table).map((line) => line.map((cell) => cell.replaceAll('\n', ' ')));
  const widths = table.columns.map((_, column) => Math.max(0, ...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return table.columns[column]?.align === 'right' ? cell.padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Header (unless nothing is in it) and rows, each with exactly as many cells as there are columns. */
function linesOf(table: Table): string[][] {
  const header = table.columns.map((column) => column.header);
  const all = header.every((name) => name === '') ? table.rows : [header, ...table.rows];
  return all.map((row) => table.columns.map((_, column) => printable(row[column] ?? '')));
}
