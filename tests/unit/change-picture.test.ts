import type { Worker } from 'node:worker_threads';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDrawing } from '../../runner/picture.ts';
import { type Row, rowsOf } from '../../src/changes/picture-rows.ts';
import { pictureColumns, pictureRows, pictureWidth, svgOf } from '../../src/changes/picture-svg.ts';
import { readPatch } from '../../src/changes/read-patch.ts';
import { loadChartSvg } from '../../src/delivery/load-chart.ts';
import { waitFor } from '../support/wait-for.ts';

const options = { title: '#142', totals: { files: 1, added: 1, removed: 1 }, columns: pictureColumns, maxRows: pictureRows };
const section = (path: string, lines: readonly string[], head = 'index 1..2 100644') =>
  `diff --git a/${path} b/${path}\n${head}\n--- a/${path}\n+++ b/${path}\n@@ -10,${lines.length} +10,${lines.length} @@ fn()\n${lines.join('\n')}\n`;
const rows = (patch: string, more: Partial<typeof options> = {}) => {
  const files = readPatch(Buffer.from(patch));
  return rowsOf(files, { ...options, totals: { ...options.totals, files: files.length }, ...more });
};
const words = (all: readonly Row[]) =>
  all.map((row) => (row.kind === 'line' ? `${row.number ?? ''}${row.mark}${row.text}` : `${row.kind}: ${row.text}`));

/** Letters of the texts of an SVG, each on a line; throws at anything that is not exactly what the picture is made of. */
function lettersOf(svg: string): string[] {
  const texts: string[] = [];
  const allowed =
    /<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+" viewBox="[\d ]+">|<rect(?: [a-z]+="[\d#a-f.]+")+\/>|<g font-family="DejaVu Sans Mono" font-size="\d+" xml:space="preserve">|<text(?: [a-z-]+="[\d#a-z.]+")+>([^<>]*)<\/text>|<\/g>|<\/svg>/y;
  while (allowed.lastIndex < svg.length) {
    const at = allowed.lastIndex;
    const found = allowed.exec(svg);
    if (found === null) throw new Error(`not of the picture: ${svg.slice(at, at + 80)}`);
    if (found[1] !== undefined) texts.push(found[1].replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'));
  }
  return texts;
}

describe('the rows of a picture', () => {
  it('are the whole change when it fits, with the numbers of its lines', () => {
    const patch =
      section('src/a.ts', [' one', '-two', '+three'], 'index 1..2 100644') +
      section('new.ts', ['+a'], 'new file mode 100644') +
      'diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n' +
      'diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n';
    expect(words(rows(patch))).toEqual([
      'title: #142',
      'file: src/a.ts',
      'place: line 10  fn()',
      '10 one',
      '11-two',
      '11+three',
      'file: new.ts',
      'place: new file',
      '10+a',
      'file: old',
      'file: → new',
      'place: renamed',
      'file: run.sh',
      'place: mode 100644 → 100755',
    ]);
  });

  it('are the largest hunks of a change that does not fit, those of lockfiles and deleted files last, and count the rest', () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => `+${n}`);
    const patch =
      section('package-lock.json', many(900)) +
      section(
        'gone.ts',
        many(500).map((line) => line.replace('+', '-')),
        'deleted file mode 100644',
      ) +
      section('small.ts', many(3)) +
      section('large.ts', many(200));
    const shown = words(rows(patch));
    expect(shown.length).toBeLessThanOrEqual(pictureRows);
    expect(shown.filter((row) => row.startsWith('file'))).toEqual(['file: gone.ts', 'file: small.ts', 'file: large.ts']);
    expect(shown).toContain('note: 176 more lines here');
    expect(shown.at(-1)).toBe('note: and 1 more file');
  });

  it('count files that the list of the run does not have', () => {
    expect(words(rows(section('a', ['+x']), { totals: { files: 31, added: 1, removed: 0 } })).at(-1)).toBe(
      'note: and 30 more files',
    );
  });

  it('wrap long lines at words, keep to the columns, and say how much is left out', () => {
    const line = `const text = "${'word '.repeat(20)}"`;
    const [first = '', second = ''] = words(rows(section('a', [`+${line}`, `+${'x'.repeat(5000)}`, '+\tif\r']))).slice(3);
    expect(first).toBe('10+const text = "word word word word word word word word word ');
    expect(second.startsWith('+word word')).toBe(true);
    const all = words(rows(section('a', [`+${line}`, `+${'x'.repeat(5000)}`, '+\tif\r'])));
    expect(all.find((row) => row.includes('more characters'))).toMatch(/^\+x+ … 4,\d{3} more characters$/);
    expect(all.at(-1)).toBe('12+    if⟨U+000D⟩');
    for (const row of all) expect(row.replace(/^(?:\d*[+ -]|\w+: )/, '').length).toBeLessThanOrEqual(pictureColumns);
    expect(words(rows(section('win.txt', ['-a\r', '+b\r']))).slice(3)).toEqual(['10-a', '10+b']);
  });

  it('are never too many, whatever the change is', () => {
    const line = fc
      .tuple(fc.constantFrom('+', '-', ' '), fc.string({ maxLength: 200 }))
      .map(([mark, text]) => mark + text.replaceAll('\n', ''));
    const file = fc.tuple(fc.stringMatching(/^[a-z/]{1,200}$/), fc.array(line, { minLength: 1, maxLength: 90 }));
    fc.assert(
      fc.property(fc.array(file, { maxLength: 12 }), fc.integer({ min: 20, max: 80 }), (files, maxRows) => {
        const patch = files.map(([path, lines]) => section(path, lines)).join('');
        expect(rows(patch, { maxRows }).length).toBeLessThanOrEqual(maxRows);
      }),
      { numRuns: 60 },
    );
  });
});

