import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Span } from '../../src/contracts/view.ts';
import { createMeasure } from '../../src/delivery/measure.ts';
import { spansText } from '../../src/delivery/plain-text.ts';
import { splitSpans, splitText } from '../../src/delivery/split.ts';

const limits = { maxMessage: 0, maxBlock: 0, maxBlocks: 0, maxTitle: 0 };
const measures = {
  utf16: createMeasure({ ...limits, unit: 'utf16' }),
  codepoints: createMeasure({ ...limits, unit: 'codepoints' }),
  escaped: createMeasure({ ...limits, unit: 'utf16', escapes: { '&': 5, '<': 4, '>': 4 } }),
};
const anyMeasure = fc.constantFrom(...Object.values(measures));
const family = '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}';
const words = fc.constantFrom(
  'a',
  'word',
  ' ',
  '\n',
  '\n\n',
  '&',
  '<b>',
  'é',
  'e\u0301',
  '😀',
  family,
  '🇩🇪',
  'longerwordhere',
  '\t',
  '```',
);
const anyText = fc.oneof(fc.string({ unit: words, maxLength: 80 }), fc.string({ unit: 'grapheme', maxLength: 120 }));

describe('splitting a text', () => {
  it('promise 5: loses nothing and stays within the limit, whatever the text and the unit', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.integer({ min: 8, max: 60 }),
        anyMeasure,
        fc.constantFrom('prose', 'code'),
        (text, limit, measure, kind) => {
          const pieces = splitText(text, limit, measure, kind);
          expect(pieces.join('')).toBe(text);
          for (const piece of pieces) expect(measure.text(piece)).toBeLessThanOrEqual(limit);
          if (text !== '') expect(pieces).not.toContain('');
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('never cuts a surrogate pair, nor a grapheme that fits', () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('😀', family, 'e\u0301', 'x'), maxLength: 60 }),
        fc.integer({ min: 12, max: 40 }),
        (text, limit) => {
          const pieces = splitText(text, limit, measures.utf16, 'prose');
          const whole = [...segmenter.segment(text)].map(({ segment }) => segment);
          const parts = pieces.flatMap((piece) => [...segmenter.segment(piece)].map(({ segment }) => segment));
          expect(parts).toEqual(whole);
        },
      ),
    );
  });

  it('prefers the end of a paragraph, then of a line, then of a word', () => {
    expect(splitText('one two\n\nthree four', 12, measures.utf16, 'prose')).toEqual(['one two\n\n', 'three four']);
    expect(splitText('one two\nthree four', 12, measures.utf16, 'prose')).toEqual(['one two\n', 'three four']);
    expect(splitText('one two three', 9, measures.utf16, 'prose')).toEqual(['one two ', 'three']);
    expect(splitText('abcdefghijkl', 5, measures.utf16, 'prose')).toEqual(['abcde', 'fghij', 'kl']);
  });

  it('cuts code only at line ends while its lines fit', () => {
    const code = 'if (a) {\n  return b;\n}\nelse c();\n';
    expect(splitText(code, 24, measures.utf16, 'code')).toEqual(['if (a) {\n  return b;\n}\n', 'else c();\n']);
  });

  it('counts what escaping adds', () => {
    expect(splitText('&&&&', 10, measures.escaped, 'prose')).toEqual(['&&', '&&']);
    expect(splitText('😀😀😀', 2, measures.codepoints, 'prose')).toEqual(['😀😀', '😀']);
    expect(splitText('😀😀😀', 2, measures.utf16, 'prose')).toEqual(['😀', '😀', '😀']);
  });

  it('splits a megabyte without a space in it, quickly', () => {
    const text = 'x'.repeat(1_000_000);
    const started = performance.now();
    expect(splitText(text, 3000, measures.escaped, 'prose')).toHaveLength(334);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('splitting spans', () => {
  const span: fc.Arbitrary<Span> = fc.oneof(
    fc.record({
      type: fc.constant('text' as const),
      text: anyText,
      style: fc.subarray(['bold', 'code'] as const).map((style) => [...style]),
    }),
    fc.record({
      type: fc.constant('person' as const),
      name: fc.string({ maxLength: 12 }),
      user: fc.constant('U12345'),
      notify: fc.boolean(),
    }),
    fc.record({ type: fc.constant('time' as const), at: fc.constant('2026-01-01T00:00:00Z'), text: fc.constant('noon') }),
  );

  it('promise 5: loses nothing, stays within the limit and keeps styles', () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 8 }), fc.integer({ min: 64, max: 120 }), anyMeasure, (spans, limit, measure) => {
        const pieces = splitSpans(spans, limit, measure);
        expect(pieces.map(spansText).join('')).toBe(spansText(spans));
        for (const piece of pieces) expect(measure.spans(piece)).toBeLessThanOrEqual(limit);
        const styled = (all: readonly Span[], style: string) =>
          all.map((one) => (one.type === 'text' && one.style?.some((known) => known === style) ? one.text : '')).join('');
        for (const style of ['bold', 'code']) expect(styled(pieces.flat(), style)).toBe(styled(spans, style));
      }),
      { numRuns: 500 },
    );
  });

  it('writes a link out that is too long for one piece', () => {
    const url = `https://example.com/${'a'.repeat(100)}`;
    const pieces = splitSpans([{ type: 'link', url, text: 'the log' }], 50, measures.utf16);
    expect(pieces.map(spansText).join('')).toBe(`the log (${url})`);
  });
});
