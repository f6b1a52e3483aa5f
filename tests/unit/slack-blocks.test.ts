import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slackCapabilities } from '../../adapters/slack/capabilities.ts';
import { homeView, maxBlocksJson, messageContent, modalView, readModalMetadata } from '../../adapters/slack/outbound.ts';
import { blocksTooLong, checkBlocks } from '../../lab/slack/blocks.ts';
import { encodePress } from '../../src/contracts/press.ts';
import { type Block, type Form, formSchema, plain, type Span, type View, viewSchema } from '../../src/contracts/view.ts';
import { fitView } from '../../src/delivery/fit.ts';

const conversation = { platform: 'slack' as const, tenant: 'T1', channel: 'C1', thread: '1.2', kind: 'channel' as const };

function problems(blocks: unknown, surface: 'message' | 'home' | 'modal'): string[] {
  return checkBlocks(blocks, '/blocks', { surface, usableImage: () => false });
}

function blocksOf(...blocks: Block[]) {
  return messageContent({ fallback: 'x', blocks }).blocks;
}

// Texts that cost most: every character needs an escape, is invalid, or belongs to some markup.
const unit = fc.oneof(
  fc.constantFrom(
    '"',
    '\\',
    '\n',
    '\t',
    '\u0000',
    '\u001b',
    '\u202e',
    '\ud83d',
    '🙂',
    '<',
    '>',
    '&',
    '*',
    '_',
    '`',
    '|',
    '~',
    ':',
    '@',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  fc.constantFrom('<!here>', '<@U0000000BEN>', 'https://evil.example', ':smile:', 'word ', '```'),
);
const text = (maxLength: number) => fc.string({ unit, maxLength });
const url = fc.webUrl({ withQueryParameters: true, withFragments: true });
const span: fc.Arbitrary<Span> = fc.oneof(
  { weight: 5, arbitrary: text(80).map(plain) },
  fc.record({
    type: fc.constant('text' as const),
    text: text(30),
    style: fc.uniqueArray(fc.constantFrom('bold' as const, 'italic' as const, 'strike' as const, 'code' as const), {
      maxLength: 4,
    }),
  }),
  fc.record({ type: fc.constant('link' as const), url, text: text(30) }),
  fc.record({
    type: fc.constant('person' as const),
    name: text(20),
    user: fc.constantFrom('U0000000BEN', 'not an id', '<!here>'),
    notify: fc.boolean(),
  }),
  fc.record({ type: fc.constant('time' as const), at: fc.constant('2026-11-21T10:00:00.000Z'), text: text(20) }),
);
const spans = fc.array(span, { maxLength: 8 });
const token = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_-]{22}$/).map((secret) => encodePress({ kind: 'decide', secret, verb: 'approve_task' })),
  fc.stringMatching(/^[a-z0-9 #]{1,60}$/).map((command) => encodePress({ kind: 'command', text: command })),
);
const button = fc.record(
  {
    token,
    label: fc.string({ unit, minLength: 1, maxLength: 40 }).map((label) => label.slice(0, 40)),
    style: fc.constantFrom('default' as const, 'primary' as const, 'danger' as const),
    confirm: fc.record({ title: text(60), text: text(200), ok: text(20) }),
  },
  { requiredKeys: ['token', 'label', 'style'] },
);
const option = fc.record({ value: fc.stringMatching(/^[a-z0-9_]{1,30}$/), label: text(20) });
const textBlock: fc.Arbitrary<Block> = fc.oneof(
  fc.record({
    type: fc.constant('title' as const),
    spans,
    state: fc.record({ text: text(30), tone: fc.constantFrom('neutral' as const, 'active' as const, 'bad' as const) }),
  }),
  fc.record({ type: fc.constant('text' as const), spans }),
  fc.record({ type: fc.constant('context' as const), spans }),
  fc.record({ type: fc.constant('code' as const), text: fc.string({ unit, minLength: 100, maxLength: 1500, size: 'max' }) }),
  fc.record({
    type: fc.constant('steps' as const),
    items: fc.array(
      fc.record({ state: fc.constantFrom('done' as const, 'active' as const, 'skipped' as const), text: text(60) }),
      { maxLength: 30 },
    ),
  }),
  fc.record({ type: fc.constant('fields' as const), items: fc.array(fc.record({ label: text(20), spans }), { maxLength: 12 }) }),
  fc
    .record({ columns: fc.integer({ min: 0, max: 6 }), rows: fc.array(fc.array(text(12), { maxLength: 7 }), { maxLength: 60 }) })
    .map(
      ({ columns, rows }): Block => ({
        type: 'table',
        columns: Array.from({ length: columns }, (_, at) => ({
          header: `H${at}`,
          align: at % 2 === 0 ? ('left' as const) : ('right' as const),
        })),
        rows,
      }),
    ),
  fc.constant<Block>({ type: 'divider' }),
);
const buttonsBlock: fc.Arbitrary<Block> = fc.record({
  type: fc.constant('buttons' as const),
  buttons: fc.array(button, { maxLength: 12 }),
});
const selectBlock: fc.Arbitrary<Block> = fc.record({
  type: fc.constant('select' as const),
  token,
  placeholder: text(40),
  options: fc.array(option, { maxLength: 20 }),
});
const view: fc.Arbitrary<View> = fc
  .record({
    fallback: fc.string({ unit, minLength: 1, maxLength: 6000 }),
    texts: fc.array(fc.oneof({ weight: 4, arbitrary: textBlock }, buttonsBlock), { maxLength: 25, size: 'max' }),
    select: fc.option(selectBlock, { nil: undefined }),
  })
  .map(({ fallback, texts, select }) => ({ fallback, blocks: [...texts, ...(select === undefined ? [] : [select])] }));

describe('views as Block Kit', () => {
  it('promise 5: no view that fits the capabilities is refused by Slack', () => {
    fc.assert(
      fc.property(view, (any) => {
        for (const message of fitView(viewSchema.parse(any), slackCapabilities).messages) {
          const content = messageContent(message);
          expect(problems(content.blocks, 'message')).toEqual([]);
          expect(blocksTooLong(content.blocks)).toBe(false);
          expect(content.blocks.length).toBeGreaterThan(0);
          expect(content.text.length).toBeLessThanOrEqual(4000);
          expect(content.text).not.toMatch(/<[!@#]/);
          const home = homeView(message);
          expect(problems(home.blocks, 'home')).toEqual([]);
        }
      }),
      { numRuns: 400 },
    );
  }, 120_000);

  it('promise 5: the fullest view that fits stays below the cap of Slack', () => {
    const { maxMessage, maxBlocks } = slackCapabilities.text;
    // Each of them costs two characters, and a code block eight for its fence: together exactly what one message may hold.
    const escaped = '"\\'.repeat(Math.floor((maxMessage / (maxBlocks - 3) - 8) / 4));
    const blocks = Array.from(
      { length: maxBlocks - 3 },
      (_, at): Block => (at % 2 === 0 ? { type: 'code', text: escaped } : { type: 'text', spans: [plain(escaped)] }),
    );
    const row: Block = {
      type: 'buttons',
      buttons: Array.from({ length: 5 }, (_, at) => ({
        token: encodePress({ kind: 'command', text: `${at}${'x'.repeat(61)}` }),
        label: '"'.repeat(20),
        style: 'danger' as const,
        confirm: { title: '"'.repeat(100), text: '"'.repeat(300), ok: '"'.repeat(30) },
      })),
    };
    const select: Block = {
      type: 'select',
      token: encodePress({ kind: 'pick', request: 'x'.repeat(62) }),
      placeholder: '"'.repeat(150),
      options: Array.from({ length: 30 }, (_, at) => ({ value: `prj_${String(at).padStart(26, '0')}`, label: '"'.repeat(20) })),
    };
    const fitted = fitView({ fallback: 'x', blocks: [...blocks, row, row, select] }, slackCapabilities);
    expect(fitted.messages).toHaveLength(1);
    for (const message of fitted.messages) {
      const content = messageContent(message);
      expect(JSON.stringify(content.blocks).length).toBeLessThanOrEqual(maxBlocksJson);
      expect(problems(content.blocks, 'message')).toEqual([]);
    }
  });

  it('puts the state at the end of a title, with its mark once', () => {
    const title = (text: string): Block => ({ type: 'title', spans: [plain('#142 Fix it')], state: { text, tone: 'active' } });
    const said = (text: string) => JSON.stringify(blocksOf(title(text)));
    expect(said('running 3 s')).toContain('● running 3 s');
    expect(said('● running 3 s').match(/●/g)).toHaveLength(1);
  });

  it('keeps small print small, with links and dates in it', () => {
    const small = blocksOf({
      type: 'context',
      spans: [
        plain('acme/web · '),
        { type: 'link', url: 'https://example.com/c|d?x=1&y=>', text: '3f9c2e1 & more' },
        plain(' · *Ada*'),
      ],
    });
    expect(small).toEqual([
      {
        type: 'context',
        elements: [
          { type: 'plain_text', text: 'acme/web · ', emoji: false },
          { type: 'mrkdwn', text: '<https://example.com/c%7Cd?x=1&amp;y=%3E|3f9c2e1 &amp; more>', verbatim: true },
          { type: 'plain_text', text: ' · *Ada*', emoji: false },
        ],
      },
    ]);
  });

  it.each(['*loud*', ':smile:', 'a|b', 'a\nb', ''])('gives up small print rather than read %j in a link as markup', (label) => {
    const [block] = blocksOf({ type: 'context', spans: [{ type: 'link', url: 'https://example.com/', text: label }] });
    expect(block?.type).toBe('rich_text');
  });

  it('uses one native table in a message and characters for the rest', () => {
    const table: Block = {
      type: 'table',
      columns: [
        { header: 'A', align: 'right' },
        { header: '', align: 'left' },
      ],
      rows: [
        ['1', ''],
        ['22', 'x'],
      ],
    };
    const [first, second] = blocksOf(table, table);
    expect(first).toMatchObject({
      type: 'table',
      rows: [
        [{ text: 'A' }, { text: ' ' }],
        [{ text: '1' }, { text: ' ' }],
        [{ text: '22' }, { text: 'x' }],
      ],
    });
    expect(second).toMatchObject({ elements: [{ type: 'rich_text_preformatted', elements: [{ text: ' A\n 1\n22  x' }] }] });
    expect(homeView({ fallback: 'x', blocks: [table] }).blocks).toMatchObject([{ type: 'rich_text' }]);
  });

  it('shows the same words in plainer dress when the full one is too large', () => {
    const words = Array.from(
      { length: 400 },
      (_, at): Span => ({ type: 'text', text: `w${at} `, style: at % 2 === 0 ? ['bold'] : ['code'] }),
    );
    const content = messageContent({ fallback: 'x', blocks: [{ type: 'text', spans: words }] });
    expect(JSON.stringify(content.blocks).length).toBeLessThanOrEqual(maxBlocksJson);
    expect(JSON.stringify(content.blocks)).toContain(words.map((word) => (word.type === 'text' ? word.text : '')).join(''));
  });

  it('shows a view of nothing but emptiness by its fallback', () => {
    const empty: Block[] = [
      { type: 'text', spans: [plain('')] },
      { type: 'select', token: 'p:1', placeholder: '', options: [] },
      { type: 'code', text: '' },
    ];
    expect(JSON.stringify(blocksOf(...empty))).toContain('"text":"x"');
  });
});

const field: fc.Arbitrary<Form['fields'][number]> = fc.oneof(
  fc.record(
    {
      type: fc.constant('text' as const),
      id: fc.stringMatching(/^[a-z]{1,20}$/),
      label: text(60),
      multiline: fc.boolean(),
      required: fc.boolean(),
      placeholder: text(200),
      initial: text(400),
      maxLength: fc.integer({ min: 1, max: 3000 }),
    },
    { requiredKeys: ['type', 'id', 'label', 'multiline', 'required'] },
  ),
  fc
    .record({
      type: fc.constant('select' as const),
      id: fc.stringMatching(/^[a-z]{1,20}$/),
      label: text(60),
      required: fc.boolean(),
      multiple: fc.boolean(),
      options: fc.uniqueArray(option, { minLength: 1, maxLength: 230, selector: ({ value }) => value }),
    })
    .chain((select) =>
      fc.constantFrom(undefined, 'unknown', select.options[0]?.value).map((initial) => ({ ...select, initial })),
    ),
);

describe('forms as modals', () => {
  const form = fc.record({
    token,
    title: fc.string({ unit, minLength: 1, maxLength: 24 }).map((title) => title.slice(0, 24)),
    submit: fc.string({ unit, minLength: 1, maxLength: 24 }).map((submit) => submit.slice(0, 24)),
    fields: fc.uniqueArray(field, { minLength: 1, maxLength: 6, selector: ({ id }) => id }),
  });

  it('no form is refused by Slack, and it knows its conversation', () => {
    fc.assert(
      fc.property(form, (any) => {
        const modal = modalView(formSchema.parse(any), conversation);
        expect(problems(modal.blocks, 'modal')).toEqual([]);
        expect(modal.title.text.length).toBeLessThanOrEqual(24);
        expect(readModalMetadata(modal.private_metadata ?? '')).toEqual(conversation);
      }),
    );
  }, 60_000);
});
