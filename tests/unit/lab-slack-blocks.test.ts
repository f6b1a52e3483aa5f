import { describe, expect, test } from 'vitest';
import { blocksTooLong, checkBlocks, elementsOf, storedBlocks } from '../../lab/slack/blocks.ts';
import type { Json } from '../../lab/slack/json.ts';

const usableImage = ({ id }: { id?: string }) => id === 'FIMAGE';
const check = (blocks: unknown, surface: 'message' | 'modal' | 'home' = 'message') =>
  checkBlocks(blocks, '/blocks', { surface, usableImage });

const plain = (text: string): Json => ({ type: 'plain_text', text });
const mrkdwn = (text: string): Json => ({ type: 'mrkdwn', text });
const x = (length: number) => 'x'.repeat(length);
const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index));
const section = (text: string): Json => ({ type: 'section', text: mrkdwn(text) });
const button = (more: Json = {}): Json => ({ type: 'button', text: plain('Go'), action_id: 'go', ...more });
const actions = (...elements: Json[]): Json => ({ type: 'actions', elements });
const option = (index: number): Json => ({ text: plain(`Option ${index}`), value: `v${index}` });
const select = (more: Json): Json => ({ type: 'static_select', action_id: 'pick', placeholder: plain('Pick'), ...more });
const input = (element: Json, more: Json = {}): Json => ({ type: 'input', label: plain('Reason'), element, ...more });
const richText = (...elements: Json[]): Json => ({ type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] });
const cells = (count: number) => times(count, () => ({ type: 'raw_text', text: 'cell' }));

const accepted: [name: string, blocks: Json[]][] = [
  ['a section of 3,000 characters', [section(x(3000))]],
  ['a section with ten fields of 2,000', [{ type: 'section', fields: times(10, () => mrkdwn(x(2000))) }]],
  ['50 blocks', times(50, () => ({ type: 'divider' }))],
  ['a header of 150 characters', [{ type: 'header', text: plain(x(150)) }]],
  ['ten context elements', [{ type: 'context', elements: times(10, () => mrkdwn('note')) }]],
  ['25 buttons', [actions(...times(25, (n) => button({ action_id: `a${n}` })))]],
  [
    'a button with everything',
    [
      actions(
        button({
          text: plain(x(75)),
          value: x(2000),
          url: 'https://example.com',
          style: 'danger',
          confirm: { title: plain(x(100)), text: mrkdwn(x(300)), confirm: plain(x(30)), deny: plain(x(30)), style: 'danger' },
        }),
      ),
    ],
  ],
  ['the same action_id in two blocks', [actions(button()), actions(button())]],
  ['a select of 100 options', [actions(select({ options: times(100, option) }))]],
  [
    '100 option groups',
    [actions(select({ option_groups: times(100, (n) => ({ label: plain(`G${n}`), options: [option(n)] })) }))],
  ],
  [
    'an overflow of five',
    [{ ...section('text'), accessory: { type: 'overflow', action_id: 'more', options: times(5, option) } }],
  ],
  [
    'ten checkboxes with descriptions',
    [
      actions({
        type: 'checkboxes',
        action_id: 'c',
        options: times(10, (n) => ({ ...option(n), text: mrkdwn('*x*'), description: mrkdwn('y') })),
      }),
    ],
  ],
  [
    'rich text',
    [
      richText(
        { type: 'text', text: 'a', style: { bold: true } },
        { type: 'user', user_id: 'U1' },
        { type: 'link', url: 'https://example.com' },
      ),
    ],
  ],
  [
    'preformatted rich text',
    [{ type: 'rich_text', elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: 'code' }] }] }],
  ],
  [
    'a nested list',
    [
      {
        type: 'rich_text',
        elements: [
          { type: 'rich_text_list', style: 'bullet', indent: 1, elements: [{ type: 'rich_text_section', elements: [] }] },
        ],
      },
    ],
  ],
  ['markdown of 12,000 characters', [{ type: 'markdown', text: x(12_000) }]],
  ['a table of 100 rows of 20 cells', [{ type: 'table', rows: times(100, () => cells(20)) }]],
  ['an image by URL', [{ type: 'image', image_url: 'https://example.com/a.png', alt_text: 'a' }]],
  ['an uploaded image', [{ type: 'image', slack_file: { id: 'FIMAGE' }, alt_text: 'a' }]],
  [
    'an input',
    [input({ type: 'plain_text_input', action_id: 'i', max_length: 3000 }), input({ type: 'users_select', action_id: 'u' })],
  ],
  [
    'a task card in a plan',
    [
      { type: 'plan', title: 'Plan', tasks: [{ type: 'task_card' }] },
      { type: 'task_card', task_id: 't', title: 'T', status: 'complete' },
    ],
  ],
  ['a container', [{ type: 'container', title: plain('Box'), child_blocks: [section('inside'), { type: 'divider' }] }]],
  ['a carousel', [{ type: 'carousel', elements: times(10, () => ({ type: 'card', title: mrkdwn('Card') })) }]],
  ['an alert', [{ type: 'alert', text: mrkdwn('Mind the gap'), level: 'warning' }]],
];

