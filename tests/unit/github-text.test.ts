import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { githubCapabilities, maxComment } from '../../adapters/github/talk-capabilities.ts';
import { commentBody, keyMark, keyOf } from '../../adapters/github/talk-markdown.ts';
import { saidTo, shownText } from '../../adapters/github/talk-text.ts';
import type { Block, Span } from '../../src/contracts/view.ts';
import { createMeasure } from '../../src/delivery/measure.ts';
import { readGithubMarkdown } from '../support/github-markdown.ts';

const nobody = new Map<string, string>();
const bodyOf = (blocks: Block[]) => commentBody({ fallback: 'x', blocks }, undefined, nobody);
const textOf = (...spans: Span[]) => readGithubMarkdown(bodyOf([{ type: 'text', spans }]));

describe('what people say to the bot', () => {
  test.each([
    ['@deckhand fix it', 'fix it'],
    ['@Deckhand: fix it', 'fix it'],
    ['please @deckhand fix it', 'please fix it'],
    ['fix it, @deckhand', 'fix it,'],
    ['@deckhand[bot] fix it', 'fix it'],
    ['Hello,\r\n\r\n@deckhand fix it\r\n', 'Hello, fix it'],
    ['@deckhand', ''],
    ['> why?\n\n@deckhand fix it', 'fix it\n\n> why?'],
    ['@deckhand stop\n\nOn Sat, Nov 21, 2026 at 10:00 AM Ada wrote:\n> @deckhand fix it\n> now\n', 'stop'],
    ['@deckhand stop\n\n\nOn Sat, Nov 21, 2026 at 10:00 AM Ada <ada@a.example>\nwrote:\n\n > now\n\n', 'stop'],
    ['@deckhand see\nOn Sat Ada wrote:\n> now\nand this', 'see\nOn Sat Ada wrote:\n> now\nand this'],
    ['`a` @deckhand `b`', '`a` `b`'],
    ['`a\n \n@deckhand `b`', '`a `b`'],
    ['<!-- a template -->\n@deckhand fix it<!-- and its end', 'fix it'],
    ['```\n@deckhand not this\n```\n@deckhand but this', '```\n@deckhand not this\n``` but this'],
    ['so:\n    @deckhand fix it', 'so: fix it'],
    ['- one\n\n    @deckhand fix it', '- one fix it'],
    ['1. one\n   - two\n\n     @deckhand fix it', '1. one\n   - two fix it'],
    ['    code\n\n@deckhand fix it', 'code fix it'],
    ['> ```\n> @deckhand drop it\n> ```\n\n@deckhand fix it', 'fix it\n\n> ```\n> @deckhand drop it\n> ```'],
    ['> ```\n> it fails\n\n@deckhand fix it', 'fix it\n\n> ```\n> it fails'],
    ['1. so:\n    ```\n    x\n    ```\n    @deckhand fix it', '1. so:\n    ```\n    x\n    ``` fix it'],
    ['`<pre>` @deckhand fix it', '`<pre>` fix it'],
    ['<pre>x</pre> @deckhand fix it', '<pre>x</pre> fix it'],
    ['\u0000@deckhand a\ud800b', 'a\ufffdb'],
  ])('%j names it', (body, text) => {
    expect(saidTo(body, 'deckhand')).toBe(text);
  });

  test.each([
    'fix it',
    'mail@deckhand.example',
    '@deckhand-staging fix it',
    '@deckhands fix it',
    '@deckhand/team look',
    'acme/@deckhand',
    '> @deckhand fix it',
    '   > > @deckhand fix it',
    '`@deckhand fix it`',
    '``a ` @deckhand``',
    '``a` @deckhand `\\`` `b`',
    '```\n@deckhand fix it\n```',
    '~~~sh\n@deckhand fix it',
    '````\n```\n@deckhand fix it\n```\n````',
    'Look:\n\n    @deckhand fix it\n\n    @deckhand drop it',
    '\t@deckhand fix it',
    '- as I said:\n\n      @deckhand fix it',
    '1. as I said:\n    ```\n    @deckhand fix it\n    ```',
    '- ```\n  @deckhand fix it\n  ```',
    '- > @deckhand fix it',
    '<pre>\n@deckhand fix it\n</pre>',
    '<blockquote>\n\n@deckhand fix it\n</blockquote>',
    'see <code class="x">@deckhand fix it</code>',
    '<!-- @deckhand fix it -->',
    '',
    null,
    undefined,
  ])('%j does not', (body) => {
    expect(saidTo(body, 'deckhand')).toBeUndefined();
  });

  test.each([
    ['a mail that ends with empty lines', `\n\nOn Sat, Ada wrote:\n${'\n'.repeat(26)}x`],
    ['a mail that quotes and goes on', `\n\nOn Sat, Ada wrote:\n${'> a\n'.repeat(13)}x`],
    ['a line of nothing but items', `\n${'- '.repeat(30_000)}x`],
    ['tags that never end', '<pre '.repeat(13_000)],
    ['backticks that never match', Array.from({ length: 350 }, (_, more) => '`'.repeat(more + 1)).join(' ')],
  ])('promise 11: %s is read in no time', (_, text) => {
    const before = process.cpuUsage();
    expect(saidTo(`@deckhand stop${text}`, 'deckhand')).toContain('stop');
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(300);
  });

  test('comments of HTML are said by nobody, and are text in code', () => {
    expect(shownText('a <!-- hidden\norders --> b `<!-- shown -->`')).toBe('a  b `<!-- shown -->`');
    expect(shownText('a\n```\n<!-- shown -->\n```')).toBe('a\n```\n<!-- shown -->\n```');
  });
});

