import type { Args, Command } from './command.ts';
import { nearest } from './nearest.ts';
import { readToken, type Token, tokenize } from './tokens.ts';
import { unwrapCode } from './unwrap-code.ts';

/** What a text means to the registry. */
export type Parsed =
  | { type: 'command'; command: Command; args: Record<string, unknown> }
  /** The command is known, what follows it does not fit. */
  | { type: 'invalid'; command: Command; problem: string }
  /** The first word of commands of several words, without the second. */
  | { type: 'group'; group: string }
  | { type: 'unknown'; word: string; suggestions: string[] }
  | { type: 'empty' };

/**
 * Reads a command line: the longest name that fits, then words, quotes, options (`key=value`, `--key value`), or for `sh` all the rest as it is.
 * Never throws, whatever the text.
 */
export function parseText(text: string, commands: readonly Command[]): Parsed {
  const line = unwrapCode(text);
  const first = /^\S+/.exec(line)?.[0];
  if (first === undefined) return { type: 'empty' };
  const two = /^(\S+)\s+(\S+)/.exec(line);
  const called = (name: string) => commands.find((command) => command.name === name.toLowerCase());
  if (two !== null) {
    const command = called(`${two[1]} ${two[2]}`);
    if (command !== undefined) return parseArguments(command, line.slice(two[0].length));
  }
  const command = called(first);
  if (command !== undefined) return parseArguments(command, line.slice(first.length));
  return unknown(first.toLowerCase(), two?.[2]?.toLowerCase(), commands);
}

function unknown(first: string, second: string | undefined, commands: readonly Command[]): Parsed {
  const names = commands.map(({ name }) => name);
  const inGroup = names.filter((name) => name.startsWith(`${first} `));
  if (inGroup.length > 0 && second === undefined) return { type: 'group', group: first };
  if (inGroup.length === 0 || second === undefined) return { type: 'unknown', word: first, suggestions: nearest(first, names) };
  const found = nearest(
    second,
    inGroup.map((name) => name.slice(first.length + 1)),
  ).map((name) => `${first} ${name}`);
  return { type: 'unknown', word: `${first} ${second}`, suggestions: found.length > 0 ? found : inGroup };
}

/** Reads what follows the name of a command. */
export function parseArguments(command: Command, rest: string): Parsed {
  const verbatim = Object.entries(command.positional).find(([, arg]) => arg.takes === 'verbatim');
  const read = verbatim === undefined ? readWords(command, rest) : readBeforeVerbatim(command, rest);
  if ('problem' in read) return { type: 'invalid', command, problem: read.problem };
  const raw: Record<string, unknown> = {};
  const words = takeOptions(command, read.tokens, raw);
  const problem = typeof words === 'string' ? words : takeWords(beforeVerbatim(command), words, raw);
  if (problem !== undefined) return { type: 'invalid', command, problem };
  if (verbatim !== undefined) {
    const text = unwrapCode(rest.slice(read.end));
    if (text !== '') raw[verbatim[0]] = text;
  }
  return checkArguments(command, raw);
}

/** Checks values by name (of a text, of a form) against the schemas of the command. */
export function checkArguments(command: Command, raw: Record<string, unknown>): Parsed {
  const args: Record<string, unknown> = {};
  for (const [name, arg] of Object.entries({ ...command.positional, ...command.options })) {
    const given = raw[name];
    if (given === undefined) {
      if (arg.required) return { type: 'invalid', command, problem: `${arg.hint} is missing: ${arg.about}.` };
      continue;
    }
    const checked = arg.schema.safeParse(given);
    if (!checked.success) {
      const why = checked.error.issues[0]?.message ?? `${arg.hint} does not fit.`;
      return { type: 'invalid', command, problem: why };
    }
    args[name] = checked.data;
  }
  return { type: 'command', command, args };
}

function readWords(command: Command, rest: string): { tokens: Token[]; end: number } | { problem: string } {
  const read = tokenize(rest, Object.keys(command.options));
  return read.ok ? { tokens: read.tokens, end: rest.length } : { problem: read.problem };
}

/** The arguments that are words: all of them, or those in front of a verbatim text. */
function beforeVerbatim({ positional }: Command): Args {
  const entries = Object.entries(positional);
  const at = entries.findIndex(([, { takes }]) => takes === 'verbatim');
  return Object.fromEntries(at < 0 ? entries : entries.slice(0, at));
}

/** Options and words that fit in front of a verbatim text. `--` ends them, for a text that begins like one. */
function readBeforeVerbatim(command: Command, rest: string): { tokens: Token[]; end: number } {
  const tokens: Token[] = [];
  let left = Object.values(beforeVerbatim(command));
  let end = 0;
  while (true) {
    const token = readToken(rest, end, Object.keys(command.options));
    if (token === undefined || 'unclosed' in token) return { tokens, end };
    if (token.text === '--' && !token.quoted) return { tokens, end: token.end };
    if (token.option === undefined || !Object.hasOwn(command.options, token.option.key)) {
      const at = left.findIndex(({ schema }) => schema.safeParse(token.text).success);
      if (at < 0 || left.slice(0, at).some(({ required }) => required)) return { tokens, end };
      left = left.slice(at + 1);
    }
    tokens.push(token);
    end = token.end;
  }
}

/** Takes the options out of the words. A word like `a=b` in a command without options is a word. */
function takeOptions(command: Command, tokens: readonly Token[], raw: Record<string, unknown>): Token[] | string {
  const names = Object.keys(command.options);
  const words: Token[] = [];
  for (const token of tokens) {
    if (token.option === undefined || names.length === 0) {
      words.push(token);
      continue;
    }
    const { key, operator, value } = token.option;
    const option = Object.hasOwn(command.options, key) ? command.options[key] : undefined;
    if (option === undefined) {
      const meant = nearest(key, names)[0];
      return `\`${command.name}\` has no option \`${key}\`.${meant === undefined ? '' : ` Did you mean \`${meant}\`?`}`;
    }
    if (option.takes === 'change') {
      const given = raw[key];
      raw[key] = [...(Array.isArray(given) ? given : []), { operator, value }];
    } else if (operator !== '=') {
      return `\`${key}\` takes one value: \`${key}=${option.hint}\`.`;
    } else if (raw[key] !== undefined) {
      return `\`${key}\` is given twice.`;
    } else {
      raw[key] = value;
    }
  }
  return words;
}

/** Gives the words to the arguments in order; one that may be left out is left out when the word does not fit it. */
function takeWords(positional: Args, words: readonly Token[], raw: Record<string, unknown>): string | undefined {
  let at = 0;
  let skipped: string | undefined;
  for (const [name, arg] of Object.entries(positional)) {
    const word = words[at];
    if (word === undefined) break;
    if (arg.takes === 'words') {
      raw[name] = words
        .slice(at)
        .map(({ text }) => text)
        .join(' ');
      return undefined;
    }
    const checked = arg.schema.safeParse(word.text);
    if (!checked.success && !arg.required) {
      skipped ??= checked.error.issues[0]?.message;
      continue;
    }
    raw[name] = word.text;
    at += 1;
  }
  const left = words[at];
  if (left === undefined) return undefined;
  return skipped ?? `\`${left.text.slice(0, 80)}\` is more than this command takes.`;
}
