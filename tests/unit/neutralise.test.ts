import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { whyFailed } from '../../runner/harness/codex-errors.ts';
import { newestSentences } from '../../src/delivery/agent-lines.ts';
import { cleanText, oneLine, reveal, shorten } from '../../src/delivery/neutralise.ts';

describe('text that others wrote', () => {
  it.each<[string, (text: string) => string]>([
    ['one line of it', oneLine],
    ['its newest sentences', (text) => newestSentences(text, 100)],
    ['the error in it', whyFailed],
  ])('takes no time however it is made: %s', (_, read) => {
    for (const part of [' ', '\n', ' \n', '{', '\t \n']) {
      const before = process.cpuUsage();
      expect(read(`a${part.repeat(60_000 / part.length)}x`)).not.toBe('');
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(400);
    }
  });

  it('loses terminal sequences, control characters and direction marks (promise 11)', () => {
    expect(
      cleanText('\u001b[31mred\u001b[0m \u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007 \u202egpj.exe\u202c\u0007'),
    ).toBe('red link gpj.exe');
    expect(cleanText('one\r\ntwo\rthree\u2028four')).toBe('one\ntwo\nthree\nfour');
    expect(cleanText('tab\tstays, \u{1f468}\u200d\u{1f469}\u200d\u{1f467} stays')).toBe(
      'tab\tstays, \u{1f468}\u200d\u{1f469}\u200d\u{1f467} stays',
    );
    expect(cleanText('half a pair \ud83d')).toBe('half a pair \ufffd');
  });

  it('never contains a control character but newline and tab, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const left = [...cleanText(text)].filter(
          (character) => /\p{Cc}/u.test(character) && character !== '\n' && character !== '\t',
        );
        expect(left).toEqual([]);
      }),
    );
  });

  it('stands on one line in titles', () => {
    expect(oneLine('  npm ci\n  npm test\t--all ')).toBe('npm ci ⏎ npm test --all');
    expect(oneLine('\na \n \n\n b\n')).toBe('a ⏎ b');
  });

  it('is shortened at a whole character, with an ellipsis', () => {
    expect(shorten('npm test', 8)).toBe('npm test');
    expect(shorten('npm test -- login', 9)).toBe('npm test…');
    const family = '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}';
    expect(shorten(`${family}${family}${family}`, 18)).toBe(`${family}${family}…`);
  });
});

describe('a command to be approved', () => {
  it('promise 7: shows every hidden character', () => {
    expect(reveal('rm -rf \u202e/tmp\u202c')).toEqual({
      text: 'rm -rf ⟨U+202E⟩/tmp⟨U+202C⟩',
      hidden: ['U+202E', 'U+202C'],
      mixed: [],
    });
    expect(reveal('cat\u00a0file\u200b.txt').text).toBe('cat⟨U+00A0⟩file⟨U+200B⟩.txt');
    expect(reveal('echo hi\rrm x').text).toBe('echo hi⟨U+000D⟩rm x');
    expect(reveal(`ok\u{e0041}`).text).toBe('ok⟨U+E0041⟩');
    expect(reveal('\u001b[8mhidden').text).toBe('⟨U+001B⟩[8mhidden');
  });

  it('names words that mix alphabets which look alike', () => {
    expect(reveal('npm install lоdash').mixed).toEqual(['lоdash']);
    expect(reveal('echo привет мир').mixed).toEqual([]);
  });

  it('shows ordinary text as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        expect(reveal(text)).toEqual({ text, hidden: [], mixed: [] });
      }),
    );
  });

  it('leaves nothing invisible, whatever the command is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const left =
          reveal(text)
            .text.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu)
            ?.filter((c) => c !== '\n' && c !== '\t') ?? [];
        // Format characters with a shape of their own (Arabic number signs and the like) may stay.
        expect(left.filter((c) => /\p{Default_Ignorable_Code_Point}|\p{Cc}|\p{Bidi_Control}|\p{Zl}|\p{Zp}/u.test(c))).toEqual([]);
      }),
    );
  });
});
