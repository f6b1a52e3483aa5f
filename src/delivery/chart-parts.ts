import { escapedText } from '../changes/picture-svg.ts';

/** As wide as pictures of changes, for a phone held upright; sizes in pixels. */
export const chartWidth = 1080;
export const fontSize = 26;
/** Of a letter of that size. */
export const letterWidth = fontSize * 0.602;
export const edge = 24;

/** Paper of its own, so that it reads the same in the dark. */
export const paper = { paper: '#ffffff', ink: '#1b1f24', quiet: '#57606a', line: '#d8dce1' } as const;

/** The picture of these parts. */
export function chartOf(height: number, title: string, parts: readonly string[]): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${chartWidth}" height="${height}" viewBox="0 0 ${chartWidth} ${height}">` +
    `<rect width="${chartWidth}" height="${height}" fill="${paper.paper}"/>` +
    `<g font-family="DejaVu Sans Mono" font-size="${fontSize}">${text(title, edge, 46, { bold: true })}${parts.join('')}</g></svg>`
  );
}

/** Names beside their colours, from left to right, in as many lines as it takes; `bottom` is where the last one ends. */
export function legend(entries: readonly (readonly [name: string, colour: string])[]): { drawn: string; bottom: number } {
  let [x, y] = [edge, 66];
  const drawn = entries.map(([word, colour]) => {
    const wide = 32 + word.length * letterWidth;
    if (x > edge && x + wide > chartWidth - edge) [x, y] = [edge, y + 36];
    const entry = rect(x, y, 22, 22, colour) + text(word, x + 32, y + 20, { colour: paper.quiet });
    x += wide + 40;
    return entry;
  });
  return { drawn: drawn.join(''), bottom: y + 22 };
}

export function rect(x: number, y: number, w: number, h: number, colour: string): string {
  if (h <= 0) return '';
  const size = `width="${w.toFixed(1)}" height="${Math.max(h, 2).toFixed(1)}"`;
  return `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${size} fill="${colour}"/>`;
}

export function line(from: number, y: number, to: number, look: { colour?: string; dashed?: boolean } = {}): string {
  const dashes = look.dashed === true ? ' stroke-dasharray="12 8"' : '';
  const at = `x1="${from.toFixed(1)}" x2="${to.toFixed(1)}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"`;
  return `<line ${at} stroke="${look.colour ?? paper.line}" stroke-width="2"${dashes}/>`;
}

export function text(
  value: string,
  x: number,
  y: number,
  look: { colour?: string; bold?: boolean; end?: boolean; middle?: boolean },
): string {
  const anchor = look.end === true ? ' text-anchor="end"' : look.middle === true ? ' text-anchor="middle"' : '';
  const weight = look.bold === true ? ' font-weight="bold"' : '';
  const at = `x="${x.toFixed(1)}" y="${y.toFixed(1)}"`;
  return `<text ${at} fill="${look.colour ?? paper.ink}"${weight}${anchor}>${escapedText(value)}</text>`;
}

/** 1, 2, 4, 6, 8, 10, 20, 40 …: half of it reads well too. */
export function niceCeiling(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 6, 8, 10].find((factor) => factor * unit >= value) ?? 10) * unit;
}
