import { revealHidden } from '../approvals/hidden-characters.ts';
import type { Hunk, HunkLine } from '../changes/read-patch.ts';
import { createMeasure } from './measure.ts';
import { count, digits } from './units.ts';

/**
 * Pages are the same wherever the change is shown, for a message can stand in threads of several platforms. So they are measured as the platform
 * would that makes most of each character: then each is one block of one message everywhere.
 */
const strictest = createMeasure({
  unit: 'utf16',
  escapes: {
    '&': 5,
    '<': 4,
    '>': 4,
    '"': 2,
    '\\': 2,
    '\n': 2,
    '\t': 2,
    '`': 3,
    '*': 2,
    _: 2,
    '~': 2,
    '|': 2,
    '@': 2,
    ':': 2,
    '[': 2,
  },
  maxMessage: 2600,
  maxBlock: 2600,
  maxBlocks: 1,
  maxTitle: 250,
});

const pageLength = 2600;
/** About two screens of a phone. */
const pageLines = 36;
/** So much of a line is shown; the patch has all of it. */
const lineLength = 600;
/** A hunk that does not fit behind others begins a page when more than this much of one is filled. */
const filledEnough = 0.4;

/** Nobody turns more pages, and making them would hold up everybody else. */
export const mostPages = 300;

/**
 * The hunks of a file in pages of text as `diff` writes them, each line once and in order. A hunk stays on one page when it fits on one. The
 * last of very many pages tells how many lines there are more.
 */
export function pagesOf(hunks: readonly Hunk[]): string[] {
  const pages: string[] = [];
  let page: string[] = [];
  let length = 0;
  let left = hunks.reduce((sum, { lines }) => sum + lines.length, 0);

  const cost = (line: string) => strictest.text(line) + 2;
  const fits = (lines: readonly string[]) =>
    page.length + lines.length <= pageLines && length + lines.reduce((sum, line) => sum + cost(line), 0) <= pageLength;
  function close(): void {
    if (page.length > 0) pages.push(page.join('\n'));
    page = [];
    length = 0;
  }
  function add(line: string): void {
    page.push(line);
    length += cost(line);
  }
  function broken(): string[] {
    const last = `${pages.at(-1)}\n@@ ${count(left, 'more line')} in the patch @@`;
    return [...pages.slice(0, -1), last];
  }

  for (const hunk of hunks) {
    const header = headerOf(hunk);
    // Line ends of another system are told by the file, not by each of its lines.
    const crlf = hunk.lines.every(({ text }) => text.endsWith('\r'));
    const whole = hunk.lines.length < pageLines ? [header, ...hunk.lines.flatMap((line) => textOf(line, crlf))] : undefined;
    const filled = Math.max(page.length / pageLines, length / pageLength) > filledEnough;
    if (whole === undefined ? filled : !fits(whole) && (filled || fitsAlone(whole, cost))) close();
    const [first] = hunk.lines;
    if (!fits([header, ...(first === undefined ? [] : textOf(first, crlf))])) close();
    if (pages.length === mostPages) return broken();
    add(header);
    for (const line of hunk.lines) {
      const text = textOf(line, crlf);
      if (!fits(text)) {
        close();
        if (pages.length === mostPages) return broken();
        add(`@@ goes on at line ${line.after ?? line.before} @@`);
      }
      for (const one of text) add(one);
      left -= 1;
    }
  }
  close();
  return pages;
}

function fitsAlone(lines: readonly string[], cost: (line: string) => number): boolean {
  return lines.length <= pageLines && lines.reduce((sum, line) => sum + cost(line), 0) <= pageLength;
}

function headerOf({ before, after, heading }: Hunk): string {
  const where = `@@ -${before.start},${before.lines} +${after.start},${after.lines} @@`;
  return heading.trim() === '' ? where : `${where} ${shown(heading, 80)}`;
}

function textOf(line: HunkLine, crlf: boolean): string[] {
  const text = `${line.mark}${shown(crlf ? line.text.slice(0, -1) : line.text, lineLength)}`;
  return line.unended ? [text, '\\ no line feed at the end of the file'] : [text];
}

/** Nothing stays invisible, and what is left out is told. */
function shown(text: string, most: number): string {
  const start = text.length <= most ? text : text.slice(0, most).toWellFormed();
  const seen = revealHidden(start.toWellFormed());
  return text.length <= most ? seen : `${seen} … ${digits(text.length - start.length)} more characters`;
}
