import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { launch } from '../../src/runtime/launcher.ts';

export interface TestRepository {
  path: string;
  /** Runs git in it and returns stdout without the last line break. */
  git(...args: string[]): Promise<string>;
  write(files: Record<string, string | Uint8Array>): Promise<void>;
  /** Writes the files, commits everything, returns the commit. */
  commit(files: Record<string, string | Uint8Array>, message?: string): Promise<string>;
}

const environment = {
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};

export async function git(cwd: string, ...args: string[]): Promise<string> {
  return await gitWithInput(cwd, undefined, ...args);
}

/** With what git reads from its stdin. */
export async function gitWithInput(cwd: string, input: string | Buffer | undefined, ...args: string[]): Promise<string> {
  const order = { command: 'git', args, cwd, env: environment, maxOutputBytes: 64 * 1024 * 1024, maxErrorBytes: 16 * 1024 };
  const { exitCode, stdout, stderr, notStarted } = await launch({
    ...order,
    input: input === undefined ? undefined : Buffer.from(input),
  }).ended;
  if (exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${notStarted ?? stderr.toString()}`);
  return stdout.toString().replace(/\n$/, '');
}

export async function temporaryDirectory(name: string): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `deckhand-${name}-`));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** A repository at `path` with the branch main and no commit. */
export async function emptyRepository(path: string, ...flags: string[]): Promise<TestRepository> {
  await mkdir(path, { recursive: true });
  await git(path, 'init', '--quiet', '--initial-branch=main', ...flags);
  const repository: TestRepository = {
    path,
    git: (...args) => git(path, ...args),
    async write(files) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(path, name)), { recursive: true });
        await writeFile(join(path, name), content);
      }
    },
    async commit(files, message = 'Change') {
      await repository.write(files);
      await git(path, 'add', '--all');
      await git(path, 'commit', '--quiet', '--allow-empty', '-m', message);
      return await git(path, 'rev-parse', 'HEAD');
    },
  };
  return repository;
}
