/**
 * Splits what a person typed into words, the way chat people expect rather than the way a shell does: a quote opens only at the
 * start of a word or of an option's value (so that `don't` is a word), a backslash means itself except inside double quotes, and
 * the typographic quotes that phones make of `"` and `'` work as quotes too. The command of `sh` never comes through here.
 */
export interface Token {
  /** The word with its quotes removed. Of an option: the whole word, `branch=main`. */
  text: string;
  /** A word that started with a quote is never read as an option. */
  quoted: boolean;
  /** Set when the word looks like `key=value`, `key+=value` or `key-=value`, or is a known `--key value`. A `_` in the key is read as `-`: menus of some platforms have only that. */
  option?: { key: string; operator: Operator; value: string } | undefined;
  /** Position in the text, for completing. */
  start: number;
  end: number;
}

export type Operator = '=' | '+=' | '-=';

export type Tokens = { ok: true; tokens: Token[] } | { ok: false; problem: string };

const optionStart = /^([a-z][a-z_-]*?)(\+=|-=|=)/;
const closing: Record<string, string> = { '"': '"', "'": "'", '“': '”', '„': '“', '‘': '’' };

/** As on a command line; phones make one dash of two. Only before a name that is known, so that other texts stay what they are. */
const flagStart = /^(?:--|—)([a-z][a-z_-]*)(?:=|[^\S\n]+(?=\S))/;

/**
 * Splits `text` into words. `flags`: names that are options as `--name value` too. Never throws; the only thing that can be wrong is a quote
 * that is never closed.
 */
export function tokenize(text: string, flags: readonly string[] = []): Tokens {
  const tokens: Token[] = [];
  for (let at = 0; ; ) {
    const token = readToken(text, at, flags);
    if (token === undefined) return { ok: true, tokens };
    if ('unclosed' in token) return { ok: false, problem: `The quote in \`${shorten(token.unclosed)}\` is not closed.` };
    tokens.push(token);
    at = token.end;
  }
}

/** The first word at or after `from`; undefined when there is none. `flags` as for `tokenize`. */
export function readToken(text: string, from: number, flags: readonly string[] = []): Token | { unclosed: string } | undefined {
  let start = from;
  while (start < text.length && isSpace(text, start)) start += 1;
  if (start >= text.length) return undefined;
  const flag = flagStart.exec(text.slice(start));
  const head = flag !== null && flags.includes(nameOf(flag[1] ?? '')) ? flag : optionStart.exec(text.slice(start));
  const key = head?.[1];
  const operator = head === flag ? '=' : head?.[2];
  if (head === null || key === undefined || !isOperator(operator)) {
    const word = readValue(text, start);
    return word === undefined ? { unclosed: text.slice(start) } : { ...word, start };
  }
  const value = readValue(text, start + head[0].length);
  if (value === undefined) return { unclosed: text.slice(start) };
  return {
    text: `${key}${operator}${value.text}`,
    quoted: false,
    option: { key: nameOf(key), operator, value: value.text },
    start,
    end: value.end,
  };
}

/** Writes `value` so that `tokenize` reads it back as one word that is no option. */
export function quote(value: string): string {
  if (value !== '' && !/[\s=]/.test(value) && closing[value.charAt(0)] === undefined) return value;
  return `"${value.replace(/["\\]/g, (char) => `\\${char}`)}"`;
}

function readValue(text: string, from: number): { text: string; quoted: boolean; end: number } | undefined {
  const open = text.charAt(from);
  const close = closing[open];
  if (close === undefined) {
    let end = from;
    while (end < text.length && !isSpace(text, end)) end += 1;
    return { text: text.slice(from, end), quoted: false, end };
  }
  let value = '';
  for (let at = from + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    const next = text.charAt(at + 1);
    if (open === '"' && char === '\\' && (next === '"' || next === '\\')) {
      value += next;
      at += 1;
    } else if (char === close || (open === '„' && char === '”')) {
      const rest = readTail(text, at + 1);
      return { text: value + rest.text, quoted: true, end: rest.end };
    } else {
      value += char;
    }
  }
  return undefined;
}

/** What is glued to a closing quote belongs to the word: `"a b"c` is `a bc`. */
function readTail(text: string, from: number): { text: string; end: number } {
  let end = from;
  while (end < text.length && !isSpace(text, end)) end += 1;
  return { text: text.slice(from, end), end };
}

function nameOf(key: string): string {
  return key.replaceAll('_', '-');
}

function isSpace(text: string, at: number): boolean {
  return /\s/.test(text.charAt(at));
}

function isOperator(text: string | undefined): text is Operator {
  return text === '=' || text === '+=' || text === '-=';
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
