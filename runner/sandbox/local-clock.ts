import { readFileSync } from 'node:fs';

/**
 * A moment by two clocks. That of the day may be set while a command runs; that of the boot only goes on, and is the same for all processes
 * of the machine, also for those that come later.
 */
export interface Moment {
  /** Milliseconds since 1970. */
  day: number;
  /** Id of the boot and milliseconds since it; undefined where the system does not tell them (only Linux does). */
  boot?: { id: string; ms: number } | undefined;
}

export function thisMoment(): Moment {
  return { day: Date.now(), boot: process.platform === 'linux' ? bootClock(readUptime()) : undefined };
}

/** Of a line as launch.sh writes it: id of the boot, then seconds since it. Undefined when it is not whole. */
export function bootClock(line: string | undefined): Moment['boot'] {
  const [, id, seconds] = /^(\S+) (\d+(?:\.\d+)?)(?: .*)?$/.exec(line?.trim() ?? '') ?? [];
  return id === undefined || seconds === undefined ? undefined : { id, ms: Math.round(Number(seconds) * 1000) };
}

/** Milliseconds from one moment to another, never below 0: by the clock of the boot, or, without it or over a restart, by that of the day. */
export function msBetween(from: Moment, to: Moment): number {
  const steady = from.boot !== undefined && from.boot.id === to.boot?.id ? to.boot.ms - from.boot.ms : undefined;
  return Math.max(0, Math.round(steady ?? to.day - from.day));
}

function readUptime(): string {
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readFileSync('/proc/uptime', 'utf8')}`;
}
