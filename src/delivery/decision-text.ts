import { type Block, bold, plain, type ViewFile } from '../contracts/view.ts';
import type { Revealed } from './neutralise.ts';
import { proseBlocks } from './prose.ts';
import { bytes, count } from './units.ts';

/** A text up to this long is shown as a whole; a longer one is attached, with its first and last lines shown. */
const shownLines = 25;
const shownLength = 1500;
const excerptHead = 10;
const excerptTail = 6;
const proseShown = 3000;
const proseExcerpt = 1200;

export interface Shown {
  blocks: Block[];
  files: ViewFile[];
}

export function isShort(text: string): boolean {
  return text.length <= shownLength && text.split('\n').length <= shownLines;
}

/** A text to the letter: as a whole, or attached with its beginning and its end. Never cut silently. */
export function literal(text: string, { name, what, language }: { name: string; what: string; language?: string }): Shown {
  const coloured = language === undefined ? {} : { language };
  if (isShort(text)) return { blocks: [{ type: 'code', text, ...coloured }], files: [] };
  const lines = text.split('\n');
  const short = (line: string) => line.length <= 120;
  const head = lines.slice(0, excerptHead);
  const tail = lines.slice(excerptHead).slice(-excerptTail);
  const between = lines.length - head.length - tail.length;
  const note: Block = { type: 'text', spans: [bold(`${wholeText(text, what, name)} Read it before you decide.`)] };
  const excerpt: Block[] = [...head, ...tail].every(short)
    ? [
        { type: 'code', text: head.join('\n'), ...coloured },
        ...(between === 0 ? [] : [{ type: 'context' as const, spans: [plain(`${count(between, 'line')} not shown here`)] }]),
        ...(tail.length === 0 ? [] : [{ type: 'code' as const, text: tail.join('\n'), ...coloured }]),
      ]
    : [];
  return { blocks: [note, ...excerpt], files: [{ from: 'text', name, text, ...coloured }] };
}

/** What a model has written for people, readable: as a whole, or attached with its beginning. `note`: what to do about the rest. */
export function readable(text: string, { name, what, note = '' }: { name: string; what: string; note?: string }): Shown {
  if (text.length <= proseShown) return { blocks: proseBlocks(text), files: [] };
  const start = text.slice(0, proseExcerpt);
  const cut = Math.max(start.lastIndexOf('\n'), start.lastIndexOf('. ') + 1);
  const shown = start.slice(0, cut > proseExcerpt / 2 ? cut : proseExcerpt).toWellFormed();
  return {
    blocks: [...proseBlocks(shown), { type: 'text', spans: [bold(`It goes on. ${wholeText(text, what, name)}${note}`)] }],
    files: [{ from: 'text', name, text, language: 'markdown' }],
  };
}

function wholeText(text: string, what: string, name: string): string {
  const size = bytes(new TextEncoder().encode(text).length);
  return `The whole ${what}, ${count(text.split('\n').length, 'line')} and ${size}, is in the attached ${name}.`;
}

/** What a reader's eye would miss. */
export function warnings({ hidden, mixed }: Pick<Revealed, 'hidden' | 'mixed'>): Block[] {
  const blocks: Block[] = [];
  if (hidden.length > 0) {
    const which = hidden.slice(0, 6).join(', ');
    const more = hidden.length > 6 ? ` and ${hidden.length - 6} more` : '';
    blocks.push({ type: 'text', spans: [bold('Hidden characters: '), plain(`${which}${more}, written out between ⟨ and ⟩.`)] });
  }
  if (mixed.length > 0) {
    const words = mixed.slice(0, 4).join(', ');
    blocks.push({ type: 'text', spans: [bold('Mixed alphabets: '), plain(`${words} has letters that look like others.`)] });
  }
  return blocks;
}
