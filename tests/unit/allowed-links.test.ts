import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bold, code, plain, type Span } from '../../src/contracts/view.ts';
import { withAllowedLinks } from '../../src/delivery/allowed-links.ts';

const hosts = ['docs.example.org', '*.acme.dev'];

function shown(...spans: Span[]): Span[] {
  const view = withAllowedLinks({ fallback: 'x', blocks: [{ type: 'text', spans }] }, hosts);
  const [block] = view.blocks;
  return block?.type === 'text' ? block.spans : [];
}

const words = (spans: readonly Span[]) => spans.map((span) => ('text' in span ? span.text : '')).join('');
const targets = (text: string) => shown(plain(text)).flatMap((span) => (span.type === 'link' ? [span.url] : []));

describe('addresses on cards', () => {
  it('are links only where the project names their host', () => {
    expect(shown(plain('See https://docs.example.org/a?b=c, not https://evil.example/docs.example.org.'))).toEqual([
      plain('See '),
      { type: 'link', url: 'https://docs.example.org/a?b=c', text: 'https://docs.example.org/a?b=c' },
      plain(', not https://evil.example/docs.example.org.'),
    ]);
    expect(targets('https://ci.acme.dev/1 and https://acme.dev/2')).toEqual(['https://ci.acme.dev/1']);
  });

  it('are words when they do not lead where they read', () => {
    for (const text of [
      'https://docs.example.org@evil.example/',
      'https://docs.example.org:8443/',
      'https://docs.example.org.evil.example/',
      'https://docs.example.org\\@evil.example',
      'https://docs.example.orgа.example/',
      'https://user:pass@docs.example.org/',
      'http://docs.example.org/',
      'https://evil.example/#https://docs.example.org/',
      'https://docs.example.org/wiki/X_(Y)',
    ])
      expect(targets(text), text).toEqual([]);
  });

  it('keep their styles around them, and code stays code', () => {
    expect(shown(bold('go https://docs.example.org/ now'))).toEqual([
      bold('go '),
      { type: 'link', url: 'https://docs.example.org/', text: 'https://docs.example.org/' },
      bold(' now'),
    ]);
    expect(shown(code('https://docs.example.org/'))).toEqual([code('https://docs.example.org/')]);
  });

  it('say the same as before, whatever the text, and never link another host', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'https://docs.example.org',
        'https://evil.example',
        '@',
        '/',
        ':',
        '.',
        '?',
        '#',
        'https://',
        '\\',
        ' ',
        '%2e',
      ),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const spans = shown(plain(pieces.join('')));
        expect(words(spans)).toBe(pieces.join(''));
        for (const span of spans) if (span.type === 'link') expect(new URL(span.url).host).toBe('docs.example.org');
      }),
      { numRuns: 2000 },
    );
  });

  it('are left alone where the project names no host', () => {
    const view = { fallback: 'x', blocks: [{ type: 'text' as const, spans: [plain('https://docs.example.org/')] }] };
    expect(withAllowedLinks(view, [])).toBe(view);
  });
});