describe('promise 11: what a change holds is letters in the picture and nothing else', () => {
  const hostile = fc.oneof(
    fc.constantFrom(
      '</text><script>x</script>',
      '<image href="file:///etc/passwd"/>',
      ']]>',
      '<!--',
      '<?xml version="1.0"?>',
      '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
      '&e;',
      '&#0;',
      '"',
      "' onload='x",
      '\u0000',
      '\u000b',
      '\ufffe',
      '\ud800',
      '\u202e',
      '<use href="#a"/>',
    ),
    fc.string({ unit: 'binary', maxLength: 10 }),
  );
  const texts = fc.array(hostile, { maxLength: 8 }).map((parts) => parts.join(''));

  it('as SVG', () => {
    const row: fc.Arbitrary<Row> = fc.oneof(
      fc.record({ kind: fc.constantFrom('place' as const, 'note' as const), text: texts }),
      fc.record({
        kind: fc.constant('file' as const),
        text: texts,
        counts: fc.constantFrom(undefined, { added: 1, removed: 2 }),
      }),
      fc.record({
        kind: fc.constant('line' as const),
        mark: fc.constantFrom('+' as const, '-' as const),
        number: fc.nat(9),
        text: texts,
      }),
    );
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), (all) => {
        const letters = lettersOf(svgOf(all));
        for (const { text } of all) {
          const seen = text
            .toWellFormed()
            // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML does not allow
            .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\uFFFD');
          if (text !== '') expect(letters).toContain(seen);
        }
      }),
    );
  });

  it('from the patch on: nothing hidden reaches it', () => {
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 10 }), texts, (lines, title) => {
        const patch = section(
          'a',
          lines.map((line) => `+${line.replaceAll('\n', ' ')}`),
        );
        const letters = lettersOf(svgOf(rows(patch, { title }))).join('');
        expect(letters).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}/u);
      }),
    );
  });
});

