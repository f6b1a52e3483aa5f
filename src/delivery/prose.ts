import type { Block } from '../contracts/view.ts';
import { cleanText } from './neutralise.ts';
import { proseSpans } from './prose-spans.ts';
import { tableAt } from './prose-table.ts';

interface Fence {
  mark: string;
  language: string | undefined;
  lines: string[];
}

/**
 * What a model has written, readable: its headings, lists, quotes, tables, code and stress become Deckhand's own blocks and spans, as far
 * as they are certain; everything else stays as it is written. Links show where they lead; like addresses and mentions they are words as
 * any other (promise 11). Nothing but marks is left out.
 */
export function proseBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = [];
  let fence: Fence | undefined;

  function close(): void {
    const first = lines.findIndex((line) => line.trim() !== '');
    const paragraph = lines.slice(Math.max(0, first)).join('\n').trimEnd();
    if (paragraph !== '') blocks.push({ type: 'text', spans: proseSpans(paragraph) });
    lines = [];
  }

  function end({ lines: inside, language }: Fence): void {
    const coloured = language === undefined ? {} : { language };
    if (inside.length > 0) blocks.push({ type: 'code', text: inside.join('\n'), ...coloured });
    else if (language !== undefined) lines.push(language);
  }

  const all = cleanText(text).split('\n');
  for (let at = 0; at < all.length; at += 1) {
    const line = all[at] ?? '';
    if (fence !== undefined) {
      if (isClosing(line, fence.mark)) {
        end(fence);
        fence = undefined;
      } else fence.lines.push(line);
      continue;
    }
    const opening = openingOf(line);
    if (opening !== undefined) {
      // What else is said about the code, such as its file, stands above it.
      lines.push(opening.beside);
      close();
      fence = opening.fence;
      continue;
    }
    const found = line.includes('|') ? tableAt(all.slice(at, at + longestTable)) : undefined;
    if (found === undefined) lines.push(line);
    else {
      close();
      blocks.push(found.table);
      at += found.taken - 1;
    }
  }
  if (fence !== undefined) end(fence);
  close();
  return blocks;
}

/** Lines. What follows in a longer one stays as it is written. */
const longestTable = 300;

function openingOf(line: string): { fence: Fence; beside: string } | undefined {
  const [, mark, info = ''] = /^[ \t]*(`{3,}|~{3,})([^`]*)$/.exec(line) ?? [];
  if (mark === undefined) return undefined;
  const [language = '', ...rest] = info.trim().split(/\s+/);
  const known = /^[\w+#.-]{1,20}$/.test(language);
  const beside = (known ? rest : [language, ...rest]).join(' ');
  return { fence: { mark, language: known ? language : undefined, lines: [] }, beside };
}

function isClosing(line: string, mark: string): boolean {
  const found = /^[ \t]*(`{3,}|~{3,})\s*$/.exec(line)?.[1];
  return found !== undefined && found[0] === mark[0] && found.length >= mark.length;
}
