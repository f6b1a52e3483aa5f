import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeMarkdown } from '../../adapters/discord/discord-text.ts';
import type { DiscordChannel, DiscordMessage, DiscordOption, DiscordState } from '../../lab/discord-page-api.ts';
import { type Block, type Inline, readInline, readMarkdown } from '../../lab/page-discord/markdown.ts';
import { fold, isContinued } from '../../lab/page-discord/model.ts';
import { leavesIn, lineOf, matching, missing, optionsToSend, typedCommand } from '../../lab/page-discord/slash.ts';

/** What a person reads, without any style. */
function shown(pieces: Inline[]): string {
  return pieces
    .map((piece) => ('children' in piece ? shown(piece.children) : 'text' in piece ? piece.text : `(${piece.type})`))
    .join('');
}

function lines(blocks: Block[]): string {
  return blocks
    .map((block) => {
      if (block.type === 'pre') return block.text;
      if (block.type === 'quote') return lines(block.blocks);
      if (block.type === 'list') return block.items.map(({ children }) => shown(children)).join('\n');
      return shown(block.children);
    })
    .join('\n');
}

describe('markdown in the Discord pane', () => {
  test('styles, code, links, mentions and times are read as in the client', () => {
    expect(readInline('**b *i*** __u__ ~~s~~ ||x|| `a*b` snake_case_name')).toEqual([
      {
        type: 'bold',
        children: [
          { type: 'text', text: 'b ' },
          { type: 'italic', children: [{ type: 'text', text: 'i' }] },
        ],
      },
      { type: 'text', text: ' ' },
      { type: 'underline', children: [{ type: 'text', text: 'u' }] },
      { type: 'text', text: ' ' },
      { type: 'strike', children: [{ type: 'text', text: 's' }] },
      { type: 'text', text: ' ' },
      { type: 'spoiler', children: [{ type: 'text', text: 'x' }] },
      { type: 'text', text: ' ' },
      { type: 'code', text: 'a*b' },
      { type: 'text', text: ' snake_case_name' },
    ]);
    expect(readInline('<@12> <#34> <@&56> <t:78:R> </deckhand sh:9>')).toMatchObject([
      { type: 'user', id: '12' },
      {},
      { type: 'channel', id: '34' },
      {},
      { type: 'role', id: '56' },
      {},
      { type: 'time', at: 78, style: 'R' },
      {},
      { type: 'mention', text: '/deckhand sh' },
    ]);
    expect(readInline('[docs](<https://a.example/x>) https://b.example/y.')).toMatchObject([
      { type: 'link', url: 'https://a.example/x' },
      {},
      { type: 'link', url: 'https://b.example/y' },
      { type: 'text', text: '.' },
    ]);
  });

  test('a link to anything but the web stays text', () => {
    expect(shown(readInline('[x](javascript://a)'))).toBe('[x](javascript://a)');
    expect(readInline('[x](javascript://a)').every(({ type }) => type === 'text')).toBe(true);
  });

  test('headings, small print, quotes, lists and fenced code are blocks of their own', () => {
    const text = '### Title\n-# small\n> one\n> two\n- a\n  - b\n1. c\nplain\nmore\n```diff\n+x\n```\nend';
    expect(readMarkdown(text)).toMatchObject([
      { type: 'heading', level: 3 },
      { type: 'small' },
      { type: 'quote', blocks: [{ type: 'text' }] },
      { type: 'list', items: [{ mark: '•', depth: 0 }, { mark: '◦', depth: 1 }, { mark: '1.' }] },
      { type: 'text', children: [{ text: 'plain\nmore' }] },
      { type: 'pre', language: 'diff', text: '+x' },
      { type: 'text', children: [{ text: 'end' }] },
    ]);
    expect(readMarkdown('before\n>>> all\n```\ncode\n```')).toMatchObject([
      { type: 'text' },
      { type: 'quote', blocks: [{ type: 'text' }, { type: 'pre', text: 'code' }] },
    ]);
  });

  test('what is escaped as the adapter does it is read as it was written', () => {
    const marks = fc.stringMatching(/^[a-z0-9 *_~|`>#\-\\<@:/[\]().]{1,40}$/);
    fc.assert(
      fc.property(marks, (text) => {
        const typed = text.trim();
        fc.pre(typed !== '');
        // Zero-width spaces, if the adapter needs any, are not seen.
        expect(lines(readMarkdown(escapeMarkdown(typed))).replaceAll('\u200b', '')).toBe(typed);
      }),
    );
  });
});

const option = (type: number, name: string, more: Partial<DiscordOption> = {}): DiscordOption => ({
  type,
  name,
  description: name,
  ...more,
});
const task = option(3, 'task', { required: true });
const state: DiscordState = {
  version: 1,
  guild: { id: '8', name: 'Lab' },
  app: { id: '7', name: 'Deckhand', connected: true },
  people: [],
  roles: [],
  channels: [],
  modals: [],
  settings: { rate_limiting: false, latency_ms: 0 },
  suggestions: [],
  commands: [
    {
      id: '1',
      type: 1,
      name: 'deckhand',
      description: 'The bot',
      in_guild: true,
      in_dm: true,
      members: ['ada'],
      options: [
        option(1, 'show', { options: [task, option(5, 'all')] }),
        option(2, 'project', { options: [option(1, 'add', { options: [] }), option(1, 'list')] }),
      ],
    },
    { id: '2', type: 1, name: 'guild', description: 'Only there', in_guild: true, in_dm: false, members: ['ada'], options: [] },
    { id: '3', type: 3, name: 'Hand to Deckhand', description: '', in_guild: true, in_dm: true, members: ['ada'], options: [] },
  ],
  messages: [],
};
const place = (kind: 'text' | 'dm'): DiscordChannel => ({
  id: '9',
  kind,
  name: '',
  topic: '',
  readers: [],
  writers: [],
  bot_sees: true,
});

describe('slash commands in the Discord pane', () => {
  const leaves = leavesIn(state, place('text'), 'ada');

  test('each subcommand is offered where its command may be used', () => {
    expect(leaves.map(lineOf)).toEqual(['/deckhand show', '/deckhand project add', '/deckhand project list', '/guild']);
    expect(leavesIn(state, place('dm'), 'ada').map(lineOf)).not.toContain('/guild');
    expect(leavesIn(state, place('text'), 'gus')).toEqual([]);
  });

  test('what is typed finds commands by any of their words, the ones that begin so first', () => {
    expect(matching(leaves, '/pro').map(lineOf)).toEqual(['/deckhand project add', '/deckhand project list']);
    expect(matching(leaves, '/deckhand pro l').map(lineOf)).toEqual(['/deckhand project list']);
    expect(matching(leaves, '/').map(lineOf)).toHaveLength(4);
  });

  test('a command typed in full takes the rest of the line', () => {
    expect(typedCommand(leaves, '/deckhand show #3 now')).toMatchObject({ leaf: { path: ['deckhand', 'show'] }, rest: '#3 now' });
    expect(typedCommand(leaves, '/deckhand project')).toBeUndefined();
  });

  test('empty options are left out, yes and no become booleans, and a required one is missed', () => {
    const [show] = leaves;
    if (show === undefined) throw new Error('there is no command');
    const filled = (text: string) => ({ shown: text, value: text });
    expect(optionsToSend(show, { task: filled('#3'), all: filled('true') })).toEqual({ task: '#3', all: true });
    expect(optionsToSend(show, { task: filled('') })).toEqual({});
    expect(missing(show, {})).toBe(task);
    expect(missing(show, { task: filled('#3') })).toBeUndefined();
  });
});

describe('the picture of the Discord pane', () => {
  const message = (id: string, more: Partial<DiscordMessage> = {}): DiscordMessage => ({
    id,
    channel: '9',
    author: 'a',
    at: 0,
    type: 0,
    content: '',
    embeds: [],
    components: [],
    v2: false,
    files: [],
    reactions: [],
    mentions: [],
    edited: false,
    thinking: false,
    has_thread: false,
    ...more,
  });

  test('messages stand in the order of their ids, whatever order they come in', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.bigInt({ min: 1n, max: 10n ** 20n }), { maxLength: 20 }), (ids) => {
        const folded = ids.reduce((now, id) => fold(now, { type: 'message', message: message(String(id)) }), state);
        expect(folded.messages.map(({ id }) => BigInt(id))).toEqual(ids.toSorted((a, b) => (a < b ? -1 : 1)));
      }),
    );
  });

  test('a change takes the place of the message, and a removal takes it away', () => {
    const posted = fold(state, { type: 'message', message: message('1') });
    const edited = fold(posted, { type: 'message', message: message('1', { content: 'new' }) });
    expect(edited.messages).toMatchObject([{ content: 'new' }]);
    expect(fold(edited, { type: 'message_removed', id: '1' }).messages).toEqual([]);
  });

  test('messages by one author within seven minutes stand under one name, others do not', () => {
    const first = message('1');
    expect(isContinued(first, message('2', { at: 60_000 }))).toBe(true);
    expect(isContinued(first, message('2', { at: 8 * 60_000 }))).toBe(false);
    expect(isContinued(first, message('2', { author: 'b' }))).toBe(false);
    expect(isContinued(first, message('2', { type: 19 }))).toBe(false);
    expect(isContinued(first, message('2', { visible_to: 'a' }))).toBe(false);
    expect(isContinued(undefined, first)).toBe(false);
  });
});
