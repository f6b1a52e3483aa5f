import type { Row } from './picture-rows.ts';

/** Made for a phone held upright: about 1,080 pixels wide, letters as large as those of a chat. Sizes in pixels. */
export const pictureWidth = 1080;
const fontSize = 26;
/** DejaVu Sans Mono: every letter is 0.602 of its size wide. */
const letter = fontSize * 0.602;
const rowHeight = 36;
const edge = 14;
/** Above a file. */
const gap = 12;
const numberWidth = Math.ceil(5 * letter);
const textLeft = edge + numberWidth + Math.ceil(2.4 * letter);

/** Letters of a line beside its number and mark. */
export const pictureColumns = Math.floor((pictureWidth - textLeft - 6) / letter);
/** About what a phone shows at once. */
export const pictureRows = 62;

/** Blue and orange are told apart by nearly everybody, whatever colours they see; the marks say the same without colours. */
const colours = {
  paper: '#ffffff',
  ink: '#1b1f24',
  quiet: '#57606a',
  bar: '#e6e9ed',
  place: '#f3f4f6',
  added: { row: '#dcebff', side: '#b3d4ff', mark: '#0a3d91' },
  removed: { row: '#ffe9d2', side: '#ffcf9e', mark: '#8a3800' },
} as const;

/** A picture of rows as SVG 1.1. Whatever the texts hold, they are letters of a text and nothing else. Pure. */
export function svgOf(rows: readonly Row[]): string {
  let top = edge;
  const body = rows.map((row, at) => {
    if (row.kind === 'file' && rows[at - 1]?.kind !== 'file') top += gap;
    const drawn = rowOf(row, top);
    top += rowHeight;
    return drawn;
  });
  const height = top + edge;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${pictureWidth}" height="${height}" viewBox="0 0 ${pictureWidth} ${height}">` +
    `<rect width="${pictureWidth}" height="${height}" fill="${colours.paper}"/>` +
    `<g font-family="DejaVu Sans Mono" font-size="${fontSize}" xml:space="preserve">${body.join('')}</g></svg>`
  );
}

function rowOf(row: Row, top: number): string {
  switch (row.kind) {
    case 'title':
      return text(row.text, edge, top, { bold: true }) + counts(row.counts, top);
    case 'file':
      return (
        bar(colours.bar, top) +
        text(row.text, edge, top, { bold: true }) +
        (row.counts === undefined ? '' : counts(row.counts, top))
      );
    case 'place':
      return bar(colours.place, top) + text(row.text, textLeft, top, { colour: colours.quiet });
    case 'note':
      return text(row.text, textLeft, top, { colour: colours.quiet });
    case 'line':
      return lineOf(row, top);
  }
}

function lineOf(row: Extract<Row, { kind: 'line' }>, top: number): string {
  const tone = row.mark === '+' ? colours.added : row.mark === '-' ? colours.removed : undefined;
  const number =
    row.number === undefined ? '' : text(String(row.number), edge + numberWidth, top, { colour: colours.quiet, end: true });
  const line = row.text === '' ? '' : text(row.text, textLeft, top, {});
  if (tone === undefined) return number + line;
  const mark = row.mark === '+' ? '+' : '−';
  return (
    bar(tone.row, top) +
    `<rect y="${top}" width="${textLeft - 4}" height="${rowHeight}" fill="${tone.side}"/>` +
    number +
    // A line that goes on is no further line.
    (row.number === undefined ? '' : text(mark, edge + numberWidth + letter * 0.7, top, { colour: tone.mark, bold: true })) +
    line
  );
}

function bar(colour: string, top: number): string {
  return `<rect y="${top}" width="${pictureWidth}" height="${rowHeight}" fill="${colour}"/>`;
}

function counts({ added, removed }: { added: number; removed: number }, top: number): string {
  const plus = `+${added.toLocaleString('en-US')}`;
  const minus = `−${removed.toLocaleString('en-US')}`;
  const right = pictureWidth - edge;
  return (
    (removed === 0 ? '' : text(minus, right, top, { colour: colours.removed.mark, bold: true, end: true })) +
    (added === 0
      ? ''
      : text(plus, right - (removed === 0 ? 0 : (minus.length + 1) * letter), top, {
          colour: colours.added.mark,
          bold: true,
          end: true,
        }))
  );
}

function text(value: string, x: number, top: number, look: { colour?: string; bold?: boolean; end?: boolean }): string {
  const weight = look.bold === true ? ' font-weight="bold"' : '';
  const anchor = look.end === true ? ' text-anchor="end"' : '';
  const y = top + Math.round(rowHeight / 2 + fontSize * 0.36);
  return `<text x="${x.toFixed(1)}" y="${y}" fill="${look.colour ?? colours.ink}"${weight}${anchor}>${escapedText(value)}</text>`;
}

/** Text between two tags. What XML has no place for at all is U+FFFD. */
export function escapedText(value: string): string {
  return (
    value
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML does not allow
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\uFFFD')
      .replace(/[&<>]/g, (character) => (character === '&' ? '&amp;' : character === '<' ? '&lt;' : '&gt;'))
  );
}
