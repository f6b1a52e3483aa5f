import { type Block, plain, type Span } from '../contracts/view.ts';
import { cleanText } from './neutralise.ts';

type Style = 'bold' | 'italic' | 'strike' | 'code';

/**
 * What a model has written, readable: its headings, lists, code and stress become Deckhand's own blocks and spans, as far as they are
 * certain; everything else stays as it is written. Addresses, mentions and links in it are words like any other (promise 11). Nothing but
 * marks is left out.
 */
export function proseBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = [];
  let fence: { mark: string; language: string | undefined; lines: string[] } | undefined;

  function close(): void {
    const paragraph = lines.join('\n').replace(/^(?:[ \t]*\n)+|\s+$/g, '');
    if (paragraph !== '') blocks.push({ type: 'text', spans: proseSpans(paragraph) });
    lines = [];
  }

  function end({ lines: inside, language }: { lines: string[]; language: string | undefined }): void {
    const coloured = language === undefined ? {} : { language };
    if (inside.length > 0) blocks.push({ type: 'code', text: inside.join('\n'), ...coloured });
    else if (language !== undefined) lines.push(language);
  }

  for (const line of cleanText(text).split('\n')) {
    if (fence !== undefined) {
      if (isClosing(line, fence.mark)) {
        end(fence);
        fence = undefined;
      } else fence.lines.push(line);
      continue;
    }
    const [, mark, info = ''] = /^[ \t]*(`{3,}|~{3,})([^`]*)$/.exec(line) ?? [];
    if (mark === undefined) {
      lines.push(line);
      continue;
    }
    const [language = '', ...rest] = info.trim().split(/\s+/);
    const known = /^[\w+#.-]{1,20}$/.test(language);
    // What else is said about the code, such as its file, stands above it.
    lines.push((known ? rest : [language, ...rest]).join(' '));
    close();
    fence = { mark, language: known ? language : undefined, lines: [] };
  }
  if (fence !== undefined) end(fence);
  close();
  return blocks;
}

function isClosing(line: string, mark: string): boolean {
  const found = /^[ \t]*(`{3,}|~{3,})\s*$/.exec(line)?.[1];
  return found !== undefined && found[0] === mark[0] && found.length >= mark.length;
}

/** A paragraph, or several, as spans. Headings are bold, points of lists begin with a dot. */
export function proseSpans(text: string): Span[] {
  const spans = text.split('\n').flatMap((line, at): Span[] => {
    const end = at === 0 ? [] : [plain('\n')];
    const heading = /^ {0,3}#{1,6}[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$/.exec(line)?.[1];
    if (heading !== undefined) return [...end, ...inline(heading).map((span) => styled(span, 'bold'))];
    const [, indent, point] = /^([ \t]*)[-*+][ \t]+(.*)$/.exec(line) ?? [];
    if (indent !== undefined && point !== undefined && !/^(?:[-*+][ \t]*){2,}$/.test(line.trim())) {
      const task = /^\[([ xX])\][ \t]+(.*)$/.exec(point);
      const mark = task === null ? '•' : task[1] === ' ' ? '○' : '✔';
      return [...end, plain(`${indent}${mark} `), ...inline(task?.[2] ?? point)];
    }
    return [...end, ...inline(line)];
  });
  return merged(spans);
}

/** Code first: within it nothing else is a mark. Then what is certainly meant as stress: it hugs a word on both sides. */
const marks =
  /(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)|(?<![\w*])\*\*(?=\S)(.+?)(?<=\S)\*\*(?![\w*])|(?<![\w_])__(?=\S)(.+?)(?<=\S)__(?![\w_])|(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*(?![\w*])|(?<![\w~])~~(?=\S)(.+?)(?<=\S)~~(?![\w~])/gu;
/** A longer line is no line of prose; looking for marks in it could take long. */
const longestLine = 4000;

function inline(line: string): Span[] {
  if (line.length > longestLine) return [plain(line)];
  const spans: Span[] = [];
  let at = 0;
  for (const found of line.matchAll(marks)) {
    const [whole, , code, bold, bolder, italic, strike] = found;
    spans.push(plain(line.slice(at, found.index)));
    at = found.index + whole.length;
    if (code !== undefined) spans.push({ type: 'text', text: code, style: ['code'] });
    else {
      const style: Style = italic !== undefined ? 'italic' : strike !== undefined ? 'strike' : 'bold';
      spans.push(...inline(bold ?? bolder ?? italic ?? strike ?? '').map((span) => styled(span, style)));
    }
  }
  spans.push(plain(line.slice(at)));
  return spans.filter((span) => span.type !== 'text' || span.text !== '');
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
