import { constants, createReadStream } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Something of the data directory that a backup has: its path in there, with `/`. */
export interface DataFile {
  path: string;
  directory: boolean;
  mode: number;
}

/** Parts of a data directory that are state. Everything else is made anew, or tells who uses it. */
export const stateFolders = ['artifacts', 'mirrors', 'lab'] as const;

/** Below `mirrors` and `artifacts`: what a backup or a restore has under way. */
export const asidePrefix = '.deckhand-';
/** Left by a backup that was killed. */
const forgottenMs = 24 * 60 * 60_000;

/** Files and directories below a directory, directories first, `aside` ones and everything that is neither left out. */
export async function* walk(dataDir: string, folder: string): AsyncGenerator<DataFile> {
  const entries = await readdir(join(dataDir, folder), { withFileTypes: true }).catch(whenMissing([]));
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(asidePrefix)) continue;
    const path = `${folder}/${entry.name}`;
    if (!entry.isDirectory() && !entry.isFile()) continue;
    const found = await stat(join(dataDir, path)).catch(whenMissing(undefined));
    if (found === undefined) continue;
    yield { path, directory: entry.isDirectory(), mode: found.mode & 0o777 };
    if (entry.isDirectory()) yield* walk(dataDir, path);
  }
}

/**
 * The file as long as it is now; logs may grow while they are read. Undefined when it is gone. Whoever gets it reads it to the end or returns.
 */
export async function openContent(path: string): Promise<{ size: number; content: AsyncIterable<Uint8Array> } | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(whenMissing(undefined));
  if (handle === undefined) return undefined;
  const { size } = await handle.stat();
  if (size > 0) return { size, content: createReadStream(path, { fd: handle, start: 0, end: size - 1 }) };
  await handle.close();
  return { size, content: nothing() };
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty file cannot be read from its first byte to its last.
}

/**
 * A bare repository as it is at one moment: its files under further names, which takes no room and a moment only, because git never changes a file
 * that it has written, it writes another. Nobody changes the repository meanwhile. Returns the names' directory.
 */
export async function freeze(repository: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(repository, { withFileTypes: true })) {
    const [from, to] = [join(repository, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) await freeze(from, to);
    else if (entry.isFile() && !entry.name.endsWith('.lock'))
      await link(from, to).catch((error: unknown) => copyInstead(error, from, to));
  }
}

/** Some file systems know no second name. */
async function copyInstead(error: unknown, from: string, to: string): Promise<void> {
  if (error instanceof Error && 'code' in error && ['EPERM', 'ENOTSUP', 'EMLINK', 'EOPNOTSUPP'].includes(String(error.code)))
    return copyFile(from, to, constants.COPYFILE_FICLONE);
  throw error;
}

export async function removeForgotten(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(whenMissing([]))) {
    if (!name.startsWith(asidePrefix)) continue;
    const found = await stat(join(folder, name)).catch(whenMissing(undefined));
    if (found !== undefined && Date.now() - found.mtimeMs > forgottenMs)
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

function whenMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return instead;
    throw error;
  };
}
