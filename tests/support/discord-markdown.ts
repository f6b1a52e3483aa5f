/** What a person sees of a text in Discord's markdown, and what it does. */
export interface DiscordRead {
  text: string;
  /** Accounts, roles and channels named as such; `everyone` and `here`. */
  mentions: string[];
  links: string[];
  /** Links of which Discord would show a preview, were there no component around them. */
  previews: string[];
  /** Pieces with a style, by what they say. */
  styled: string[];
  /** Moments that are shown in the reader's own time, as ISO 8601. */
  moments: string[];
}

type Rule = { at: RegExp; read(match: RegExpExecArray, seen: DiscordRead): string };

const pair = (mark: string, at: RegExp): Rule => ({
  at,
  read(match, seen) {
    const text = inline(match[1] ?? '', seen);
    seen.styled.push(text);
    return mark === '||' ? `[hidden ${text}]` : text;
  },
});

/**
 * The rules of Discord's clients, in their order: the first that fits at a place wins, else the character stands for itself. Kept apart
 * from the adapter on purpose: tests hold the adapter's escaping against it.
 */
const inlineRules: readonly Rule[] = [
  { at: /^\\([^0-9A-Za-z\s])/u, read: (match) => match[1] ?? '' },
  {
    at: /^```(?:([a-z0-9_+\-.#]+?)\n)?\n*([^\n][\s\S]*?)\n*```/i,
    read: (match) => match[2] ?? '',
  },
  {
    at: /^(`+)([\s\S]*?[^`])\1(?!`)/,
    read(match, seen) {
      seen.styled.push(match[2] ?? '');
      return match[2] ?? '';
    },
  },
  {
    at: /^<t:(-?\d{1,17})(?::[tTdDfFRsS])?>/,
    read(match, seen) {
      const at = new Date(Number(match[1]) * 1000).toISOString();
      seen.moments.push(at);
      return at;
    },
  },
  {
    at: /^<(?:@[!&]?|#)(\d+)>|^<\/[^:>]+:(\d+)>/,
    read(match, seen) {
      seen.mentions.push(match[1] ?? match[2] ?? '');
      return `@${match[1] ?? match[2]}`;
    },
  },
  {
    at: /^@(everyone|here)/,
    read(match, seen) {
      seen.mentions.push(match[1] ?? '');
      return match[0];
    },
  },
  { at: /^<a?:(\w+):\d+>/, read: (match) => `(emoji ${match[1]})` },
  { at: /^:([a-z_]+):/, read: (match) => `(emoji ${match[1]})` },
  {
    at: /^<((?:https?|steam|discord):\/\/[^>\s]+|[^\s<>@]+@[^\s<>@]+\.\w+|\+\d+)>/,
    read(match, seen) {
      seen.links.push(match[1] ?? '');
      return match[1] ?? '';
    },
  },
  {
    at: /^\[((?:\\[\s\S]|[^\]\\])+)\]\(\s*<?((?:https?|discord):\/\/[^\s>)]+)>?(?:\s+"[^"]*")?\s*\)/,
    read(match, seen) {
      seen.links.push(match[2] ?? '');
      if (!match[0].includes('(<')) seen.previews.push(match[2] ?? '');
      return inline(match[1] ?? '', { ...seen, styled: [] });
    },
  },
  {
    at: /^(?:https?|steam):\/\/[^\s<]+[^<.,:;"'\]\s]/,
    read(match, seen) {
      seen.links.push(match[0]);
      seen.previews.push(match[0]);
      return match[0];
    },
  },
  pair('**', /^\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/),
  pair('__', /^__((?:\\[\s\S]|[^\\])+?)__(?!_)/),
  pair('*', /^\*(?=\S)((?:\*\*|\\[\s\S]|\s+(?:\\[\s\S]|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)/),
  pair('_', /^_((?:__|\\[\s\S]|[^\\_])+?)_(?![0-9A-Za-z])/),
  pair('~~', /^~~((?:\\[\s\S]|[^\\])+?)~~(?!_)/),
  pair('||', /^\|\|([\s\S]+?)\|\|/),
];

function inline(text: string, seen: DiscordRead): string {
  let shown = '';
  for (let rest = text; rest !== ''; ) {
    const previous = text.charAt(text.length - rest.length - 1);
    let taken = '';
    for (const { at, read } of inlineRules) {
      const match = at.exec(rest);
      // `_` within a word is no mark.
      if (match === null || (rest.startsWith('_') && !rest.startsWith('__') && /[0-9A-Za-z]/.test(previous))) continue;
      taken = match[0];
      shown += read(match, seen);
      break;
    }
    if (taken === '') {
      taken = [...rest][0] ?? '';
      shown += taken;
    }
    rest = rest.slice(taken.length);
  }
  return shown;
}

/** Marks at the start of a line; fenced code keeps its lines to itself. */
const lineMarks: readonly { at: RegExp; style: string }[] = [
  { at: /^ *(#{1,3})\s+(?=\S)/, style: 'heading' },
  { at: /^ *>(?:>>)? (?=)/, style: 'quote' },
  { at: /^\s*(?:[-*+]|\d+\.) +(?=\S)/, style: 'list' },
];

/** Small print is no style that could pretend anything: its mark is taken off. */
const smallPrint = /^ *-# +(?!-#)/;

export function readDiscordMarkdown(content: string): DiscordRead {
  const seen: DiscordRead = { text: '', mentions: [], links: [], previews: [], styled: [], moments: [] };
  const parts = content.split(/((?<!\\)```(?:[a-z0-9_+\-.#]+?\n)?\n*[^\n][\s\S]*?\n*```)/i);
  seen.text = parts
    .map((part, at) => {
      if (at % 2 === 1) return inline(part, seen);
      const lines = part.split('\n').map((line) => {
        const small = line.replace(smallPrint, '');
        const mark = lineMarks.find((one) => one.at.test(small));
        if (mark === undefined) return small;
        seen.styled.push(`${mark.style} ${small}`);
        return small.replace(mark.at, '');
      });
      return inline(lines.join('\n'), seen);
    })
    .join('');
  return seen;
}
