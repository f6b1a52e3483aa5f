import { forEachChild, parse, type Redirect, type SyntaxNode } from 'unbash';
import { hiddenCharacters } from './hidden-characters.ts';
import type { Escape } from './shell-escapes.ts';
import { type ShellWord, shellWord } from './shell-words.ts';
import { unwrap } from './wrappers.ts';

/** One program with its arguments, wherever in the line it stands: in a pipe, a loop, a substitution, behind `timeout` … */
export interface SimpleCommand {
  words: readonly ShellWord[];
  /** Only repeats what a transparent wrapper in front of it runs, so it needs no permission of its own. */
  transparent: boolean;
}

export interface Analysis {
  /** All commands that can be told from the text, in order of appearance. */
  commands: readonly SimpleCommand[];
  /** Why the commands are not the whole story, with the piece of text that shows it. Empty: they are. */
  escapes: ReadonlyMap<Escape, string>;
  /** Files that redirections write to. */
  writes: readonly ShellWord[];
}

/** Builtins after which the rest of the line means something else. */
const stateBuiltins = new Set(
  'alias unalias declare typeset local export readonly set unset shopt hash enable source . read mapfile readarray getopts let bind complete umask ulimit pushd popd'.split(
    ' ',
  ),
);

/** Scripts inside scripts (`sh -c "sh -c …"`) are followed this deep. */
const maxDepth = 8;

interface Findings {
  commands: SimpleCommand[];
  escapes: Map<Escape, string>;
  writes: ShellWord[];
  depth: number;
}

/**
 * Reads a command line as a shell would. It sees what POSIX shells and bash agree on; wherever they differ, or the text is not all
 * that decides, there is an escape. It never guesses: a command without escapes runs exactly the commands listed.
 */
export function analyseShell(line: string): Analysis {
  const findings: Findings = { commands: [], escapes: new Map(), writes: [], depth: 0 };
  const hidden = hiddenCharacters(line);
  if (hidden.length > 0) note(findings, 'hidden', hidden.join(' '));
  if (/\\\r?\n/.test(line)) note(findings, 'continued_line', '\\');
  analyseScript(findings, line);
  return findings;
}

function note(findings: Findings, kind: Escape, text: string): void {
  if (!findings.escapes.has(kind)) findings.escapes.set(kind, text);
}

function analyseScript(findings: Findings, text: string): void {
  if (findings.depth < maxDepth) {
    findings.depth += 1;
    visit(findings, parse(text));
    findings.depth -= 1;
  } else {
    note(findings, 'unparsable', 'too deep');
  }
}

function visit(findings: Findings, node: SyntaxNode): void {
  const found = escapeOf(node);
  if (found !== undefined) note(findings, ...found);
  if (node.type === 'Command' && node.name !== undefined) {
    // `export A=b` holds an assignment among its arguments.
    const args = node.args.map((arg) => (arg.type === 'Word' ? shellWord(arg) : assignmentWord(arg.text)));
    addCommand(findings, [shellWord(node.name), ...args]);
  }
  if (node.type === 'Redirect') visitRedirect(findings, node);
  forEachChild(node, (child) => visit(findings, child));
}

function escapeOf(node: SyntaxNode): [Escape, string] | undefined {
  switch (node.type) {
    case 'Script':
      return node.errors?.[0] === undefined ? undefined : ['unparsable', node.errors[0].message];
    case 'Statement':
      return node.background === true ? ['background', '&'] : undefined;
    case 'Pipeline':
      return node.operators.includes('|&') ? ['redirection', '|&'] : undefined;
    case 'HereString':
    case 'HereDoc':
      return ['inline_text', node.operator];
    case 'Function':
      return ['function', node.name.text];
    case 'Coproc':
      return ['background', 'coproc'];
    case 'If':
    case 'For':
    case 'While':
    case 'Case':
      return ['control', node.type];
    // Bash reads an expression here, a POSIX shell commands: `((rm x))` are two subshells, `[[ a && rm x ]]` two commands.
    case 'ArithmeticFor':
    case 'ArithmeticCommand':
    case 'Select':
    case 'TestCommand':
      return ['dialect', node.type];
    case 'Assignment':
      return ['environment', node.text];
    case 'CommandExpansion':
    case 'ArithmeticCommandExpansion':
    case 'ProcessSubstitution':
      return [node.script === undefined ? 'unparsable' : 'substitution', node.text];
    case 'ArithmeticExpansion':
      return ['expansion', node.text];
    case 'ParameterExpansion': {
      const plain = node.prefix === undefined && node.index === undefined && node.operation === undefined;
      return plain ? undefined : ['expansion', node.text];
    }
    case 'AnsiCQuoted':
    case 'LocaleString':
      return ['quoting', node.text];
    default:
      return undefined;
  }
}

/** The text after `=` may hold expansions, so it is open unless it is plainly literal. */
function assignmentWord(text: string): ShellWord {
  const literal = /^[\w+,./:@%=-]*$/.test(text);
  return { text, value: literal ? text : undefined, prefix: literal ? text : '', open: literal ? 'no' : 'anything' };
}

function addCommand(findings: Findings, words: readonly ShellWord[]): void {
  const wrapped = unwrap(words);
  findings.commands.push({ words, transparent: wrapped.transparent });
  const first = words[0];
  if (first?.value === undefined) {
    note(findings, 'unknown_command', first?.text ?? '');
    return;
  }
  if (stateBuiltins.has(first.value)) note(findings, 'state', first.value);
  if (wrapped.unclear) note(findings, 'wrapped', first.value);
  if (wrapped.inlineScript) note(findings, 'inline_script', first.value);
  if (wrapped.setsVariables) note(findings, 'environment', first.value);
  for (const inner of wrapped.inner) addCommand(findings, inner);
  for (const script of wrapped.scripts) analyseScript(findings, script);
}

/** Fine are reading a file of the working copy, joining streams (`2>&1`) and throwing output away. */
function visitRedirect(findings: Findings, { operator, descriptor, target }: Redirect): void {
  const word = target === undefined ? undefined : shellWord(target);
  const file = word?.value;
  const nowhere = file === '/dev/null';
  const variable = descriptor?.type === 'FileDescriptorVariable';
  if (operator === '<' && !variable && file !== undefined && (nowhere || !isOutside(file))) return;
  if ((operator === '<&' || operator === '>&') && !variable && file !== undefined && /^(\d|-)$/.test(file)) return;
  const writes = operator !== '<' && operator !== '<&';
  const plainWrite = operator === '>' || operator === '>>' || operator === '>|';
  if (plainWrite && !variable && nowhere) return;
  if (writes && !nowhere && word !== undefined) findings.writes.push(word);
  note(findings, plainWrite && !variable ? 'write' : 'redirection', `${operator} ${word?.text ?? ''}`.trim());
}

/** True when a path leads, or may lead, out of the working copy. */
export function isOutside(path: string): boolean {
  return path.startsWith('/') || path.startsWith('~') || path.split('/').includes('..');
}
