/** HTML that escapes whatever it did not write itself: names, titles, texts and code come from anybody. */

export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Html | string | number | false | null | undefined | readonly Part[];

/** `html\`<b>${name}</b>\``: what stands between the parts is markup, the parts are not, unless they are Html themselves. */
export function html(markup: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(markup.map((text, index) => text + written(parts[index])).join(''));
}

function written(part: Part): string {
  if (part === undefined || part === null || part === false) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return part.map(written).join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const SPECIAL = /[&<>"'\u202a-\u202e\u2066-\u2069]|(?![\t\n])\p{Cc}/gu;

/** For texts and for attributes in quotes. Characters that turn the direction of a line are written out: nothing looks like what it is not. */
export function escapeHtml(text: string): string {
  return text.replace(SPECIAL, (found) => {
    const entity = ENTITIES[found];
    if (entity !== undefined) return entity;
    return found < '\u2000' ? '\ufffd' : `⟨U+${found.charCodeAt(0).toString(16).toUpperCase()}⟩`;
  });
}

/** A path of names with what is special in addresses encoded; slashes in a name stay. */
export function address(...names: readonly (string | number)[]): string {
  return names.map((name) => `/${String(name).split('/').map(encodeURIComponent).join('/')}`).join('');
}

const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** `5 minutes ago`, with the whole time to look at. Both are milliseconds since 1970. */
export function ago(at: number, now: number): Html {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  const [unit, length] = UNITS.find(([, size]) => seconds >= size) ?? [];
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}" title="${iso}">${
    unit === undefined ? 'now' : `${plural(Math.floor(seconds / length), unit)} ago`
  }</time>`;
}

/** `1 file`, `2 files` */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

const SHAPES = {
  pull: '<circle cx="4" cy="3.5" r="1.8"/><circle cx="4" cy="12.5" r="1.8"/><path d="M4 5.3v5.4M12 10.7V6.5a2 2 0 0 0-2-2H8m1.8-2L7.6 4.5l2.2 2"/><circle cx="12" cy="12.5" r="1.8"/>',
  merged:
    '<circle cx="4" cy="3.5" r="1.8"/><circle cx="4" cy="12.5" r="1.8"/><path d="M4 5.3v5.4M4.4 5.3c.6 2.4 2.8 3.4 5.8 3.4"/><circle cx="12" cy="8.7" r="1.8"/>',
  closed:
    '<circle cx="4" cy="3.5" r="1.8"/><circle cx="4" cy="12.5" r="1.8"/><path d="M4 5.3v5.4M12 10.7V8m-1.8-5.8 3.6 3.6m0-3.6-3.6 3.6"/><circle cx="12" cy="12.5" r="1.8"/>',
  issue: '<circle cx="8" cy="8" r="6.3"/><circle cx="8" cy="8" r="1.4" fill="currentColor" stroke="none"/>',
  done: '<circle cx="8" cy="8" r="6.3"/><path d="m5.2 8.2 2 2 3.6-4"/>',
  check: '<path d="m3 8.6 3.4 3.4L13 4.8"/>',
  cross: '<path d="m4 4 8 8m0-8-8 8"/>',
  dot: '<circle cx="8" cy="8" r="3.6" fill="currentColor" stroke="none"/>',
  skip: '<circle cx="8" cy="8" r="6.3"/><path d="m4 12 8-8"/>',
  branch:
    '<circle cx="4" cy="3.5" r="1.8"/><circle cx="4" cy="12.5" r="1.8"/><circle cx="12" cy="5" r="1.8"/><path d="M4 5.3v5.4M12 6.8c0 2.4-2 3-5 3.2-1.6.1-3 .3-3 .7"/>',
  commit: '<circle cx="8" cy="8" r="3"/><path d="M.8 8H5m6 0h4.2"/>',
  comment: '<path d="M2 3h12v8H8.5L5.5 14v-3H2z"/>',
  eye: '<path d="M1.2 8S3.8 3.5 8 3.5 14.8 8 14.8 8 12.2 12.5 8 12.5 1.2 8 1.2 8z"/><circle cx="8" cy="8" r="2"/>',
  file: '<path d="M3.5 1.5h6l3 3v10h-9zM9.5 1.5v3h3"/>',
  folder: '<path d="M1.5 13V3h4.2l1.4 1.8h7.4V13z" fill="currentColor"/>',
  code: '<path d="M5.5 4.5 2 8l3.5 3.5m5-7L14 8l-3.5 3.5"/>',
} as const;
export type Icon = keyof typeof SHAPES;

export function icon(name: Icon, more = ''): Html {
  return html`<svg class="icon ${more}" viewBox="0 0 16 16" aria-hidden="true">${new Html(SHAPES[name])}</svg>`;
}
