import type { QuietHours } from '../contracts/notify.ts';

const minuteMs = 60_000;
const dayMinutes = 24 * 60;

/** Whether a moment lies in the quiet hours: from the first minute on, up to but not including the last. */
export function isQuiet(quiet: QuietHours | undefined, at: Date): boolean {
  if (quiet === undefined) return false;
  const from = minutesOf(quiet.from);
  const to = minutesOf(quiet.to);
  const now = localMinutes(at, quiet.zone);
  return from < to ? now >= from && now < to : now >= from || now < to;
}

/** The quiet hours that ended last, at or before `at`. Both moments to the minute. */
export function lastQuiet(quiet: QuietHours, at: Date): { start: Date; end: Date } {
  const end = lastTime(quiet.to, quiet.zone, at);
  return { start: lastTime(quiet.from, quiet.zone, new Date(end.getTime() - minuteMs)), end };
}

/** Whether there is a time zone of this name. */
export function isTimeZone(zone: string): boolean {
  try {
    formatter(zone);
    return true;
  } catch {
    return false;
  }
}

/** The latest moment not after `at` at which clocks show, or have just passed, `time`. */
function lastTime(time: string, zone: string, at: Date): Date {
  const wanted = minutesOf(time);
  const whole = Math.floor(at.getTime() / minuteMs) * minuteMs;
  const back = (localMinutes(new Date(whole), zone) - wanted + dayMinutes) % dayMinutes;
  const guess = whole - back * minuteMs;
  // Clocks were put forward or back since then.
  const shown = localMinutes(new Date(guess), zone);
  const off = ((shown - wanted + dayMinutes * 1.5) % dayMinutes) - dayMinutes / 2;
  const corrected = guess - off * minuteMs;
  return new Date(corrected <= at.getTime() ? corrected : guess);
}

function minutesOf(time: string): number {
  const [hours = '0', minutes = '0'] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  formatters.set(zone, made);
  return made;
}

/** Minutes since midnight that clocks of the zone show. */
function localMinutes(at: Date, zone: string): number {
  const parts = formatter(zone).formatToParts(at);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value ?? 0);
  return part('hour') * 60 + part('minute');
}