const refused: [name: string, blocks: Json[], problem: string][] = [
  ['51 blocks', times(51, () => ({ type: 'divider' })), 'no more than 50 items allowed [json-pointer:/blocks]'],
  ['an unknown type', [{ type: 'banner' }], 'unsupported type: banner [json-pointer:/blocks/0/type]'],
  ['a block without type', [{ text: 'x' }], 'missing required field: type [json-pointer:/blocks/0]'],
  ['a section of 3,001 characters', [section(x(3001))], 'must be less than 3001 characters [json-pointer:/blocks/0/text/text]'],
  ['an empty section', [section('')], 'must be more than 0 characters [json-pointer:/blocks/0/text/text]'],
  [
    'a section with neither text nor fields',
    [{ type: 'section' }],
    'must define either `text` or `fields` [json-pointer:/blocks/0]',
  ],
  ['a text that is a string', [{ type: 'section', text: 'hello' }], 'must provide an object [json-pointer:/blocks/0/text]'],
  [
    'eleven fields',
    [{ type: 'section', fields: times(11, () => mrkdwn('x')) }],
    'no more than 10 items allowed [json-pointer:/blocks/0/fields]',
  ],
  [
    'a field of 2,001',
    [{ type: 'section', fields: [mrkdwn(x(2001))] }],
    'must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]',
  ],
  [
    'a header of 151',
    [{ type: 'header', text: plain(x(151)) }],
    'must be less than 151 characters [json-pointer:/blocks/0/text/text]',
  ],
  [
    'a header in mrkdwn',
    [{ type: 'header', text: mrkdwn('x') }],
    'must be a valid enum value [json-pointer:/blocks/0/text/type]',
  ],
  [
    'eleven context elements',
    [{ type: 'context', elements: times(11, () => mrkdwn('x')) }],
    'no more than 10 items allowed [json-pointer:/blocks/0/elements]',
  ],
  [
    'a button in a context',
    [{ type: 'context', elements: [button()] }],
    'unsupported type: button [json-pointer:/blocks/0/elements/0/type]',
  ],
  [
    '26 buttons',
    [actions(...times(26, (n) => button({ action_id: `a${n}` })))],
    'no more than 25 items allowed [json-pointer:/blocks/0/elements]',
  ],
  ['an actions block without elements', [actions()], 'no fewer than 1 items allowed [json-pointer:/blocks/0/elements]'],
  [
    'a text input among actions',
    [actions({ type: 'plain_text_input', action_id: 'x' })],
    'unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]',
  ],
  [
    'a button label of 76',
    [actions(button({ text: plain(x(76)) }))],
    'must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]',
  ],
  [
    'a button value of 2,001',
    [actions(button({ value: x(2001) }))],
    'must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]',
  ],
  [
    'a button without text',
    [actions({ type: 'button', action_id: 'a' })],
    'missing required field: text [json-pointer:/blocks/0/elements/0]',
  ],
  [
    'an unknown button style',
    [actions(button({ style: 'default' }))],
    'must be a valid enum value [json-pointer:/blocks/0/elements/0/style]',
  ],
  [
    'an unknown property',
    [actions(button({ colour: 'red' }))],
    'invalid additional property: colour [json-pointer:/blocks/0/elements/0]',
  ],
  [
    'a javascript URL',
    [actions(button({ url: 'javascript:alert(1)' }))],
    'failed to match pattern [json-pointer:/blocks/0/elements/0/url]',
  ],
  [
    'an action_id of 256',
    [actions(button({ action_id: x(256) }))],
    'must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]',
  ],
  ['a repeated action_id', [actions(button(), button())], '`action_id` already exists: go [json-pointer:/blocks/0]'],
  [
    'a repeated block_id',
    [
      { type: 'divider', block_id: 'b' },
      { type: 'divider', block_id: 'b' },
    ],
    '`block_id` already exists: b [json-pointer:/blocks/1/block_id]',
  ],
  [
    'a block_id of 256',
    [{ type: 'divider', block_id: x(256) }],
    'must be less than 256 characters [json-pointer:/blocks/0/block_id]',
  ],
  [
    '101 options',
    [actions(select({ options: times(101, option) }))],
    'no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]',
  ],
  [
    'an option label of 76',
    [actions(select({ options: [{ text: plain(x(76)), value: 'v' }] }))],
    'must be less than 76 characters [json-pointer:/blocks/0/elements/0/options/0/text/text]',
  ],
  [
    'an option value of 151',
    [actions(select({ options: [{ text: plain('o'), value: x(151) }] }))],
    'must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]',
  ],
  [
    'a select with both options and groups',
    [actions(select({ options: [option(1)], option_groups: [{ label: plain('g'), options: [option(2)] }] }))],
    'must define either `options` or `option_groups` [json-pointer:/blocks/0/elements/0]',
  ],
  [
    'a mrkdwn option in a select',
    [actions(select({ options: [{ text: mrkdwn('o'), value: 'v' }] }))],
    'must be a valid enum value [json-pointer:/blocks/0/elements/0/options/0/text/type]',
  ],
  [
    'an overflow of six',
    [actions({ type: 'overflow', action_id: 'o', options: times(6, option) })],
    'no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]',
  ],
  [
    'eleven radio buttons',
    [actions({ type: 'radio_buttons', action_id: 'r', options: times(11, option) })],
    'no more than 10 items allowed [json-pointer:/blocks/0/elements/0/options]',
  ],
  [
    'a confirm text of 301',
    [actions(button({ confirm: { text: plain(x(301)) } }))],
    'must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]',
  ],
  [
    'a confirm button of 31',
    [actions(button({ confirm: { text: plain('x'), confirm: plain(x(31)) } }))],
    'must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/confirm/text]',
  ],
  [
    'rich text with an unknown part',
    [richText({ type: 'bold', text: 'x' })],
    'unsupported type: bold [json-pointer:/blocks/0/elements/0/elements/0/type]',
  ],
  [
    'an empty rich text piece',
    [richText({ type: 'text', text: '' })],
    'must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]',
  ],
  [
    'a mention in preformatted text',
    [{ type: 'rich_text', elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'user', user_id: 'U' }] }] }],
    'unsupported type: user [json-pointer:/blocks/0/elements/0/elements/0/type]',
  ],
  [
    'markdown of 12,001',
    [{ type: 'markdown', text: x(12_001) }],
    'must be less than 12001 characters [json-pointer:/blocks/0/text]',
  ],
  [
    'markdown over 12,000 in total',
    [
      { type: 'markdown', text: x(6001) },
      { type: 'markdown', text: x(6000) },
    ],
    'must be less than 12001 characters of markdown in total [json-pointer:/blocks]',
  ],
  [
    '101 table rows',
    [{ type: 'table', rows: times(101, () => cells(1)) }],
    'no more than 100 items allowed [json-pointer:/blocks/0/rows]',
  ],
  ['21 table cells', [{ type: 'table', rows: [cells(21)] }], 'no more than 20 items allowed [json-pointer:/blocks/0/rows/0]'],
  [
    'two tables',
    [
      { type: 'table', rows: [cells(1)] },
      { type: 'table', rows: [cells(1)] },
    ],
    'only_one_table_allowed [json-pointer:/blocks]',
  ],
  [
    'an image without alt text',
    [{ type: 'image', image_url: 'https://example.com/a.png' }],
    'missing required field: alt_text [json-pointer:/blocks/0]',
  ],
  [
    'an image from nowhere',
    [{ type: 'image', alt_text: 'a' }],
    'must define either `image_url` or `slack_file` [json-pointer:/blocks/0]',
  ],
  [
    'a file that is no image',
    [{ type: 'image', alt_text: 'a', slack_file: { id: 'FTEXT' } }],
    'invalid slack file [json-pointer:/blocks/0/slack_file]',
  ],
  [
    'an input label of 2,001',
    [input({ type: 'plain_text_input' }, { label: plain(x(2001)) })],
    'must be less than 2001 characters [json-pointer:/blocks/0/label/text]',
  ],
  ['a button as input', [input(button())], 'unsupported type: button [json-pointer:/blocks/0/element/type]'],
  [
    'a max_length of 3,001',
    [input({ type: 'plain_text_input', max_length: 3001 })],
    'must be less than or equal to 3000 [json-pointer:/blocks/0/element/max_length]',
  ],
  [
    'two focused inputs',
    times(2, (n) => input({ type: 'plain_text_input', action_id: `i${n}`, focus_on_load: true })),
    'only one element can have `focus_on_load` [json-pointer:/blocks]',
  ],
  [
    'a file input outside a modal',
    [input({ type: 'file_input', action_id: 'f' })],
    'unsupported type: file_input [json-pointer:/blocks/0]',
  ],
  [
    'eleven cards',
    [{ type: 'carousel', elements: times(11, () => ({ type: 'card', title: mrkdwn('c') })) }],
    'no more than 10 items allowed [json-pointer:/blocks/0/elements]',
  ],
  [
    'an empty card',
    [{ type: 'card' }],
    'must define at least one of `hero_image`, `title`, `actions`, `body` [json-pointer:/blocks/0]',
  ],
  [
    'a container in a container',
    [{ type: 'container', title: plain('c'), child_blocks: [{ type: 'container' }] }],
    'unsupported type: container [json-pointer:/blocks/0/child_blocks/0/type]',
  ],
];

