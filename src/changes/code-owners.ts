import type { Owned } from '../contracts/approvers.ts';
import type { FileStat } from '../contracts/run-event.ts';

/** Where GitHub looks for the file, the first that is there counts. */
export const codeOwnersFiles = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'] as const;

/** A line of CODEOWNERS: who owns the files that its pattern meets. Without owners: nobody does. */
export interface OwnerLine {
  pattern: string;
  /** In small letters. */
  owners: string[];
}

/** Paths named for each group of owners; `Owned.files` counts all. */
const maxOwnedPaths = 10;
/** Different sets of owners of one change, more than any person would follow. */
export const maxOwned = 100;
/** Lines times names of files that are looked at, so that no repository keeps a runner busy. */
const maxLooks = 4_000_000;

/**
 * Reads CODEOWNERS as GitHub does: a pattern and owners on each line, `#` begins a comment. A line of another form is skipped there and
 * here, and counted: one with `!`, with `[…]` or with an owner that is no `@login`, `@organisation/team` or address of mail.
 */
export function readCodeOwners(text: string): { lines: OwnerLine[]; skipped: number } {
  const lines: OwnerLine[] = [];
  let skipped = 0;
  for (const line of text.split(/\r\n|\n|\r/)) {
    const words = wordsOf(line);
    const [pattern, ...owners] = words;
    if (pattern === undefined) continue;
    if (/^[!\\]|[[\]]/.test(pattern) || owners.some((one) => !isOwner(one))) skipped += 1;
    else lines.push({ pattern, owners: [...new Set(owners.map((one) => one.toLowerCase()))] });
  }
  return { lines, skipped };
}

/** `@login`, `@organisation/team` or an address of mail. */
export function isOwner(text: string): boolean {
  return /^@[a-z\d][\w-]{0,99}(\/[a-z\d][\w.-]{0,99})?$/i.test(text) || /^[^\s@/]{1,64}@[^\s@/]{1,190}$/.test(text);
}

/** Words with spaces between; a space of a name is written with `\` before it. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  let word = '';
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === '#' && word === '') break;
    if (char === '\\' && /\s/.test(line.charAt(at + 1))) {
      at += 1;
      word += line.charAt(at);
    } else if (/\s/.test(char)) {
      if (word !== '') words.push(word);
      word = '';
    } else word += char;
  }
  return word === '' ? words : [...words, word];
}

/** Owners of a path: those of the last line whose pattern meets it, none where it names none. */
export function ownersOf(lines: readonly OwnerLine[], path: string): readonly string[] {
  return lines.findLast(({ pattern }) => meetsOwnerPattern(pattern, path))?.owners ?? [];
}

/**
 * The files of a change that somebody owns, those of the same owners together, in the order in which they come. Both names of a renamed file
 * count: what leaves a folder is the business of its owners too. Undefined: more than `maxOwned` sets of owners, or too
 * many lines for so many files.
 */
export function ownedFiles(lines: readonly OwnerLine[], files: readonly Pick<FileStat, 'path' | 'from'>[]): Owned[] | undefined {
  const found = new Map<string, Owned>();
  const paths = new Set(files.flatMap(({ path, from }) => (from === undefined ? [path] : [path, from])));
  if (paths.size * lines.length > maxLooks) return undefined;
  for (const path of paths) {
    const owners = ownersOf(lines, path);
    if (owners.length === 0) continue;
    const key = owners.toSorted().join(' ');
    const owned = found.get(key) ?? { owners: [...owners], paths: [], files: 0 };
    if (owned.paths.length < maxOwnedPaths) owned.paths.push(path);
    owned.files += 1;
    found.set(key, owned);
    if (found.size > maxOwned) return undefined;
  }
  return [...found.values()];
}

/**
 * As in .gitignore, as far as GitHub takes that over: a pattern with `/` before its end begins at the root, another one meets a name wherever
 * it stands; a folder stands for all in it, except that `docs/*` is about what is directly in `docs`; `*` and `?` do not go over `/`, `**` does.
 * Capitals matter. Without regular expressions, so that no line of a repository can make it slow.
 */
export function meetsOwnerPattern(pattern: string, path: string): boolean {
  const onlyFolders = pattern.endsWith('/');
  const parts = pattern.split('/').filter((part) => part !== '');
  const last = parts.at(-1);
  if (last === undefined) return pattern === '/';
  const anchored = pattern.replace(/\/+$/, '').includes('/');
  const wanted = [...(anchored ? [] : ['**']), ...parts, ...(last === '**' ? ['*'] : [])];
  const deep = onlyFolders || !anchored || last !== '*';
  const names = path.split('/');
  let reached = overNone(new Set([0]), wanted);
  for (const [index, name] of names.entries()) {
    if (deep && reached.has(wanted.length) && index > 0) return true;
    const next = new Set<number>();
    for (const at of reached) {
      const part = wanted[at];
      if (part === '**') next.add(at);
      else if (part !== undefined && meetsName(part, name)) next.add(at + 1);
    }
    reached = overNone(next, wanted);
  }
  return !onlyFolders && reached.has(wanted.length);
}

/** `**` stands for no folder too. */
function overNone(reached: Set<number>, wanted: readonly string[]): Set<number> {
  for (const at of reached) if (wanted[at] === '**') reached.add(at + 1);
  return reached;
}

/** `*`: any characters; `?`: one. Goes back only to the last `*`, so that the time is bounded by the product of both lengths. */
function meetsName(part: string, name: string): boolean {
  let at = 0;
  let pos = 0;
  let star = -1;
  let resume = 0;
  while (at < name.length) {
    const char = part.charAt(pos);
    if (char === '*') {
      star = pos;
      resume = at;
      pos += 1;
    } else if (pos < part.length && (char === '?' || char === name.charAt(at))) {
      pos += 1;
      at += 1;
    } else if (star >= 0) {
      resume += 1;
      at = resume;
      pos = star + 1;
    } else return false;
  }
  while (part.charAt(pos) === '*') pos += 1;
  return pos === part.length;
}
