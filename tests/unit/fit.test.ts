import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Capabilities } from '../../src/contracts/chat-adapter.ts';
import { type Block, plain, type Span, type View, viewSchema } from '../../src/contracts/view.ts';
import { fitView, plainView } from '../../src/delivery/fit.ts';
import { createMeasure } from '../../src/delivery/measure.ts';
import { plainText } from '../../src/delivery/plain-text.ts';

const roomy: Capabilities = {
  platform: 'slack',
  text: { unit: 'utf16', escapes: { '&': 5, '<': 4, '>': 4 }, maxMessage: 12_000, maxBlock: 3000, maxBlocks: 50, maxTitle: 150 },
  buttons: { perRow: 5, perMessage: 25, label: 75 },
  select: { options: 100, label: 75 },
  forms: 'modal',
  ephemeral: true,
  threads: true,
  cards: 'many',
  edit: true,
  reactions: true,
  removes: { channels: true, direct: true },
  home: true,
  files: { maxBytes: 1_000_000, perMessage: 10 },
  streaming: 'edit',
  findsSent: true,
  budgets: [],
};

const limits = fc.record({
  unit: fc.constantFrom('utf16' as const, 'codepoints' as const),
  maxBlock: fc.integer({ min: 90, max: 300 }),
  maxMessage: fc.integer({ min: 90, max: 900 }),
  maxBlocks: fc.integer({ min: 1, max: 8 }),
  maxTitle: fc.integer({ min: 20, max: 150 }),
  escapes: fc.constantFrom(undefined, { '&': 5, '<': 4, '>': 4 }),
});
const anyCapabilities: fc.Arbitrary<Capabilities> = fc
  .record({
    text: limits,
    buttons: fc.record({
      perRow: fc.integer({ min: 1, max: 5 }),
      perMessage: fc.integer({ min: 1, max: 12 }),
      label: fc.integer({ min: 20, max: 40 }),
    }),
    select: fc.record({ options: fc.integer({ min: 1, max: 20 }), label: fc.constant(40) }),
  })
  .map((some) => ({ ...roomy, ...some, files: undefined }));

const bit = fc.constantFrom(
  'a',
  'word',
  ' ',
  '\n',
  '\n\n',
  '&',
  '<b>',
  '```',
  '`',
  'é',
  '😀',
  'longer-word-here',
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
);
const text = (maxLength: number) => fc.string({ unit: bit, maxLength });
const span: fc.Arbitrary<Span> = fc.oneof(
  fc.record({ type: fc.constant('text' as const), text: text(60) }),
  fc.record({ type: fc.constant('text' as const), text: text(20), style: fc.constant<'bold'[]>(['bold']) }),
  fc.record({ type: fc.constant('person' as const), name: fc.constant('Ada'), notify: fc.boolean() }),
);
const spans = fc.array(span, { maxLength: 5 });
const button = fc
  .integer({ min: 0, max: 1e9 })
  .map((n) => ({ token: `c:tasks ${n}`, label: `Tasks ${n}`, style: 'default' as const }));
const block: fc.Arbitrary<Block> = fc.oneof(
  fc.record({
    type: fc.constant('title' as const),
    spans,
    state: fc.option(fc.constant({ text: 'running', tone: 'active' as const }), { nil: undefined }),
  }),
  fc.record({ type: fc.constant('text' as const), spans }),
  fc.record({ type: fc.constant('context' as const), spans }),
  fc.record({ type: fc.constant('code' as const), text: text(200) }),
  fc.record({
    type: fc.constant('steps' as const),
    items: fc.array(fc.record({ state: fc.constantFrom('done' as const, 'open' as const), text: text(50) }), {
      minLength: 1,
      maxLength: 8,
    }),
  }),
  fc.record({
    type: fc.constant('fields' as const),
    items: fc.array(fc.record({ label: fc.constant('branch'), spans }), { minLength: 1, maxLength: 14 }),
  }),
  fc.record({ type: fc.constant('buttons' as const), buttons: fc.array(button, { minLength: 1, maxLength: 15 }) }),
  fc.record({
    type: fc.constant('select' as const),
    token: fc.constant('p:1'),
    placeholder: fc.constant('Project'),
    options: fc.array(fc.record({ value: fc.uuid(), label: fc.constant('web') }), { minLength: 1, maxLength: 30 }),
  }),
  fc.record({ type: fc.constant('divider' as const) }),
);
const anyView: fc.Arbitrary<View> = fc
  .array(block, { minLength: 1, maxLength: 8 })
  .map((blocks) => ({ fallback: 'a view', blocks }));
