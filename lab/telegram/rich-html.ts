import type { Json } from '../slack/json.ts';
import { type HtmlElement, type HtmlNode, parseHtmlTree } from './rich-html-tree.ts';
import { wrong } from './rich-text.ts';

/** Rich HTML as blocks, still unchecked. Media is refused: the emulator keeps no media inside rich messages. */
export function blocksOfHtml(source: string): Json[] {
  return blocksOf(parseHtmlTree(source));
}

const BLOCKS = new Set(
  'h1 h2 h3 h4 h5 h6 p pre footer hr ul ol blockquote aside details table tg-math-block tg-button-row tg-thinking'.split(' '),
);
const MEDIA = new Set('video audio tg-document figure tg-map tg-collage tg-slideshow'.split(' '));
const INLINE: Record<string, string> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  ins: 'underline',
  s: 'strikethrough',
  strike: 'strikethrough',
  del: 'strikethrough',
  code: 'code',
  mark: 'marked',
  sub: 'subscript',
  sup: 'superscript',
  'tg-spoiler': 'spoiler',
};

const isBlank = (node: HtmlNode) => typeof node === 'string' && node.trim() === '';
const isBlock = (node: HtmlNode): node is HtmlElement => typeof node !== 'string' && BLOCKS.has(node.tag);
const childrenOf = (element: HtmlElement, tag: string) =>
  element.children.filter((child): child is HtmlElement => typeof child !== 'string' && child.tag === tag);

/** Blocks; what stands between them without a tag becomes paragraphs. */
function blocksOf(nodes: readonly HtmlNode[]): Json[] {
  const blocks: Json[] = [];
  let loose: HtmlNode[] = [];
  const flush = () => {
    const [only] = loose.filter((node) => !isBlank(node));
    const isAnchor =
      typeof only === 'object' && only.tag === 'a' && only.attributes.name !== undefined && only.children.length === 0;
    if (isAnchor && loose.filter((node) => !isBlank(node)).length === 1)
      blocks.push({ type: 'anchor', name: only.attributes.name });
    else if (only !== undefined) blocks.push({ type: 'paragraph', text: inline(loose) });
    loose = [];
  };
  for (const node of nodes) {
    if (!isBlock(node)) {
      loose.push(node);
      continue;
    }
    flush();
    blocks.push(blockOf(node));
  }
  flush();
  return blocks;
}

function blockOf(element: HtmlElement): Json {
  const { tag, attributes, children } = element;
  const credit = childrenOf(element, 'cite')[0];
  const content = children.filter((child) => child !== credit);
  const credited = credit ? { credit: inline(credit.children) } : {};
  switch (tag) {
    case 'p':
      return { type: 'paragraph', text: inline(children) };
    case 'pre':
      return preOf(element);
    case 'footer':
      return { type: 'footer', text: inline(children) };
    case 'hr':
      return { type: 'divider' };
    case 'ul':
    case 'ol':
      return { type: 'list', items: itemsOf(element) };
    case 'blockquote':
      if (attributes.expandable !== undefined) return { type: 'expandable_blockquote', text: inline(content), ...credited };
      return { type: 'blockquote', blocks: blocksOf(content), ...credited };
    case 'aside':
      return { type: 'pullquote', text: inline(content), ...credited };
    case 'details': {
      const summary = childrenOf(element, 'summary')[0];
      const blocks = blocksOf(children.filter((child) => child !== summary));
      return { type: 'details', summary: inline(summary?.children ?? []), blocks, is_open: attributes.open !== undefined };
    }
    case 'table':
      return tableOf(element);
    case 'tg-math-block':
      return { type: 'mathematical_expression', expression: rawText(children) };
    case 'tg-button-row': {
      const buttons = childrenOf(element, 'tg-button').map(buttonOf);
      return { type: 'buttons', buttons, ...(attributes.align === undefined ? {} : { align: attributes.align }) };
    }
    case 'tg-thinking':
      return { type: 'thinking', text: inline(children) };
    default:
      return { type: 'heading', text: inline(children), size: Number(tag.slice(1)) };
  }
}

function preOf({ children }: HtmlElement): Json {
  const [only, ...others] = children;
  const code = typeof only === 'object' && only.tag === 'code' && others.length === 0 ? only : undefined;
  const language = /^language-(.+)$/.exec(code?.attributes.class ?? '')?.[1];
  const text = code ? inline(code.children, true) : inline(children, true);
  return { type: 'pre', text, ...(language === undefined ? {} : { language }) };
}

function itemsOf(list: HtmlElement): Json[] {
  const start = Number(list.attributes.start ?? 1);
  const items = childrenOf(list, 'li');
  const step = list.attributes.reversed === undefined ? 1 : -1;
  return items.map((item, index) => {
    const box = childrenOf(item, 'input').find((input) => input.attributes.type === 'checkbox');
    const number = Number(item.attributes.value ?? start + step * index);
    const type = item.attributes.type ?? list.attributes.type ?? '1';
    return {
      blocks: blocksOf(item.children.filter((child) => child !== box)),
      ...(box ? { has_checkbox: true, is_checked: box.attributes.checked !== undefined } : {}),
      ...(list.tag === 'ol' ? { value: number, type } : {}),
    };
  });
}

