import { type ReadOnlyCommand, readOnlyCommands, readOnlyGit, readOnlyNpm } from './read-only-commands.ts';
import { isOutside, type SimpleCommand } from './shell-analysis.ts';
import type { ShellWord } from './shell-words.ts';

/**
 * Why these commands may do more than look, as the end of a sentence; undefined when they only look. What it cannot tell counts as
 * more than looking. A link in the repository that leads out of the working copy is not seen: isolation is the sandbox's part.
 */
export function notReadOnly(commands: readonly SimpleCommand[]): string | undefined {
  const needed = commands.filter(({ transparent }) => !transparent);
  const names = needed.map(({ words }) => words[0]?.value);
  // A directory can hold what git takes for a repository, with a configuration that runs programs.
  if (names.includes('cd') && names.includes('git')) return '`git` runs in another directory';
  for (const { words } of needed) {
    const reason = commandIsMore(words);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function commandIsMore(words: readonly ShellWord[]): string | undefined {
  const name = words[0]?.value;
  if (name === undefined) return 'the command is not known before it runs';
  const rest = words.slice(1);
  if (name === 'git') return subcommand('git', readOnlyGit, rest);
  if (name === 'npm' && rest[0]?.value?.startsWith('-') === false) return subcommand('npm', readOnlyNpm, rest);
  if (name === 'find') return findIsMore(rest);
  if (name === 'sed') return sedIsMore(rest);
  const known = own(readOnlyCommands, name);
  return known === undefined ? `${quote(name)} is not on the list of read-only commands` : check(name, known, rest);
}

function subcommand(
  program: string,
  table: Readonly<Record<string, ReadOnlyCommand>>,
  rest: readonly ShellWord[],
): string | undefined {
  const words = rest[0]?.value === '--no-pager' && program === 'git' ? rest.slice(1) : rest;
  const name = words[0]?.value;
  const known = name === undefined ? undefined : own(table, name);
  const label = name === undefined ? program : `${program} ${name}`;
  return known === undefined ? `${quote(label)} is not on the list of read-only commands` : check(label, known, words.slice(1));
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function quote(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``;
}

function check(name: string, known: ReadOnlyCommand, words: readonly ShellWord[]): string | undefined {
  const seen = new Set<string>();
  const operands: ShellWord[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index];
    if (word === undefined) break;
    if (word.value === '--') {
      operands.push(...words.slice(index + 1));
      break;
    }
    if (word.value === undefined || !/^-./.test(word.value)) {
      operands.push(word);
      continue;
    }
    if (known.counts === true && /^-\d+$/.test(word.value)) continue;
    const taken = option(known, word.value, seen);
    if (taken === 'unknown') return `the option ${quote(word.value)} of ${quote(name)} is not known to be read-only`;
    if (taken === 'next') {
      index += 1;
      if (words[index]?.value === undefined) return `an argument of ${quote(name)} is not known before it runs`;
    }
  }
  if (known.needs !== undefined && !known.needs.some((needed) => seen.has(needed))) {
    return `${quote(name)} is read-only only with ${known.needs.map(quote).join(' or ')}`;
  }
  return operandsAreMore(name, known, operands, seen);
}

/** Reads one option word; notes its options in `seen`. `next`: its value is the next word. */
function option(known: ReadOnlyCommand, word: string, seen: Set<string>): 'done' | 'next' | 'unknown' {
  if (word.startsWith('--')) {
    const [name = '', ...value] = word.slice(2).split('=');
    const longs = known.long?.split(' ') ?? [];
    seen.add(`--${name}`);
    if (value.length > 0) return longs.includes(`${name}=`) || longs.includes(`${name}?`) ? 'done' : 'unknown';
    if (longs.includes(`${name}=`)) return 'next';
    return longs.includes(name) || longs.includes(`${name}?`) ? 'done' : 'unknown';
  }
  const shorts = known.short ?? '';
  for (let index = 1; index < word.length; index += 1) {
    const letter = word.charAt(index);
    const at = /[A-Za-z0-9]/.test(letter) ? shorts.indexOf(letter) : -1;
    if (at === -1) return 'unknown';
    seen.add(`-${letter}`);
    if (shorts.charAt(at + 1) === ':') return index === word.length - 1 ? 'next' : 'done';
  }
  return 'done';
}

function operandsAreMore(
  name: string,
  known: ReadOnlyCommand,
  operands: readonly ShellWord[],
  seen: ReadonlySet<string>,
): string | undefined {
  const { minOperands = 0, maxOperands = Number.POSITIVE_INFINITY, operand } = known;
  if (known.operands === 'none' && operands.length > 0) {
    return `${quote(`${name} ${operands[0]?.text}`)} is not on the list of read-only commands`;
  }
  if (operands.length < minOperands || operands.length > maxOperands) return `${quote(name)} has other arguments than expected`;
  if (known.anyText === true) return undefined;
  const textGiven = known.textOptions?.some((name) => seen.has(name)) ?? false;
  const leading = textGiven ? 0 : (known.leadingText ?? 0);
  for (const [index, word] of operands.entries()) {
    if (operand !== undefined && (word.value === undefined || !operand.test(word.value))) {
      return `${quote(name)} has other arguments than expected`;
    }
    const isText = known.operands === 'text' || index < leading;
    const reason = isText ? textIsMore(name, word) : pathIsMore(name, word, known.anyNames === true);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function textIsMore(name: string, word: ShellWord): string | undefined {
  return word.value === undefined ? `an argument of ${quote(name)} is not known before it runs` : undefined;
}

function pathIsMore(name: string, word: ShellWord, anyNames: boolean): string | undefined {
  if (word.value !== undefined) {
    return isOutside(word.value) ? `it reads outside the working copy (${word.text})` : undefined;
  }
  // A pattern may expand to a name that looks like an option, unless its beginning is fixed; `.*` may become `..`.
  const fixedStart = /^[A-Za-z0-9_]/.test(word.prefix);
  const staysInside = word.open === 'pattern' && !isOutside(word.prefix) && !/(^|\/)[^/]*\.[^A-Za-z0-9/]|\.\./.test(word.text);
  if (staysInside && (fixedStart || (anyNames && !/[/]/.test(word.text)))) return undefined;
  return `an argument of ${quote(name)} is not known before it runs`;
}

const findFlags = new Set(
  '-print -print0 -not ! -o -or -a -and ( ) , -empty -prune -depth -xdev -mount -readable -writable -executable -true -false -ls -daystart -noleaf'.split(
    ' ',
  ),
);
const findValued = new Set(
  '-name -iname -path -ipath -wholename -regex -iregex -type -maxdepth -mindepth -size -mtime -atime -ctime -mmin -amin -cmin -perm -user -group -links -printf -regextype'.split(
    ' ',
  ),
);

function findIsMore(words: readonly ShellWord[]): string | undefined {
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index];
    if (word?.value === undefined) return 'an argument of `find` is not known before it runs';
    if (findValued.has(word.value)) {
      index += 1;
      if (words[index]?.value === undefined) return 'an argument of `find` is not known before it runs';
    } else if (!findFlags.has(word.value)) {
      if (/^-/.test(word.value)) return `the option ${quote(word.value)} of \`find\` is not known to be read-only`;
      if (isOutside(word.value)) return `it reads outside the working copy (${word.text})`;
    }
  }
  return undefined;
}

/** Only printing lines by number: other scripts of sed can write files and run commands. */
function sedIsMore(words: readonly ShellWord[]): string | undefined {
  const [flag, script, ...files] = words;
  if (flag?.value !== '-n' || script?.value === undefined || !/^\d+(,(\d+|\$))?p$/.test(script.value)) {
    return '`sed` is read-only only as `sed -n 1,20p`';
  }
  for (const file of files) {
    if (file.value === undefined || /^-./.test(file.value)) return 'an argument of `sed` is not known before it runs';
    if (isOutside(file.value)) return `it reads outside the working copy (${file.text})`;
  }
  return undefined;
}
