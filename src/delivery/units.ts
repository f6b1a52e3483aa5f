/** 850 ms, 12 s, 1m 40s, 2h 5m, 3d 4h. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return pair(minutes, 'm', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return pair(hours, 'h', minutes % 60, 'm');
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** A duration that a card shows while it goes on: as exact as it stays true for a while. */
export function coarse(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 10) return 'some seconds';
  if (seconds < 60) return `${seconds - (seconds % 5)} s`;
  if (seconds < 600) return duration((seconds - (seconds % 10)) * 1000);
  return duration(Math.floor(seconds / 60) * 60_000);
}

/** An estimate: "about 3 min". */
export function about(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 90) return `about ${minutes} min`;
  return `about ${Math.round(minutes / 60)} h`;
}

/** 812 B, 4.2 kB, 17 MB. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = count / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** 1st, 2nd, 3rd, 11th. */
export function ordinal(n: number): string {
  const ending = n % 100 >= 11 && n % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${ending}`;
}

/** 7, 1,204. */
export function digits(n: number): string {
  return n.toLocaleString('en-US');
}

/** 1 file, 3 files, 1,204 lines. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${digits(n)} ${n === 1 ? one : many}`;
}

function pair(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit} ${small}${smallUnit}`;
}

/** "host_0123abcd": tells machines apart, and `deckhand runner` takes it. */
export function shortHost(host: string): string {
  return host.slice(0, 13);
}

/** "no runner with gpu takes runs": none is up, or each that is is being emptied. */
export function noRunnerWith(labels: readonly string[]): string {
  return `no runner with ${labels.join(' and ')} takes runs`;
}
