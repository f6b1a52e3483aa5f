import { badRequest } from './api-error.ts';
import type { Core } from './core.ts';
import { linkOrNothing } from './entity-rules.ts';
import type { FormattedText } from './formatted-text.ts';
import type { Entity } from './model.ts';

/** `parse_mode: HTML`: a few tags, four named character references, and errors with byte offsets. */

const TAGS: Record<string, string> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  s: 'strikethrough',
  strike: 'strikethrough',
  del: 'strikethrough',
  u: 'underline',
  ins: 'underline',
  'tg-spoiler': 'spoiler',
  span: 'spoiler',
  'tg-emoji': 'custom_emoji',
  'tg-time': 'date_time',
  a: 'text_link',
  code: 'code',
  pre: 'pre',
  blockquote: 'blockquote',
};

interface Tag {
  name: string;
  attributes: Record<string, string>;
  /** Where its content begins in the output. */
  from: number;
}

const REFERENCES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"' };

export function parseHtml(core: Core, source: string): FormattedText {
  const entities: Entity[] = [];
  const open: Tag[] = [];
  let text = '';
  let at = 0;
  const fail = (detail: string) => badRequest(`can't parse entities: ${detail}`);
  const bytes = (position: number) => Buffer.byteLength(source.slice(0, position));

  function attributesOf(name: string, start: number): Record<string, string> {
    const found: Record<string, string> = {};
    const unclosed = () => fail(`Unclosed start tag "${name}" at byte offset ${bytes(start)}`);
    for (;;) {
      at += /^\s*/.exec(source.slice(at))?.[0].length ?? 0;
      if (at >= source.length) throw unclosed();
      if (source[at] === '>') break;
      const attribute = /^[^\s=>/"']+/.exec(source.slice(at))?.[0] ?? '';
      if (attribute === '') throw fail(`Empty attribute name in the tag "${name}" at byte offset ${bytes(at)}`);
      at += attribute.length;
      const value = /^\s*=\s*(?:"([^"]*)"|'([^']*)'|([a-zA-Z0-9.-]+))/.exec(source.slice(at));
      if (value) at += value[0].length;
      else if (/^\s*=/.test(source.slice(at))) throw unclosed();
      found[attribute.toLowerCase()] = decoded(value?.[1] ?? value?.[2] ?? value?.[3] ?? '');
    }
    at += 1;
    return found;
  }

  function begin(start: number): void {
    at = start + 1;
    const name = (/^[^\s>]*/.exec(source.slice(at))?.[0] ?? '').toLowerCase();
    if (at + name.length >= source.length) throw fail(`Unclosed start tag at byte offset ${bytes(start)}`);
    if (TAGS[name] === undefined) throw fail(`Unsupported start tag "${name}" at byte offset ${bytes(start)}`);
    at += name.length;
    const attributes = attributesOf(name, start);
    if (name === 'span' && attributes.class !== 'tg-spoiler') {
      throw fail(`Tag "span" must have class "tg-spoiler" at byte offset ${bytes(start)}`);
    }
    open.push({ name, attributes, from: text.length });
  }

  function end(start: number): void {
    at = start + 2;
    const tag = open.pop();
    if (!tag) throw fail(`Unexpected end tag at byte offset ${bytes(start)}`);
    const name = (/^[^\s>]*/.exec(source.slice(at))?.[0] ?? '').toLowerCase();
    const rest = /^\s*>/.exec(source.slice(at + name.length));
    if (!rest) throw fail(`Unclosed end tag at byte offset ${bytes(start)}`);
    if (name !== '' && name !== tag.name) {
      throw fail(`Unmatched end tag at byte offset ${bytes(start)}, expected "</${tag.name}>", found "</${name}>"`);
    }
    at += name.length + rest[0].length;
    const entity = entityOf(core, tag, text.slice(tag.from));
    if (entity) entities.push({ ...entity, offset: tag.from, length: text.length - tag.from });
  }

  while (at < source.length) {
    if (source[at] === '<') {
      if (source[at + 1] === '/') end(at);
      else begin(at);
      continue;
    }
    const reference = source[at] === '&' ? REFERENCE.exec(source.slice(at))?.[0] : undefined;
    text += reference === undefined ? source[at] : decoded(reference);
    at += reference?.length ?? 1;
  }
  const left = open.at(-1);
  if (left) throw fail(`Can't find end tag corresponding to start tag "${left.name}"`);
  return { text, entities: mergedCode(entities) };
}

const REFERENCE = /^&(?:lt|gt|amp|quot|#\d+|#x[0-9a-f]+);/i;

function decoded(value: string): string {
  return value.replace(/&(?:(lt|gt|amp|quot)|#(\d+)|#x([0-9a-f]+));/gi, (whole, name, decimal, hex) => {
    if (name !== undefined) return REFERENCES[String(name).toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    return code > 0 && code < 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function entityOf(core: Core, tag: Tag, content: string): Omit<Entity, 'offset' | 'length'> | undefined {
  if (content === '') return undefined;
  const { name, attributes } = tag;
  const type = TAGS[name] ?? name;
  switch (type) {
    case 'text_link': {
      const address = attributes.href ?? content;
      const user = /^tg:\/\/user\?id=(\d+)$/.exec(address)?.[1];
      if (user !== undefined)
        return core.state.users.has(Number(user)) ? { type: 'text_mention', user: Number(user) } : undefined;
      const url = linkOrNothing(address);
      return url === undefined ? undefined : { type, url };
    }
    case 'custom_emoji':
      return attributes['emoji-id'] === undefined ? undefined : { type, custom_emoji_id: attributes['emoji-id'] };
    case 'date_time':
      return { type, unix_time: Number(attributes.unix ?? 0), date_time_format: attributes.format };
    case 'code': {
      const language = /^language-(.+)$/.exec(attributes.class ?? '')?.[1];
      return language === undefined ? { type } : { type, language };
    }
    case 'blockquote':
      return { type: attributes.expandable === undefined ? type : 'expandable_blockquote' };
    default:
      return { type };
  }
}

/** `<pre><code class="language-x">` is one block of code; a language elsewhere means nothing. */
function mergedCode(entities: Entity[]): Entity[] {
  const isSame = (a: Entity, b: Entity) => a.offset === b.offset && a.length === b.length;
  return entities.flatMap((entity) => {
    if (entity.type === 'pre') {
      const inner = entities.find((other) => other.type === 'code' && isSame(other, entity));
      return [inner?.language === undefined ? entity : { ...entity, language: inner.language }];
    }
    if (entity.type !== 'code') return [entity];
    if (entities.some((other) => other.type === 'pre' && isSame(other, entity))) return [];
    const { language: _language, ...plain } = entity;
    return [plain];
  });
}
