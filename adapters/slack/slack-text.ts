/**
 * Slack's text dialect in both directions. Slack escapes `&`, `<` and `>` as entities and writes everything it understood as
 * `<…>`: `<@U…>`, `<#C…|name>`, `<!here>`, `<https://…|label>`. (docs.slack.dev, formatting message text)
 */

/** `<@U…>`, `<#C…>`, `<!…>`, `<scheme:…>` or an entity. Other angle brackets were typed and not escaped; they stay. */
const controlSequence = /<([@#!][^<>]*|[a-z][a-z0-9+.-]*:[^<>]*)>|&(?:lt|gt|amp);/gi;

/**
 * What a person typed, from the text of an event or a slash command. Links come back as they were typed; people stay
 * `<@U…>` or `<@U…|name>`, so that `member add <@U…>` names an account; channels, groups and broadcasts become `#name` and `@name`.
 */
export function decodeText(text: string): string {
  const decoded = text.replace(controlSequence, (whole, token: string | undefined) =>
    token === undefined ? entity(whole) : decodeToken(token),
  );
  // PostgreSQL's jsonb holds neither NUL nor half a surrogate pair.
  return decoded.replaceAll('\u0000', '').toWellFormed();
}

function entity(text: string): string {
  return text === '&lt;' ? '<' : text === '&gt;' ? '>' : text === '&amp;' ? '&' : text;
}

function decodeToken(token: string): string {
  const bar = token.indexOf('|');
  const target = bar < 0 ? token : token.slice(0, bar);
  const label = bar < 0 ? '' : decodeEntities(token.slice(bar + 1));
  if (target.startsWith('@')) return label === '' || /\s/.test(label) ? `<${target}>` : `<${target}|${label}>`;
  if (target.startsWith('#')) return label === '' ? `<${target}>` : `#${label}`;
  if (/^!(?:here|channel|everyone)$/.test(target)) return `@${target.slice(1)}`;
  if (target.startsWith('!')) return label === '' ? `<${target}>` : label;
  return linkAsTyped(decodeEntities(target), label);
}

/** Slack turns `example.com` into `<http://example.com|example.com>`; only a label that says something else was chosen by hand. */
function linkAsTyped(url: string, label: string): string {
  if (label === '' || label === url) return url;
  const bare = url.replace(/^(?:https?:\/\/|mailto:|tel:)/i, '');
  const same = label === bare || `${label}/` === bare || label === `${bare}/` || `${label}/` === url;
  return same ? label : `${label} (${url})`;
}

function decodeEntities(text: string): string {
  return text.replace(/&(?:lt|gt|amp);/g, entity);
}

/** Text that mrkdwn shows as it is, apart from `*`, `_`, `~` and backquotes, for which Slack has no escape. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/**
 * Takes the mention of the bot out of a raw text: a leading one with the punctuation behind it, else the first one. `undefined`
 * when the bot is not mentioned.
 */
export function cutMention(text: string, botUser: string): string | undefined {
  const mention = [...text.matchAll(/<@([A-Z0-9]+)(?:\|[^<>]*)?>/g)].find(([, id]) => id === botUser);
  if (mention === undefined) return undefined;
  const before = text.slice(0, mention.index).trimEnd();
  const after = text.slice(mention.index + mention[0].length).trimStart();
  if (before === '') return after.replace(/^[,:]\s*/, '');
  return after === '' ? before : `${before} ${after}`;
}

// C0 and C1 controls but tab and newline; marks that change the direction of text, which can make a command look like another.
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

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
