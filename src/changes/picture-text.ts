import { revealHidden } from '../approvals/hidden-characters.ts';
import { count } from '../delivery/units.ts';

/** A line that takes more rows is broken off, with the number of characters left out. */
const rowsOfLine = 4;
const tabWidth = 4;

/** A line of code in rows of so many columns. */
export function wrapLine(text: string, columns: number): string[] {
  // What would not be shown anyway is not looked at.
  const looked = text.slice(0, columns * rowsOfLine * 4);
  const seen = columnsOf(looked);
  const rows: string[] = [];
  let at = 0;
  while (at < seen.length && rows.length < rowsOfLine) {
    const end = seen.length - at <= columns ? seen.length : breakAt(seen, at, columns);
    rows.push(seen.slice(at, end).join(''));
    at = end;
  }
  if (at === seen.length && looked === text) return rows.length === 0 ? [''] : rows;
  const more = `… ${count(seen.length - at + text.length - looked.length, 'more character')}`;
  return [
    ...rows.slice(0, -1),
    `${columnsOf(rows.at(-1) ?? '')
      .slice(0, columns - more.length - 1)
      .join('')} ${more}`,
  ];
}

/** Where a row ends that is too long: behind a space when there is one towards its end. */
function breakAt(seen: readonly string[], from: number, columns: number): number {
  const space = seen.lastIndexOf(' ', from + columns - 1);
  return space - from > columns / 2 ? space + 1 : from + columns;
}

/** A name in rows; of one that is too long the beginning is left out, for its end names the file. */
export function wrapName(name: string, columns: number, most: number): string[] {
  const all = columnsOf(name);
  const kept = all.length > columns * most ? ['…', ...all.slice(1 - columns * most)] : all;
  const rows: string[] = [];
  for (let at = 0; at < kept.length; at += columns) rows.push(kept.slice(at, at + columns).join(''));
  return rows;
}

/** The beginning of a text that stands in full elsewhere. */
export function onOneRow(text: string, columns: number): string {
  const all = columnsOf(text.slice(0, columns * 8));
  return all.length <= columns ? all.join('') : `${all.slice(0, columns - 1).join('')}…`;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** What takes one column each: tabs are spaces, and what nobody would see is written out. */
function columnsOf(text: string): string[] {
  const seen = revealHidden(text.toWellFormed()).replaceAll('\n', '⏎');
  const all: string[] = [];
  for (const { segment } of graphemes.segment(seen)) {
    if (segment === '\t') all.push(...' '.repeat(tabWidth - (all.length % tabWidth)));
    else all.push(segment);
  }
  return all;
}
