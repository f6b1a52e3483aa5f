/** A piece of a page. Only `html` makes it, so everything else in a page is text. */
export interface Html {
  readonly html: string;
}

type Value = Html | readonly Html[] | string | number | undefined;

/** Markup whose values are escaped, so that no name can become markup. Attributes must stand in double quotes. `undefined` is nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { html: strings.map((text, at) => text + textOf(values[at])).join('') };
}

function textOf(value: Value): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escapeHtml(value);
  return 'html' in value ? value.html : value.map((one) => one.html).join('');
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => entities[char] ?? char);
}