describe('Block Kit checks', () => {
  test.each(accepted)('accept %s', (_name, blocks) => {
    expect(check(blocks)).toEqual([]);
  });

  test.each(refused)('refuse %s', (_name, blocks, problem) => {
    expect(check(blocks)).toContain(problem);
  });

  test('accept 100 blocks in a modal and in a Home, not 101', () => {
    const dividers = (count: number) => times(count, () => ({ type: 'divider' }));
    for (const surface of ['modal', 'home'] as const) {
      expect(check(dividers(100), surface)).toEqual([]);
      expect(check(dividers(101), surface)).toContain('no more than 100 items allowed [json-pointer:/blocks]');
    }
  });

  test('refuse markdown and task cards outside messages', () => {
    expect(check([{ type: 'markdown', text: 'x' }], 'modal')).toContain(
      'unsupported type: markdown [json-pointer:/blocks/0/type]',
    );
    expect(check([{ type: 'plan', title: 'x' }], 'home')).toContain('unsupported type: plan [json-pointer:/blocks/0/type]');
  });

  test('report every problem, not only the first', () => {
    expect(check([section(''), { type: 'nope' }, { type: 'header' }])).toHaveLength(3);
  });

  test('refuse anything that is no array of objects', () => {
    expect(check('blocks')).toEqual(['must provide an array [json-pointer:/blocks]']);
    expect(check([null])).toEqual(['must provide an object [json-pointer:/blocks/0]']);
  });
});

