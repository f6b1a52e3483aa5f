import { badRequest } from './api-error.ts';
import type { Core } from './core.ts';
import { linkOrNothing } from './entity-rules.ts';
import type { FormattedText } from './formatted-text.ts';
import type { Entity } from './model.ts';

/** `parse_mode: MarkdownV2`, and the older `Markdown`. */

const RESERVED = new Set('_*[]()~`>#+-=|{}.!');
const NAMES: Record<string, string> = {
  bold: 'Bold',
  italic: 'Italic',
  underline: 'Underline',
  strikethrough: 'Strikethrough',
  spoiler: 'Spoiler',
  code: 'Code',
  pre: 'Pre',
  text_link: 'TextUrl',
  custom_emoji: 'CustomEmoji',
};
/** Longer marks first. */
const MARKS: readonly [mark: string, type: string][] = [
  ['```', 'pre'],
  ['`', 'code'],
  ['__', 'underline'],
  ['_', 'italic'],
  ['*', 'bold'],
  ['~', 'strikethrough'],
  ['||', 'spoiler'],
  ['![', 'custom_emoji'],
  ['[', 'text_link'],
];
const isOpaque = (type: string | undefined) => type === 'code' || type === 'pre';

interface Open {
  type: string;
  /** In the source. */
  start: number;
  /** In the output. */
  from: number;
  language?: string | undefined;
}

