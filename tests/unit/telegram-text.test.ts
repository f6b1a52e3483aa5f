import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { telegramCapabilities } from '../../adapters/telegram/capabilities.ts';
import { formatted } from '../../adapters/telegram/entities.ts';
import { alertText, messageContent, messageMarkup } from '../../adapters/telegram/outbound.ts';
import { breaks, joiner, printable } from '../../adapters/telegram/telegram-text.ts';
import { withFound } from '../../lab/telegram/auto-entities.ts';
import { checkedEntities } from '../../lab/telegram/entity-rules.ts';
import type { Entity } from '../../lab/telegram/model.ts';
import { type Block, bold, code, plain, type Span, type View } from '../../src/contracts/view.ts';
import { fitView } from '../../src/delivery/fit.ts';

/**
 * What Telegram finds in text, as tdlib does it (`MessageEntity.cpp`) and a little more: names, tags, commands, addresses with a scheme or a
 * domain of two labels and more, mail addresses.
 */
const finders = [
  /(?<![\p{L}\p{N}_])@[A-Za-z0-9_]{2,32}/u,
  /(?<![\p{L}\p{N}_])#[\p{L}\p{N}_]*\p{L}/u,
  /(?<![\p{L}\p{N}_])\$[A-Z]{1,8}(?![\p{L}\p{N}_])/u,
  /(?<![A-Za-z0-9_/<>])\/[A-Za-z0-9_]{1,64}/u,
  /[a-z][a-z0-9+.-]*:\/\/\S/iu,
  /[\p{L}\p{N}_-]+\.\p{L}{2,}/u,
  /\S@[\p{L}\p{N}-]+\.\p{L}/u,
  /(?<!\d)\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}/,
];

const words = fc.constantFrom(
  '@ben_lab',
  '@',
  'ben',
  '#tag',
  '#',
  '142',
  '$USD',
  '/start',
  '/',
  'start@deckhand_lab_bot',
  'https://',
  'tg://user?id=1',
  'evil.example',
  'README.md',
  'www.',
  '.com',
  'a',
  '.',
  'xn--p1ai.рф',
  'me@evil.example',
  '10.0.0.1',
  '+1 (212) 555-0123',
  ' ',
  '\n',
  '🙂',
  '\u202e',
  '\u0000',
  '\ud83d',
  '`',
  '*b*',
);
const unit = fc.oneof({ weight: 4, arbitrary: words }, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }));
const text = (maxLength: number) => fc.string({ unit, maxLength });

const span: fc.Arbitrary<Span> = fc.oneof(
  { weight: 4, arbitrary: text(40).map(plain) },
  fc.record({
    type: fc.constant('text' as const),
    text: text(20),
    style: fc.uniqueArray(fc.constantFrom('bold' as const, 'italic' as const, 'strike' as const, 'code' as const), {
      maxLength: 4,
    }),
  }),
  fc.record({
    type: fc.constant('link' as const),
    url: fc.webUrl({ withQueryParameters: true, withFragments: true }),
    text: text(20),
  }),
  fc.record({
    type: fc.constant('person' as const),
    name: text(10),
    user: fc.constantFrom('700000002', '-100', 'U1', '0'),
    notify: fc.boolean(),
  }),
  fc.record({ type: fc.constant('time' as const), at: fc.constant('2026-11-21T10:00:00.000Z'), text: text(10) }),
);
const spans = fc.array(span, { maxLength: 8 });
const option = fc.record({ value: fc.stringMatching(/^[a-z_0-9]{1,50}$/), label: text(30) });
const columns: Extract<Block, { type: 'table' }>['columns'] = [
  { header: 'A', align: 'left' },
  { header: 'B', align: 'right' },
];
const block: fc.Arbitrary<Block> = fc.oneof(
  fc.record({
    type: fc.constant('title' as const),
    spans,
    state: fc.record({ text: text(10), tone: fc.constantFrom('active' as const, 'bad' as const) }),
  }),
  fc.record({ type: fc.constant('text' as const), spans }),
  fc.record({ type: fc.constant('context' as const), spans }),
  fc.record({
    type: fc.constant('code' as const),
    text: text(200),
    language: fc.constantFrom('diff', 'no such; language'),
  }),
  fc.record({
    type: fc.constant('steps' as const),
    items: fc.array(fc.record({ state: fc.constantFrom('done' as const, 'open' as const), text: text(20) }), { maxLength: 5 }),
  }),
  fc.record({ type: fc.constant('fields' as const), items: fc.array(fc.record({ label: text(10), spans }), { maxLength: 4 }) }),
  fc.record({
    type: fc.constant('table' as const),
    columns: fc.constant(columns),
    rows: fc.array(fc.array(text(10), { maxLength: 3 }), { maxLength: 5 }),
  }),
  fc.record({
    type: fc.constant('buttons' as const),
    buttons: fc.array(
      fc.record({
        token: fc.stringMatching(/^[cdtpg]:[a-z]{1,62}$/),
        label: fc.string({ unit, minLength: 1, maxLength: 40 }).map((label) => label.slice(0, 40)),
        style: fc.constantFrom('default' as const, 'danger' as const),
      }),
      { maxLength: 6 },
    ),
  }),
  fc.record({
    type: fc.constant('select' as const),
    token: fc.stringMatching(/^[cdtpg]:[a-z]{1,62}$/),
    placeholder: text(20),
    options: fc.array(option, { maxLength: 12 }),
  }),
  fc.record({ type: fc.constant('divider' as const) }),
);
const view: fc.Arbitrary<View> = fc.record({
  fallback: fc.string({ unit, minLength: 1, maxLength: 40 }).filter((fallback) => printable(fallback).trim() !== ''),
  blocks: fc.array(block, { maxLength: 12 }),
});

