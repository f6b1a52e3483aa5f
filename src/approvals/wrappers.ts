import type { ShellWord } from './shell-words.ts';

/**
 * Commands that run another command given in their arguments. `flags` and `valued` are the options known; `operands` is the number
 * of own operands before the command. `transparent`: adds nothing of its own, so only the inner command has to be allowed.
 */
interface Wrapper {
  flags: readonly string[];
  /** Options followed by a value in the next word. */
  valued: readonly string[];
  operands: number;
  transparent?: true;
  /** Words like `NAME=value` may stand before the command. */
  assignments?: true;
  /** Further arguments are added that are not visible. */
  appends?: true;
}

const plainWrapper: Wrapper = { flags: [], valued: [], operands: 0 };

const wrappers: Readonly<Record<string, Wrapper>> = {
  timeout: {
    flags: ['--foreground', '--preserve-status', '-v', '--verbose'],
    valued: ['-k', '-s', '--kill-after', '--signal'],
    operands: 1,
    transparent: true,
  },
  nice: { flags: [], valued: ['-n', '--adjustment'], operands: 0, transparent: true },
  command: { flags: ['-p'], valued: [], operands: 0 },
  builtin: plainWrapper,
  exec: { flags: ['-c', '-l'], valued: ['-a'], operands: 0 },
  nohup: plainWrapper,
  setsid: { flags: ['-c', '-f', '-w'], valued: [], operands: 0 },
  time: { flags: ['-p', '-v', '-a'], valued: ['-f', '-o'], operands: 0 },
  stdbuf: { flags: [], valued: ['-i', '-o', '-e'], operands: 0 },
  ionice: { flags: ['-t'], valued: ['-c', '-n'], operands: 0 },
  taskset: { flags: ['-c', '-a'], valued: [], operands: 1 },
  chrt: { flags: ['-b', '-f', '-i', '-o', '-r'], valued: [], operands: 1 },
  flock: { flags: ['-n', '-s', '-x', '-u', '-o'], valued: ['-w', '-E'], operands: 1 },
  chroot: { flags: [], valued: [], operands: 1 },
  unshare: { flags: ['-r', '-n', '-m', '-p', '-f', '-u'], valued: [], operands: 0 },
  env: {
    flags: ['-i', '-', '-0', '--null', '--ignore-environment', '-v'],
    valued: ['-u', '-C', '--unset', '--chdir', '-S', '--split-string'],
    operands: 0,
    assignments: true,
  },
  sudo: {
    flags: ['-n', '-E', '-H', '-i', '-s', '-b', '-k', '-S', '-A', '-P'],
    valued: ['-u', '-g', '-h', '-p', '-C', '-D', '-R', '-T', '-U'],
    operands: 0,
    assignments: true,
  },
  doas: { flags: ['-n', '-s', '-L'], valued: ['-u', '-C', '-a'], operands: 0 },
  xargs: {
    flags: ['-0', '-r', '-t', '-x', '-o', '--null', '--no-run-if-empty', '--verbose'],
    valued: ['-n', '-P', '-L', '-I', '-s', '-d', '-E', '-a'],
    operands: 0,
    appends: true,
  },
  parallel: { flags: [], valued: ['-j', '-n'], operands: 0, appends: true },
  watch: { flags: ['-d', '-t', '-x', '-e', '-g', '-c', '-b'], valued: ['-n', '-q'], operands: 0 },
  strace: { flags: ['-f', '-c', '-q', '-y'], valued: ['-e', '-o', '-p', '-s'], operands: 0 },
  busybox: plainWrapper,
  'systemd-run': plainWrapper,
};

const shells = new Set(['sh', 'bash', 'dash', 'ash', 'ksh', 'mksh', 'zsh', 'rbash', 'fish']);

/** What a command runs besides itself. */
export interface Unwrapped {
  /** The command itself needs no permission of its own. */
  transparent: boolean;
  /** Commands named in the arguments. */
  inner: ShellWord[][];
  /** Shell scripts given as arguments. */
  scripts: string[];
  /** It runs something that the words do not tell. */
  unclear: boolean;
  /** It runs a shell script given as text or through its input. */
  inlineScript: boolean;
  setsVariables: boolean;
}

const nothing: Unwrapped = {
  transparent: false,
  inner: [],
  scripts: [],
  unclear: false,
  inlineScript: false,
  setsVariables: false,
};

/** The last part of a path: `/bin/rm` is `rm`. */
export function programName(word: string): string {
  return word.slice(word.lastIndexOf('/') + 1);
}

