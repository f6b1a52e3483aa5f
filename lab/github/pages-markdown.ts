import { address, Html, html } from './pages-html.ts';

/** The Markdown of descriptions, comments and READMEs as HTML. Markup of its own is all there is: HTML in the text is shown as text. */
export interface MarkdownPlace {
  /** `owner/name`, which `#12` is in. */
  repository: string;
  /** Whether there is such an issue or pull request here. */
  has(number: number): boolean;
  /** Whether `@login` is somebody. */
  knows(login: string): boolean;
}

const MAX_DEPTH = 12;
/** What is longer is cut off; GitHub itself takes 65,536 characters. */
const MAX_LENGTH = 70_000;

export function markdown(text: string, place: MarkdownPlace): Html {
  const lines = text.slice(0, MAX_LENGTH).replace(/\r\n?/g, '\n').split('\n');
  return html`<div class="markdown">${blocks(lines, place, 0)}</div>`;
}

const ITEM = /^( {0,9})([-*+]|\d{1,9}[.)])( +|$)/;
const STARTS = /^ {0,3}(#{1,6} |`{3,}|~{3,}|> ?|([-*_] *){3,}$)/;

function blocks(lines: readonly string[], place: MarkdownPlace, depth: number): Html[] {
  const out: Html[] = [];
  let at = 0;
  const lastHidden = lines.findLastIndex((line) => line.includes('-->'));
  const take = (fits: (line: string) => boolean): string[] => {
    const from = at;
    while (at < lines.length && fits(lines[at] ?? '')) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? '';
    const [, fence] = /^ {0,3}(`{3,}|~{3,})[^`]*$/.exec(line) ?? [];
    const [, marks, title] = /^ {0,3}(#{1,6}) +(.*?)(?: +#+)? *$/.exec(line) ?? [];
    if (line.trim() === '') at += 1;
    else if (line.startsWith('<!--') && at <= lastHidden) {
      take((next) => !next.includes('-->'));
      at += 1;
    } else if (fence !== undefined) {
      at += 1;
      const code = take((next) => !next.trim().startsWith(fence) || next.trim().replaceAll(fence.slice(0, 1), '') !== '');
      at += 1;
      out.push(html`<pre><code>${code.join('\n')}</code></pre>`);
    } else if (marks !== undefined) {
      at += 1;
      const level = marks.length;
      out.push(html`${new Html(`<h${level}>`)}${inline(title ?? '', place, depth)}${new Html(`</h${level}>`)}`);
    } else if (/^ {0,3}([-*_] *){3,}$/.test(line)) {
      at += 1;
      out.push(html`<hr>`);
    } else if (/^ {0,3}>/.test(line)) {
      const quoted = take((next) => /^ {0,3}>/.test(next)).map((next) => next.replace(/^ {0,3}> ?/, ''));
      out.push(html`<blockquote>${depth < MAX_DEPTH ? blocks(quoted, place, depth + 1) : quoted.join('\n')}</blockquote>`);
    } else if (ITEM.test(line)) out.push(list(take(goesOn()), place, depth));
    else if (/^\s*\|?[\s:|-]*-[\s:|-]*\|?\s*$/.test(lines[at + 1] ?? '') && line.includes('|')) {
      out.push(
        table(
          take((next) => next.includes('|')),
          place,
          depth,
        ),
      );
    } else {
      const first = at;
      const text = take((next) => at === first || (next.trim() !== '' && !STARTS.test(next) && !ITEM.test(next)));
      out.push(html`<p>${text.map((part, index) => [index > 0 && html`<br>`, inline(part.trim(), place, depth)])}</p>`);
    }
  }
  return out;
}

/** Lines of a list: items, what is indented below them, and empty lines in between. */
function goesOn(): (line: string) => boolean {
  let wasEmpty = false;
  return (line) => {
    const isPart = ITEM.test(line) || /^ {2,}\S/.test(line) || (!wasEmpty && line.trim() !== '' && !STARTS.test(line));
    const goes = isPart || (line.trim() === '' && !wasEmpty);
    wasEmpty = line.trim() === '';
    return goes;
  };
}

function list(lines: readonly string[], place: MarkdownPlace, depth: number): Html {
  const [, indent = '', mark = '-'] = ITEM.exec(lines[0] ?? '') ?? [];
  const items: string[][] = [];
  for (const line of lines) {
    const [whole = '', before = ''] = ITEM.exec(line) ?? [];
    if (whole !== '' && before.length <= indent.length + 1) items.push([line.slice(whole.length)]);
    else items.at(-1)?.push(line.replace(/^ {1,4}/, ''));
  }
  const rows = items.map((item) => {
    const [, box, rest] = /^\[([ xX])\] +(.*)$/.exec(item[0] ?? '') ?? [];
    const content = box === undefined ? item : [rest ?? '', ...item.slice(1)];
    const checkbox = box !== undefined && html`<input type="checkbox" disabled${box === ' ' ? '' : html` checked`}> `;
    const isShort = content.every((line, index) => index === 0 || line.trim() === '');
    const inside = isShort
      ? inline(content[0] ?? '', place, depth)
      : depth < MAX_DEPTH
        ? blocks(content, place, depth + 1)
        : content.join('\n');
    return html`<li${box === undefined ? '' : html` class="task"`}>${checkbox}${inside}</li>`;
  });
  return /\d/.test(mark) ? html`<ol start="${Number.parseInt(mark, 10)}">${rows}</ol>` : html`<ul>${rows}</ul>`;
}

function table(lines: readonly string[], place: MarkdownPlace, depth: number): Html {
  const cells = (line: string) =>
    line
      .trim()
      .replace(/^\||(?<!\\)\|$/g, '')
      .split(/(?<!\\)\|/)
      .map((cell) => inline(cell.trim().replace(/\\\|/g, '|'), place, depth));
  const [head = '', , ...rows] = lines;
  return html`<table><thead><tr>${cells(head).map((cell) => html`<th>${cell}</th>`)}</tr></thead><tbody>${rows.map(
    (row) => html`<tr>${cells(row).map((cell) => html`<td>${cell}</td>`)}</tr>`,
  )}</tbody></table>`;
}

/** What a line can begin with, in the order in which it is tried. */
const PIECES =
  /\\([!-/:-@[-`{-~])|(`+)(?!`)|!?\[((?:\\.|[^[\]\\]){0,1000})\]\((?:<([^<>\s]{1,2000})>|([^\s()<>]{1,2000}))\)|<?(https?:\/\/[^\s<>"'`]{1,2000})>?|(\*\*|__|~~|\*|_)(?=\S)|@([a-z\d][a-z\d-]{0,38})|(?:(?<![\w./-])([\w.-]{1,40}\/[\w.-]{1,100}))?#([1-9]\d{0,8})/gi;

function inline(text: string, place: MarkdownPlace, depth: number): Html[] {
  const out: Html[] = [];
  let from = 0;
  const pieces = new RegExp(PIECES);
  for (let found = pieces.exec(text); found; found = pieces.exec(text)) {
    const piece = depth >= MAX_DEPTH ? undefined : pieceAt(text, found, place, depth);
    if (!piece) continue;
    out.push(html`${text.slice(from, found.index)}`, piece.html);
    from = piece.end;
    pieces.lastIndex = from;
  }
  out.push(html`${text.slice(from)}`);
  return out;
}

function pieceAt(
  text: string,
  found: RegExpExecArray,
  place: MarkdownPlace,
  depth: number,
): { html: Html; end: number } | undefined {
  const [whole, escaped, ticks, label, inBrackets, bareTarget, url, mark, login, name, number] = found;
  const target = inBrackets ?? bareTarget;
  const end = found.index + whole.length;
  const isWord = /[\p{L}\p{N}_]/u.test(text.charAt(found.index - 1));
  if (escaped !== undefined) return { html: html`${escaped}`, end };
  if (ticks !== undefined) {
    const close = closingTicks(text, end, ticks.length);
    if (close < 0) return undefined;
    return { html: html`<code>${text.slice(end, close).replace(/^ (.*) $/, '$1')}</code>`, end: close + ticks.length };
  }
  if (label !== undefined && target !== undefined)
    return /^https?:\/\//i.test(target) ? { html: link(target, inline(label, place, depth + 1)), end } : undefined;
  if (url !== undefined) {
    const trimmed = url.replace(/[.,:;!?)*_~]+$/, '');
    const isBracketed = whole.startsWith('<') && whole.endsWith('>');
    return isBracketed
      ? { html: link(url, [html`${url}`]), end }
      : { html: link(trimmed, [html`${trimmed}`]), end: found.index + whole.indexOf(trimmed) + trimmed.length };
  }
  if (mark !== undefined) {
    if (isWord && mark.startsWith('_')) return undefined;
    const close = text.indexOf(mark, end);
    if (close <= end || /\s/.test(text.charAt(close - 1))) return undefined;
    const inside = inline(text.slice(end, close), place, depth + 1);
    const tag = mark === '~~' ? 'del' : mark.length === 2 ? 'strong' : 'em';
    return { html: html`${new Html(`<${tag}>`)}${inside}${new Html(`</${tag}>`)}`, end: close + mark.length };
  }
  if (isWord) return undefined;
  if (login !== undefined && place.knows(login)) return { html: html`<span class="mention">${whole}</span>`, end };
  const isHere = name === undefined || name.toLowerCase() === place.repository.toLowerCase();
  if (number !== undefined && isHere && place.has(Number(number)))
    return { html: html`<a href="${address(place.repository, 'issues', number)}">${whole}</a>`, end };
  return undefined;
}

function closingTicks(text: string, from: number, length: number): number {
  const runs = /`+/g;
  runs.lastIndex = from;
  for (let run = runs.exec(text); run; run = runs.exec(text)) if (run[0].length === length) return run.index;
  return -1;
}

function link(url: string, inside: readonly Html[]): Html {
  return html`<a href="${url}" rel="nofollow noopener noreferrer" target="_blank">${inside}</a>`;
}

/** A line of plain text in which only `code` is markup, as titles have it. */
export function titleText(text: string): Html[] {
  return text.split(/(`[^`]+`)/).map((part) => (/^`.+`$/.test(part) ? html`<code>${part.slice(1, -1)}</code>` : html`${part}`));
}
