import { plain, type Span } from '../contracts/view.ts';

type Style = 'bold' | 'italic' | 'strike' | 'code';

const rule = '──────────';

/** A paragraph, or several, as spans. Headings are bold, points of lists begin with a dot, quoted lines with a bar. */
export function proseSpans(text: string): Span[] {
  const lines = text.split('\n');
  const spans: Span[] = [];
  for (const [at, line] of lines.entries()) {
    if (isUnderline(line, lines[at - 1])) continue;
    if (at > 0) spans.push(plain('\n'));
    const shown = lineSpans(line);
    spans.push(...(isUnderline(lines[at + 1], line) ? shown.map((span) => styled(span, 'bold')) : shown));
  }
  return merged(spans);
}

/** Without the marks that may end it. */
function headingOf(line: string): string | undefined {
  const text = /^ {0,3}#{1,6}[ \t](.*)$/.exec(line)?.[1]?.trim();
  if (text === undefined || text === '') return undefined;
  let end = text.length;
  while (text[end - 1] === '#') end -= 1;
  const closes = end < text.length && /^[ \t]$/.test(text[end - 1] ?? '');
  return closes ? text.slice(0, end).trimEnd() : text;
}

/** A line below a heading that makes it one. */
function isUnderline(line: string | undefined, above: string | undefined): boolean {
  if (line === undefined || above === undefined || !/^ {0,3}(?:=+|-{3,})[ \t]*$/.test(line)) return false;
  return above.trim() !== '' && !/^ {0,3}(?:[-*+>#=|]|\d+[.)])/.test(above) && !isRule(above);
}

function isRule(line: string): boolean {
  return /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/.test(line);
}

function lineSpans(line: string): Span[] {
  if (isRule(line)) return [plain(rule)];
  const heading = headingOf(line);
  if (heading !== undefined) return proseLine(heading).map((span) => styled(span, 'bold'));
  const quote = /^ {0,3}((?:>[ \t]?)+)(.*)$/.exec(line);
  if (quote !== null) return [plain('│ '.repeat((quote[1] ?? '').replace(/[^>]/g, '').length)), ...lineSpans(quote[2] ?? '')];
  const [, indent, point] = /^([ \t]*)[-*+][ \t]+(.*)$/.exec(line) ?? [];
  if (indent === undefined || point === undefined) return proseLine(line);
  const task = /^\[([ xX])\][ \t]+(.*)$/.exec(point);
  const mark = task === null ? '•' : task[1] === ' ' ? '○' : '✔';
  return [plain(`${indent.replaceAll('\t', '  ')}${mark} `), ...proseLine(task?.[2] ?? point)];
}

/**
 * Code first: within it nothing else is a mark. Then marks that are taken literally; pictures and links, whose targets are shown; and what
 * is certainly meant as stress: it hugs a word on both sides.
 */
const marks =
  /(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)|\\([*_`~#[\]|<>])|(!?)\[([^[\]]*)\]\(<?([^\s()<>]+)>?(?:[ \t]+("[^"]*"|'[^']*'))?\)|<([a-z]{3,8}:\/\/[^\s<>|]+)>|(?<![\w*])\*\*(?=\S)(.+?)(?<=\S)\*\*(?![\w*])|(?<![\w_])__(?=\S)(.+?)(?<=\S)__(?![\w_]|\.\w)|(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*(?![\w*])|(?<![\w_])_(?=[^\s_])([^_]+?)(?<=[^\s_])_(?![\w_])|(?<![\w~])~~(?=\S)(.+?)(?<=\S)~~(?![\w~])/gu;
/** A longer line is no line of prose; looking for marks in it could take long. */
const longestLine = 4000;

/** The marks within a line. */
export function proseLine(line: string): Span[] {
  if (line.length > longestLine) return [plain(line)];
  const spans: Span[] = [];
  let at = 0;
  for (const found of line.matchAll(marks)) {
    const [whole, , code, literal, picture, label, target, title, address, bold, bolder, italic, slanted, strike] = found;
    spans.push(plain(line.slice(at, found.index)));
    at = found.index + whole.length;
    if (code !== undefined) spans.push({ type: 'text', text: code, style: ['code'] });
    else if (literal !== undefined) spans.push(plain(literal));
    else if (target !== undefined) spans.push(...linkSpans(label ?? '', target, title, picture === '!'));
    else if (address !== undefined) spans.push(plain(address));
    else {
      const slant = italic ?? slanted;
      const style: Style = slant !== undefined ? 'italic' : strike !== undefined ? 'strike' : 'bold';
      spans.push(...proseLine(bold ?? bolder ?? slant ?? strike ?? '').map((span) => styled(span, style)));
    }
  }
  spans.push(plain(line.slice(at)));
  return spans.filter((span) => span.type !== 'text' || span.text !== '');
}

/** Where a link of a model leads stands beside it: nobody is led elsewhere than it says. It stays text. */
function linkSpans(label: string, target: string, title: string | undefined, isPicture: boolean): Span[] {
  const said = proseLine(label);
  const more = title === undefined || title.length <= 2 ? '' : `, ${title.slice(1, -1)}`;
  const bare = !isPicture && more === '' && (label.trim() === '' || label === target);
  if (bare) return [plain(target)];
  return [...said, plain(`${said.length === 0 ? '' : ' '}(${isPicture ? 'picture: ' : ''}${target}${more})`)];
}

function styled(span: Span, style: Style): Span {
  if (span.type !== 'text' || span.style?.includes('code') === true || span.style?.includes(style) === true) return span;
  return { ...span, style: [...(span.style ?? []), style] };
}

function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    const both = last?.type === 'text' && span.type === 'text' && String(last.style) === String(span.style);
    if (both) result[result.length - 1] = { ...last, text: last.text + span.text };
    else result.push(span);
  }
  return result;
}
