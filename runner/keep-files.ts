import { readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isId } from '../src/runtime/ids.ts';
import { bytesIn } from './bytes-in.ts';

/** What runs have left, one directory each: `<dataDir>/artifacts/<run>`. Their rows tell what is in there. */
export interface FilesKeeping {
  /** Runs with a directory, and when something last came into it or went. */
  list(): Promise<{ run: string; at: Date }[]>;
  /** Removes the directory of a run; returns the bytes it took. Idempotent. */
  remove(run: string): Promise<number>;
}

export function createFilesKeeping({ dataDir }: { dataDir: string }): FilesKeeping {
  const folder = resolve(dataDir, 'artifacts');
  return {
    async list() {
      const names = (await readdir(folder).catch(() => [])).filter((name) => isId('run', name)).sort();
      const found = await Promise.all(
        names.map(async (run) => {
          const facts = await stat(join(folder, run)).catch(() => undefined);
          return facts === undefined ? [] : [{ run, at: facts.mtime }];
        }),
      );
      return found.flat();
    },
    async remove(run) {
      if (!isId('run', run)) throw new Error(`${run} is no run`);
      const dir = join(folder, run);
      const bytes = await bytesIn(dir);
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
      return bytes;
    },
  };
}
