import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyboardOf } from '../../adapters/telegram/keyboard.ts';
import {
  changeVerbs,
  decisions,
  decodePress,
  encodePress,
  guidedVerbs,
  type PressToken,
  taskVerbs,
} from '../../src/contracts/press.ts';
import { blockSchema } from '../../src/contracts/view.ts';
import { newId } from '../../src/runtime/ids.ts';

const token: fc.Arbitrary<PressToken> = fc.oneof(
  fc.record({
    kind: fc.constant('decide' as const),
    secret: fc.stringMatching(/^[\w-]{22}$/),
    verb: fc.constantFrom(...decisions),
  }),
  fc.record(
    {
      kind: fc.constant('choose' as const),
      secret: fc.stringMatching(/^[\w-]{22}$/),
      question: fc.nat(999),
      option: fc.nat(999),
    },
    { requiredKeys: ['kind', 'secret', 'question'] },
  ),
  fc.record({ kind: fc.constant('task' as const), task: fc.constant(newId('tsk')), verb: fc.constantFrom(...taskVerbs) }),
  fc.record({ kind: fc.constant('change' as const), run: fc.constant(newId('run')), verb: fc.constantFrom(...changeVerbs) }),
  fc.record(
    {
      kind: fc.constant('change' as const),
      run: fc.constant(newId('run')),
      verb: fc.constant('review' as const),
      file: fc.nat(99_999),
      page: fc.integer({ min: 1, max: 99_999 }),
    },
    { requiredKeys: ['kind', 'run', 'verb', 'file'] },
  ),
  fc.record({ kind: fc.constant('command' as const), text: fc.stringMatching(/^[a-z :=#\d]{1,40}$/) }),
  fc.record({ kind: fc.constant('pick' as const), request: fc.constant(newId('req')) }),
  fc.record({
    kind: fc.constant('guided' as const),
    form: fc.constant(newId('frm')),
    field: fc.nat(999),
    verb: fc.constantFrom(...guidedVerbs),
  }),
);

describe('what a button carries', () => {
  it('fits 64 bytes and comes back as it was', () => {
    fc.assert(
      fc.property(token, (one) => {
        const text = encodePress(one);
        expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(64);
        expect(decodePress(text)).toEqual(one);
      }),
    );
  });

  it('is measured in bytes wherever it is made, shown or read', () => {
    const button = (text: string) => ({ type: 'buttons', buttons: [{ token: text, label: 'x', style: 'default' }] });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 70 }), (text) => {
        const written = `c:${text}`;
        const fits = Buffer.byteLength(written) <= 64;
        if (fits) expect(encodePress({ kind: 'command', text })).toBe(written);
        else expect(() => encodePress({ kind: 'command', text })).toThrow('over 64 bytes');
        expect(decodePress(written)).toEqual(fits ? { kind: 'command', text } : undefined);
        expect(blockSchema.safeParse(button(written)).success).toBe(fits);
      }),
    );
    const [most, over] = [`c:${'ä'.repeat(31)}`, `c:${'ä'.repeat(31)}b`];
    expect([decodePress(most)?.kind, decodePress(over)]).toEqual(['command', undefined]);
    expect(keyboardOf([blockSchema.parse(button(most))])).toMatchObject([[{ callback_data: most }]]);
  });

  it('is nothing when somebody has made it up', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 70 }), (text) => {
        const read = decodePress(text);
        if (read !== undefined) expect(encodePress(read)).toBe(text);
      }),
    );
    for (const text of [
      'c',
      'g:frm_x:01:skip',
      'g:frm_x:1',
      'g:frm_x:1:open',
      'g:frm_x:-1:skip',
      'g:frm_x:1:skip:more',
      'g::1:skip',
      't:x:fly',
      'd:x:approve:x',
      'q:x',
      'q:x:',
      'q:x:1:',
      'q:x:01',
      'q:x:0:1:2',
      'x:run_x',
      'x:run_x:fly',
      'x:run_x:push:1',
      'x:run_x:review:',
      'x:run_x:review:01',
      'x:run_x:review:1:0',
      'x:run_x:review:1:100000',
      'x:run_x:review:1:1:1',
      'x::review',
    ])
      expect(decodePress(text)).toBeUndefined();
  });
});