function tableOf(table: HtmlElement): Json {
  const caption = childrenOf(table, 'caption')[0];
  const groups = [table, ...childrenOf(table, 'thead'), ...childrenOf(table, 'tbody')];
  const rows = groups.flatMap((group) => childrenOf(group, 'tr'));
  const number = (value: string | undefined, field: string) => (value === undefined ? {} : { [field]: Number(value) });
  const cells = rows.map((row) =>
    row.children
      .filter((cell): cell is HtmlElement => typeof cell !== 'string' && (cell.tag === 'td' || cell.tag === 'th'))
      .map((cell) => ({
        ...(cell.children.length > 0 ? { text: inline(cell.children) } : {}),
        is_header: cell.tag === 'th',
        ...number(cell.attributes.colspan, 'colspan'),
        ...number(cell.attributes.rowspan, 'rowspan'),
        ...(cell.attributes.align === undefined ? {} : { align: cell.attributes.align }),
        ...(cell.attributes.valign === undefined ? {} : { valign: cell.attributes.valign }),
      })),
  );
  const { bordered, striped, compact } = table.attributes;
  return {
    type: 'table',
    cells,
    is_bordered: bordered !== undefined,
    is_striped: striped !== undefined,
    is_compact: compact !== undefined,
    ...(caption ? { caption: inline(caption.children) } : {}),
  };
}

function buttonOf({ attributes, children }: HtmlElement): Json {
  const { type = '', style, data, url, text, query } = attributes;
  const value: Record<string, unknown> = {
    url,
    callback_data: data,
    web_app: { url },
    login_url: { url },
    switch_inline_query: query ?? '',
    switch_inline_query_current_chat: query ?? '',
    switch_inline_query_chosen_chat: { query: query ?? '' },
    copy_text: { text },
    disabled: {},
  };
  if (!(type in value)) throw wrong(`button type "${type}" is unsupported`);
  return { text: inline(children), ...(style === undefined ? {} : { style }), [type]: value[type] };
}

function rawText(nodes: readonly HtmlNode[]): string {
  return nodes.map((node) => (typeof node === 'string' ? node : rawText(node.children))).join('');
}

/** Runs of text. Line ends in the source are spaces, except in preformatted text. */
function inline(nodes: readonly HtmlNode[], isPre = false): unknown[] {
  const runs = nodes.flatMap((node): unknown[] => {
    if (typeof node === 'string') return [isPre ? node : node.replace(/\s+/g, ' ')];
    return [runOf(node, isPre)];
  });
  if (isPre) return runs;
  const [first] = runs;
  const last = runs.at(-1);
  if (typeof first === 'string') runs[0] = first.trimStart();
  if (typeof last === 'string') runs[runs.length - 1] = String(runs.at(-1)).trimEnd();
  return runs.filter((run) => run !== '');
}

function runOf(element: HtmlElement, isPre: boolean): unknown {
  const { tag, attributes, children } = element;
  const text = () => keepSpaces(children, isPre);
  const wrapper = INLINE[tag];
  if (wrapper !== undefined) return { type: wrapper, text: text() };
  switch (tag) {
    case 'br':
      return '\n';
    case 'a':
      return linkOf(attributes, text());
    case 'tg-reference':
      return { type: 'reference', text: text(), name: attributes.name };
    case 'tg-emoji':
      return { type: 'custom_emoji', custom_emoji_id: attributes['emoji-id'], alternative_text: rawText(children) };
    case 'tg-time':
      return { type: 'date_time', text: text(), unix_time: Number(attributes.unix), date_time_format: attributes.format };
    case 'tg-math':
      return { type: 'mathematical_expression', expression: rawText(children) };
    case 'tg-button':
      return { type: 'button', button: buttonOf(element) };
    default:
      if (tag === 'img' || MEDIA.has(tag)) throw wrong('the emulator keeps no media in rich messages');
      throw wrong(`tag "${tag}" can't be used here`);
  }
}

/** The inside of an inline tag keeps the spaces at its ends. */
function keepSpaces(nodes: readonly HtmlNode[], isPre: boolean): unknown[] {
  return nodes.map((node) => (typeof node === 'string' ? (isPre ? node : node.replace(/\s+/g, ' ')) : runOf(node, isPre)));
}

function linkOf(attributes: Record<string, string>, text: unknown[]): Json {
  const { href, name } = attributes;
  if (href === undefined) return { type: 'anchor', name: name ?? '' };
  if (href.startsWith('#')) return { type: 'anchor_link', text, anchor_name: href.slice(1) };
  if (href.startsWith('mailto:')) return { type: 'email_address', text, email_address: href.slice(7) };
  if (href.startsWith('tel:')) return { type: 'phone_number', text, phone_number: href.slice(4) };
  const user = /^tg:\/\/user\?id=(\d+)$/.exec(href)?.[1];
  return user === undefined ? { type: 'url', text, url: href } : { type: 'text_mention', text, user: { id: Number(user) } };
}