describe('a drawn picture', () => {
  const drawPatch = createDrawing();

  it('is a PNG as wide as a phone, with blue and orange rows, whatever characters are in it', { timeout: 30_000 }, async () => {
    const patch = Buffer.from(section('src/é <b>&\u0007.ts', ['-日本語 🎉 \u202e', '+العربية', ' \u001b[31m']));
    const png = await drawPatch({ patch, title: '#142 <x>', totals: { files: 1, added: 1, removed: 1 } });
    const { width, height, colours } = read(png ?? new Uint8Array());
    expect(width).toBe(pictureWidth);
    expect(height).toBeGreaterThan(200);
    for (const colour of ['dcebff', 'ffe9d2', '1b1f24']) expect([...colours]).toContain(colour);
  });

  it('of figures is as wide, on paper of its own, in the same blue and orange', { timeout: 30_000 }, async () => {
    const part = { running: 3, waiting: 0.5, done: 4, failed: 1 };
    const svg = loadChartSvg({ hours: 12, parts: [part, { ...part, running: 0 }, { ...part, waiting: 0 }] });
    expect(svg).toContain('▲ 12 done   ▼ 3 failed');
    const { width, colours } = read((await drawPatch({ svg })) ?? new Uint8Array());
    expect(width).toBe(pictureWidth);
    for (const colour of ['ffffff', '2f6fdb', 'f0a03c', 'b34700']) expect([...colours]).toContain(colour);
  });

  it('is one file of the patch when one is asked for, and nothing of an empty patch', { timeout: 30_000 }, async () => {
    const patch = Buffer.from(
      section(
        'a',
        Array.from({ length: 30 }, () => '+x'),
      ) + section('b', ['+x']),
    );
    const of = { patch, title: '#1', totals: { files: 2, added: 31, removed: 0 } };
    const [both, one] = [await drawPatch(of), await drawPatch({ ...of, file: 1, totals: { files: 1, added: 1, removed: 0 } })];
    expect(read(one ?? new Uint8Array()).height).toBeLessThan(read(both ?? new Uint8Array()).height / 3);
    expect(await drawPatch({ ...of, patch: Buffer.alloc(0) })).toBeUndefined();
  });

  it('is drawn by the thread of the one before, which ends with a picture that is given up', async () => {
    const of = { patch: Buffer.from(section('a', ['+x'])), title: '#1', totals: { files: 1, added: 1, removed: 0 } };
    const threads = new Set<Worker>();
    const onWorker = (worker: Worker) => threads.add(worker);
    process.on('worker', onWorker);
    try {
      const draw = createDrawing();
      const pictures = [await draw(of), await draw({ ...of, patch: Buffer.alloc(0) }), await draw(of)];
      expect(pictures.map((png) => png?.length)).toEqual([pictures[2]?.length, undefined, expect.any(Number)]);
      expect(threads.size).toBe(1);
      const leaving = new AbortController();
      const [first] = threads;
      if (first === undefined) throw new Error('no thread');
      const drawn = draw(of, { signal: leaving.signal });
      leaving.abort(new Error('left'));
      await expect(drawn).rejects.toThrow('left');
      await waitFor('the end of the thread', () => first.threadId === -1);
      expect(Buffer.from((await draw(of)) ?? []).equals(Buffer.from(pictures[0] ?? []))).toBe(true);
      expect(threads.size).toBe(2);
      await createDrawing({ keepMs: 1 })(of);
      const [, , brief] = threads;
      await waitFor('the end of a thread that is not needed', () => brief?.threadId === -1);
    } finally {
      process.off('worker', onWorker);
    }
  });

  it('is given up when it takes too long or nobody wants it any more', async () => {
    const of = { patch: Buffer.from(section('a', ['+x'])), title: '#1', totals: { files: 1, added: 1, removed: 0 } };
    await expect(drawPatch(of, { timeoutMs: 1 })).rejects.toThrow('too long');
    await expect(drawPatch(of, { signal: AbortSignal.abort(new Error('left')) })).rejects.toThrow('left');
    const leaving = new AbortController();
    const drawn = drawPatch(of, { signal: leaving.signal });
    leaving.abort(new Error('left'));
    await expect(drawn).rejects.toThrow('left');
  });
});

/** Size and colours of a PNG with 8 bits for each of red, green, blue and alpha. */
function read(png: Uint8Array): { width: number; height: number; colours: Set<string> } {
  const bytes = Buffer.from(png);
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  expect([bytes[24], bytes[25]]).toEqual([8, 6]);
  const parts: Buffer[] = [];
  for (let at = 8; at < bytes.length; at += bytes.readUInt32BE(at) + 12) {
    if (bytes.subarray(at + 4, at + 8).toString() === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * 4;
  const colours = new Set<string>();
  let before = Buffer.alloc(stride);
  for (let row = 0; row < height; row += 1) {
    const filter = raw[row * (stride + 1)];
    const line = Buffer.from(raw.subarray(row * (stride + 1) + 1, (row + 1) * (stride + 1)));
    for (let at = 0; at < stride; at += 1) {
      const [left, up, corner] = [at < 4 ? 0 : (line[at - 4] ?? 0), before[at] ?? 0, at < 4 ? 0 : (before[at - 4] ?? 0)];
      line[at] = (line[at] ?? 0) + ([0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0);
    }
    for (let at = 0; at < stride; at += 4) colours.add(line.subarray(at, at + 3).toString('hex'));
    before = line;
  }
  return { width, height, colours };
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
