/**
 * Texts at a code host: pull requests, and messages of commits that are pushed there. What people, models and repositories have written is
 * data in them: it calls nobody, refers to nothing and closes nothing.
 */

/** Does not show, and parts what would be taken together. */
const joiner = '\u2060';

/**
 * The text as it reads, without its power: `@name`, `#12`, `GH-12` and addresses are no mentions, references or links any more, also behind
 * `Closes` and its like. Characters that cannot be seen are left out.
 */
export function neutralText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{C}\n\t]/gu, '')
    .replace(/@(?=[\p{L}\p{N}_-])/gu, `@${joiner}`)
    .replace(/#(?=\d)/g, `#${joiner}`)
    .replace(/GH-(?=\d)/gi, (found) => `${found}${joiner}`)
    .replace(/:\/\//g, `:${joiner}//`)
    .replace(/www\./gi, (found) => `${found.slice(0, 3)}${joiner}.`);
}

/** The same on one line, at most `longest` characters. */
export function neutralLine(text: string, longest: number): string {
  const line = neutralText(text).replace(/\s+/g, ' ').trim();
  const characters = [...line];
  return characters.length <= longest ? line : `${characters.slice(0, longest - 1).join('')}…`;
}

/** As a part of a line of Markdown: nothing in it is markup. */
export function markdownLine(text: string, longest: number): string {
  return neutralLine(text, longest).replace(/[\\`*_{}[\]<>()#+|~!&$]/g, '\\$&');
}

/** As a block that Markdown shows letter by letter. */
export function markdownBlock(text: string): string {
  const inside = neutralText(text);
  const longest = Math.max(2, ...[...inside.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${inside}\n${fence}`;
}
