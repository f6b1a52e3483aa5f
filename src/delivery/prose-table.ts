import type { Block } from '../contracts/view.ts';
import { spansText } from './plain-text.ts';
import { proseLine } from './prose-spans.ts';

type Table = Extract<Block, { type: 'table' }>;

/** What a platform can still lay out; a wider one stays as it is written. */
const mostColumns = 20;

/**
 * The table that begins with these lines, and how many of them it takes: a header, a line of dashes with as many columns, rows. Undefined:
 * none begins here. Cells are text alone. What a row has beyond the header stays in its last cell.
 */
export function tableAt(lines: readonly string[]): { table: Table; taken: number } | undefined {
  const [first = '', second = ''] = lines;
  if (!first.includes('|') || !/^[ \t:|-]+$/.test(second)) return undefined;
  const [header, rulers] = [cellsOf(first), cellsOf(second)];
  if (!rulers.every((ruler) => /^:?-+:?$/.test(ruler))) return undefined;
  if (header.length !== rulers.length || header.length > mostColumns || (header.length < 2 && !second.includes('|')))
    return undefined;
  const rows: string[][] = [];
  for (const line of lines.slice(2)) {
    if (line.trim() === '' || !line.includes('|')) break;
    rows.push(rowOf(cellsOf(line), header.length));
  }
  const columns = header.map((name, at) => ({
    header: textOf(name),
    align: /^[^:].*:$/.test(rulers[at] ?? '') ? ('right' as const) : ('left' as const),
  }));
  return { table: { type: 'table', columns, rows }, taken: 2 + rows.length };
}

function rowOf(cells: readonly string[], columns: number): string[] {
  const kept = cells.slice(0, columns - 1);
  const last = cells.slice(columns - 1).join(' | ');
  return Array.from({ length: columns }, (_, at) => textOf(at === columns - 1 ? last : (kept[at] ?? '')));
}

/** Between bars, but not those that are escaped. */
function cellsOf(line: string): string[] {
  const inner = line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.replaceAll('\\|', '|').trim());
}

function textOf(cell: string): string {
  return spansText(proseLine(cell.replaceAll(/<br ?\/?>/gi, ' ')));
}
