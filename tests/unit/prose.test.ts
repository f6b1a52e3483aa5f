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
    for (const text of [
      '2*3*4',
      'snake_case_name',
      '__init__.py',
      'a ** b ** c',
      'f(*args, **kwargs)',
      'x ~~ y',
      'a | b',
      '| a |',
    ])
      expect(shown(text)).toBe(text);
    expect(proseBlocks('~~~\nstill code')).toEqual([{ type: 'code', text: 'still code' }]);
  });

  it('promise 11: makes no link, mention or person of it, and drops what acts on a screen', () => {
    const hostile =
      '[click](https://evil.example) <https://evil.example|x> <!channel> @everyone <@U1> ![a](b) \u202eabc\u202c \u001b[31mred';
    expect(spans(hostile).every(({ type }) => type === 'text')).toBe(true);
    expect(shown(hostile)).toBe(
      'click (https://evil.example) <https://evil.example|x> <!channel> @everyone <@U1> a (picture: b) abc red',
    );
  });

  it('shows where links and pictures lead, whatever they call themselves', () => {
    expect(shown('see [the docs](https://a.example/x_y "Title") and <https://b.example/>')).toBe(
      'see the docs (https://a.example/x_y, Title) and https://b.example/',
    );
    expect(shown('[https://good.example](https://evil.example)')).toBe('https://good.example (https://evil.example)');
    expect(shown('[https://a.example](https://a.example) [](b.md) [`src/a.ts`](src/a.ts)')).toBe(
      'https://a.example b.md src/a.ts (src/a.ts)',
    );
    expect(shown('![](shot.png) ![The page](https://a.example/p.png)')).toBe(
      '(picture: shot.png) The page (picture: https://a.example/p.png)',
    );
    expect(shown('a[0](b c) and [x] (y)')).toBe('a[0](b c) and [x] (y)');
  });

  it('shows nested lists, quotes, rules and both kinds of headings', () => {
    expect(shown('1. one\n   - two\n\t- [x] three\n- four')).toBe('1. one\n   • two\n  ✔ three\n• four');
    expect(shown('> a **b**\n> > - c\n>d')).toBe('│ a b\n│ │ • c\n│ d');
    expect(shown('above\n\n---\n\nbelow\n***')).toBe('above\n\n──────────\n\nbelow\n──────────');
    expect(spans('Title\n=====\ntext\n\nSmaller\n---')).toEqual([
      { type: 'text', text: 'Title', style: ['bold'] },
      { type: 'text', text: '\ntext\n\n' },
      { type: 'text', text: 'Smaller', style: ['bold'] },
    ]);
    expect(shown('- a point\n---')).toBe('• a point\n──────────');
    expect(shown('\\*not stress\\* and \\[no link\\](x)')).toBe('*not stress* and [no link](x)');
  });

  it('makes tables of tables', () => {
    const text = [
      'Results:',
      '| Test | Runs | Note |',
      '|:-----|-----:|:----:|',
      '| `login` | 20 | **ok** \\| fine |',
      '| logout | 3 |',
      '| much | 4 | one | two |',
      '',
      'after',
    ].join('\n');
    expect(proseBlocks(text)).toEqual([
      { type: 'text', spans: [{ type: 'text', text: 'Results:' }] },
      {
        type: 'table',
        columns: [
          { header: 'Test', align: 'left' },
          { header: 'Runs', align: 'right' },
          { header: 'Note', align: 'left' },
        ],
        rows: [
          ['login', '20', 'ok | fine'],
          ['logout', '3', ''],
          ['much', '4', 'one | two'],
        ],
      },
      { type: 'text', spans: [{ type: 'text', text: 'after' }] },
    ]);
    expect(proseBlocks('a | b\n--|--\n1 | 2')[0]).toMatchObject({ type: 'table', rows: [['1', '2']] });
    for (const none of ['a | b\n---\n1 | 2', '| a |\n|---|---|', 'a | b\nc | d', '```\n|a|b|\n|-|-|\n```']) {
      expect(
        proseBlocks(none).some(({ type }) => type === 'table'),
        none,
      ).toBe(false);
    }
  });

  it('leaves out nothing but marks, whatever is written', () => {
    const bit = fc.constantFrom(
      'a',
      '|',
      '\n|-|-|\n',
      '> ',
      '[',
      '](',
      ')',
      '!',
      '\\',
      '\n---\n',
      '\n===\n',
      'https://a.example',
      '@here',
      '<@U1>',
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
    const words = (text: string) => text.replace(/[^\p{L}\p{N}@😀]/gu, '');
    fc.assert(
      fc.property(fc.string({ unit: bit, maxLength: 60 }), (text) => {
        const blocks = proseBlocks(text);
        for (const block of blocks) {
          expect(blockSchema.parse(block)).toEqual(block);
          // No link, no mention, no button: words alone, or a table of words.
          expect(['text', 'code', 'table']).toContain(block.type);
          if (block.type === 'text') expect(block.spans.every(({ type }) => type === 'text')).toBe(true);
        }
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
    for (const mark of [
      '*',
      '`a',
      '** a',
      '*a ',
      '__',
      '_a ',
      '~~a',
      '- ',
      '#',
      '[',
      '[a](',
      '](',
      '<a://',
      '> ',
      '\\',
      '|',
      '|-',
    ])
      for (let at = 0; at < 5; at += 1) proseBlocks(mark.repeat(4000 / mark.length));
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it.each(['a', '# a', 'a|b\n', 'a|b\n-', 'a\n\n'])('takes no time for %j and many spaces', (before) => {
    for (const space of [' ', '\n']) {
      const started = process.cpuUsage();
      proseBlocks(`${before}${space.repeat(40_000)}x`);
      expect(process.cpuUsage(started).user / 1000).toBeLessThan(400);
    }
  });
});
