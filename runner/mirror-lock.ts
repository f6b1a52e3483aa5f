import { createHash, randomUUID } from 'node:crypto';
import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
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
/** Whoever looks whether a lock is left over keeps its holder from removing it for a moment. One that was killed just then is not waited for. */
const releaseTries = 20;

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
  // Each lock has a text of its own, even of the same process.
  const mine = `${ownName()} ${randomUUID()}`;
  let watched: Watched | undefined;
  let claimed: Watched | undefined;
  for (;;) {
    signal?.throwIfAborted();
    try {
      await create(lockFile, mine);
      const beat = setInterval(() => {
        const now = new Date();
        // Failing to touch it only makes it look older than it is.
        utimes(lockFile, now, now).catch(() => undefined);
      }, beatMs);
      beat.unref();
      return async () => {
        clearInterval(beat);
        // Of a process that stood still for so long that it was taken for dead the lock is another's by now.
        const isMine = ({ text }: Holder) => text === mine;
        for (let tries = 1; !(await remove(lockFile, mine, isMine)) && tries < releaseTries; tries += 1) await delay(lookMs);
      };
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    watched = await watch(lockFile, watched);
    if (watched !== undefined && isLeftOver(watched, staleMs)) {
      const { text, mark } = watched;
      await remove(lockFile, text, (found) => found.mark === mark);
      // Who was to remove it may have been killed meanwhile.
      claimed = await watch(claimFile(lockFile, text), claimed);
      if (claimed !== undefined && isLeftOver(claimed, staleMs)) await rm(claimFile(lockFile, text), { force: true });
    }
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

/**
 * Removes a lock while it is this one. Only who has made the file that is named after its text removes it, be it its holder or somebody who takes it
 * for left over: while that file is there the lock stays what it was when it was looked at, so nobody ever removes the lock that came after it.
 * False: somebody else has that file now.
 */
async function remove(lockFile: string, text: string, isThis: (found: Holder) => boolean): Promise<boolean> {
  const claim = claimFile(lockFile, text);
  try {
    await create(claim, ownName());
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
  try {
    const found = await look(lockFile);
    if (found !== undefined && isThis(found)) await rm(lockFile, { force: true });
    return true;
  } finally {
    await rm(claim, { force: true });
  }
}

function claimFile(lockFile: string, text: string): string {
  return `${lockFile}.${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}

/** Makes a file that is not there, or throws EEXIST. */
async function create(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
  } catch (error) {
    // The disk is full: nobody could tell whose this is.
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

function ownName(): string {
  return `${process.pid} ${hostname()}`;
}

interface Holder {
  pid: number;
  /** On this machine, or in this container. */
  here: boolean;
  text: string;
  /** Another one for each lock, and after each touch. */
  mark: string;
}

async function look(file: string): Promise<Holder | undefined> {
  try {
    const [text, { mtime }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
    const [pid, host] = text.split(' ');
    return { pid: Number(pid), here: host === undefined || host === hostname(), text, mark: `${text} ${mtime.getTime()}` };
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
