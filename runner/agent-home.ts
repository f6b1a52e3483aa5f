import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { givenFolder } from '../src/contracts/given-file.ts';
import type { Git } from './git.ts';
import type { Helper } from './sandbox/port.ts';
import { readAll, readTar, type TarLimits } from './sandbox/tar.ts';

/**
 * The home of an agent inside the working copy: on its disk and counted with it, but never part of a commit, because nothing below
 * `.git` is. What the agent keeps of its session is taken from here at the end of a run and put back for the next one.
 */
export const agentHome = '.git/deckhand/home';
/** Files that the agent has for people, beside those that people gave (`givenFolder`). Never part of a commit. */
export const shownFiles = '.deckhand/out';

export interface HomeFile {
  /** Relative to the home. */
  path: string;
  bytes: Uint8Array;
}

const sessionLimits: TarLimits = { entries: 2000, fileBytes: 32 * 1024 * 1024, totalBytes: 64 * 1024 * 1024 };

/**
 * Puts files into the home of a working copy that no sandbox has yet. Later files replace earlier ones of the same name, so that what
 * Deckhand writes counts and not what an earlier run has left.
 */
export async function fillHome(copy: string, files: readonly HomeFile[], given: readonly HomeFile[]): Promise<void> {
  await mkdir(join(copy, agentHome), { recursive: true });
  await rm(join(copy, '.deckhand'), { recursive: true, force: true });
  await mkdir(join(copy, shownFiles), { recursive: true });
  await putFiles(join(copy, agentHome), files);
  await putFiles(join(copy, givenFolder), given);
}

async function putFiles(home: string, files: readonly HomeFile[]): Promise<void> {
  for (const { path, bytes } of files) {
    if (path.split('/').some((part) => part === '' || part === '.' || part === '..'))
      throw new Error(`not a plain path: ${path}`);
    await mkdir(join(home, dirname(path)), { recursive: true });
    await writeFile(join(home, path), bytes);
  }
}

/** Gives the files that continue a session as a tar stream. Runs inside the sandbox; what is missing is left out. */
export function keepHelper(keeps: readonly string[]): Helper {
  const script = `cd ${agentHome} 2>/dev/null || exit 0
for kept; do [ -e "$kept" ] && printf '%s\\0' "$kept"; done | tar --null --verbatim-files-from --files-from=- -cf - 2>/dev/null`;
  return {
    argv: ['/bin/sh', '-c', script, 'keep', ...keeps],
    timeMs: 2 * 60_000,
    outputBytes: sessionLimits.totalBytes + 8 * 1024 * 1024,
  };
}

/** The files of a session as they came out of a sandbox: plain files only. Throws UnsafeTar, TooLarge. */
export function readSession(tar: AsyncIterable<Uint8Array>): Promise<HomeFile[]> {
  return readFiles(tar, sessionLimits);
}

const shownLimits: TarLimits = { entries: 100, fileBytes: 20 * 1024 * 1024, totalBytes: 50 * 1024 * 1024 };

/** Gives the files that the agent has for people as a tar stream. Runs inside the sandbox. */
export const showHelper: Helper = {
  argv: ['/bin/sh', '-c', `cd ${shownFiles} 2>/dev/null && [ -n "$(ls -A)" ] && tar -cf - . 2>/dev/null || exit 0`],
  timeMs: 2 * 60_000,
  outputBytes: shownLimits.totalBytes + 8 * 1024 * 1024,
};

/** Those files. Throws UnsafeTar, TooLarge. */
export function readShown(tar: AsyncIterable<Uint8Array>): Promise<HomeFile[]> {
  return readFiles(tar, shownLimits);
}

async function readFiles(tar: AsyncIterable<Uint8Array>, limits: TarLimits): Promise<HomeFile[]> {
  const all = await readAll(tar, limits.totalBytes + 8 * 1024 * 1024);
  if (all.length === 0) return [];
  const files: HomeFile[] = [];
  for await (const { path, type, bytes } of readTar(Readable.from([all]), limits)) {
    if (type === 'file') files.push({ path, bytes });
  }
  return files;
}

/** The same files as an archive of our own making, to be stored. */
export async function packSession(files: readonly HomeFile[]): Promise<Buffer> {
  const archive = pack();
  for (const { path, bytes } of files) archive.entry({ name: path, mode: 0o600 }, Buffer.from(bytes));
  archive.finalize();
  return await readAll(Readable.from(archive), sessionLimits.totalBytes + 64 * 1024 * 1024);
}

const guides = ['CLAUDE.md', 'AGENTS.md'] as const;
/** Longer ones are given up to here: they go into every request. */
const longestGuide = 24 * 1024;
/** What is larger is not even read: it tells nobody anything. */
const largestGuide = 4 * 1024 * 1024;

/** What a repository tells agents, as it is in a commit. Read from the clean mirror; links are not followed. */
export async function guidanceIn(
  git: Git,
  mirror: string,
  commit: string,
  signal?: AbortSignal,
): Promise<{ path: string; text: string }[]> {
  const listed = await git.text(['ls-tree', '-z', '-l', commit, '--', ...guides], { repository: mirror, signal });
  const found: { path: string; text: string }[] = [];
  for (const line of listed.split('\0')) {
    const entry = /^100(?:644|755) blob ([0-9a-f]+) +(\d+)\t(.+)$/.exec(line);
    const [, blob, size, path] = entry ?? [];
    if (blob === undefined || path === undefined || Number(size) > largestGuide) continue;
    const text = (await git.run(['cat-file', 'blob', blob], { repository: mirror, signal })).toString('utf8');
    found.push({ path, text: text.length > longestGuide ? `${text.slice(0, longestGuide)}\n[…]` : text });
  }
  return found;
}