/** Entities as the emulator keeps them: throws for what Telegram refuses. */
function kept({ text: said, entities }: { text: string; entities: readonly object[] }): Entity[] {
  return checkedEntities(said, entities as Entity[]);
}

/** What would be found outside of code and links, where Telegram looks for nothing. */
function findings(said: string, entities: readonly Entity[]): string[] {
  const taken = entities.filter(({ type }) => ['code', 'pre', 'text_link', 'text_mention'].includes(type));
  return finders.flatMap((finder) =>
    [...said.matchAll(new RegExp(finder.source, `g${finder.flags}`))]
      .filter(
        ({ index, 0: found }) => !taken.some(({ offset, length }) => index < offset + length && offset < index + found.length),
      )
      .map(([found]) => found),
  );
}

describe('text for Telegram', () => {
  it.each([
    ['ping @ben_lab', 1],
    ['see README.md and deploy.sh', 2],
    ['https://evil.example/a', 2],
    ['mail me@evil.example', 2],
    ['run /start now', 1],
    ['#tag #142', 1],
    ['$USD $0.18', 1],
    ['10.0.0.1', 1],
    ['call +1 212 555-0123', 1],
    ['+41 −7, 1.5 s, and/or, 12:30, a...b', 0],
    ['src/session: {x: 1}', 0],
  ])('promise 11: %j needs %i breaks', (said, count) => {
    expect(breaks(said)).toHaveLength(count);
  });

  it('promise 11: Telegram finds nothing in any text, not even across differently formatted pieces', () => {
    fc.assert(
      fc.property(spans, (said) => {
        const content = messageContent({ fallback: 'x', blocks: [{ type: 'text', spans: said }] });
        const entities = kept(content);
        const given = new Set(['bold', 'italic', 'strikethrough', 'code', 'text_link', 'text_mention', 'date_time']);
        expect(withFound(content.text, entities).filter(({ type }) => !given.has(type))).toEqual([]);
        expect(findings(content.text, entities)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  }, 60_000);

  it('says every character of what it is given, in order, and adds nothing that is seen', () => {
    fc.assert(
      fc.property(fc.array(text(30), { minLength: 1, maxLength: 6 }), (parts) => {
        const marks = [{ type: 'bold' as const }];
        const { text: said } = formatted(parts.map((part, at) => ({ text: part, marks: at % 2 === 0 ? [] : marks })));
        const shown = parts.map(printable).join('');
        expect(said.replaceAll(joiner, '')).toBe(shown.replaceAll(joiner, ''));
      }),
    );
  });

  it('promise 5: no view within the capabilities is refused, and all entities are such as Telegram keeps', () => {
    fc.assert(
      fc.property(view, (any) => {
        for (const message of fitView(any, telegramCapabilities).messages) {
          const content = messageContent(message);
          expect(content.text.length).toBeLessThanOrEqual(4096);
          expect(content.text.trim()).not.toBe('');
          expect(content.entities.length).toBeLessThanOrEqual(100);
          expect(kept(content)).toHaveLength(content.entities.filter(({ length }) => length > 0).length);
          const markup = messageMarkup(message, false);
          const rows = markup !== undefined && 'inline_keyboard' in markup ? markup.inline_keyboard : [];
          expect(rows.flat().length).toBeLessThanOrEqual(100);
          for (const row of rows) expect(row.length).toBeLessThanOrEqual(8);
          for (const button of rows.flat()) {
            expect(button.text.trim()).not.toBe('');
            const data = 'callback_data' in button ? button.callback_data : '';
            expect(Buffer.byteLength(data ?? '')).toBeGreaterThan(0);
            expect(Buffer.byteLength(data ?? '')).toBeLessThanOrEqual(64);
          }
        }
      }),
      { numRuns: 300 },
    );
  }, 120_000);

  it('keeps mentions, links and code when there are more than a hundred entities, and lets styles go', () => {
    const many = Array.from({ length: 120 }, (_, at): Span[] => [
      bold(`b${at} `),
      plain(' '),
      ...(at < 30 ? [code(`c${at}`), plain(' ')] : []),
    ]);
    const person: Span = { type: 'person', name: 'Ben', user: '700000002', notify: true };
    const { entities } = messageContent({ fallback: 'x', blocks: [{ type: 'text', spans: [...many.flat(), person] }] });
    expect(entities).toHaveLength(100);
    expect(entities.filter(({ type }) => type === 'code')).toHaveLength(30);
    expect(entities.at(-1)).toMatchObject({ type: 'text_mention', user: { id: 700000002 } });
  });

  it('counts offsets in UTF-16 units, with what was put in before them', () => {
    const spans: Span[] = [plain('🙂 @ben '), bold('bold'), plain(' '), code('x.com')];
    const { text: said, entities } = messageContent({ fallback: 'x', blocks: [{ type: 'text', spans }] });
    expect(entities.map(({ type, offset, length }) => [type, said.slice(offset, offset + length)])).toEqual([
      ['bold', 'bold'],
      ['code', 'x.com'],
    ]);
  });

  it('links what Telegram takes as a link, and shows the address of what it refuses', () => {
    const link = (url: string): Span => ({ type: 'link', url, text: 'here' });
    const shown = (url: string) => messageContent({ fallback: 'x', blocks: [{ type: 'text', spans: [link(url)] }] });
    expect(shown('https://docs.example/a?b=1')).toMatchObject({ text: 'here', entities: [{ type: 'text_link' }] });
    for (const url of ['http://localhost:3000/x', 'http://user.name@localhost/', 'javascript:alert(1)']) {
      expect(shown(url).entities).toEqual([]);
      expect(shown(url).text.replaceAll(joiner, '')).toBe(`here (${url})`);
    }
  });

  it('shows titles, states, steps, fields, tables and code in their places', () => {
    const { text: said, entities } = messageContent({
      fallback: 'x',
      blocks: [
        { type: 'title', spans: [plain('#142 Fix')], state: { text: 'running', tone: 'active' } },
        { type: 'context', spans: [plain('acme')] },
        {
          type: 'steps',
          items: [
            { state: 'done', text: 'one' },
            { state: 'active', text: 'two' },
          ],
        },
        { type: 'fields', items: [{ label: 'cost', spans: [plain('none')] }] },
        {
          type: 'table',
          columns: [
            { header: 'n', align: 'right' },
            { header: 'w', align: 'left' },
          ],
          rows: [['10', 'ä'], ['9']],
        },
        { type: 'divider' },
        { type: 'code', text: 'x\n', language: 'diff' },
      ],
    });
    expect(said).toBe('#142 Fix   ● running\nacme\n✔ one\n▸ two\ncost: none\n n  w\n10  ä\n 9\n──────────\nx\n');
    expect(entities.map(({ type, offset, length }) => [type, said.slice(offset, offset + length)])).toEqual([
      ['bold', '#142 Fix'],
      ['bold', 'cost:'],
      ['pre', ' n  w\n10  ä\n 9'],
      ['pre', 'x\n'],
    ]);
    expect(entities.at(-1)).toMatchObject({ language: 'diff' });
  });
});

describe('answers to presses', () => {
  const said = (words: string): View => ({ fallback: 'x', blocks: [{ type: 'text', spans: [plain(words)] }] });

  it('are alerts of at most 200 characters, as they are', () => {
    expect(alertText(said('see README.md @ben'))).toBe('see README.md @ben');
    expect(alertText(said('y'.repeat(200)))).toBe('y'.repeat(200));
    expect(alertText(said('y'.repeat(201)))).toBeUndefined();
  });

  it('are no alerts when there is more to them than text', () => {
    const button = { token: 'c:x', label: 'More', style: 'default' as const };
    expect(alertText({ ...said('x'), blocks: [{ type: 'buttons', buttons: [button] }] })).toBeUndefined();
    expect(alertText({ ...said('x'), files: [{ from: 'text', name: 'a', text: 'b' }] })).toBeUndefined();
    expect(alertText({ ...said('x'), asks: { user: '1' } })).toBeUndefined();
  });
});

describe('questions', () => {
  const asks = { user: '700000001', placeholder: 'Why?' };

  it('force a reply, in groups from whoever is mentioned', () => {
    const view: View = { fallback: 'x', blocks: [], asks };
    const forced = { force_reply: true, input_field_placeholder: 'Why?' };
    expect(messageMarkup(view, false)).toEqual({ ...forced, selective: true });
    expect(messageMarkup(view, true)).toEqual(forced);
  });

  it('keep their buttons, beside which a reply can be forced only where nobody else is asked', () => {
    const blocks: Block[] = [{ type: 'buttons', buttons: [{ token: 'c:x', label: 'Cancel', style: 'default' }] }];
    const buttons = { inline_keyboard: [[{ text: 'Cancel', callback_data: 'c:x' }]] };
    expect(messageMarkup({ fallback: 'x', blocks, asks }, false)).toEqual(buttons);
    expect(messageMarkup({ fallback: 'x', blocks, asks }, true)).toEqual({ ...buttons, force_reply: true });
  });
});
