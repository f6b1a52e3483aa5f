/**
 * Waits for the end of the program that started it, however that comes, and takes down what was left behind in a directory: processes,
 * containers, file systems, files. Argument: the directory. After an end in order there is nothing left to do.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processesOf, removeFromEngine } from '../../tests/support/machine-traces.ts';

/** Starts it for a directory of this process. */
export function startLastResort(dir: string): void {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), dir], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  });
  child.unref();
  // The pipe ends with this process, and must not keep it.
  if (child.stdin !== null && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
}

async function takeDown(dir: string): Promise<void> {
  if (!existsSync(dir)) return;
  process.stderr.write(`chaos: was ended from outside; ${dir} is taken down\n`);
  for (let found = processesOf(dir); found.length > 0; found = processesOf(dir)) {
    for (const { pid } of found) spawnSync('kill', ['-KILL', String(pid)]);
  }
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  const mounted = mounts.flatMap((line) => line.split(' ')[1] ?? []).filter((path) => path.startsWith(`${dir}/`));
  const inDisks = mounted.map((path) => join(path, 'data'));
  const inDir = (await readdir(dir)).map((name) => join(dir, name));
  for (const dataDir of [...inDisks, ...inDir]) await removeFromEngine(dataDir).catch(() => undefined);
  for (const path of mounted) spawnSync('umount', ['-l', path]);
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
}

if (import.meta.main) {
  const [dir] = process.argv.slice(2);
  if (dir === undefined) throw new Error('usage: last-resort.ts <directory>');
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);
  process.stdin.on('end', () => void takeDown(dir)).resume();
}
