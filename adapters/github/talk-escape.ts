/**
 * Text for GitHub's Markdown. A backslash before a mark shows the mark. What GitHub looks for after it has read the Markdown (mentions, references,
 * names of emoji, addresses) is parted by a character that does not show, since a backslash is gone by then.
 */

/** Does not show, is neither a letter nor white space nor punctuation, and parts what would be taken together. */
export const joiner = '\u2060';

/** Marks that mean something anywhere in a text. `$` begins formulas, `=` below a line makes it a heading. */
const anywhere = /[\\`*_{}[\]()<>#|~&$!^=]/g;
/** Lists and the line below the head of a table, which begin a line. */
const bullet = /^([^\S\n]*)([+-]|:(?=-))/gm;
const numbered = /^([^\S\n]*\d{1,9})([.)])/gm;
/** Text that GitHub shows as it is: without format, mention, reference, link, emoji or HTML. */
export function escapeMarkdown(text: string): string {
  return printable(text)
    .replace(/@(?=[\p{L}\p{N}_-])/gu, `@${joiner}`)
    .replace(/#(?=\d)/g, `#${joiner}`)
    .replace(/GH-(?=\d)/gi, (found) => `${found}${joiner}`)
    .replace(/:\/\//g, `:${joiner}//`)
    .replace(/www\./gi, (found) => `${found.slice(0, 3)}${joiner}.`)
    .replace(/:(?=[\w+-]+:)/g, `:${joiner}`)
    .replace(anywhere, '\\$&')
    .replace(bullet, '$1\\$2')
    .replace(numbered, '$1\\$2');
}

/** Lines that begin with white space keep it: four spaces would begin a block of code. */
export function keepIndents(markdown: string): string {
  return markdown.replace(/^[ \t]+/gm, (white) => '\u00a0'.repeat(white.replaceAll('\t', '  ').length));
}

// C0 and C1 controls but tab and newline; marks that change the direction of text, which can make a command look like another.
const unprintable = /[^\P{Cc}\t\n]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Untrusted text for display: control and direction characters become a visible `�`, one for one. */
export function printable(text: string): string {
  return text.replace(/\r\n?/g, '\n').toWellFormed().replace(unprintable, '\ufffd');
}

/** Code within a line, `undefined` when it has more than one line. Nothing in it is a link or a mention. */
export function inlineCode(text: string): string | undefined {
  const shown = printable(text);
  if (shown.includes('\n') || shown.trim() === '') return undefined;
  const ticks = '`'.repeat(longestRun(shown) + 1);
  const pad = /^`|`$|^ .* $/.test(shown) ? ' ' : '';
  return `${ticks}${pad}${shown}${pad}${ticks}`;
}

/** Names that GitHub would draw a picture of, or offer as a change, instead of showing the text. */
const drawn = /^(?:mermaid|geojson|topojson|stl|math|suggestion)$/i;

/** A block of code, whatever stands in it. */
export function fenced(content: string, language: string | undefined): string {
  const shown = printable(content).replace(/^\n+|\s+$/g, '');
  if (shown === '') return '';
  const fence = '`'.repeat(Math.max(3, longestRun(shown) + 1));
  const named = language !== undefined && /^[a-z0-9+#-]{1,20}$/i.test(language) && !drawn.test(language) ? language : '';
  return `${fence}${named}\n${shown}\n${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
