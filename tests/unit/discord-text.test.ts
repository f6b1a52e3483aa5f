import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { discordCapabilities } from '../../adapters/discord/capabilities.ts';
import {
  cutMention,
  decodeText,
  escapeMarkdown,
  isSnowflake,
  laterId,
  printable,
  shorten,
  snowflakeAt,
  snowflakeTime,
} from '../../adapters/discord/discord-text.ts';
import { spansMarkdown } from '../../adapters/discord/markdown.ts';
import { hostileTexts } from '../contracts/chat-adapter-contract.ts';
import { readDiscordMarkdown } from '../support/discord-markdown.ts';

/** Texts made of what means something to Discord. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(...'\\*_~`|<>@:[]()#-+!/. \n\t'),
      fc.constantFrom(
        'everyone',
        'here',
        'https://evil.example/x',
        '<@123456789012345678>',
        '<t:1:R>',
        '```',
        'smile',
        '1.',
        '1',
        'a',
        '¯\\_(ツ)_/¯',
      ),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 25 },
  )
  .map((parts) => parts.join(''));

const nothing = { mentions: [], links: [], previews: [], styled: [], moments: [] };

describe('escaping for Discord', () => {
  it.each(hostileTexts)('promise 11: %j reads as it is', (text) => {
    expect(readDiscordMarkdown(escapeMarkdown(text))).toEqual({ ...nothing, text });
  });

  it('promise 11: whatever is written reads as it is, and neither formats, mentions nor links', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(readDiscordMarkdown(escapeMarkdown(text))).toEqual({ ...nothing, text });
      }),
      { numRuns: 2000 },
    );
  });

  it('writes out of an address, byte by byte, what would end it', () => {
    const span = { type: 'link', url: 'https://a.example/x\u2028(y)', text: 'page' } as const;
    expect(spansMarkdown([span], 'full')).toBe('[page](<https://a.example/x%E2%80%A8%28y%29>)');
  });

  it('the reader sees what is not escaped', () => {
    const seen = readDiscordMarkdown('**b** <@123456789012345678> https://evil.example/x :smile:\n# big\n- one');
    expect(seen).toMatchObject({
      mentions: ['123456789012345678'],
      links: ['https://evil.example/x'],
      previews: ['https://evil.example/x'],
    });
    expect(seen.text).toContain('(emoji smile)');
    expect(seen.styled).toEqual(expect.arrayContaining(['b', expect.stringMatching(/^heading/), expect.stringMatching(/^list/)]));
  });

  it('makes a text no longer than the capabilities say', () => {
    const cost = (text: string) =>
      [...text].reduce((sum, char) => sum + (discordCapabilities.text.escapes?.[char] ?? char.length), 0);
    fc.assert(
      fc.property(hostile, (text) => {
        // The first line has no line end before it to pay for its mark.
        expect(escapeMarkdown(text).length).toBeLessThanOrEqual(cost(text) + 1);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('reading what people wrote', () => {
  it.each([
    ['<@!123456789012345678> does', '<@123456789012345678> does'],
    ['<:party:123456789012345678> and <a:dance:123456789012345678>', ':party: and :dance:'],
    ['a\u0000b \ud800', 'ab \ufffd'],
    ['**bold** stays', '**bold** stays'],
  ])('%j means %j', (content, text) => expect(decodeText(content)).toBe(text));

  it.each([
    ['<@42> sh npm test', 'sh npm test'],
    ['<@!42>, sh npm test', 'sh npm test'],
    ['please <@42> help', 'please help'],
    ['please help <@42>', 'please help'],
    ['<@43> and <@42> sh x', '<@43> and sh x'],
    ['<@42> tell <@42>', 'tell <@42>'],
    ['sh npm test', undefined],
    ['<@421> sh', undefined],
  ])('the mention is cut out of %j', (content, text) => expect(cutMention(content, '42')).toBe(text));
});

describe('ids and characters', () => {
  it('an id tells its time, and a time gives the id to look from', () => {
    expect(snowflakeTime('175928847299117063').toISOString()).toBe('2016-04-30T11:18:25.796Z');
    const at = Date.parse('2026-11-21T10:00:00.123Z');
    expect(snowflakeTime(snowflakeAt(at)).getTime()).toBe(at);
    expect(snowflakeAt(0)).toBe('0');
  });

  it('the later of two ids is the one with the greater number', () => {
    expect(laterId('999', '1000')).toBe('1000');
    expect(laterId('1000', '999')).toBe('1000');
  });

  it('only numbers are ids', () => {
    expect(isSnowflake('123456789012345678')).toBe(true);
    for (const other of ['C0NOWHERE', '', '12', '123456789012345678/../x', undefined]) expect(isSnowflake(other)).toBe(false);
  });

  it('controls and direction marks become visible, line ends and tabs stay', () => {
    expect(printable('a\u0007b\u202ec\u0085d\r\ne\tf')).toBe('a\ufffdb\ufffdc\ufffdd\ne\tf');
  });

  it('shortens between characters', () => {
    expect(shorten('abc', 3)).toBe('abc');
    expect(shorten('abcd', 3)).toBe('ab…');
    expect(shorten('a🙂bc', 3)).toBe('a…');
  });
});
