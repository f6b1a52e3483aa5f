import type { RichTextElement, RichTextText } from '@slack/types';
import type { Span } from '../../src/contracts/view.ts';
import { printable } from './slack-text.ts';

/**
 * Spans as elements of a `rich_text` block. Its text elements are shown as they are: Slack looks for no markup, mention, link or
 * emoji in them, which makes them the safe place for text nobody vouches for (promise 11).
 */
export function richElements(spans: readonly Span[]): RichTextElement[] {
  return joined(spans.flatMap(richElement));
}

/** Without styles, links and dates: what is left when every character counts. Mentions stay. */
export function plainElements(spans: readonly Span[]): RichTextElement[] {
  return joined(spans.flatMap((span) => (isMention(span) ? richElement(span) : text(spanText(span)))));
}

export function bareElements(spans: readonly Span[]): RichTextElement[] {
  return joined(text(spans.map(spanText).join('')));
}

/** What a span says. */
export function spanText(span: Span): string {
  return span.type === 'person' ? span.name : span.text;
}

/** A text element, or nothing: Slack refuses empty ones. */
export function text(content: string, style?: RichTextText['style']): RichTextText[] {
  const shown = printable(content);
  if (shown === '') return [];
  return [style === undefined ? { type: 'text', text: shown } : { type: 'text', text: shown, style }];
}

/** Slack account ids. Anything else never becomes a mention. */
export function isUserId(id: string | undefined): id is string {
  return id !== undefined && /^[UW][A-Z0-9]{2,}$/.test(id);
}

export function isMention(span: Span): span is Extract<Span, { type: 'person' }> & { user: string } {
  return span.type === 'person' && span.notify && isUserId(span.user);
}

/** The longest link Slack takes. */
export const maxUrl = 3000;
export const dateFormat = '{date_short_pretty} at {time}';

export function unixSeconds(at: string): number {
  return Math.floor(Date.parse(at) / 1000);
}

function richElement(span: Span): RichTextElement[] {
  if (isMention(span)) return [{ type: 'user', user_id: span.user }];
  switch (span.type) {
    case 'text': {
      const styles = span.style ?? [];
      return text(span.text, styles.length === 0 ? undefined : Object.fromEntries(styles.map((style) => [style, true])));
    }
    case 'link': {
      const label = printable(span.text);
      if (span.url.length > maxUrl) return text(label === '' ? span.url : label);
      return [{ type: 'link', url: span.url, ...(label === '' ? {} : { text: label }) }];
    }
    case 'person':
      return text(span.name);
    case 'time':
      return [{ type: 'date', timestamp: unixSeconds(span.at), format: dateFormat, fallback: printable(span.text) }];
  }
}

/** Neighbouring texts of one style as one element. */
function joined(elements: readonly RichTextElement[]): RichTextElement[] {
  const result: RichTextElement[] = [];
  for (const element of elements) {
    const last = result.at(-1);
    if (element.type === 'text' && last?.type === 'text' && JSON.stringify(element.style) === JSON.stringify(last.style)) {
      result[result.length - 1] = { ...last, text: last.text + element.text };
    } else {
      result.push(element);
    }
  }
  return result;
}