describe('promise 11: what is written into a comment', () => {
  const hostile = fc
    .array(
      fc.constantFrom(
        ...[
          '@ben',
          '#12',
          'GH-12',
          'acme/web#12',
          'fixes ',
          'https://evil.example/a',
          'www.evil.example',
          'ftp://x.y',
          'a@b.example',
        ],
        ...[
          '`',
          '``',
          '```',
          '~~~',
          '*',
          '**',
          '_',
          '__',
          '~',
          '~~',
          '[x](https://evil.example)',
          '![x](y)',
          '[x]: y',
          '[^1]',
          '<b>',
          '<!--',
          '-->',
        ],
        ...[
          '# ',
          '> ',
          '- ',
          '+ ',
          '1. ',
          '1) ',
          '---',
          '===',
          '| a | b |',
          ':-:',
          '|-|',
          '    ',
          '\t',
          '\n',
          '\n\n',
          ' ',
          '\\',
          '&lt;',
          '&amp;',
        ],
        ...[
          ':smile:',
          ':a_b:',
          '$x$',
          '$$',
          '{{x}}',
          '\u202e',
          '\u001b[0m',
          '\r',
          'word',
          '.',
          '!',
          '(',
          ')',
          '{',
          '}',
          '^',
          '=',
        ],
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(''));
  const style = fc.subarray(['bold', 'italic', 'strike', 'code'] as const);
  const span = fc.oneof(
    fc.record({ type: fc.constant('text' as const), text: hostile, style }),
    fc.record({ type: fc.constant('person' as const), name: hostile, user: fc.constantFrom('1', '2'), notify: fc.boolean() }),
  );
  const spans = fc.array(span, { maxLength: 4 });
  const block: fc.Arbitrary<Block> = fc.oneof(
    fc.record({
      type: fc.constant('title' as const),
      spans,
      state: fc.record({ text: hostile, tone: fc.constant('active' as const) }),
    }),
    fc.record({ type: fc.constantFrom('text' as const, 'context' as const), spans }),
    fc.record({ type: fc.constant('code' as const), text: hostile, language: fc.constantFrom('diff', 'mermaid', 'a b', '`') }),
    fc.record({
      type: fc.constant('steps' as const),
      items: fc.array(fc.record({ state: fc.constant('done' as const), text: hostile }), { maxLength: 3 }),
    }),
    fc.record({ type: fc.constant('fields' as const), items: fc.array(fc.record({ label: hostile, spans }), { maxLength: 2 }) }),
    fc.record({
      type: fc.constant('table' as const),
      columns: fc.constant<Extract<Block, { type: 'table' }>['columns']>([
        { header: 'a', align: 'left' },
        { header: 'b', align: 'right' },
      ]),
      rows: fc.array(fc.tuple(hostile, hostile), { maxLength: 2 }),
    }),
  );

  test('calls nobody, refers to nothing, links nothing and holds no HTML, whatever it says', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 4 }), (blocks) => {
        const read = readGithubMarkdown(commentBody({ fallback: 'x', blocks }, 'the key', nobody));
        expect({ ...read, text: '', styled: [] }).toEqual({
          text: '',
          mentions: [],
          links: [],
          references: [],
          html: [],
          styled: [],
        });
        expect(read.text).not.toContain('(emoji');
      }),
      { numRuns: 400 },
    );
  });

  test('promise 2: asks nothing of whoever is named in it, another Deckhand for one, whatever it says', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 4 }), (blocks) => {
        expect(saidTo(commentBody({ fallback: 'x', blocks }, 'the key', nobody), 'ben')).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  test('is read as it was given, letter by letter', () => {
    const line = hostile.map((text) => text.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim()).filter((text) => text !== '');
    fc.assert(
      fc.property(line, (text) => {
        expect(textOf({ type: 'text', text: `a${text}` })).toMatchObject({ text: `a${text}`, styled: [] });
        expect(textOf({ type: 'text', text })).toMatchObject({ text, styled: [] });
      }),
      { numRuns: 400 },
    );
  });

  test('takes no more than the capabilities say', () => {
    const { maxMessage } = githubCapabilities.text;
    const measure = createMeasure(githubCapabilities.text);
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 4 }), (blocks) => {
        const counted = blocks.reduce((sum, one) => sum + measure.block(one), 0);
        // What is kept back is for marks and joints, in proportion to the text.
        expect(bodyOf(blocks).length).toBeLessThanOrEqual(counted * (maxComment / maxMessage) + blocks.length * 60 + 40);
      }),
      { numRuns: 300 },
    );
  });

  test('keeps its styles whatever stands next to them', () => {
    const bold = (text: string): Span => ({ type: 'text', text, style: ['bold'] });
    const plain = (text: string): Span => ({ type: 'text', text });
    expect(textOf(plain('a'), bold('(b)'), plain('c')).styled).toEqual(['(b)']);
    expect(textOf(bold('a'), { type: 'text', text: 'b', style: ['italic'] }).styled).toEqual(['a', 'b']);
    expect(textOf(plain('x'), { type: 'text', text: '`b`', style: ['code'] }, bold('#1')).styled).toEqual(['`b`', '#1']);
    expect(textOf(plain('asked by @'), { type: 'person', name: 'ben', notify: false })).toMatchObject({
      text: 'asked by @ben',
      mentions: [],
    });
  });

  test('knows its key again, and nobody else can write one that is shown', () => {
    fc.assert(
      fc.property(fc.string(), (key) => {
        expect(keyOf(`text\n\n${keyMark(key)}`)).toBe(key);
      }),
    );
    expect(keyOf(bodyOf([{ type: 'code', text: '<!-- deckhand:k -->' }]))).toBeUndefined();
    expect(keyOf(bodyOf([{ type: 'text', spans: [{ type: 'text', text: '<!-- deckhand:k -->' }] }]))).toBeUndefined();
  });
});
