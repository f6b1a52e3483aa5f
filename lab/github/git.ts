import { launch } from '../../src/runtime/launcher.ts';

/** Nothing of the machine's or the user's git configuration applies. */
export const BASE_ENVIRONMENT = {
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
};

export interface GitOptions {
  input?: string | Uint8Array | undefined;
  env?: Readonly<Record<string, string>> | undefined;
}

export class GitFailed extends Error {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  constructor(args: readonly string[], code: number | null, stdout: string, stderr: string) {
    super(`git ${args[0]}: ${stderr.trim() || `exit code ${code}`}`);
    this.name = 'GitFailed';
    this.code = code;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

export type Identity = { name: string; email: string };

/** Runs git in a repository; resolves with stdout without the last line break, throws GitFailed. */
export async function git(cwd: string, args: readonly string[], options: GitOptions = {}): Promise<string> {
  const env = { ...BASE_ENVIRONMENT, PATH: process.env.PATH ?? '', ...options.env };
  const input = options.input === undefined ? undefined : Buffer.from(options.input);
  const order = { command: 'git', args, cwd, env, input, maxOutputBytes: 256 * 1024 * 1024, maxErrorBytes: 64 * 1024 };
  const { exitCode, stdout, stderr, notStarted } = await launch(order).ended;
  if (exitCode !== 0) throw new GitFailed(args, exitCode, stdout.toString(), notStarted ?? stderr.toString());
  return stdout.toString().replace(/\n$/, '');
}

/** What git has said of commits, by repository and question. */
const told = new WeakMap<object, Map<string, string>>();
const toldAtMost = 200;
const longestKept = 100_000;

/** As `git`, for a question about commits that are named by their whole hashes: its answer never changes, so it is asked once. */
export async function gitOnce(repository: { directory: string }, args: readonly string[]): Promise<string> {
  const known = told.get(repository) ?? new Map<string, string>();
  told.set(repository, known);
  const question = args.join('\0');
  const before = known.get(question);
  if (before !== undefined) return before;
  const answer = await git(repository.directory, args);
  const [oldest] = known.size >= toldAtMost ? known.keys() : [];
  if (oldest !== undefined) known.delete(oldest);
  if (answer.length <= longestKept) known.set(question, answer);
  return answer;
}

export function authored(author: Identity, committer: Identity, at: number): Record<string, string> {
  const when = `${Math.floor(at / 1000)} +0000`;
  return {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_AUTHOR_DATE: when,
    GIT_COMMITTER_NAME: committer.name,
    GIT_COMMITTER_EMAIL: committer.email,
    GIT_COMMITTER_DATE: when,
  };
}

export async function refsOf(directory: string): Promise<Map<string, string>> {
  const out = await git(directory, ['for-each-ref', '--format=%(objectname) %(refname)']);
  return new Map(out.split('\n').flatMap((line) => (line === '' ? [] : [[line.slice(41), line.slice(0, 40)] as const])));
}

export type Files = Readonly<Record<string, string | Uint8Array | null>>;

/**
 * Makes a commit in a bare repository: the tree of `parent` with these files written (null: removed), and puts the ref there. Returns the
 * commit.
 */
export async function commitFiles(
  directory: string,
  given: { ref: string; parent?: string | undefined; files: Files; message: string; author: Identity; at: number },
): Promise<string> {
  const who = `${given.author.name} <${given.author.email}> ${Math.floor(given.at / 1000)} +0000`;
  const message = Buffer.from(`${given.message}\n`);
  const parts: (string | Uint8Array)[] = ['feature done\n', `commit ${given.ref}\nmark :1\nauthor ${who}\ncommitter ${who}\n`];
  parts.push(`data ${message.length}\n`, message, '\n');
  if (given.parent !== undefined) parts.push(`from ${given.parent}\n`);
  for (const [path, content] of Object.entries(given.files)) {
    if (content === null) parts.push(`D ${quoted(path)}\n`);
    else parts.push(`M 100644 inline ${quoted(path)}\ndata ${Buffer.byteLength(content)}\n`, content, '\n');
  }
  parts.push('\nget-mark :1\ndone\n');
  const input = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return await git(directory, ['fast-import', '--quiet'], { input });
}

function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n')}"`;
}
