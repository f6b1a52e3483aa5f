import { dollars } from '../approvals/action-text.ts';
import type { UsageChart } from '../contracts/view.ts';
import { amount } from './agent-words.ts';
import { chartOf, chartWidth, edge, legend, letterWidth, line, niceCeiling, paper, rect, text } from './chart-parts.ts';
import { oneLine, shorten } from './neutralise.ts';

const [left, right] = [124, chartWidth - edge];
const panelHeight = 230;
const longestName = 24;
/** Told apart by nearly everybody, also where two of them touch. */
const colours = ['#2f6fdb', '#f0a03c', '#1f8a5b', '#b34700', '#7d5bd0', '#4bb3c9', '#d36ba6'];
const restColour = '#9aa4af';
/** A limit so many times higher than anything that was used is said, not drawn. */
const farAbove = 4;

interface Panel {
  title: string;
  limit: number | undefined;
  values: readonly (readonly number[])[];
  words(value: number): string;
  /** The least that the scale goes up to. */
  least: number;
}

/** What models cost, and what they read and wrote, day by day, as bars of two panels. Names in it come from outside. */
export function usageChartSvg({ title, days, parts, series, limits }: UsageChart): string {
  const colourOf = (at: number) => (series[at]?.rest === true ? restColour : (colours[at % colours.length] ?? restColour));
  const named = legend(series.map(({ name }, at) => [shorten(oneLine(name), longestName), colourOf(at)]));
  const each = days === 1 ? 'a day' : `in ${days} days`;
  const costs = { title: `Cost ${each}`, limit: limits.costUsd, words: dollars, least: 0.01 };
  const tokens = { title: `Tokens ${each}`, limit: limits.tokens, words: amount, least: 1000 };
  const top = named.bottom + 70;
  const middle = top + panelHeight + 76;
  const bottom = middle + panelHeight;
  return chartOf(bottom + 64, shorten(oneLine(title), Math.floor((chartWidth - 2 * edge) / letterWidth)), [
    named.drawn,
    panel({ ...costs, values: series.map((one) => one.costUsd) }, top, parts.length, colourOf),
    panel({ ...tokens, values: series.map((one) => one.tokens) }, middle, parts.length, colourOf),
    ...dates(parts, bottom + 40),
  ]);
}

function panel(
  { title, limit, values, words, least }: Panel,
  top: number,
  parts: number,
  colourOf: (at: number) => string,
): string {
  const bottom = top + panelHeight;
  const sums = Array.from({ length: parts }, (_, part) => values.reduce((sum, series) => sum + (series[part] ?? 0), 0));
  const highest = Math.max(least, ...sums);
  const drawsLimit = limit !== undefined && limit <= highest * farAbove;
  const most = niceCeiling(Math.max(highest, drawsLimit ? limit : 0));
  const yOf = (value: number) => bottom - (panelHeight * value) / most;
  const step = (right - left) / parts;
  const bar = Math.max(1, Math.min(120, step - Math.min(8, step / 4)));
  const bars = sums.flatMap((_, part) => {
    let below = 0;
    return values.map((series, at) => {
      const value = series[part] ?? 0;
      const [from, to] = [yOf(below), yOf(below + value)];
      below += value;
      return rect(left + part * step + (step - bar) / 2, to, bar, from - to, colourOf(at));
    });
  });
  const grid = [0, most / 2, most].flatMap((value) => [
    line(left, yOf(value), right),
    text(words(value), left - 12, yOf(value) + 9, { end: true, colour: paper.quiet }),
  ]);
  const may = limit === undefined ? '' : ` · limit ${words(limit)}`;
  return [
    text(`${title}${may}`, edge, top - 24, { colour: paper.quiet }),
    ...grid,
    ...bars,
    ...(drawsLimit ? [line(left, yOf(limit), right, { colour: paper.ink, dashed: true })] : []),
  ].join('');
}

/** Below the first part, the last one, and as many between them as have room. */
function dates(parts: readonly string[], y: number): string[] {
  const step = (right - left) / parts.length;
  const every = Math.max(1, Math.ceil((7.5 * letterWidth) / step));
  return parts.flatMap((day, at) => {
    if ((parts.length - 1 - at) % every !== 0) return [];
    const x = left + (at + 0.5) * step;
    const isLast = at === parts.length - 1 && x + 3 * letterWidth > chartWidth;
    return [text(shortDay(day), isLast ? right : x, y, { colour: paper.quiet, ...(isLast ? { end: true } : { middle: true }) })];
  });
}

/** `Nov 22`. */
export function shortDay(day: string): string {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString('en-US', { month: 'short', day: 'numeric', timeZone: 'UTC' });
}
