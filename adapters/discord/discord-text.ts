/**
 * Discord's markdown in both directions. A backslash before anything but letters, digits and white space shows that character as it
 * is, so that every mark can be escaped. (Discord documentation, message formatting)
 */

/** Marks that mean something anywhere. `:` begins names of emoji and stands in every address; `@` and `<` begin mentions. */
const anywhere = /[\\*_~`|<@:[]/g;
/** Headings, small print, lists and quotes, which begin a line. */
const lineStart = /^([^\S\n]*)([#>+-])/gm;
const numbered = /^([^\S\n]*\d+)\./gm;

/** Text that Discord shows as it is: without format, mention, link or emoji. */
export function escapeMarkdown(text: string): string {
  return text.replace(anywhere, '\\$&').replace(lineStart, '$1\\$2').replace(numbered, '$1\\.');
}

/**
 * What a person typed, from the content of a message. People stay `<@id>`, so that `member add <@id>` names an account; the emoji of a
 * server become `:name:`.
 */
export function decodeText(text: string): string {
  const decoded = text.replace(/<@!(\d+)>/g, '<@$1>').replace(/<a?(:\w+:)\d+>/g, '$1');
  return storable(decoded);
}

/** PostgreSQL's jsonb holds neither NUL nor half a surrogate pair. */
export function storable(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}

/**
 * Takes the mention of the bot out of a content: a leading one with the punctuation behind it, else the first one. `undefined` when
 * the bot is not named in it.
 */
export function cutMention(text: string, botUser: string): string | undefined {
  const mention = [...text.matchAll(/<@!?(\d+)>/g)].find(([, id]) => id === botUser);
  if (mention === undefined) return undefined;
  const before = text.slice(0, mention.index).trimEnd();
  const after = text.slice(mention.index + mention[0].length).trimStart();
  if (before === '') return after.replace(/^[,:]\s*/, '');
  return after === '' ? before : `${before} ${after}`;
}

// C0 and C1 controls but tab and newline; marks that change the direction of text, which can make a command look like another.
const unprintable = /[^\P{Cc}\t\n]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Untrusted text for display: control and direction characters become a visible `�`, one for one. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').toWellFormed().replace(unprintable, '\ufffd');
}

/** The first `max` UTF-16 units, ending in `…` when something is missing, never in half a character. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, Math.max(0, max - 1));
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** Words of a label, which Discord shows literally and refuses when empty. */
export function label(text: string, max: number, instead: string): string {
  const shown = printable(text);
  return shorten(shown.trim() === '' ? instead : shown, max);
}

/** Discord ids are 64-bit numbers written as text. Whatever is none cannot exist, and stays out of addresses and mentions. */
export function isSnowflake(id: string | undefined): id is string {
  return id !== undefined && /^\d{15,20}$/.test(id);
}

/** When Discord made this id. */
export function snowflakeTime(id: string): Date {
  return new Date(Number(BigInt(id) >> 22n) + discordEpoch);
}

/** The smallest id of this moment, to ask for what came after it. */
export function snowflakeAt(time: number): string {
  return (BigInt(Math.max(0, time - discordEpoch)) << 22n).toString();
}

const discordEpoch = 1_420_070_400_000;

export function laterId(one: string, other: string): string {
  return BigInt(one) < BigInt(other) ? other : one;
}
