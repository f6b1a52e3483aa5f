/** Discord's markdown as a tree, as its clients read it. */

export type Inline =
  | { type: 'text'; text: string }
  | { type: 'bold' | 'italic' | 'underline' | 'strike' | 'spoiler'; children: Inline[] }
  | { type: 'code'; text: string }
  | { type: 'link'; url: string; children: Inline[] }
  | { type: 'user' | 'role' | 'channel'; id: string }
  /** `@everyone`, `@here`, `</name:id>` */
  | { type: 'mention'; text: string }
  /** Unix seconds; `style` is one of `tTdDfFR`. */
  | { type: 'time'; at: number; style: string };

export type Block =
  | { type: 'text'; children: Inline[] }
  | { type: 'heading'; level: number; children: Inline[] }
  | { type: 'small'; children: Inline[] }
  | { type: 'quote'; blocks: Block[] }
  | { type: 'list'; items: { depth: number; mark: string; children: Inline[] }[] }
  | { type: 'pre'; language: string; text: string };

const FENCE = /(?<!\\)```(?:([a-z0-9_+\-.#]+?)\n)?\n*([^\n][\s\S]*?)\n*```/gi;

export function readMarkdown(content: string): Block[] {
  const blocks: Block[] = [];
  let from = 0;
  for (const match of content.matchAll(FENCE)) {
    if (match.index < from) continue;
    const before = content.slice(from, match.index).replace(/\n$/, '');
    const quote = /^ *>>> /m.exec(before);
    if (quote) break;
    if (before !== '') blocks.push(...readLines(before));
    blocks.push({ type: 'pre', language: match[1] ?? '', text: match[2] ?? '' });
    from = match.index + match[0].length;
    if (content[from] === '\n') from += 1;
  }
  if (from < content.length) blocks.push(...readLines(content.slice(from)));
  return blocks;
}

function readLines(text: string): Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  let plain: string[] = [];
  const flush = () => {
    if (plain.length > 0) blocks.push({ type: 'text', children: readInline(plain.join('\n')) });
    plain = [];
  };
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const all = /^ *>>> ([\s\S]*)$/.exec(lines.slice(at).join('\n'));
    const heading = /^ *(#{1,3})\s+(\S.*)$/.exec(line);
    const small = /^ *-# +(?!-#)(.+)$/.exec(line);
    const quote = /^ *> (.*)$/.exec(line);
    const item = ITEM.exec(line);
    if (all) {
      flush();
      blocks.push({ type: 'quote', blocks: readMarkdown(all[1] ?? '') });
      return blocks;
    }
    if (heading) {
      flush();
      blocks.push({ type: 'heading', level: heading[1]?.length ?? 1, children: readInline(heading[2] ?? '') });
    } else if (small) {
      flush();
      blocks.push({ type: 'small', children: readInline(small[1] ?? '') });
    } else if (quote) {
      flush();
      const quoted = [quote[1] ?? ''];
      for (let next = /^ *> (.*)$/.exec(lines[at + 1] ?? ''); next; next = /^ *> (.*)$/.exec(lines[at + 1] ?? '')) {
        quoted.push(next[1] ?? '');
        at += 1;
      }
      blocks.push({ type: 'quote', blocks: readLines(quoted.join('\n')) });
    } else if (item) {
      flush();
      const items = [itemOf(item)];
      for (let next = ITEM.exec(lines[at + 1] ?? ''); next; next = ITEM.exec(lines[at + 1] ?? '')) {
        items.push(itemOf(next));
        at += 1;
      }
      blocks.push({ type: 'list', items });
    } else plain.push(line);
  }
  flush();
  return blocks;
}

const ITEM = /^( *)([-*+]|\d+\.) +(\S.*)$/;

function itemOf(match: RegExpExecArray): { depth: number; mark: string; children: Inline[] } {
  const mark = match[2] ?? '-';
  const depth = Math.floor((match[1]?.length ?? 0) / 2);
  return { depth, mark: /^\d/.test(mark) ? mark : depth % 2 === 0 ? '•' : '◦', children: readInline(match[3] ?? '') };
}

type Rule = { at: RegExp; read(match: RegExpExecArray): Inline | undefined };