describe('stored blocks', () => {
  test('get the ids and flags Slack adds, and leave the given ones alone', () => {
    const given = [section('hi'), actions({ type: 'button', text: plain('Go') }), { type: 'divider', block_id: 'mine' }];
    const [first, second, third] = storedBlocks(given);
    expect(first?.block_id).toMatch(/^.{5}$/);
    expect(first?.text).toEqual({ type: 'mrkdwn', text: 'hi', verbatim: false });
    expect(elementsOf(second ?? {})[0]).toMatchObject({ action_id: expect.stringMatching(/^.{5}$/), text: { emoji: true } });
    expect(third?.block_id).toBe('mine');
    expect(given[0]).toEqual(section('hi'));
  });

  test('an input block gets no action_id of its own', () => {
    expect(storedBlocks([input({ type: 'plain_text_input' })])[0]).not.toHaveProperty('action_id');
  });

  test('are too long above the cap that one markdown block of 13,297 characters just meets', () => {
    expect(blocksTooLong([{ type: 'markdown', text: x(13_297) }])).toBe(false);
    expect(blocksTooLong([{ type: 'markdown', text: x(13_298) }])).toBe(true);
    expect(blocksTooLong([{ type: 'markdown', text: x(13_290) }, { type: 'divider' }])).toBe(true);
  });
});
