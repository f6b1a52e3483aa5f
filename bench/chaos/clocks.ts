import { execFile } from 'node:child_process';
import { access, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const inPackage = 'faketime/libfaketimeMT.so.1';

/** The clock of one process: what its programs read as the time of day. Timers and the time since its start are as they are. */
export interface SkewedClock {
  /** Variables for whoever is to have this clock. */
  variables: Record<string, string>;
  /** From now on it differs by so many seconds, also for who runs already. */
  set(seconds: number): Promise<void>;
}

/**
 * The library that answers programs another time (libfaketime): as it is installed, or of Debian's package, unpacked beside those of npm.
 * Throws where there is neither.
 */
export async function findFaketime(): Promise<string> {
  const cache = join(import.meta.dirname, '../../node_modules/.cache/faketime');
  const here = await inside('/usr/lib').catch(() => undefined);
  if (here !== undefined) return here;
  const unpacked = () => inside(join(cache, 'usr/lib')).catch(() => undefined);
  const before = await unpacked();
  if (before !== undefined) return before;
  const packages = join(cache, 'packages');
  await mkdir(packages, { recursive: true });
  await run('apt-get', ['-qq', 'download', 'libfaketime'], { cwd: packages });
  for (const file of await readdir(packages)) await run('dpkg-deb', ['-x', join(packages, file), cache]);
  await rm(packages, { recursive: true });
  const found = await unpacked();
  if (found === undefined) throw new Error(`the package libfaketime has no ${inPackage}`);
  return found;
}

/** Libraries lie in a directory that is named for the machine. */
async function inside(lib: string): Promise<string | undefined> {
  for (const folder of ['.', ...(await readdir(lib))]) {
    const file = join(lib, folder, inPackage);
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists) return file;
  }
  return undefined;
}

/** `file`: where the difference is kept. Right at first. */
export async function createClock(library: string, file: string): Promise<SkewedClock> {
  const set = (seconds: number) => writeFile(file, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}s\n`);
  await set(0);
  return {
    set,
    variables: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
  };
}
