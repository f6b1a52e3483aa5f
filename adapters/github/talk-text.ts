/** What people write in comments: Markdown, in which the bot is named, and parts of which nobody said. */

/** PostgreSQL's jsonb holds neither NUL nor half a surrogate pair. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '').replace(/\r\n?/g, '\n').toWellFormed();
}

/** A text as its readers see it: comments of HTML, which templates are full of, are not shown, so that nobody has said what is in them. */
export function shownText(body: string | null | undefined): string {
  return withoutComments(body).trim();
}

function withoutComments(body: string | null | undefined): string {
  const text = storable(body ?? '');
  const code = codeMask(text);
  let shown = '';
  let at = 0;
  for (const found of text.matchAll(/<!--[\s\S]*?(?:-->|$)/g)) {
    if (code[found.index] === true || found.index < at) continue;
    shown += text.slice(at, found.index);
    at = found.index + found[0].length;
  }
  return `${shown}${text.slice(at)}`.trimEnd();
}

/**
 * What is said to the bot: the text without the mention, quoted lines in front of it behind it. `undefined` when the bot is not named, or
 * only in what is quoted and in code. Names are compared without case; that of an app may have `[bot]` behind it.
 */
export function saidTo(body: string | null | undefined, name: string): string | undefined {
  // With the white space it begins with, which may make code of its first line.
  const text = withoutComments(body);
  const code = codeMask(text);
  const masks = [code, quoteMask(text), htmlMask(text, code)];
  const pattern = new RegExp(`(?<![\\w@/.\`-])@${name.replace(/[^\w-]/g, '\\$&')}(?:\\[bot\\])?(?![\\w-]|/\\w)`, 'gi');
  const mention = [...text.matchAll(pattern)].find(({ index }) => masks.every((mask) => mask[index] !== true));
  if (mention === undefined) return undefined;
  const before = text.slice(0, mention.index).trim();
  const after = text.slice(mention.index + mention[0].length).trimStart();
  const quote = before !== '' && before.split('\n').every((line) => line.trim() === '' || isQuote(line));
  if (before === '') return withoutMail(after.replace(/^[,:]\s*/, ''));
  if (quote) return `${withoutMail(after.replace(/^[,:]\s*/, ''))}\n\n${before}`.trim();
  return withoutMail(after === '' ? before : `${before} ${after}`);
}

/**
 * An answer by mail quotes what it answers below: "On …, … wrote:", on one line or two, and quoted lines up to the end. From the end, line by
 * line: a pattern for all of it would try every way to part a long text, which anybody can write.
 */
function withoutMail(text: string): string {
  const lines = text.split('\n');
  let end = lines.length;
  while (end > 0 && /^\s*(?:>|$)/.test(lines[end - 1] ?? '')) end -= 1;
  if (end === lines.length) return text;
  const begins = [end - 1, end - 2].find((at) => at > 0 && mailHead.test(lines.slice(at, end).join('\n')));
  if (begins === undefined) return text;
  end = begins;
  while (end > 0 && lines[end - 1] === '') end -= 1;
  return lines.slice(0, end).join('\n');
}

const mailHead = /^On [^\n]{5,300}(?:\n[^\n]{0,200})?wrote:$/;

/** Items of lists can hold quotes and code as well. */
const item = '(?:[-*+]|\\d{1,9}[.)])';
const quoteLine = new RegExp(`^\\s*(?:${item}\\s+)*>`);
const fenceLine = new RegExp(`^(?:\\s|>|${item}\\s)*(\`{3,}(?=[^\`]*$)|~{3,})`);
const itemLine = new RegExp(`^(\\s*${item})(\\s+|$)`);

const isQuote = (line: string) => quoteLine.test(line);

function quoteMask(text: string): boolean[] {
  return text.split('\n').flatMap((line) => Array<boolean>(line.length + 1).fill(isQuote(line)));
}

/** Which characters stand in blocks of code and in code within a line. */
function codeMask(text: string): boolean[] {
  const mask: boolean[] = [];
  const isIndented = indentedCode();
  let fence: { marks: string; quoted: boolean } | undefined;
  let open = '';
  const close = () => {
    mask.push(...inlineMask(open));
    open = '';
  };
  for (const line of text.split('\n')) {
    // A block ends with the quote that it stands in.
    if (fence?.quoted === true && !isQuote(line)) fence = undefined;
    const marks = fenceLine.exec(line)?.[1];
    if (fence === undefined && marks === undefined && !isIndented(line)) {
      open += `${line}\n`;
      continue;
    }
    close();
    mask.push(...Array.from({ length: line.length + 1 }, () => true));
    if (marks === undefined) continue;
    isIndented('');
    if (fence === undefined) fence = { marks, quoted: isQuote(line) };
    else if (marks.startsWith(fence.marks) && line.trimEnd().endsWith(marks)) fence = undefined;
  }
  close();
  return mask;
}

/** Tells line by line which are code because they stand four columns to the right of the text around them, behind an empty line. */
function indentedCode(): (line: string) => boolean {
  let mayBegin = true;
  let margin = 0;
  return (line) => {
    const columns = widthOf(/^\s*/.exec(line)?.[0] ?? '');
    if (line.trim() === '') {
      mayBegin = true;
      return false;
    }
    if (mayBegin && columns >= margin + 4) return true;
    const [, marker, gap = ''] = itemLine.exec(line) ?? [];
    if (marker !== undefined) margin = widthOf(marker) + Math.min(Math.max(gap.length, 1), 4);
    else if (columns === 0) margin = 0;
    mayBegin = false;
    return false;
  };
}

function widthOf(white: string): number {
  return white.replaceAll('\t', '    ').length;
}

/** Which characters HTML makes code or a quote. */
function htmlMask(text: string, code: readonly boolean[]): boolean[] {
  const mask = Array.from({ length: text.length }, () => false);
  for (const found of text.matchAll(/<(pre|code|samp|kbd|blockquote)\b[^<>]*>[\s\S]*?(?:<\/\1\s*>|$)/gi)) {
    if (code[found.index] !== true) mask.fill(true, found.index, found.index + found[0].length);
  }
  return mask;
}

/** Code within a line ends with as many backticks as it began with, within its paragraph. */
function inlineMask(text: string): boolean[] {
  const mask = Array<boolean>(text.length).fill(false);
  const runs = runsOf(text);
  const ends = new Map<string, Run>();
  // From the last to the first: each finds the next one like it.
  for (const run of runs.toReversed()) {
    const like = `${run.paragraph} ${run.length}`;
    run.end = ends.get(like);
    ends.set(like, run);
  }
  let at = 0;
  for (const { index, end } of runs) {
    if (end === undefined || index < at || text[index - 1] === '\\') continue;
    at = end.index + end.length;
    mask.fill(true, index, at);
  }
  return mask;
}

/** Backticks in a row. `end`: the next as long in its paragraph. */
interface Run {
  index: number;
  length: number;
  paragraph: number;
  end?: Run | undefined;
}

function runsOf(text: string): Run[] {
  const runs: Run[] = [];
  let [paragraph, from] = [0, 0];
  for (const line of text.split('\n')) {
    if (line.trim() === '') paragraph += 1;
    for (const { 0: ticks, index } of line.matchAll(/`+/g)) runs.push({ index: from + index, length: ticks.length, paragraph });
    from += line.length + 1;
  }
  return runs;
}