export function parseMarkdownV2(core: Core, source: string): FormattedText {
  const entities: Entity[] = [];
  const open: Open[] = [];
  let text = '';
  let at = 0;
  let quoteFrom: number | undefined;
  const fail = (detail: string) => badRequest(`can't parse entities: ${detail}`);
  const bytes = (position: number) => Buffer.byteLength(source.slice(0, position));

  const add = (entity: Omit<Entity, 'offset' | 'length'>, from: number) => {
    if (text.length > from) entities.push({ ...entity, offset: from, length: text.length - from });
  };

  function begin(mark: string, type: string): void {
    const entry: Open = { type, start: at, from: text.length };
    at += mark.length;
    if (type === 'pre') {
      const language = /^[^\s`]+(?=\s)/.exec(source.slice(at))?.[0];
      if (language !== undefined) {
        entry.language = language;
        at += language.length;
      }
      at += /^(?:\r\n|\n\r|\n|\r)/.exec(source.slice(at))?.[0].length ?? 0;
    }
    open.push(entry);
  }

  /** The address in parentheses after a link's text. */
  function address(): string | undefined {
    if (source[at] !== '(') return undefined;
    const start = at;
    let found = '';
    for (at += 1; at < source.length && source[at] !== ')'; at += 1) {
      if (source[at] === '\\' && source.charCodeAt(at + 1) < 127) at += 1;
      found += source[at] ?? '';
    }
    if (at >= source.length) throw fail(`Can't find end of a URL at byte offset ${bytes(start)}`);
    at += 1;
    return found;
  }

  function finish(entry: Open, mark: string): void {
    open.pop();
    at += mark.length;
    if (entry.type === 'text_link' || entry.type === 'custom_emoji') finishLink(entry);
    else if (entry.type === 'pre')
      add({ type: 'pre', ...(entry.language === undefined ? {} : { language: entry.language }) }, entry.from);
    else add({ type: entry.type }, entry.from);
  }

  function finishLink(entry: Open): void {
    const given = address();
    if (entry.type === 'custom_emoji') {
      const id = /^tg:\/\/emoji\?id=(\d+)$/.exec(given ?? '')?.[1];
      if (id === undefined) throw fail(`Custom emoji entity must contain a tg://emoji URL`);
      add({ type: 'custom_emoji', custom_emoji_id: id }, entry.from);
      return;
    }
    const target = given ?? text.slice(entry.from);
    const user = /^tg:\/\/user\?id=(\d+)$/.exec(target)?.[1];
    if (user !== undefined) {
      if (core.state.users.has(Number(user))) add({ type: 'text_mention', user: Number(user) }, entry.from);
      return;
    }
    const url = linkOrNothing(target);
    if (url !== undefined) add({ type: 'text_link', url }, entry.from);
  }

  function closing(entry: Open): string | undefined {
    if (entry.type === 'text_link' || entry.type === 'custom_emoji') return source[at] === ']' ? ']' : undefined;
    const mark = MARKS.find(([, type]) => type === entry.type)?.[0] ?? '';
    if (!source.startsWith(mark, at)) return undefined;
    // `__` inside italic opens or closes an underline; it never ends the italic.
    if (entry.type === 'italic' && source.startsWith('__', at)) return undefined;
    return mark;
  }

  function endQuote(): void {
    if (quoteFrom === undefined) return;
    const isExpandable = text.endsWith('\u0000');
    if (isExpandable) text = text.slice(0, -1);
    add({ type: isExpandable ? 'expandable_blockquote' : 'blockquote' }, quoteFrom);
    quoteFrom = undefined;
  }

  while (at < source.length) {
    const char = source[at] ?? '';
    const inner = open.at(-1);
    const isLineStart = at === 0 || source[at - 1] === '\n';
    if (char === '\\' && source.charCodeAt(at + 1) > 0 && source.charCodeAt(at + 1) < 127) {
      text += source[at + 1];
      at += 2;
      continue;
    }
    const mark = inner && closing(inner);
    if (inner && mark !== undefined) {
      finish(inner, mark);
      continue;
    }
    if (!isOpaque(inner?.type)) {
      if (isLineStart && open.length === 0) {
        if (char === '>') {
          quoteFrom ??= text.length;
          at += 1;
          continue;
        }
        if (source.startsWith('**>', at)) {
          endQuote();
          quoteFrom = text.length;
          at += 3;
          continue;
        }
        if (quoteFrom !== undefined) {
          text = text.replace(/\n$/, '');
          endQuote();
          text += '\n';
        }
      }
      if (quoteFrom !== undefined && open.length === 0 && /^\|\|(?:\n|$)/.test(source.slice(at))) {
        text += '\u0000';
        at += 2;
        continue;
      }
      const start = MARKS.find(([candidate]) => source.startsWith(candidate, at));
      if (start && !(inner && inner.type === start[1])) {
        begin(...start);
        continue;
      }
      if (RESERVED.has(char)) throw fail(`Character '${char}' is reserved and must be escaped with the preceding '\\'`);
    }
    text += char;
    at += 1;
  }
  const left = open.at(-1);
  if (left) {
    const name = left.type === 'pre' && left.language !== undefined ? 'PreCode' : (NAMES[left.type] ?? left.type);
    throw fail(`Can't find end of ${name} entity at byte offset ${bytes(left.start)}`);
  }
  endQuote();
  return { text, entities };
}

const OLD: Record<string, string> = { _: 'italic', '*': 'bold', '`': 'code', '```': 'pre' };

/** The first Markdown of the Bot API: no nesting, and a backslash only before the four marks. */
export function parseMarkdown(source: string): FormattedText {
  const entities: Entity[] = [];
  let text = '';
  let at = 0;
  while (at < source.length) {
    const char = source[at] ?? '';
    if (char === '\\' && /[_*`[]/.test(source[at + 1] ?? '')) {
      text += source[at + 1];
      at += 2;
      continue;
    }
    const mark = source.startsWith('```', at) ? '```' : /[_*`[]/.test(char) ? char : undefined;
    if (mark === undefined) {
      text += char;
      at += 1;
      continue;
    }
    const close = source.indexOf(mark === '[' ? ']' : mark, at + mark.length);
    if (close < 0) {
      const offset = Buffer.byteLength(source.slice(0, at));
      throw badRequest(`can't parse entities: Can't find end of the entity starting at byte offset ${offset}`);
    }
    const offset = text.length;
    const inside = source.slice(at + mark.length, close);
    text += mark === '```' ? inside.replace(/^[^\s`]*\n/, '') : inside;
    at = close + mark.length;
    if (mark === '[') {
      const url = /^\(([^)]*)\)/.exec(source.slice(at));
      at += url?.[0].length ?? 0;
      const link = linkOrNothing(url?.[1] ?? '');
      if (link !== undefined && inside !== '')
        entities.push({ type: 'text_link', url: link, offset, length: text.length - offset });
    } else if (text.length > offset) entities.push({ type: OLD[mark] ?? 'code', offset, length: text.length - offset });
  }
  return { text, entities };
}
