import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate as breath, setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A process, told apart from every other that has, had or will have its number. */
export interface ProcessIdentity {
  pid: number;
  /** Linux: id of the boot and start time in clock ticks. Elsewhere: start time in seconds, as `ps` prints it. */
  identity: string;
}

export interface ProcessRow {
  pid: number;
  parent: number;
  group: number;
}

const run = promisify(execFile);
const hasProc = process.platform === 'linux';

/** So many are looked at without a pause for the rest of the program: about a millisecond. */
const atOnce = 50;

/** Whether exactly this process runs. A zombie does not. */
export async function isAlive(wanted: ProcessIdentity): Promise<boolean> {
  return (await (hasProc ? procIdentity(wanted.pid) : psIdentity(wanted.pid))) === wanted.identity;
}

export async function procIdentity(pid: number): Promise<string | undefined> {
  const fields = statFields(String(pid));
  if (fields === undefined || fields[0] === 'Z') return undefined;
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
  return `${boot.trim()} ${fields[19]}`;
}

export async function psIdentity(pid: number): Promise<string | undefined> {
  const options = { env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } };
  const answer = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], options).catch(noSuchProcess);
  const found = /^\s*(\S+)\s+(.*?)\s*$/.exec(answer?.stdout ?? '');
  return found === null || found[1]?.startsWith('Z') ? undefined : found[2];
}

/** `ps` ends with 1 when nothing matches. */
function noSuchProcess(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 1) return undefined;
  throw error;
}

/** Fields of /proc/PID/stat from the third (state) on; the second may contain anything, up to the last parenthesis. */
function statFields(pid: string): string[] | undefined {
  const text = readOrNothing(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

/**
 * Processes end while they are looked at; that is no error. Nothing waits for a disk here: to hand each of these reads to another thread and
 * back takes ten times what it does. Read as UTF-8, which Node does at once: what is looked for is ASCII, and keeps its place among bytes
 * that are something else.
 */
function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(String(error.code)))
      return undefined;
    throw error;
  }
}

async function allProcesses(): Promise<ProcessRow[]> {
  if (!hasProc) {
    const { stdout } = await run('ps', ['-axo', 'pid=,ppid=,pgid=']);
    return stdout.split('\n').flatMap((line) => {
      const [pid, parent, group] = line.trim().split(/\s+/).map(Number);
      return pid === undefined || parent === undefined || group === undefined || pid === 0 ? [] : [{ pid, parent, group }];
    });
  }
  const rows: ProcessRow[] = [];
  for (const [index, name] of readdirSync('/proc').entries()) {
    if (index % atOnce === 0) await breath();
    if (!/^\d+$/.test(name)) continue;
    const fields = statFields(name);
    if (fields !== undefined && fields[0] !== 'Z')
      rows.push({ pid: Number(name), parent: Number(fields[1]), group: Number(fields[2]) });
  }
  return rows;
}

/** What belongs to a command: told by its ancestors, its process group or its environment. */
export interface Family {
  /**
   * Process that started the command, leader of the group. It and `helpers` are not of the family. Undefined once it is dead: its
   * number may belong to somebody else then, and only the marks count.
   */
  leader: number | undefined;
  helpers: readonly number[];
  /** Of these `NAME=value`, every process of the command inherits at least one, unless it cleans its environment. */
  marks: readonly string[];
}

/** Pure: the processes below the leader or in its group, without the leader, its helpers and what is below those. */
export function membersOf(rows: readonly ProcessRow[], leader: number, helpers: readonly number[]): Set<number> {
  const parents = new Map(rows.map((row) => [row.pid, row.parent]));
  const isBelow = (pid: number, among: readonly number[]) => {
    const seen = new Set<number>();
    for (let at: number | undefined = pid; at !== undefined && !seen.has(at); at = parents.get(at)) {
      if (among.includes(at)) return true;
      seen.add(at);
    }
    return false;
  };
  const members = rows.filter(({ pid, group }) => {
    if (pid === leader || isBelow(pid, helpers)) return false;
    return group === leader || isBelow(pid, [leader]);
  });
  return new Set(members.map(({ pid }) => pid));
}

/** Threads of the Linux kernel are children of its second process; they have no environment. */
const kernel = 2;

async function familyOf(family: Family): Promise<Set<number>> {
  const rows = await allProcesses();
  const members = family.leader === undefined ? new Set<number>() : membersOf(rows, family.leader, family.helpers);
  if (!hasProc) return members;
  const strangers = rows.filter(({ pid, parent }) => {
    return parent !== kernel && !members.has(pid) && pid !== family.leader && !family.helpers.includes(pid);
  });
  const marks = family.marks.map((mark) => `\0${mark}\0`);
  for (const [index, { pid }] of strangers.entries()) {
    if (index % atOnce === 0) await breath();
    const environment = readOrNothing(`/proc/${pid}/environ`);
    if (environment !== undefined && marks.some((mark) => `\0${environment}`.includes(mark))) members.add(pid);
  }
  return members;
}

/** Sends a signal to every process of the family; returns how many there were. */
export async function signalFamily(family: Family, signal: NodeJS.Signals): Promise<number> {
  const members = await familyOf(family);
  for (const pid of members) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
  return members.size;
}

/** Kills the family again and again until nothing of it is left, forks in between included. */
export async function killFamily(family: Family, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while ((await signalFamily(family, 'SIGKILL')) > 0) {
    if (performance.now() > deadline) throw new Error(`processes with ${family.marks.join(' or ')} cannot be killed`);
    await delay(20);
  }
}