const solid = (blocks: readonly Block[]) => blocks.map(plainText).join('').replace(/[\s·]/g, '');

describe('fitting a view to a platform', () => {
  it('promise 5: loses nothing and exceeds no limit, whatever the view and the platform', () => {
    fc.assert(
      fc.property(anyView, anyCapabilities, (view, capabilities) => {
        const { messages, files } = fitView(view, capabilities);
        const measure = createMeasure(capabilities.text);
        for (const message of messages) {
          expect(message.blocks.length).toBeLessThanOrEqual(capabilities.text.maxBlocks);
          const lengths = message.blocks.map(measure.block);
          for (const length of lengths) expect(length).toBeLessThanOrEqual(capabilities.text.maxBlock);
          expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(capabilities.text.maxMessage);
          const pressable = message.blocks.flatMap((one) => (one.type === 'buttons' ? one.buttons : []));
          expect(pressable.length).toBeLessThanOrEqual(capabilities.buttons?.perMessage ?? 0);
          for (const one of message.blocks) {
            if (one.type === 'buttons') expect(one.buttons.length).toBeLessThanOrEqual(capabilities.buttons?.perRow ?? 0);
            if (one.type === 'select') expect(one.options.length).toBeLessThanOrEqual(capabilities.select?.options ?? 0);
          }
          expect(viewSchema.parse(message)).toEqual(message);
        }
        const all = messages.flatMap(({ blocks }) => blocks);
        expect(files).toEqual([]);
        expect(solid(all)).toBe(solid(view.blocks));
        const tokens = (blocks: readonly Block[]) =>
          blocks.flatMap((one) => (one.type === 'buttons' ? one.buttons.map(({ token }) => token) : []));
        const values = (blocks: readonly Block[]) =>
          blocks.flatMap((one) => (one.type === 'select' ? one.options.map(({ value }) => value) : []));
        expect(tokens(all)).toEqual(tokens(view.blocks));
        expect(values(all)).toEqual(values(view.blocks));
      }),
      { numRuns: 500 },
    );
  });

  it('splits code into blocks of their own, so that no fence is ever open', () => {
    fc.assert(
      fc.property(text(600), anyCapabilities, (source, capabilities) => {
        const blocks = fitView(
          { fallback: 'code', blocks: [{ type: 'code', text: source, language: 'ts' }] },
          capabilities,
        ).messages.flatMap((one) => one.blocks);
        expect(blocks.every((one) => one.type === 'code' && one.language === 'ts')).toBe(true);
        const joined = blocks.map((one) => (one.type === 'code' ? one.text : ''));
        // Line ends at a seam are the seam; everything else is there, in order.
        expect(joined.join('').replaceAll('\n', '')).toBe(source.replaceAll('\n', ''));
      }),
    );
  });

  it('gives the same messages for the same view, so that an edit can leave unchanged parts alone', () => {
    fc.assert(
      fc.property(anyView, anyCapabilities, (view, capabilities) => {
        expect(fitView(view, capabilities)).toEqual(fitView(view, capabilities));
      }),
    );
  });

  it('keeps a view that fits as it is', () => {
    const view: View = {
      fallback: '#142 npm test',
      blocks: [
        { type: 'title', spans: [plain('#142 npm test')], state: { text: 'running', tone: 'active' } },
        { type: 'code', text: 'ok\n' },
        { type: 'buttons', buttons: [{ token: 't:tsk_1:stop', label: 'Stop', style: 'danger' }] },
      ],
    };
    expect(fitView(view, roomy)).toEqual({ messages: [view], files: [] });
  });

  it('promise 5: puts a long output into a file, shows its start and end, and says so', () => {
    const output = Array.from({ length: 20_000 }, (_, n) => `line ${n + 1}`).join('\n');
    const { messages, files } = fitView(
      {
        fallback: 'the log',
        blocks: [
          { type: 'text', spans: [plain('The log:')] },
          { type: 'code', text: output },
        ],
      },
      roomy,
    );
    expect(files).toEqual([{ from: 'text', name: 'output.txt', text: output }]);
    expect(messages).toHaveLength(1);
    const shown = messages[0]?.blocks.map(plainText).join('\n') ?? '';
    expect(shown).toContain('The log:\nline 1\n');
    expect(shown).toContain('line 20000');
    expect(shown).toContain('19,980 lines of 20,000 lines not shown here; the whole text is in the attached output.txt.');
  });

  it('shows the start of a single endless line and attaches the whole of it', () => {
    const output = 'x'.repeat(50_000);
    const { messages, files } = fitView({ fallback: 'the log', blocks: [{ type: 'code', text: output }] }, roomy);
    expect(files).toEqual([{ from: 'text', name: 'output.txt', text: output }]);
    expect(messages[0]?.blocks.map(plainText).join('\n')).toContain(
      'The text goes on; the whole of it is in the attached output.txt.',
    );
  });

  it('gives two long texts two files', () => {
    const long = (word: string): Block => ({ type: 'code', text: `${word} `.repeat(9000) });
    const { files } = fitView({ fallback: 'two', blocks: [long('one'), long('two')] }, roomy);
    expect(files.map(({ name }) => name)).toEqual(['output.txt', 'output-2.txt']);
  });

  it('repeats the header on each page of a long table', () => {
    const rows = Array.from({ length: 200 }, (_, n) => [`task ${n}`, 'running']);
    const columns = [
      { header: 'task', align: 'left' as const },
      { header: 'state', align: 'left' as const },
    ];
    const blocks = fitView({ fallback: 'tasks', blocks: [{ type: 'table', columns, rows }] }, roomy).messages.flatMap(
      (one) => one.blocks,
    );
    expect(blocks.length).toBeGreaterThan(1);
    expect(blocks.flatMap((one) => (one.type === 'table' ? one.rows : []))).toEqual(rows);
    for (const one of blocks) expect(plainText(one)).toMatch(/^task\s+state\n/);
  });

  it('writes a table out as lines when its rows are too wide', () => {
    const wide = 'w'.repeat(4000);
    const columns = [
      { header: 'name', align: 'left' as const },
      { header: 'value', align: 'left' as const },
    ];
    const blocks = fitView(
      { fallback: 'wide', blocks: [{ type: 'table', columns, rows: [['one', wide]] }] },
      roomy,
    ).messages.flatMap((one) => one.blocks);
    expect(blocks.map(plainText).join('')).toBe(`name: one\nvalue: ${wide}`);
  });

  it('says in words what a button would do where there are none', () => {
    const view: View = {
      fallback: 'buttons',
      blocks: [
        {
          type: 'buttons',
          buttons: [
            { token: 't:tsk_1:stop', label: 'Stop', style: 'danger' },
            { token: 't:tsk_1:log', label: 'Log', style: 'default' },
            { token: 'c:board', label: 'Board', style: 'default' },
          ],
        },
      ],
    };
    const { messages } = fitView(view, { ...roomy, buttons: undefined });
    expect(messages.flatMap(({ blocks }) => blocks).map(plainText)).toEqual([
      'Stop: write stop\nLog: write logs\nBoard: write board',
    ]);
  });

  it('names a button in full when its label is too long for the platform', () => {
    const buttons = [{ token: 'c:board', label: 'Show the board of this project', style: 'default' as const }];
    const { messages } = fitView(
      { fallback: 'b', blocks: [{ type: 'buttons', buttons }] },
      { ...roomy, buttons: { perRow: 5, perMessage: 5, label: 15 } },
    );
    const [words, row] = messages[0]?.blocks ?? [];
    expect(words && plainText(words)).toBe('Show the board of this project');
    expect(row).toEqual({ type: 'buttons', buttons: [{ token: 'c:board', label: 'Show the board…', style: 'default' }] });
  });

  it('keeps words with the buttons that go to the next message', () => {
    const { messages } = fitView(
      {
        fallback: 'full',
        blocks: [
          { type: 'text', spans: [plain('one')] },
          { type: 'text', spans: [plain('press one of these')] },
          { type: 'buttons', buttons: [{ token: 'c:board', label: 'Board', style: 'default' }] },
        ],
      },
      { ...roomy, text: { ...roomy.text, maxBlocks: 2 } },
    );
    expect(messages.map(({ blocks }) => blocks.map(({ type }) => type))).toEqual([['text'], ['text', 'buttons']]);
  });
});

describe('a view as plain text', () => {
  it('says everything the view says', () => {
    fc.assert(
      fc.property(anyView, (view) => {
        if (solid(view.blocks) !== '') expect(solid(plainView(view, false).blocks)).toBe(solid(view.blocks));
        expect(plainView(view, false).blocks).toHaveLength(1);
      }),
    );
  });
});
