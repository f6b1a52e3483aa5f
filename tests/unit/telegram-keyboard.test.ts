import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyboardOf, maxOptions, readPress, type ShownButton } from '../../adapters/telegram/keyboard.ts';
import { encodePress } from '../../src/contracts/press.ts';
import type { Block, Button } from '../../src/contracts/view.ts';

const shown = (blocks: readonly Block[]) => keyboardOf(blocks) as ShownButton[][];
const button = (token: string, label: string, style: Button['style'] = 'default'): Button => ({ token, label, style });
const select = (token: string, options: { value: string; label: string }[]): Block => ({
  type: 'select',
  token,
  placeholder: 'Which?',
  options,
});
const dataOf = (rows: readonly (readonly ShownButton[])[], label: string) =>
  rows.flat().find(({ text }) => text === label)?.callback_data ?? '';

describe('keyboards below messages', () => {
  it('carry the token of each button, with its style', () => {
    const rows = shown([
      {
        type: 'buttons',
        buttons: [button('d:s:approve', 'Approve', 'primary'), button('d:s:deny', 'Deny', 'danger'), button('c:x', 'Log')],
      },
    ]);
    expect(rows).toEqual([
      [
        { text: 'Approve', callback_data: 'd:s:approve', style: 'primary' },
        { text: 'Deny', callback_data: 'd:s:deny', style: 'danger' },
        { text: 'Log', callback_data: 'c:x' },
      ],
    ]);
  });

  it('put long labels below each other, so that a phone shows them whole', () => {
    const labels = ['Approve for this task', 'Deny with reason…', 'Details'];
    const rows = shown([{ type: 'buttons', buttons: labels.map((label, at) => button(`c:${at}`, label)) }]);
    expect(rows.map((row) => row.map(({ text }) => text))).toEqual([[labels[0]], [labels[1], labels[2]]]);
  });

  it('show a select as a heading and its options', () => {
    const rows = shown([
      select('p:1', [
        { value: 'prj_a', label: 'Web' },
        { value: 'prj_b', label: 'API' },
      ]),
    ]);
    expect(rows.map((row) => row.map(({ text }) => text))).toEqual([['▾ Which?'], ['Web', 'API']]);
    expect(readPress(dataOf(rows, '▾ Which?'), rows)).toEqual({ kind: 'heading' });
    expect(readPress(dataOf(rows, 'API'), rows)).toEqual({ kind: 'press', token: 'p:1', values: ['prj_b'] });
  });

  it('give back the token and the value of any option of any select, and of any button', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ':', '~', '=', 'ä', '🙂', '0', '1'), minLength: 1, maxLength: 14 });
    const token = fc
      .string({ unit: fc.constantFrom('a', 'b', ':', '0'), minLength: 1, maxLength: 60 })
      .map((rest) => `c:${rest}`);
    const options = fc.uniqueArray(fc.record({ value: text, label: text }), {
      minLength: 1,
      maxLength: 8,
      selector: ({ value }) => value,
    });
    const views = fc.array(fc.record({ token, options }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(views, token, (selects, pressed) => {
        fc.pre(selects.every((one) => one.token !== pressed));
        const blocks: Block[] = [
          { type: 'buttons', buttons: [button(pressed, 'Press')] },
          ...selects.map((one) => select(one.token, one.options)),
        ];
        const rows = shown(blocks);
        expect(readPress(pressed, rows)).toEqual({ kind: 'press', token: pressed, values: [] });
        const carried = rows.flat().filter(({ callback_data: data }) => data?.startsWith('~'));
        const wanted = selects.flatMap((one) =>
          one.options.map(({ value }) => ({ kind: 'press', token: one.token, values: [value] })),
        );
        expect(carried.map(({ callback_data: data }) => readPress(data ?? '', rows))).toEqual(wanted);
        for (const { callback_data: data } of rows.flat()) expect(Buffer.byteLength(data ?? '')).toBeLessThanOrEqual(64);
      }),
    );
  });

  it('carry a value that is longer than a button takes when it is the label, and refuse it when it is not', () => {
    const long = (end: string) => `project-${'x'.repeat(53)}${end}`;
    const rows = shown([
      select(
        'c:bind',
        ['1', '2'].map((end) => ({ value: long(end), label: long(end) })),
      ),
    ]);
    expect(readPress(dataOf(rows, long('2')), rows)).toEqual({ kind: 'press', token: 'c:bind', values: [long('2')] });
    expect(() => keyboardOf([select('c:bind', [{ value: 'ä'.repeat(40), label: 'other' }])])).toThrow(/longer than a button/);
  });

  it('hold the longest token there can be, and the longest select beside every button', () => {
    const token = encodePress({ kind: 'command', text: 'x'.repeat(62) });
    const options = Array.from({ length: maxOptions }, (_, at) => ({ value: `prj_${at}`, label: `Project ${at}` }));
    const buttons = Array.from({ length: 24 }, (_, at) =>
      button(`${token.slice(0, -2)}${String(at).padStart(2, '0')}`, `B${at}`),
    );
    expect(shown([{ type: 'buttons', buttons }, select(token, options)]).flat()).toHaveLength(24 + 1 + maxOptions);
  });

  it('are refused when they have more than a hundred buttons', () => {
    const options = Array.from({ length: maxOptions }, (_, at) => ({ value: `${at}`, label: `${at}` }));
    expect(() => keyboardOf([select('c:a', options), select('c:b', options)])).toThrow(/102 buttons, Telegram takes 100/);
  });

  it('show nothing for a select without options', () => {
    expect(keyboardOf([select('c:a', [])])).toEqual([]);
  });

  it('mean nothing when an option comes without its message or is not on it', () => {
    expect(readPress('~0:prj_a', [])).toEqual({ kind: 'unreadable' });
    const rows = shown([select('p:1', [{ value: 'a', label: 'A' }])]);
    expect(readPress('~0:forged', rows)).toEqual({ kind: 'unreadable' });
    expect(readPress('~0:a', rows.slice(1))).toEqual({ kind: 'unreadable' });
  });
});
