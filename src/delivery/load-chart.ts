import type { LoadChart } from '../contracts/view.ts';
import { chartOf, chartWidth, edge, legend, line, niceCeiling, paper, rect, text } from './chart-parts.ts';

const height = 620;
/** Where the bars of what ran and waited stand, and those of what ended. */
const load = { left: 84, right: chartWidth - edge, top: 110, bottom: 400 };
const ends = { top: 450, bottom: 550 };

/** Blue and orange are told apart by nearly everybody. */
const colours = { running: '#2f6fdb', waiting: '#f0a03c', done: '#2f6fdb', failed: '#b34700' } as const;

/** What ran, waited and ended in the last hours, as SVG. Pure; holds numbers only. */
export function loadChartSvg({ hours, parts }: LoadChart): string {
  const most = niceCeiling(Math.max(1, ...parts.map(({ running, waiting }) => running + waiting)));
  const mostEnds = Math.max(1, ...parts.map(({ done, failed }) => Math.max(done, failed)));
  const step = (load.right - load.left) / parts.length;
  const bar = Math.max(1, step - Math.min(4, step / 4));
  const yOf = (value: number) => load.bottom - ((load.bottom - load.top) * value) / most;
  const middle = (ends.top + ends.bottom) / 2;
  const half = (ends.bottom - ends.top) / 2 - 4;
  const body = parts.flatMap(({ running, waiting, done, failed }, at) => {
    const x = load.left + at * step;
    return [
      rect(x, yOf(running), bar, load.bottom - yOf(running), colours.running),
      rect(x, yOf(running + waiting), bar, yOf(running) - yOf(running + waiting), colours.waiting),
      rect(x, middle - (half * done) / mostEnds, bar, (half * done) / mostEnds, colours.done),
      rect(x, middle, bar, (half * failed) / mostEnds, colours.failed),
    ];
  });
  const sums = { done: sum(parts.map((part) => part.done)), failed: sum(parts.map((part) => part.failed)) };
  // There is no half of a run.
  const grid = [0, most / 2, most]
    .filter(Number.isInteger)
    .flatMap((value) => [
      line(load.left, yOf(value), load.right),
      text(number(value), load.left - 14, yOf(value) + 9, { end: true, colour: paper.quiet }),
    ]);
  const times = [0, 1, 2, 3, 4].map((at) => {
    const ago = hours * (1 - at / 4);
    const x = load.left + ((load.right - load.left) * at) / 4;
    const words = ago === 0 ? 'now' : `−${number(ago)} h`;
    return text(words, x, height - edge, {
      colour: paper.quiet,
      ...(at === 0 ? {} : at === 4 ? { end: true } : { middle: true }),
    });
  });
  const { drawn } = legend([
    ['running', colours.running],
    ['waiting', colours.waiting],
  ]);
  return chartOf(height, `Runs, last ${number(hours)} hours`, [
    drawn,
    ...grid,
    ...body,
    line(load.left, middle, load.right),
    text(`▲ ${sums.done} done   ▼ ${sums.failed} failed`, load.left, ends.top - 12, { colour: paper.quiet }),
    ...times,
  ]);
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
