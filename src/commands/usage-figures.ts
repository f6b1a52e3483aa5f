import type { UsageChart } from '../contracts/view.ts';
import type { Spent, UsagePart, UsageRow } from '../store/usage.ts';

const dayMs = 24 * 60 * 60_000;
/** More days than this are drawn as weeks. */
const mostDays = 62;
/** Told apart in a picture and in the list below it; all others are one. */
export const mostNamed = 6;

export interface Figures extends Spent {
  requests: number;
  unpriced: number;
  /** What was read and written, without what came from a cache. */
  tokens: number;
}

export interface Named extends Figures {
  name: string;
  rest: boolean;
}

/** The day of a moment, in UTC. */
export function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** Days from one to another, both included. */
export function daysFrom(since: string, until: string): string[] {
  const [from, to] = [Date.parse(since), Date.parse(until)];
  return Array.from({ length: Math.round((to - from) / dayMs) + 1 }, (_, at) => dayOf(new Date(from + at * dayMs)));
}

/** The sums of rows. */
export function totalOf(rows: readonly UsageRow[]): Figures {
  const sum = (of: (row: UsageRow) => number) => rows.reduce((total, row) => total + of(row), 0);
  return {
    costUsd: sum((row) => row.costUsd),
    input: sum((row) => row.input),
    output: sum((row) => row.output),
    cacheRead: sum((row) => row.cacheRead),
    cacheWrite: sum((row) => row.cacheWrite),
    requests: sum((row) => row.requests),
    unpriced: sum((row) => row.unpriced),
    tokens: sum(tokensOf),
  };
}

/** What each named part used, most first; what has no place of its own is one at the end. */
export function namedFigures(rows: readonly UsageRow[], part: UsagePart): (Named & { rows: readonly UsageRow[] })[] {
  const groups = [...Map.groupBy(rows, (row) => row.parts[part]?.id ?? '').values()]
    .map((own) => ({ name: nameOf(own[0], part), rest: false, rows: own, ...totalOf(own) }))
    .sort((a, b) => b.costUsd - a.costUsd || b.tokens - a.tokens || a.name.localeCompare(b.name));
  if (groups.length <= mostNamed + 1) return groups;
  const rest = groups.slice(mostNamed);
  const restRows = rest.flatMap((one) => one.rows);
  return [...groups.slice(0, mostNamed), { name: `${rest.length} others`, rest: true, rows: restRows, ...totalOf(restRows) }];
}

/** What a part of a row is called. */
export function nameOf(row: UsageRow | undefined, part: UsagePart): string {
  const known = row?.parts[part];
  if (known?.name != null) return known.name;
  if (part === 'channel') return known?.id === '' ? 'no channel' : 'a channel without a name';
  return part === 'person' ? 'somebody' : 'unknown';
}

/** The picture of these rows. Pure. */
export function usageChart(
  rows: readonly UsageRow[],
  { part, since, until, title, limits }: { part: UsagePart; since: string; until: string } & Pick<UsageChart, 'title' | 'limits'>,
): UsageChart {
  const days = daysFrom(since, until);
  const size = days.length <= mostDays ? 1 : Math.max(7, Math.ceil(days.length / mostDays / 7) * 7);
  // The last part ends today; the first may be shorter.
  const first = days.length % size === 0 ? 0 : (days.length % size) - size;
  const parts = Array.from({ length: Math.ceil(days.length / size) }, (_, at) => days[Math.max(0, first + at * size)] ?? since);
  const placeOf = new Map(days.map((day, at) => [day, Math.floor((at - first) / size)]));
  const series = namedFigures(rows, part).map(({ name, rest, rows: own }) => {
    const [costUsd, tokens] = [parts.map(() => 0), parts.map(() => 0)];
    for (const row of own) {
      const place = placeOf.get(row.day);
      if (place === undefined) continue;
      costUsd[place] = (costUsd[place] ?? 0) + row.costUsd;
      tokens[place] = (tokens[place] ?? 0) + tokensOf(row);
    }
    return { name, rest, costUsd, tokens };
  });
  return { of: 'usage', title, days: size, parts, series, limits: size === 1 ? limits : {} };
}

export function tokensOf({ input, output, cacheWrite }: Spent): number {
  return input + output + cacheWrite;
}
