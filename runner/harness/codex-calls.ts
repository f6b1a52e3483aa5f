import type { Question, ToolCall } from '../../src/contracts/agent.ts';
import { canonicalJson } from '../../src/runtime/canonical-json.ts';
import type { CodexState } from './codex-state.ts';
import { inWorkingCopy } from './touched.ts';

type Change = CodexState['changes'][string][number];

/** A command as people are asked about it. `cwd` of the command is a part of it when it is not that of the agent. */
export function commandCall(command: string, at: string, cwd: string): ToolCall {
  const shown = shownCommand(command, at, cwd);
  const input = canonicalJson({ command, cwd: at });
  return { tool: 'exec_command', title: commandTitle(shown), input, command: shown, readOnly: false };
}

export function shownCommand(command: string, at: string, cwd: string): string {
  const script = scriptOf(command) ?? command;
  return at === cwd ? script : `cd ${quoted(at)} && ${script}`;
}

export function commandTitle(command: string): string {
  return `$ ${command.split('\n')[0] ?? ''}`;
}

/** `grantRoot`: it also wants to write everywhere below a directory. */
export function changeCall(changes: readonly Change[], grantRoot: string | undefined, cwd: string): ToolCall {
  const files = changes.flatMap(({ path, kind, to, diff }) => {
    const change = kind === 'add' ? ('create' as const) : kind === 'delete' ? ('delete' as const) : ('edit' as const);
    const moved = to === null ? [] : [{ path: inWorkingCopy(to, cwd), change: 'create' as const }];
    return [{ path: inWorkingCopy(path, cwd), change: to === null ? change : ('delete' as const), diff }, ...moved];
  });
  if (grantRoot !== undefined) files.push({ path: `${grantRoot.replace(/\/+$/, '')}/`, change: 'create' as const });
  const input = canonicalJson({ changes, ...(grantRoot === undefined ? {} : { grantRoot }) });
  return { tool: 'apply_patch', title: changeTitle(changes, cwd), input, files, readOnly: false };
}

export function changeTitle(changes: readonly Change[], cwd: string): string {
  const words: Record<string, string> = { add: 'Create', delete: 'Delete' };
  const named = changes.map(({ path, kind }) => `${words[kind] ?? 'Edit'} ${inWorkingCopy(path, cwd)}`);
  const [first = 'Change files', ...rest] = named;
  return rest.length === 0 ? first : `${first} and ${rest.length} more`;
}

type Asked = readonly {
  id: string;
  header: string;
  question: string;
  isOther?: boolean | undefined;
  options?: readonly { label: string; description?: string | undefined }[] | null | undefined;
}[];

export function questionsOf(asked: Asked): Question[] {
  return asked.map(({ id, header, question, options }) => ({
    id,
    header,
    text: question,
    options: (options ?? []).map(({ label, description }) => ({ label, ...(description ? { description } : {}) })),
    multiple: false,
    free: true,
  }));
}

/** The script of `bash -lc script`. Undefined when the line is anything else, or not certain to the letter. */
export function scriptOf(command: string): string | undefined {
  const words = literalWords(command);
  const [shell = '', option = '', script, ...rest] = words ?? [];
  if (rest.length > 0 || script === undefined || !/^(?:\/(?:usr\/)?bin\/)?(?:ba|z)?sh$/.test(shell)) return undefined;
  return option === '-lc' || option === '-c' ? script : undefined;
}

/** Words of a command line without anything that a shell would replace; undefined when there is. */
function literalWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; ) {
    const rest = line.slice(at);
    const [piece, text] = literalPiece(rest) ?? [];
    if (piece === undefined) return undefined;
    at += piece.length;
    if (text === undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + text;
  }
  return word === undefined ? words : [...words, word];
}

/** What the rest begins with, and the text it stands for; no text: a space between words. */
function literalPiece(rest: string): [piece: string, text: string | undefined] | undefined {
  const space = /^ +/.exec(rest);
  if (space !== null) return [space[0], undefined];
  const single = /^'([^']*)'/.exec(rest);
  if (single !== null) return [single[0], single[1] ?? ''];
  const double = /^"((?:[^"\\$`!]|\\["\\$`])*)"/.exec(rest);
  if (double !== null) return [double[0], (double[1] ?? '').replaceAll(/\\(["\\$`])/g, '$1')];
  const plain = /^[\w@%+=:,./-]+/.exec(rest);
  return plain === null ? undefined : [plain[0], plain[0]];
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
