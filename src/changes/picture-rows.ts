import { count } from '../delivery/units.ts';
import { isLockfile } from './lockfiles.ts';
import { onOneRow, wrapLine, wrapName } from './picture-text.ts';
import { countsOf, type Hunk, hunksOf, type PatchFile } from './read-patch.ts';

/** One line of a picture, in its order from top to bottom. Texts are untrusted, but have no line feeds and nothing hidden. */
export type Row =
  | { kind: 'title'; text: string; counts: Counts }
  /** Counts stand in the last row of a name. */
  | { kind: 'file'; text: string; counts: Counts | undefined }
  | { kind: 'place'; text: string }
  /** `number` is undefined where a line goes on in a further row. */
  | { kind: 'line'; mark: '+' | '-' | ' '; number: number | undefined; text: string }
  | { kind: 'note'; text: string };

interface Counts {
  added: number;
  removed: number;
}

export interface RowOptions {
  title: string;
  /** Of the whole change: the picture may show a part of it. */
  totals: Counts & { files: number };
  /** Characters of a line beside its number and mark. */
  columns: number;
  maxRows: number;
}

const rowsOfName = 3;
/** A hunk that shares the picture with others. */
const rowsOfHunk = 26;
/** Less of a hunk says nothing. */
const rowsWorth = 8;

/** All of the change when it fits, else its largest hunks; what is left out is counted. Deterministic. */
export function rowsOf(files: readonly PatchFile[], options: RowOptions): Row[] {
  const { title, totals, maxRows, columns } = options;
  const head: Row = { kind: 'title', text: onOneRow(title, columns - 14), counts: totals };
  const parts = files.map((file) => partOf(file, columns));
  const room = maxRows - 1;
  const whole = totals.files > files.length ? undefined : rowsWithin(parts, columns, room);
  return [head, ...(whole ?? largest(parts, options, room - 1))];
}

interface Part {
  header: Row[];
  hunks: Hunk[];
  /** The only hunk is the whole file: its place need not be told. */
  whole: boolean;
  /** What nobody reads line by line comes last. */
  dull: number;
}

function partOf(file: PatchFile, columns: number): Part {
  const whole = file.status === 'added' || file.status === 'deleted';
  const dull = isLockfile(file.path) ? 2 : file.status === 'deleted' ? 1 : 0;
  return { header: headerOf(file, columns), hunks: hunksOf(file), whole, dull };
}

/** All rows, or undefined as soon as it is clear that there are too many. */
function rowsWithin(parts: readonly Part[], columns: number, room: number): Row[] | undefined {
  const rows: Row[] = [];
  for (const { header, hunks, whole } of parts) {
    rows.push(...header);
    for (const hunk of hunks) {
      if (rows.length + hunk.lines.length > room) return undefined;
      rows.push(...rowsOfHunkIn(hunk, whole, columns, Number.POSITIVE_INFINITY));
    }
    if (rows.length > room) return undefined;
  }
  return rows;
}

function largest(parts: readonly Part[], { columns, totals }: RowOptions, room: number): Row[] {
  const all = parts.flatMap((part, file) => part.hunks.map((hunk, place) => ({ part, file, place, hunk, size: changed(hunk) })));
  const bySize = [...all].sort((a, b) => a.part.dull - b.part.dull || b.size - a.size || a.file - b.file || a.place - b.place);
  const chosen = new Map<number, Map<number, Row[]>>();
  let used = 0;
  for (const { part, file, place, hunk } of bySize) {
    const header = chosen.has(file) ? 0 : part.header.length;
    const left = room - used - header;
    if (left < Math.min(rowsWorth, hunk.lines.length + 1)) continue;
    const most = all.length === 1 ? left : Math.min(left, rowsOfHunk);
    const rows = rowsOfHunkIn(startedNear(hunk), part.whole, columns, most);
    chosen.set(file, (chosen.get(file) ?? new Map<number, Row[]>()).set(place, rows));
    used += header + rows.length;
    if (used > room - rowsWorth) break;
  }
  // Files without lines (binary, renamed, emptied) are named while there is room.
  for (const [file, { header, hunks }] of parts.entries()) {
    if (hunks.length > 0 || used + header.length > room) continue;
    chosen.set(file, new Map());
    used += header.length;
  }
  const shown = parts.flatMap(({ header }, file) => {
    const places = chosen.get(file);
    return places === undefined ? [] : [...header, ...[...places].sort(([a], [b]) => a - b).flatMap(([, rows]) => rows)];
  });
  const missing = all.filter(({ file, place }) => chosen.has(file) && chosen.get(file)?.has(place) !== true).length;
  const files = totals.files - chosen.size;
  const rest = [
    ...(files <= 0 ? [] : [count(files, 'more file')]),
    ...(missing === 0 ? [] : [`${count(missing, 'more place')} in these files`]),
  ];
  return rest.length === 0 ? shown : [...shown, { kind: 'note', text: `and ${rest.join(', ')}` }];
}

