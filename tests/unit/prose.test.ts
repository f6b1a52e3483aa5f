import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockSchema, type Span } from '../../src/contracts/view.ts';
import { plainText } from '../../src/delivery/plain-text.ts';
import { proseBlocks } from '../../src/delivery/prose.ts';

const shown = (text: string) => proseBlocks(text).map(plainText).join('\n');
const spans = (text: string): Span[] => proseBlocks(text).flatMap((block) => (block.type === 'text' ? block.spans : []));

describe('what a model has written', () => {
  it('becomes headings, lists, stress and code of our own', () => {
    expect(spans('## Done\nIt *really* **works** in `a_b.ts`, ~~not~~ __now__.')).toEqual([
      { type: 'text', text: 'Done', style: ['bold'] },
      { type: 'text', text: '\nIt ' },
      { type: 'text', text: 'really', style: ['italic'] },
      { type: 'text', text: ' ' },
      { type: 'text', text: 'works', style: ['bold'] },
      { type: 'text', text: ' in ' },
      { type: 'text', text: 'a_b.ts', style: ['code'] },
      { type: 'text', text: ', ' },
      { type: 'text', text: 'not', style: ['strike'] },
      { type: 'text', text: ' ' },
      { type: 'text', text: 'now', style: ['bold'] },
      { type: 'text', text: '.' },
    ]);
    expect(shown('- one\n  * two\n- [x] three\n- [ ] four\n1. five')).toBe('• one\n  • two\n✔ three\n○ four\n1. five');
    expect(proseBlocks('before\n```ts\nconst a = `**b**`;\n```\nafter')).toEqual([
      { type: 'text', spans: [{ type: 'text', text: 'before' }] },
      { type: 'code', text: 'const a = `**b**`;', language: 'ts' },
      { type: 'text', spans: [{ type: 'text', text: 'after' }] },
    ]);
  });

  it('keeps what is no mark: products, names, rules, an open fence', () => {
    for (const text of ['2*3*4', 'snake_case_name', 'a ** b ** c', '* * *', 'f(*args, **kwargs)', 'x ~~ y'])
      expect(shown(text)).toBe(text);
    expect(proseBlocks('~~~\nstill code')).toEqual([{ type: 'code', text: 'still code' }]);
  });

  it('promise 11: makes no link, mention or person of it, and drops what acts on a screen', () => {
    const hostile =
      '[click](https://evil.example) <https://evil.example|x> <!channel> @everyone <@U1> ![a](b) \u202eabc\u202c \u001b[31mred';
    expect(spans(hostile).every(({ type }) => type === 'text')).toBe(true);
    expect(shown(hostile)).toBe(
      '[click](https://evil.example) <https://evil.example|x> <!channel> @everyone <@U1> ![a](b) abc red',
    );
  });

  it('leaves out nothing but marks, whatever is written', () => {
    const bit = fc.constantFrom(
      'a',
      'word ',
      '\n',
      '*',
      '**',
      '_',
      '__',
      '`',
      '```',
      '~~',
      '~~~',
      '# ',
      '- ',
      '[x] ',
      ' ',
      '1. ',
      '😀',
      '<b>',
    );
    const words = (text: string) => text.replace(/[^\p{L}\p{N}<>😀]/gu, '');
    fc.assert(
      fc.property(fc.string({ unit: bit, maxLength: 60 }), (text) => {
        const blocks = proseBlocks(text);
        for (const block of blocks) expect(blockSchema.parse(block)).toEqual(block);
        const languages = blocks.map((block) => (block.type === 'code' ? (block.language ?? '') : '')).join('');
        const kept = words(blocks.map(plainText).join('\n')).length + words(languages).length;
        const marks = (text.match(/\[x\]/g) ?? []).length;
        expect(kept).toBeGreaterThanOrEqual(words(text).length - marks);
      }),
      { numRuns: 500 },
    );
  });

  it('takes no time for a text that is all marks', () => {
    const started = performance.now();
    for (const mark of ['*', '`a', '** a', '*a ', '__', '~~a', '- ', '#'])
      for (let at = 0; at < 5; at += 1) proseBlocks(mark.repeat(4000 / mark.length));
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
