import { wrong } from './rich-text.ts';

/** The markup of rich HTML as a tree. */

export type HtmlNode = string | HtmlElement;

export interface HtmlElement {
  tag: string;
  attributes: Record<string, string>;
  children: HtmlNode[];
}

const EMPTY = new Set(['br', 'hr', 'img', 'input', 'tg-map']);
const TAGS = new Set(
  (
    'a b strong i em u ins s strike del code mark sub sup tg-spoiler tg-reference tg-emoji img tg-time tg-math h1 h2 h3 h4 h5 h6 p pre footer hr ' +
    'ul ol li input blockquote br cite aside video audio tg-document figure figcaption tg-map tg-collage tg-slideshow table caption thead tbody tr ' +
    'th td details summary tg-math-block tg-button tg-button-row tg-thinking'
  ).split(' '),
);
const NAMED: Record<string, string> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  hellip: '…',
  mdash: '—',
  ndash: '–',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
};
const TOKEN = /<(\/?)([a-z][a-z0-9-]*)((?:\s+[^\s=>/"']+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?)*)\s*(\/?)>/giy;
const ATTRIBUTE = /([^\s=>/"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g;

export function parseHtmlTree(source: string): HtmlNode[] {
  const root: HtmlElement = { tag: '', attributes: {}, children: [] };
  const open = [root];
  const current = () => open.at(-1) ?? root;
  let at = 0;
  while (at < source.length) {
    const next = source.indexOf('<', at);
    if (next !== at) {
      const end = next < 0 ? source.length : next;
      current().children.push(decoded(source.slice(at, end)));
      at = end;
      continue;
    }
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (!match) throw wrong(`Unexpected "<" at byte offset ${Buffer.byteLength(source.slice(0, at))}`);
    const [whole, slash, name = '', attributes = '', closed] = match;
    const tag = name.toLowerCase();
    const place = Buffer.byteLength(source.slice(0, at));
    if (!TAGS.has(tag)) throw wrong(`Unsupported tag "${tag}" at byte offset ${place}`);
    at += whole.length;
    if (slash === '/') {
      if (EMPTY.has(tag)) continue;
      if (open.length === 1) throw wrong(`Unexpected end tag at byte offset ${place}`);
      if (current().tag !== tag)
        throw wrong(`Unmatched end tag at byte offset ${place}, expected "</${current().tag}>", found "</${tag}>"`);
      open.pop();
      continue;
    }
    const element: HtmlElement = { tag, attributes: attributesOf(attributes), children: [] };
    current().children.push(element);
    if (closed !== '/' && !EMPTY.has(tag)) open.push(element);
  }
  if (open.length > 1) throw wrong(`Can't find end tag corresponding to start tag "${current().tag}"`);
  return root.children;
}

function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(ATTRIBUTE)].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      decoded(double ?? single ?? bare ?? ''),
    ]),
  );
}

function decoded(text: string): string {
  return text.replace(/&(?:([a-z]+)|#(\d+)|#x([0-9a-f]+));/gi, (whole, name, decimal, hex) => {
    if (name !== undefined) return NAMED[String(name)] ?? whole;
    const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    return code > 0 && code < 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
