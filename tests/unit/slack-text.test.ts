import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutMention, decodeText, escapeText, printable, shorten } from '../../adapters/slack/slack-text.ts';

describe('what a person typed in Slack', () => {
  it.each([
    ['project add web <https://example.com/acme/web.git>', 'project add web https://example.com/acme/web.git'],
    ['sh curl <https://example.com/a?b=1&amp;c=2> -o x', 'sh curl https://example.com/a?b=1&c=2 -o x'],
    ['sh ping <http://example.com|example.com>', 'sh ping example.com'],
    ['sh dig <http://example.com/|example.com>', 'sh dig example.com'],
    ['sh git clone <ssh://git@example.com/x.git>', 'sh git clone ssh://git@example.com/x.git'],
    ['mail <mailto:ada@example.com|ada@example.com>', 'mail ada@example.com'],
    ['call <tel:+491234|+491234>', 'call +491234'],
    ['read <https://example.com/doc|the doc>', 'read the doc (https://example.com/doc)'],
    ['trust <https://evil.example|https://good.example>', 'trust https://good.example (https://evil.example)'],
    ['member add <@U0BEN> developer', 'member add <@U0BEN> developer'],
    ['member add <@U0BEN|ben> developer', 'member add <@U0BEN|ben> developer'],
    ['member add <@U0BEN|Ben Ortiz> developer', 'member add <@U0BEN> developer'],
    ['look in <#C0OPS|ops> and <#C0PRIVATE>', 'look in #ops and <#C0PRIVATE>'],
    ['tell <!here> and <!subteam^S1|@crew>', 'tell @here and @crew'],
    ['at <!date^1392734382^{date}|Feb 18>', 'at Feb 18'],
    ['sh a &amp;&amp; b &lt; in &gt; out; echo "&amp;lt;"', 'sh a && b < in > out; echo "&lt;"'],
    ['sh cat < in.txt > out.txt && diff <(a) <(b)', 'sh cat < in.txt > out.txt && diff <(a) <(b)'],
    ['sh [ 1 -lt 2 ] && test <3', 'sh [ 1 -lt 2 ] && test <3'],
    ['a\u0000b\ud800', 'ab\ufffd'],
  ])('reads %j', (raw, typed) => {
    expect(decodeText(raw)).toBe(typed);
  });

  it('comes back as it was typed, whatever it is', () => {
    const typed = fc.string({ unit: 'grapheme', maxLength: 200 }).map((text) => text.replaceAll('\u0000', '').toWellFormed());
    fc.assert(fc.property(typed, (text) => decodeText(escapeText(text)) === text));
  });

  it.each([
    ['<@UBOT> sh ls', 'sh ls'],
    ['  <@UBOT>: sh ls', 'sh ls'],
    ['<@UBOT|deckhand>, sh ls', 'sh ls'],
    ['<@UBOT>\nsh ls', 'sh ls'],
    ['<@UBOT>', ''],
    ['please <@UBOT> fix it', 'please fix it'],
    ['fix it <@UBOT>', 'fix it'],
    ['<@UBEN> ask <@UBOT> to run', '<@UBEN> ask to run'],
    ['<@UBOT> tell <@UBOT> again', 'tell <@UBOT> again'],
    ['<@UBOT2> sh ls', undefined],
    ['nobody', undefined],
    ['&lt;@UBOT&gt; typed by hand', undefined],
  ])('cuts the mention of the bot from %j', (raw, rest) => {
    expect(cutMention(raw, 'UBOT')).toBe(rest);
  });
});

describe('text for display', () => {
  it('makes control and direction characters visible, one for one', () => {
    expect(printable('a\u001b[31mb\u0000\u202ec\u2066d\r\ne\tf\u0085')).toBe('a\ufffd[31mb\ufffd\ufffdc\ufffdd\ne\tf\ufffd');
    expect(printable('half \ud83d pair')).toBe('half \ufffd pair');
  });

  it('shortens between characters and says that something is missing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (text, max) => {
        const short = shorten(text, max);
        expect(short.length).toBeLessThanOrEqual(max);
        if (text.length <= max) expect(short).toBe(text);
        else expect(short.endsWith('…') && short.isWellFormed() === text.slice(0, short.length - 1).isWellFormed()).toBe(true);
      }),
    );
  });
});