const changed = ({ lines }: Hunk) => lines.reduce((sum, { mark }) => sum + (mark === ' ' ? 0 : 1), 0);

/** The hunk from two lines before its first change on. */
function startedNear(hunk: Hunk): Hunk {
  const first = hunk.lines.findIndex(({ mark }) => mark !== ' ');
  return first <= 2 ? hunk : { ...hunk, lines: hunk.lines.slice(first - 2) };
}

function headerOf(file: PatchFile, columns: number): Row[] {
  const counts = countsOf(file);
  const names = file.from === undefined ? [file.path] : [file.from, `→ ${file.path}`];
  const rows = names.flatMap((name) => wrapName(name, columns - 6, rowsOfName));
  const told = counts !== undefined && counts.added + counts.removed > 0 ? counts : undefined;
  const header = rows.map((text, at): Row => ({ kind: 'file', text, counts: at === rows.length - 1 ? told : undefined }));
  const note = noteOf(file);
  return note === '' ? header : [...header, { kind: 'place', text: note }];
}

const statusWords = {
  added: 'new file',
  deleted: 'deleted',
  renamed: 'renamed',
  copied: 'copied',
  type_changed: 'another kind of file',
  modified: '',
} as const;

function noteOf({ status, modes: { before, after }, binary, body }: PatchFile): string {
  const mode = before !== undefined && after !== undefined && before !== after ? `mode ${before} → ${after}` : '';
  const empty = (status === 'added' || status === 'deleted') && body === '' && !binary ? 'empty' : '';
  return [statusWords[status], binary ? 'binary' : '', empty, mode].filter((text) => text !== '').join(' · ');
}

/** At most `most` rows: then the last one tells how many lines there are more. */
function rowsOfHunkIn(hunk: Hunk, whole: boolean, columns: number, most: number): Row[] {
  const first = hunk.lines.find(({ after }) => after !== undefined)?.after ?? hunk.after.start;
  const heading = hunk.heading === '' ? '' : `  ${hunk.heading}`;
  const rows: Row[] = whole ? [] : [{ kind: 'place', text: onOneRow(`line ${Math.max(1, first)}${heading}`, columns) }];
  const crlf = hunk.lines.every(({ text }) => text.endsWith('\r'));
  for (const [at, line] of hunk.lines.entries()) {
    const pieces = wrapLine(crlf ? line.text.slice(0, -1) : line.text, columns);
    const further = pieces.length + (line.unended ? 1 : 0);
    const isLast = at === hunk.lines.length - 1;
    if (rows.length + further > most - (isLast ? 0 : 1)) {
      return [...rows, { kind: 'note', text: `${count(hunk.lines.length - at, 'more line')} here` }];
    }
    for (const [piece, text] of pieces.entries()) {
      rows.push({ kind: 'line', mark: line.mark, number: piece === 0 ? (line.after ?? line.before) : undefined, text });
    }
    if (line.unended) rows.push({ kind: 'note', text: 'no line feed at the end of the file' });
  }
  return rows;
}
