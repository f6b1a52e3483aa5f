import type { ContextBlockElement, KnownBlock } from '@slack/types';
import type { Span } from '../../src/contracts/view.ts';
import { dateFormat, isMention, maxUrl, unixSeconds } from './rich-text.ts';
import { escapeText, printable } from './slack-text.ts';

const maxElements = 10;
const maxElementText = 2000;

/**
 * A `context` block: grey and small. Its elements are plain text, which Slack shows as it is, except for links, mentions and
 * dates, which only mrkdwn has there. `undefined` when some text could be taken for markup, or when there is too much of it: then
 * a `rich_text` block has to do.
 */
export function smallPrint(spans: readonly Span[]): KnownBlock | undefined {
  const elements: ContextBlockElement[] = [];
  let plain = '';
  const flush = () => {
    if (plain.trim() !== '') elements.push({ type: 'plain_text', text: plain, emoji: false });
    plain = '';
  };
  for (const span of spans) {
    const special = mrkdwnOf(span);
    if (special === 'unsafe') return undefined;
    if (special === undefined) {
      plain += printable(span.type === 'person' ? span.name : span.text);
      continue;
    }
    flush();
    elements.push({ type: 'mrkdwn', text: special, verbatim: true });
  }
  flush();
  const fits = elements.every((element) => element.type === 'image' || element.text.length <= maxElementText);
  return elements.length > 0 && elements.length <= maxElements && fits ? { type: 'context', elements } : undefined;
}

function mrkdwnOf(span: Span): string | 'unsafe' | undefined {
  if (isMention(span)) return `<@${span.user}>`;
  if (span.type === 'link') {
    const label = printable(span.text);
    if (couldBeMarkup(label) || label === '' || span.url.length > maxUrl) return 'unsafe';
    return `<${encodeUrl(span.url)}|${escapeText(label)}>`;
  }
  if (span.type === 'time') {
    const words = printable(span.text);
    if (couldBeMarkup(words) || words === '') return 'unsafe';
    return `<!date^${unixSeconds(span.at)}^${dateFormat}|${escapeText(words)}>`;
  }
  return undefined;
}

/** mrkdwn has no escape for these. */
function couldBeMarkup(text: string): boolean {
  return /[*_~`|^\n]|:[\w+'-]+:/.test(text);
}

function encodeUrl(url: string): string {
  return url.replace(/[<>|\s]/g, encodeURIComponent).replaceAll('&', '&amp;');
}
