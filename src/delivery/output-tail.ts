import type { OutputStream } from '../contracts/run-event.ts';
import { readTerminal, type TerminalState, terminalStart } from './terminal.ts';

/** The last lines of a run's output as a terminal would show them, bounded however long the output is. */
export interface OutputTail {
  /** Finished lines, oldest first, at most `keptLines`. */
  lines: readonly TailLine[];
  /** Lines finished so far, the forgotten ones included. */
  count: number;
  open: Record<OutputStream, OpenLine>;
}

export interface TailLine {
  stream: OutputStream;
  text: string;
  /** The line is longer than what is kept of it. */
  more: boolean;
}

/** The line a stream is writing, and where in it: a carriage return goes back to its start, as progress bars do. */
interface OpenLine {
  cells: string;
  column: number;
  more: boolean;
  terminal: TerminalState;
  /** Half of a surrogate pair whose other half is in the next piece. */
  half: string;
}

export const keptLines = 60;
export const keptColumns = 300;

const fresh: OpenLine = { cells: '', column: 0, more: false, terminal: terminalStart, half: '' };
export const emptyTail: OutputTail = { lines: [], count: 0, open: { stdout: fresh, stderr: fresh } };

/** Adds a piece of output. How the output was cut into pieces makes no difference. */
export function addOutput(tail: OutputTail, stream: OutputStream, piece: string): OutputTail {
  const open = tail.open[stream];
  let input = open.half + piece;
  let half = '';
  if (/[\ud800-\udbff]$/.test(input)) {
    half = input.slice(-1);
    input = input.slice(0, -1);
  }
  const lines = [...tail.lines];
  let count = tail.count;
  let cells = [...open.cells];
  let { column, more } = open;

  const terminal = readTerminal(open.terminal, input.toWellFormed(), {
    text(run) {
      for (const character of run) {
        if (column < keptColumns) {
          while (cells.length < column) cells.push(' ');
          cells[column] = character;
        } else more = true;
        column += 1;
      }
    },
    control(character) {
      if (character === '\r') column = 0;
      else if (character === '\b') column = Math.max(0, column - 1);
      else {
        lines.push({ stream, text: cells.join('').trimEnd(), more });
        if (lines.length > keptLines) lines.shift();
        count += 1;
        cells = [];
        column = 0;
        more = false;
      }
    },
    sequence(params, final) {
      if (final !== 'K') return;
      if (params === '' || params === '0') {
        cells.length = Math.min(cells.length, column);
        more = more && column > keptColumns;
      } else if (params === '2') {
        cells = [];
        more = false;
      }
    },
  });
  return { lines, count, open: { ...tail.open, [stream]: { cells: cells.join(''), column, more, terminal, half } } };
}

/**
 * The last `max` lines that say something, unfinished ones last, in at most `length` characters (but always one line). `hidden`: how many
 * lines of the output came before them.
 */
export function lastLines(tail: OutputTail, max: number, length = Number.POSITIVE_INFINITY): { lines: string[]; hidden: number } {
  const unfinished: TailLine[] = (['stdout', 'stderr'] as const)
    .map((stream) => ({ stream, text: tail.open[stream].cells.trimEnd(), more: tail.open[stream].more }))
    .filter(({ text }) => text !== '');
  const all = [...tail.lines, ...unfinished];
  let end = all.length;
  while (end > 0 && all[end - 1]?.text === '') end -= 1;
  let start = end;
  for (let used = 0; start > 0 && end - start < max; start -= 1) {
    used += (all[start - 1]?.text.length ?? 0) + 1;
    if (used > length && start < end) break;
  }
  while (start < end && all[start]?.text === '') start += 1;
  const shown = all.slice(start, end);
  const total = tail.count + unfinished.length - (all.length - end);
  return { lines: shown.map(({ text, more }) => (more ? `${text}…` : text)), hidden: total - shown.length };
}
