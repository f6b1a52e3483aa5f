import { readdirSync, readFileSync } from 'node:fs';

/** What Linux tells about processes. Ticks are hundredths of a second on every architecture that Node runs on. */

const ticksPerSecond = 100;
const kilobytesPerMegabyte = 1024;

export interface ProcessInfo {
  pid: number;
  parent: number;
  command: string;
  /** CPU time of the process and of its children that have ended, in seconds. */
  cpuSeconds: number;
}

function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined; // it has ended
  }
}

function processInfo(pid: number): ProcessInfo | undefined {
  const stat = read(pid, 'stat');
  const command = read(pid, 'cmdline');
  if (stat === undefined || command === undefined) return undefined;
  // The name in parentheses may hold anything; numbers follow the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
  return { pid, parent: Number(fields[1]), command: command.replaceAll('\0', ' ').trim(), cpuSeconds: ticks / ticksPerSecond };
}

/** The process and everything it has started, directly or not, as far as it lives. */
export function processTree(root: number): ProcessInfo[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processInfo(Number(name)) ?? []);
  const tree = all.filter(({ pid }) => pid === root);
  for (const parent of tree) tree.push(...all.filter((one) => one.parent === parent.pid));
  return tree;
}

export function cpuSecondsOf(root: number): number {
  return processTree(root).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

export function isAlive(pid: number): boolean {
  const state = read(pid, 'stat')?.replace(/^.*\) /s, '')[0];
  return state !== undefined && state !== 'Z';
}

/** Largest resident memory so far, in MB. */
export function peakMemory(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(read(pid, 'status') ?? '')?.[1] ?? Number.NaN) / kilobytesPerMegabyte;
}

/** CPU seconds that all programs of the machine have used since it was started. */
export function machineCpuSeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] =
    /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ').map(Number) ?? [];
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}

/** Memory of a process, in MB. */
export interface Memory {
  /** Proportional: what is shared is divided among all who share it, programs outside included. */
  pss: number;
  /** Its own pages: heap, stacks, and shared memory by its share. */
  own: number;
  /** Resident pages of files, by path: programs and libraries. */
  files: Map<string, number>;
}

export function memoryOf(pid: number): Memory | undefined {
  const maps = read(pid, 'smaps');
  const rollup = read(pid, 'smaps_rollup');
  if (maps === undefined || rollup === undefined || maps === '') return undefined;
  const total = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0) / kilobytesPerMegabyte;
  const files = new Map<string, number>();
  let file: string | undefined;
  for (const line of maps.split('\n')) {
    const head = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ (\d+)\s*(.*)$/.exec(line);
    if (head !== null) {
      const [, inode, path = ''] = head;
      file = inode === '0' || /^\/(dev|SYSV|memfd)/.test(path) ? undefined : path;
    } else if (file !== undefined) {
      // Pages of a file that were written to are counted as the process's own.
      const amount = /^(Rss|Anonymous):\s+(\d+)/.exec(line);
      if (amount === null) continue;
      const megabytes = (Number(amount[2]) / kilobytesPerMegabyte) * (amount[1] === 'Rss' ? 1 : -1);
      files.set(file, (files.get(file) ?? 0) + megabytes);
    }
  }
  return { pss: total('Pss'), own: total('Pss_Anon') + total('Pss_Shmem'), files };
}
