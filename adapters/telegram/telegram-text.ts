/**
 * Text for Telegram. It is sent with entities, never with a parse mode, so that nothing in it is markup. But Telegram looks through
 * every text it is sent for addresses, `@names`, `#tags`, `$TAGS`, `/commands` and phone numbers, and makes them links or mentions.
 * Only text inside `code`, `pre` and link entities is left alone; elsewhere an invisible character has to come between.
 */

/** WORD JOINER: no width, no line break, and part of nothing that Telegram looks for (tdlib, `MessageEntity.cpp`). */
export const joiner = '\u2060';

// C0 and C1 controls but tab and newline; line separators; marks and tags that change the direction of text or are not seen at all.
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

/** Untrusted text for display: control and direction characters become a visible `�`. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').toWellFormed().replace(unprintable, '\ufffd');
}

/**
 * Where Telegram would find something in the text. Each match ends where the joiner goes. Broader than Telegram's own rules, because
 * one joiner too many is not seen. Longer card and account numbers are left alone: what is copied must be right.
 */
const detected = new RegExp(
  [
    '@(?=[A-Za-z0-9_])', // names, and the middle of e-mail addresses
    '#(?=[\\p{L}\\p{N}\\p{M}_\\u200c\\u00b7]*\\p{L})', // tags have a letter: `#142` is none
    '\\$(?=[A-Z]|1INCH)',
    '(?<![A-Za-z0-9_/<>])/(?=[A-Za-z0-9_])', // commands
    ':(?=//)', // addresses with a scheme, tg:// too
    '(?<=[^\\s.])\\.(?=\\p{L})', // bare domains, to which README.md and deploy.sh belong
    '(?<=\\d\\.\\d{1,3}\\.\\d{1,3})\\.(?=\\d)', // IPv4 addresses
    '\\+(?=\\d[\\d\\s().-]{5,}\\d)', // phone numbers
  ].join('|'),
  'gu',
);

/** Positions in `text` where a joiner keeps Telegram from finding anything, in order. */
export function breaks(text: string): number[] {
  return [...text.matchAll(detected)].map((match) => match.index + match[0].length);
}

/** Characters after which a joiner may come, with their length then. */
export const grows: Readonly<Record<string, number>> = { '@': 2, '#': 2, $: 2, '/': 2, ':': 2, '.': 2, '+': 2 };

/** What a person typed, fit to be stored: PostgreSQL's jsonb holds neither NUL nor half a surrogate pair. */
export function clean(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}

/** The first `max` UTF-16 units, ending in `…` when something is missing, never in half a character. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, Math.max(0, max - 1));
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}
