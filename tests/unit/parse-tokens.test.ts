import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quote, tokenize } from '../../src/commands/tokens.ts';

function words(text: string): string[] {
  const read = tokenize(text);
  if (!read.ok) throw new Error(read.problem);
  return read.tokens.map((token) => token.text);
}

describe('words of a command line', () => {
  it.each([
    ['a  b\tc\nd', ['a', 'b', 'c', 'd']],
    [`"a b" 'c d'`, ['a b', 'c d']],
    ['"say \\"hi\\"" \\x', ['say "hi"', '\\x']],
    [`don't won't`, ["don't", "won't"]],
    ['“npm test” ‘x y’', ['npm test', 'x y']],
    ['„leise” „auch“', ['leise', 'auch']],
    ['""', ['']],
    ['"a b"c', ['a bc']],
    ['', []],
  ])('%j is %j', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it('an option keeps its key, its operator and a value in quotes', () => {
    const read = tokenize('branch=main allow+="npm test" deny-=x not-requester=on');
    expect(read.ok && read.tokens.map(({ option }) => option)).toEqual([
      { key: 'branch', operator: '=', value: 'main' },
      { key: 'allow', operator: '+=', value: 'npm test' },
      { key: 'deny', operator: '-=', value: 'x' },
      { key: 'not-requester', operator: '=', value: 'on' },
    ]);
  });

  it('a quoted word and an address are no options', () => {
    const read = tokenize('"branch=main" https://example.com/x?a=b FOO=1');
    expect(read.ok && read.tokens.map(({ option }) => option)).toEqual([undefined, undefined, undefined]);
  });

  it('a quote that is never closed is named', () => {
    expect(tokenize('bind "web')).toEqual({ ok: false, problem: 'The quote in `"web` is not closed.' });
  });

  it('what quote writes is read back as exactly the same words', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (values) => {
        expect(words(values.map(quote).join(' '))).toEqual(values);
      }),
    );
  });

  it('what quote writes is never an option', () => {
    fc.assert(
      fc.property(fc.tuple(fc.constantFrom('branch', 'a'), fc.constantFrom('=', '+=', '-='), fc.string()), (parts) => {
        const read = tokenize(quote(parts.join('')));
        expect(read.ok && read.tokens.map(({ option }) => option)).toEqual([undefined]);
      }),
    );
  });

  it('tokens cover the text in order and any text is read or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const read = tokenize(text);
        if (!read.ok) return;
        let last = 0;
        for (const { start, end } of read.tokens) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          last = end;
        }
        expect(last).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});
