import type { Block } from '../../src/contracts/view.ts';

type Table = Extract<Block, { type: 'table' }>;

/** The table in columns of characters, for a monospaced block: Discord's markdown has no tables. */
export function tableLines(table: Table): string {
  const header = table.columns.map((column) => column.header);
  const all = header.every((name) => name === '') ? table.rows : [header, ...table.rows];
  const lines = all.map((row) => table.columns.map((_, column) => (row[column] ?? '').replaceAll('\n', ' ')));
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