const wrapped = (type: 'bold' | 'italic' | 'underline' | 'strike' | 'spoiler', at: RegExp): Rule => ({
  at,
  read: (match) => ({ type, children: readInline(match[1] ?? '') }),
});
const plain = (text: string): Inline => ({ type: 'text', text });
const SAFE = /^(https?|discord):\/\//;

/** In the order in which the clients try them; the first that fits at a place wins. */
const rules: readonly Rule[] = [
  { at: /^\\([^0-9A-Za-z\s])/u, read: (match) => plain(match[1] ?? '') },
  { at: /^(`+)([\s\S]*?[^`])\1(?!`)/, read: (match) => ({ type: 'code', text: (match[2] ?? '').trim() || (match[2] ?? '') }) },
  {
    at: /^<t:(-?\d{1,13})(?::([tTdDfFRsS]))?>/,
    read: (match) => ({ type: 'time', at: Number(match[1]), style: match[2] ?? 'f' }),
  },
  { at: /^<@!?(\d+)>/, read: (match) => ({ type: 'user', id: match[1] ?? '' }) },
  { at: /^<@&(\d+)>/, read: (match) => ({ type: 'role', id: match[1] ?? '' }) },
  { at: /^<#(\d+)>/, read: (match) => ({ type: 'channel', id: match[1] ?? '' }) },
  { at: /^<(\/[^:>]+):\d+>/, read: (match) => ({ type: 'mention', text: match[1] ?? '' }) },
  { at: /^@(?:everyone|here)\b/, read: (match) => ({ type: 'mention', text: match[0] }) },
  { at: /^<a?:(\w+):\d+>/, read: (match) => plain(`:${match[1]}:`) },
  {
    at: /^<((?:https?|discord):\/\/[^>\s]+)>/,
    read: (match) => ({ type: 'link', url: match[1] ?? '', children: [plain(match[1] ?? '')] }),
  },
  {
    at: /^\[((?:\\[\s\S]|[^\]\\])+)\]\(\s*<?([a-z]+:\/\/[^\s>)]+)>?(?:\s+"[^"]*")?\s*\)/,
    read: (match) =>
      SAFE.test(match[2] ?? '') ? { type: 'link', url: match[2] ?? '', children: readInline(match[1] ?? '') } : undefined,
  },
  { at: /^https?:\/\/[^\s<]+[^<.,:;"'\])\s]/, read: (match) => ({ type: 'link', url: match[0], children: [plain(match[0])] }) },
  wrapped('bold', /^\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/),
  wrapped('underline', /^__((?:\\[\s\S]|[^\\])+?)__(?!_)/),
  wrapped('italic', /^\*(?=\S)((?:\*\*|\\[\s\S]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)/),
  wrapped('italic', /^_((?:__|\\[\s\S]|[^\\_])+?)_(?![0-9A-Za-z])/),
  wrapped('strike', /^~~((?:\\[\s\S]|[^\\])+?)~~(?!_)/),
  wrapped('spoiler', /^\|\|([\s\S]+?)\|\|/),
];

/** A place where a rule may begin; everything up to the next one is text. */
const QUIET = /^[^\\`<@[h*_~|]+/;

export function readInline(text: string): Inline[] {
  const found: Inline[] = [];
  const push = (piece: Inline) => {
    const last = found.at(-1);
    if (piece.type === 'text' && last?.type === 'text') found[found.length - 1] = plain(last.text + piece.text);
    else found.push(piece);
  };
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const previous = text[at - 1] ?? '';
    const quiet = QUIET.exec(rest)?.[0];
    if (quiet !== undefined) {
      push(plain(quiet));
      at += quiet.length;
      continue;
    }
    // `_` within a word is no mark.
    const isWithinWord = rest.startsWith('_') && !rest.startsWith('__') && /[0-9A-Za-z]/.test(previous);
    let taken = 0;
    for (const rule of isWithinWord ? [] : rules) {
      const match = rule.at.exec(rest);
      const piece = match && rule.read(match);
      if (!match || !piece) continue;
      push(piece);
      taken = match[0].length;
      break;
    }
    if (taken === 0) push(plain(rest[0] ?? ''));
    at += taken || 1;
  }
  return found;
}
