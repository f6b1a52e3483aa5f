import { createWriteStream } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArchiveEntry } from './archive.ts';
import { asidePrefix, stateFolders } from './collect-files.ts';

/** Files on their way into a data directory: beside their places until all are there. */
export interface FilePlacing {
  /** `path` as `DataFile` has it. Throws a plain Error for one that leads elsewhere. */
  take(path: string, entry: Pick<ArchiveEntry, 'type' | 'mode' | 'content'>): Promise<void>;
  /** Puts them into their places, and what is there aside. */
  place(): Promise<void>;
  /** After `place`: what was there comes back. Removes what was taken. */
  undo(): Promise<void>;
  /** Removes what was there. */
  settle(): Promise<void>;
}

const pathPattern = new RegExp(`^(${stateFolders.join('|')})(/(?!\\.{1,2}(/|$))[^/\\0]+)+$`);

/** What stands in its way in the data directory: names of folders that have something in them. */
export async function occupied(dataDir: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of stateFolders) if ((await contents(join(dataDir, folder))).length > 0) found.push(folder);
  return found;
}

export function createPlacing(dataDir: string, mark: string): FilePlacing {
  // Below each folder, which may be a disk of its own.
  const fresh = (folder: string) => join(dataDir, folder, `${asidePrefix}new-${mark}`);
  const former = (folder: string) => join(dataDir, folder, `${asidePrefix}former-${mark}`);

  const placed: { folder: string; name: string }[] = [];

  async function removeAll(of: (folder: string) => string): Promise<void> {
    for (const folder of stateFolders) await rm(of(folder), { recursive: true, force: true });
  }

  return {
    async take(path, { type, mode, content }) {
      if (!pathPattern.test(path)) throw new Error(`not a path of the data directory: ${JSON.stringify(path)}`);
      const [folder = '', ...rest] = path.split('/');
      const target = join(fresh(folder), ...rest);
      if (type === 'directory') {
        await mkdir(target, { recursive: true, mode: 0o700 });
        await chmod(target, (mode & 0o777) | 0o700);
        return;
      }
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await pipeline(Readable.from(content), createWriteStream(target, { flags: 'wx', mode: mode & 0o777, flush: true }));
    },
    async place() {
      for (const folder of stateFolders) {
        const there = await contents(join(dataDir, folder));
        if (there.length > 0) await mkdir(former(folder), { mode: 0o700 });
        for (const name of there) await rename(join(dataDir, folder, name), join(former(folder), name));
        for (const name of await namesIn(fresh(folder))) {
          await rename(join(fresh(folder), name), join(dataDir, folder, name));
          placed.push({ folder, name });
        }
      }
    },
    async undo() {
      for (const { folder, name } of placed.splice(0)) await rm(join(dataDir, folder, name), { recursive: true });
      for (const folder of stateFolders) {
        for (const name of await namesIn(former(folder))) await rename(join(former(folder), name), join(dataDir, folder, name));
      }
      await removeAll(fresh);
      await removeAll(former);
    },
    async settle() {
      await removeAll(fresh);
      await removeAll(former);
    },
  };
}

async function contents(path: string): Promise<string[]> {
  return (await namesIn(path)).filter((name) => !name.startsWith(asidePrefix));
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
