import { type Launch, launch } from '../src/runtime/launcher.ts';
import { feedProgram } from './fed-program.ts';
import { type SshFiles, sshCommand } from './ssh-command.ts';

/**
 * Runs git on the host, only ever in repositories that nothing else writes: the mirrors and the fresh clones made from them.
 * Nothing of the machine's or the user's git configuration applies, no program named by a repository is run, and nobody is asked
 * for a password.
 */
export interface Git {
  /** Resolves with stdout when git ends with 0, else throws GitFailed. */
  run(args: readonly string[], options?: GitOptions): Promise<Buffer>;
  /** `run`, as text without the last line break. */
  text(args: readonly string[], options?: GitOptions): Promise<string>;
}

export interface GitOptions {
  /** `--git-dir`. */
  repository?: string | undefined;
  cwd?: string | undefined;
  /** Written to stdin, which is then closed. */
  input?: AsyncIterable<Uint8Array> | undefined;
  /** Added to the environment; the last word. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Passed as GIT_CONFIG_KEY_n, so that values do not show in the list of processes. */
  config?: readonly (readonly [string, string])[] | undefined;
  /** Transports git may use; none by default. */
  protocols?: readonly ('https' | 'http' | 'ssh' | 'git' | 'file')[] | undefined;
  /** Default 2 minutes. */
  timeoutMs?: number | undefined;
  /** Most bytes of stdout kept; more is an error. Default 16 MiB. */
  maxOutputBytes?: number | undefined;
  signal?: AbortSignal | undefined;
}

export class GitFailed extends Error {
  override name = 'GitFailed';
  readonly reason: 'exit' | 'timed_out' | 'output_too_large' | 'not_started';
  readonly exitCode: number | null;
  /** Last 16 KiB. */
  readonly stderr: string;
  /** Of a command that came to an end by itself: some tell by their exit code what is in it. */
  readonly stdout: Buffer;
  constructor(
    command: string,
    reason: GitFailed['reason'],
    exitCode: number | null,
    stderr: string,
    options?: ErrorOptions & { stdout?: Buffer | undefined },
  ) {
    super(`git ${command}: ${reason === 'exit' ? `exit code ${exitCode}` : reason}: ${stderr.trim().slice(-500)}`, options);
    this.reason = reason;
    this.exitCode = exitCode;
    this.stderr = stderr;
    this.stdout = options?.stdout ?? Buffer.alloc(0);
  }
}

const defaultTimeoutMs = 2 * 60_000;
const defaultMaxOutput = 16 * 1024 * 1024;
const keptStderr = 16 * 1024;

/** What of the runner's environment git may see: where programs are, how the network is reached, keys of ssh. */
const passedOn = [
  'PATH',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
] as const;

/** Settings that hold for every call, whatever a repository says. */
const always: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.attributesFile', '/dev/null'],
  ['core.bigFileThreshold', '32m'],
  // Versions that read attributes from the tree of a bare repository read them from the empty tree.
  ['attr.tree', '4b825dc642cb6eb9a060e54bf8d69288fbee4904'],
  ['credential.helper', ''],
  ['submodule.recurse', 'false'],
  ['transfer.fsckObjects', 'true'],
  ['gc.autoDetach', 'false'],
  ['maintenance.autoDetach', 'false'],
  ['http.lowSpeedLimit', '500'],
  ['http.lowSpeedTime', '60'],
];

export function createGit(environment: Readonly<Record<string, string | undefined>>, ssh: SshFiles = {}): Git {
  const base: Record<string, string> = {
    // Only root could put anything there.
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    SSH_ASKPASS: 'true',
    GIT_SSH_COMMAND: sshCommand(ssh),
    // Options as OpenSSH has them, whatever the program of that name seems to be.
    GIT_SSH_VARIANT: 'ssh',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_OPTIONAL_LOCKS: '0',
  };
  for (const name of passedOn) {
    const value = environment[name];
    if (value !== undefined) base[name] = value;
  }

  function environmentOf(options: GitOptions): Record<string, string> {
    const config = [...always, ...(options.config ?? [])];
    const env: Record<string, string> = {
      ...base,
      // An empty list would mean "all".
      GIT_ALLOW_PROTOCOL: options.protocols?.join(':') || 'none',
      GIT_CONFIG_COUNT: String(config.length),
    };
    for (const [index, [key, value]] of config.entries()) {
      env[`GIT_CONFIG_KEY_${index}`] = key;
      env[`GIT_CONFIG_VALUE_${index}`] = value;
    }
    return { ...env, ...options.env };
  }

  async function run(args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
    options.signal?.throwIfAborted();
    const command = args[0] ?? '';
    const where = options.repository === undefined ? [] : [`--git-dir=${options.repository}`];
    const order: Launch = {
      command: 'git',
      args: ['--no-pager', ...where, ...args],
      env: environmentOf(options),
      cwd: options.cwd,
      maxOutputBytes: options.maxOutputBytes ?? defaultMaxOutput,
      maxErrorBytes: keptStderr,
    };
    const running = options.input === undefined ? launch(order) : feedProgram(order, options.input);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      running.kill();
    }, options.timeoutMs ?? defaultTimeoutMs);
    const onAbort = () => running.kill();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const { exitCode, stdout, stderr, tooLarge, notStarted } = await running.ended;
      if (notStarted !== undefined) throw new GitFailed(command, 'not_started', null, notStarted);
      options.signal?.throwIfAborted();
      const words = stderr.toString('utf8');
      if (isLate) throw new GitFailed(command, 'timed_out', exitCode, words);
      if (tooLarge) throw new GitFailed(command, 'output_too_large', exitCode, words);
      if (exitCode !== 0) throw new GitFailed(command, 'exit', exitCode, words, { stdout });
      return stdout;
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  return {
    run,
    async text(args, options) {
      return (await run(args, options)).toString('utf8').replace(/\n$/, '');
    },
  };
}
