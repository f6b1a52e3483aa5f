/**
 * Characters that a person does not see, or sees as something else than the shell: controls (tab and newline are seen), format
 * characters (bidirectional overrides, zero-width joiners, tags), spaces other than the plain one, line and paragraph
 * separators, variation selectors, and letters that are drawn as nothing.
 */
const hidden = new RegExp(
  [
    '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Zs}]',
    '[\\u{115f}\\u{1160}\\u{2800}\\u{3164}\\u{ffa0}]',
    '[\\u{034f}\\u{17b4}\\u{17b5}\\u{180b}-\\u{180f}\\u{fe00}-\\u{fe0f}\\u{e0100}-\\u{e01ef}]',
  ].join('|'),
  'gu',
);

function isSeen(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\n';
}

/** The hidden characters of a text, as `U+202E`, each once, in order of appearance. */
export function hiddenCharacters(text: string): string[] {
  const found = new Set<string>();
  for (const [character] of text.matchAll(hidden)) {
    if (!isSeen(character)) found.add(codePoint(character));
  }
  return [...found];
}

/** The text with every hidden character spelled out, `⟨U+202E⟩`, so that it reads in the order the shell reads it. */
export function revealHidden(text: string): string {
  return text.replace(hidden, (character) => (isSeen(character) ? character : `⟨${codePoint(character)}⟩`));
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
