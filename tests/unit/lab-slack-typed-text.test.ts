import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { createState } from '../../lab/slack/state.ts';
import { toMrkdwn, toRichText } from '../../lab/slack/typed-text.ts';
import { textsOf } from '../../lab/slack/visible-text.ts';

const state = createState({ botName: 'Deckhand', now: Date.now });
afterAll(() => state.close());

describe('text that people type', () => {
  test.each([
    ['@Deckhand sh npm test', '<@U00DECKHAND> sh npm test'],
    ['@deckhand, please', '<@U00DECKHAND>, please'],
    ['hi @ben and @Ada Lovelace', 'hi <@U0000000BEN> and <@U0000000ADA>'],
    ['see #demo', 'see <#C00000DEMO|demo>'],
    ['@here all', '<!here> all'],
    ['a < b && c > d', 'a &lt; b &amp;&amp; c &gt; d'],
    ['<@U0000000BEN>', '&lt;@U0000000BEN&gt;'],
    ['https://example.com/?a=1&b=2 x', '<https://example.com/?a=1&amp;b=2> x'],
    ['mail a@ben.example', 'mail a@ben.example'],
    ['`@ben` stays', '`@ben` stays'],
    ['```\n@ben <x>\n```', '```\n@ben &lt;x&gt;\n```'],
    ['@benny is nobody', '@benny is nobody'],
    ['#142 is no channel', '#142 is no channel'],
  ])('%j becomes %j', (typed, mrkdwn) => {
    expect(toMrkdwn(state, typed)).toBe(mrkdwn);
  });

  test('becomes rich text with mentions, links, code and fences', () => {
    expect(toRichText(state, '@ben run `ls`\n```\nx\n```')).toEqual({
      type: 'rich_text',
      elements: [
        {
          type: 'rich_text_section',
          elements: [
            { type: 'user', user_id: 'U0000000BEN' },
            { type: 'text', text: ' run ' },
            { type: 'text', text: 'ls', style: { code: true } },
            { type: 'text', text: '\n' },
          ],
        },
        { type: 'rich_text_preformatted', elements: [{ type: 'text', text: 'x' }], border: 0 },
      ],
    });
  });

  test('never yields markup that was not typed as a mention, channel or link', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (typed) => {
        const markup = toMrkdwn(state, typed).match(/<[^>]*>/g) ?? [];
        expect(markup.every((entry) => /^<(@U|#C|!(here|channel|everyone)>|https?:)/.test(entry))).toBe(true);
      }),
    );
  });

  test('loses no plain character', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z .,]*$/), (typed) => {
        expect(toMrkdwn(state, typed)).toBe(typed);
        expect(textsOf(toRichText(state, typed)).join('')).toBe(typed);
      }),
    );
  });
});
