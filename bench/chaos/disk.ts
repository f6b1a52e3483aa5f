import { execFile, spawnSync } from 'node:child_process';
import { closeSync, openSync, statfsSync, writeSync } from 'node:fs';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Site } from '../site.ts';

const run = promisify(execFile);

/** A small file system of its own. */
export interface Disk {
  /** A directory on it. */
  dir: string;
  /** Not a byte is left. */
  fill(): Promise<void>;
  free(): Promise<void>;
}

const megabyte = 1024 ** 2;
/** Above what Deckhand wants to have free before it starts anything. */
const megabytes = 2048;

/**
 * Mounts an ext4 file system in a sparse file at `<site>/<name>-disk`. Rejects where that is not allowed: it takes root, a loop device and
 * mkfs.ext4.
 */
export async function mountDisk(site: Site, name: string): Promise<Disk> {
  const at = join(site.dir, `${name}-disk`);
  const image = `${at}.img`;
  await mkdir(at, { mode: 0o711 });
  await writeFile(image, '');
  await truncate(image, megabytes * megabyte);
  // No part is kept back for root.
  await run('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
  await run('mount', ['-o', 'loop', image, at]);
  let mounted = true;
  // Lazily: nobody waits for what still has a file open there.
  const unmount = () => {
    if (mounted) spawnSync('umount', ['-l', at]);
    mounted = false;
  };
  process.once('exit', unmount);
  site.onEnd(async () => {
    unmount();
    process.off('exit', unmount);
  });
  const dir = join(at, 'data');
  await mkdir(dir, { mode: 0o711 });
  const ballast = join(at, 'ballast');
  return {
    dir,
    async fill() {
      await mkdir(ballast, { recursive: true });
      for (let file = 0, bytes = freeOn(at); bytes >= megabyte; file += 1, bytes = Math.min(bytes, freeOn(at))) {
        const allocated = await run('fallocate', ['-l', String(bytes), join(ballast, `${file}`)]).then(
          () => true,
          () => false,
        );
        if (!allocated) bytes = Math.floor(bytes / 2);
      }
      writeUntilFull(join(ballast, 'rest'));
    },
    free: () => rm(ballast, { recursive: true, force: true }),
  };
}

function freeOn(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
}

function writeUntilFull(file: string): void {
  const block = Buffer.alloc(64 * 1024);
  const to = openSync(file, 'a');
  try {
    for (;;) writeSync(to, block);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  } finally {
    closeSync(to);
  }
}
