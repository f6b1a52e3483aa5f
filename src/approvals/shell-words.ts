import type { DoubleQuotedChild, Word, WordPart } from 'unbash';

/** One word of a simple command, as the shell passes it on. */
export interface ShellWord {
  /** As it is written. */
  text: string;
  /** Exactly what the program receives; undefined when only the moment of running decides (variables, patterns, substitutions). */
  value: string | undefined;
  /** The fixed beginning of a word without `value`: `src/` of `src/*.ts`. */
  prefix: string;
  /** What leaves it open: file name patterns only, or anything else. */
  open: 'no' | 'pattern' | 'anything';
}

export function shellWord(word: Word): ShellWord {
  if (word.parts === undefined) return { text: word.text, value: word.value, prefix: word.value, open: 'no' };
  let prefix = '';
  let open: ShellWord['open'] = 'no';
  for (const piece of word.parts.flatMap(pieces)) {
    if (typeof piece === 'string') {
      if (open === 'no') prefix += piece;
    } else if (open !== 'anything') {
      open = piece.open;
    }
  }
  return { text: word.text, value: open === 'no' ? prefix : undefined, prefix, open };
}

type Piece = string | { open: 'pattern' | 'anything' };

function pieces(part: WordPart | DoubleQuotedChild): Piece[] {
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      return [part.value];
    case 'DoubleQuoted':
    case 'LocaleString':
      return part.parts.flatMap(pieces);
    case 'Glob':
      return [{ open: 'pattern' }];
    case 'SimpleExpansion':
    case 'ParameterExpansion':
    case 'CommandExpansion':
    case 'ArithmeticExpansion':
    case 'ProcessSubstitution':
    case 'ExtendedGlob':
    case 'BraceExpansion':
      return [{ open: 'anything' }];
  }
}
