import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** One at a time, by the path of a lock file: within this process in order of arrival, among processes by the file. */
export type Exclusive = <T>(lockFile: string, work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

const beatMs = 5_000;
/**
 * A lock that its holder has not touched while somebody waited for so long is left over, even when its process number is in use again, or is
 * one of another machine or container that shares the mirrors. Whoever waits measures that himself: clocks of machines differ.
 */
const leftOverMs = 30_000;
const lookMs = 50;

/** `staleMs`: default 30 s, several times the 5 s between two touches. */
export function createExclusive({ staleMs = leftOverMs }: { staleMs?: number } = {}): Exclusive {
  const queues = new Map<string, Promise<unknown>>();
  return (lockFile, work, signal) => {
    const before = queues.get(lockFile) ?? Promise.resolve();
    const turn = before
      .catch(() => undefined)
      .then(async () => {
        const release = await take(lockFile, staleMs, signal);
        try {
          return await work();
        } finally {
          await release();
        }
      });
    queues.set(lockFile, turn);
    const forget = () => {
      if (queues.get(lockFile) === turn) queues.delete(lockFile);
    };
    turn.then(forget, forget);
    return turn;
  };
}

async function take(lockFile: string, staleMs: number, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
  const mine = `${process.pid} ${hostname()}`;
  let watched: Watched | undefined;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const file = await open(lockFile, 'wx');
      try {
        await file.writeFile(mine);
      } catch (error) {
        // The disk is full: nobody could tell whose lock this is.
        await rm(lockFile, { force: true });
        throw error;
      } finally {
        await file.close();
      }
      const beat = setInterval(() => {
        const now = new Date();
        // Failing to touch it only makes it look older than it is.
        utimes(lockFile, now, now).catch(() => undefined);
      }, beatMs);
      beat.unref();
      return async () => {
        clearInterval(beat);
        // Of a process that stood still for so long that it was taken for dead the lock is another's by now.
        if ((await readFile(lockFile, 'utf8').catch(() => '')) === mine) await rm(lockFile, { force: true });
      };
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    watched = await watch(lockFile, watched);
    if (watched !== undefined && isLeftOver(watched, staleMs)) await remove(lockFile, watched);
    await delay(lookMs, undefined, { signal }).catch(() => undefined);
  }
}

/** A lock as it is, and since when nobody has touched it, by the clock of this process that never jumps. */
interface Watched extends Holder {
  since: number;
}

async function watch(lockFile: string, before: Watched | undefined): Promise<Watched | undefined> {
  const seen = await look(lockFile);
  if (seen === undefined) return undefined;
  return { ...seen, since: before?.mark === seen.mark ? before.since : performance.now() };
}

async function remove(lockFile: string, watched: Watched): Promise<void> {
  const aside = `${lockFile}.${hostname()}.${process.pid}`;
  try {
    await rename(lockFile, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const taken = await look(aside);
  // Another process was quicker and this is its new lock: give it back.
  if (taken !== undefined && taken.mark !== watched.mark) await rename(aside, lockFile);
  else await rm(aside, { force: true });
}

interface Holder {
  pid: number;
  /** On this machine, or in this container. */
  here: boolean;
  /** Another one for each lock, and after each touch. */
  mark: string;
}

async function look(file: string): Promise<Holder | undefined> {
  try {
    const [text, { mtime }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
    const [pid, host] = text.split(' ');
    return { pid: Number(pid), here: host === undefined || host === hostname(), mark: `${text} ${mtime.getTime()}` };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isLeftOver({ pid, here, since }: Watched, staleMs: number): boolean {
  if (performance.now() - since > staleMs) return true;
  // Process numbers of elsewhere tell nothing here.
  if (!here) return false;
  // Empty for the moment between creating and writing.
  if (!Number.isInteger(pid) || pid <= 0) return false;
  // Within a process the queue decides, so a file with our own number is one of an earlier process that had it.
  return pid === process.pid || !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
