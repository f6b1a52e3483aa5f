import type { LoadChart } from '../contracts/view.ts';

/** As wide as pictures of changes, for a phone held upright; sizes in pixels. */
const width = 1080;
const height = 620;
const fontSize = 26;
const edge = 24;
/** Where the bars of what ran and waited stand, and those of what ended. */
const load = { left: 84, right: width - edge, top: 110, bottom: 400 };
const ends = { top: 450, bottom: 550 };

/** Paper of its own, so that it reads the same in the dark. Blue and orange are told apart by nearly everybody. */
const colours = {
  paper: '#ffffff',
  ink: '#1b1f24',
  quiet: '#57606a',
  line: '#d8dce1',
  running: '#2f6fdb',
  waiting: '#f0a03c',
  done: '#2f6fdb',
  failed: '#b34700',
} as const;

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
      text(number(value), load.left - 14, yOf(value) + 9, { end: true, colour: colours.quiet }),
    ]);
  const times = [0, 1, 2, 3, 4].map((at) => {
    const ago = hours * (1 - at / 4);
    const x = load.left + ((load.right - load.left) * at) / 4;
    const words = ago === 0 ? 'now' : `−${number(ago)} h`;
    return text(words, x, height - edge, {
      colour: colours.quiet,
      ...(at === 0 ? {} : at === 4 ? { end: true } : { middle: true }),
    });
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<rect width="${width}" height="${height}" fill="${colours.paper}"/>` +
    `<g font-family="DejaVu Sans Mono" font-size="${fontSize}">` +
    text(`Runs, last ${number(hours)} hours`, edge, 46, { bold: true }) +
    legend([
      ['running', colours.running],
      ['waiting', colours.waiting],
    ]) +
    grid.join('') +
    body.join('') +
    line(load.left, middle, load.right) +
    text(`▲ ${sums.done} done   ▼ ${sums.failed} failed`, load.left, ends.top - 12, { colour: colours.quiet }) +
    times.join('') +
    '</g></svg>'
  );
}

function legend(entries: readonly (readonly [string, string])[]): string {
  let x = edge;
  return entries
    .map(([word, colour]) => {
      const drawn = rect(x, 66, 22, 22, colour) + text(word, x + 32, 86, { colour: colours.quiet });
      x += 32 + word.length * fontSize * 0.602 + 40;
      return drawn;
    })
    .join('');
}

function rect(x: number, y: number, w: number, h: number, colour: string): string {
  if (h <= 0) return '';
  const size = `width="${w.toFixed(1)}" height="${Math.max(h, 2).toFixed(1)}"`;
  return `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${size} fill="${colour}"/>`;
}

function line(from: number, y: number, to: number): string {
  return `<line x1="${from}" x2="${to}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}" stroke="${colours.line}" stroke-width="2"/>`;
}

function text(
  value: string,
  x: number,
  y: number,
  look: { colour?: string; bold?: boolean; end?: boolean; middle?: boolean },
): string {
  const anchor = look.end === true ? ' text-anchor="end"' : look.middle === true ? ' text-anchor="middle"' : '';
  const weight = look.bold === true ? ' font-weight="bold"' : '';
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${look.colour ?? colours.ink}"${weight}${anchor}>${value}</text>`;
}

/** 1, 2, 4, 10, 20, 40 …: half of it reads well too. */
function niceCeiling(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 10].find((factor) => factor * unit >= value) ?? 10) * unit;
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
