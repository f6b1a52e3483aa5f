import type { Entity } from './model.ts';

/** What Telegram finds in plain text by itself: commands, mentions, links, addresses, tags. Nothing is found inside code. */

const OPAQUE = new Set(['code', 'pre', 'text_link', 'text_mention', 'custom_emoji']);
const TLD = '(?:com|org|net|io|dev|app|me|info|biz|eu|de|uk|fr|ru|us|co|ai|sh|rs|py|md)';

const FINDERS: readonly { type: string; pattern: RegExp }[] = [
  { type: 'url', pattern: /\b(?:https?|ftp):\/\/[^\s<>"]+[^\s<>".,;:!?)\]}'»]/giu },
  { type: 'email', pattern: /(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gu },
  {
    type: 'url',
    pattern: new RegExp(`(?<![\\w@./-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\\.)+${TLD}(?![\\w-]|\\.\\w)(?:/[^\\s<>"]*)?`, 'giu'),
  },
  { type: 'bot_command', pattern: /(?<![\w/<>])\/[A-Za-z0-9_]{1,64}(?:@[A-Za-z][A-Za-z0-9_]{2,31})?(?![\w/])/gu },
  { type: 'mention', pattern: /(?<![\w@])@[A-Za-z][A-Za-z0-9_]{3,31}(?!\w)/gu },
  { type: 'hashtag', pattern: /(?<![\p{L}\p{N}_&#])#(?=[\p{L}\p{N}_]*\p{L})[\p{L}\p{N}_]{1,256}/gu },
  { type: 'cashtag', pattern: /(?<![\w$])\$[A-Z]{1,8}(?!\w)/gu },
];

/** `given` and what was found around it, in order of offset. */
export function withFound(text: string, given: readonly Entity[]): Entity[] {
  const taken = given.filter((entity) => OPAQUE.has(entity.type)).map(({ offset, length }) => [offset, offset + length] as const);
  const found: Entity[] = [];
  for (const { type, pattern } of FINDERS) {
    for (const match of text.matchAll(pattern)) {
      const from = match.index;
      const to = from + match[0].length;
      if (taken.some(([start, end]) => from < end && start < to)) continue;
      taken.push([from, to]);
      found.push({ type, offset: from, length: to - from });
    }
  }
  return inOrder([...given, ...found]);
}

/** By offset; the longer first, so that what contains comes before what it contains. */
export function inOrder(entities: readonly Entity[]): Entity[] {
  return [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
}