export function unwrap(words: readonly ShellWord[]): Unwrapped {
  const name = words[0]?.value;
  if (name === undefined) return nothing;
  const program = programName(name);
  const rest = words.slice(1);
  if (program === 'eval' || program === 'trap') {
    const script = program === 'eval' ? rest : rest.slice(0, 1);
    return inlineScript(script.some(isOpen) ? undefined : script.map(({ value }) => value ?? '').join(' '));
  }
  if (shells.has(program)) return unwrapShell(rest);
  if (program === 'su' || program === 'script' || program === 'runuser') return unwrapDashC(rest);
  if (program === 'find') return unwrapFind(rest);
  if (program === 'command' && (rest[0]?.value === '-v' || rest[0]?.value === '-V')) return nothing;
  const wrapper = Object.hasOwn(wrappers, program) ? wrappers[program] : undefined;
  return wrapper === undefined ? nothing : unwrapWrapper(wrapper, rest, program === name);
}

function isOpen(word: ShellWord): boolean {
  return word.open !== 'no';
}

function inlineScript(script: string | undefined): Unwrapped {
  return { ...nothing, scripts: script === undefined ? [] : [script], inlineScript: true };
}

/** `sh -c TEXT`, also in a cluster (`-lc`); without operand a shell reads its input. */
function unwrapShell(rest: readonly ShellWord[]): Unwrapped {
  for (const [index, word] of rest.entries()) {
    if (word.value === undefined) return { ...nothing, unclear: true };
    if (/^[-+]o$/.test(word.value)) return { ...nothing, unclear: true };
    if (!/^[-+]./.test(word.value) || word.value === '--') {
      if (word.value === '--' && rest[index + 1] === undefined) return inlineScript(undefined);
      return nothing;
    }
    if (/^-[A-Za-z]*c/.test(word.value)) return inlineScript(rest[index + 1]?.value);
  }
  return rest.length === 1 && rest[0]?.value === '--version' ? nothing : inlineScript(undefined);
}

function unwrapDashC(rest: readonly ShellWord[]): Unwrapped {
  const at = rest.findIndex(({ value }) => value === '-c' || value === '--command');
  return at === -1 ? { ...nothing, unclear: true } : inlineScript(rest[at + 1]?.value);
}

function unwrapFind(rest: readonly ShellWord[]): Unwrapped {
  const inner: ShellWord[][] = [];
  let unclear = false;
  for (const [index, { value }] of rest.entries()) {
    if (value === undefined || !['-exec', '-execdir', '-ok', '-okdir'].includes(value)) continue;
    const tail = rest.slice(index + 1);
    const end = tail.findIndex((word) => word.value === ';' || word.value === '+');
    const command = (end === -1 ? tail : tail.slice(0, end)).map(asFoundFile);
    if (command[0]?.value === undefined) unclear = true;
    else inner.push(command);
  }
  return { ...nothing, inner, unclear };
}

/** `{}` becomes the name of a file. */
function asFoundFile(word: ShellWord): ShellWord {
  return word.value?.includes('{}') === true ? { ...word, value: undefined, prefix: '', open: 'anything' } : word;
}

function unwrapWrapper(wrapper: Wrapper, rest: readonly ShellWord[], bareName: boolean): Unwrapped {
  let clear = true;
  let setsVariables = false;
  let operands = wrapper.operands;
  let index = 0;
  for (; index < rest.length; index += 1) {
    const value = rest[index]?.value;
    if (value === undefined) {
      clear = false;
      break;
    }
    if (wrapper.assignments === true && /^[A-Za-z_][A-Za-z0-9_]*=/.test(value)) setsVariables = true;
    else if (value === '--') continue;
    else if (wrapper.flags.includes(value)) continue;
    else if (wrapper.valued.includes(value)) index += 1;
    else if (wrapper.valued.some((option) => value.startsWith(option.startsWith('--') ? `${option}=` : option))) continue;
    else if (/^-./.test(value)) clear = false;
    else if (operands > 0) operands -= 1;
    else break;
  }
  const command = wrapper.appends === true ? rest.slice(index).map(asFoundFile) : rest.slice(index);
  const first = command[0];
  // Without a command a wrapper does nothing, or something of its own (`sudo -s`, `exec > file`).
  if (first === undefined) return { ...nothing, unclear: !clear, setsVariables };
  if (wrapper.appends === true) command.push({ text: '…', value: undefined, prefix: '', open: 'anything' });
  return {
    ...nothing,
    transparent: wrapper.transparent === true && bareName && clear && first.value !== undefined,
    inner: first.value === undefined ? [] : [command],
    unclear: !clear || first.value === undefined,
    setsVariables,
  };
}
