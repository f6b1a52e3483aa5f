import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../runtime/logger.ts';

const endWithinMs = 10_000;

/**
 * Ends the server that a killed predecessor has left on these database files, if there is one. The caller holds the data directory,
 * so nobody else can be using it.
 *
 * A `postmaster.pid` of a process that is gone is left alone: PostgreSQL recognises it, and checks that no orphaned child still
 * writes. One whose process id belongs to some other program by now would keep PostgreSQL from starting, so it is removed.
 */
export async function endLeftoverServer(data: string, logger: Logger): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const pid = await readPid(pidFile);
  if (pid === undefined || !isAlive(pid)) return;
  if (isServerOf(pid, data)) {
    logger.warn({ pid }, 'ending the database server that an earlier start has left');
    await end(pid, data);
  } else {
    await rm(pidFile, { force: true });
  }
}

async function end(pid: number, data: string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    send(pid, signal);
    const until = performance.now() + endWithinMs;
    while (performance.now() < until) {
      if (!isServerOf(pid, data)) return;
      await delay(10);
    }
  }
  throw new Error(`the database server of an earlier start (process ${pid}) does not end`);
}

function send(pid: number, signal: NodeJS.Signals): void {
  if (isAlive(pid)) process.kill(pid, signal);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** First line of the file: the server's process id. */
async function readPid(file: string): Promise<number | undefined> {
  try {
    const pid = Number.parseInt(await readFile(file, 'utf8'), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** True when the process is a PostgreSQL server on exactly these files: its command line names them. */
function isServerOf(pid: number, data: string): boolean {
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return stdout.includes('postgres') && stdout.includes(`-D ${data} `);
  }
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return args[0]?.endsWith('postgres') === true && args[args.indexOf('-D') + 1] === data;
  } catch {
    return false; // no such process
  }
}
