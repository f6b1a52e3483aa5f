import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** Nothing of the machine's or the user's git configuration applies. */
const BASE_ENVIRONMENT = {
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
};

export interface GitOptions {
  input?: string | undefined;
  env?: Readonly<Record<string, string>> | undefined;
}

export class GitFailed extends Error {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  constructor(args: readonly string[], code: number | undefined, stdout: string, stderr: string) {
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
  const running = execFileAsync('git', [...args], { cwd, env, maxBuffer: 256 * 1024 * 1024 });
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(options.input ?? '');
  try {
    const { stdout } = await running;
    return stdout.replace(/\n$/, '');
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: unknown; stderr?: unknown };
    throw new GitFailed(args, typeof code === 'number' ? code : undefined, String(stdout ?? ''), String(stderr ?? error));
  }
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
 * Makes a commit in a bare repository: the tree of `parent` with these files written (null: removed), and returns it. No ref changes.
 */
export async function commitFiles(
  directory: string,
  given: { parent?: string | undefined; files: Files; message: string; author: Identity; at: number; scratch: string },
): Promise<string> {
  const index = join(given.scratch, 'index');
  const env = { GIT_INDEX_FILE: index };
  await mkdir(given.scratch, { recursive: true });
  try {
    await git(directory, given.parent === undefined ? ['read-tree', '--empty'] : ['read-tree', given.parent], { env });
    const lines: string[] = [];
    const names: { path: string; file: string }[] = [];
    for (const [number, [path, content]] of Object.entries(given.files).entries()) {
      if (content === null) lines.push(`0 ${'0'.repeat(40)}\t${path}`);
      else {
        const file = join(given.scratch, `blob-${number}`);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
        names.push({ path, file });
      }
    }
    const input = names.map(({ file }) => `${file}\n`).join('');
    const hashes =
      names.length === 0
        ? []
        : (await git(directory, ['hash-object', '-w', '--no-filters', '--stdin-paths'], { input })).split('\n');
    for (const [at, { path }] of names.entries()) lines.push(`100644 ${hashes[at]}\t${path}`);
    await git(directory, ['update-index', '--index-info'], { env, input: lines.map((line) => `${line}\n`).join('') });
    const tree = await git(directory, ['write-tree'], { env });
    const parents = given.parent === undefined ? [] : ['-p', given.parent];
    return await git(directory, ['commit-tree', tree, ...parents], {
      input: `${given.message}\n`,
      env: authored(given.author, given.author, given.at),
    });
  } finally {
    await rm(given.scratch, { recursive: true, force: true });
  }
}
