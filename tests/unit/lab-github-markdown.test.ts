import fc from 'fast-check';
import { expect, test } from 'vitest';
import { address, ago, escapeHtml, html } from '../../lab/github/pages-html.ts';
import { markdown, titleText } from '../../lab/github/pages-markdown.ts';

const place = { repository: 'acme/demo', has: (number: number) => number === 7, knows: (login: string) => login === 'ben' };
const shown = (text: string) => markdown(text, place).text.replace(/^<div class="markdown">|<\/div>$/g, '');

test('what stands between the parts of a page is markup, the parts are not', () => {
  const name = `"><script>alert('1')</script>&`;
  expect(html`<b title="${name}">${[name, 1, false, undefined, html`<i></i>`]}</b>`.text).toBe(
    '<b title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;">&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;1<i></i></b>',
  );
  expect(escapeHtml('a\u202eb\0c')).toBe('a⟨U+202E⟩b\ufffdc');
  expect(address('acme/demo', 'blob', 'a/b?c#d"e')).toBe('/acme/demo/blob/a/b%3Fc%23d%22e');
});

test('times read as how long ago', () => {
  const at = Date.UTC(2026, 0, 1);
  expect([0, 61_000, 7_300_000].map((later) => />(.*)</.exec(ago(at, at + later).text)?.[1])).toEqual([
    'now',
    '1 minute ago',
    '2 hours ago',
  ]);
});

test.each([
  ['**a** _b_ ~~c~~ `d*e*`', '<p><strong>a</strong> <em>b</em> <del>c</del> <code>d*e*</code></p>'],
  ['one\ntwo\n\nthree', '<p>one<br>two</p><p>three</p>'],
  ['## Head ##', '<h2>Head</h2>'],
  [
    '[a](<https://x.example/b(c)>)',
    '<p><a href="https://x.example/b(c)" rel="nofollow noopener noreferrer" target="_blank">a</a></p>',
  ],
  ['```js\nlet a = `1`;\n```\nafter', '<pre><code>let a = `1`;</code></pre><p>after</p>'],
  ['````text\n```\n````', '<pre><code>```</code></pre>'],
  ['> quoted\n> more', '<blockquote><p>quoted<br>more</p></blockquote>'],
  ['- one\n- two\n  - deep', '<ul><li>one</li><li><p>two</p><ul><li>deep</li></ul></li></ul>'],
  ['2. two\n3. three', '<ol start="2"><li>two</li><li>three</li></ol>'],
  [
    '- [x] done\n- [ ] open',
    '<ul><li class="task"><input type="checkbox" disabled checked> done</li><li class="task"><input type="checkbox" disabled> open</li></ul>',
  ],
  [
    '| a | b |\n|---|---|\n| 1 | `2` |',
    '<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td><code>2</code></td></tr></tbody></table>',
  ],
  ['\\*no\\* snake_case_name 2*3*4', '<p>*no* snake_case_name 2<em>3</em>4</p>'],
  ['@ben @nobody me@ben', '<p><span class="mention">@ben</span> @nobody me@ben</p>'],
  [
    '#7, #8, acme/demo#7, other/x#7',
    '<p><a href="/acme/demo/issues/7">#7</a>, #8, <a href="/acme/demo/issues/7">acme/demo#7</a>, other/x#7</p>',
  ],
  ['a\n\n<!-- hidden\nall of it -->\nb', '<p>a</p><p>b</p>'],
])('Markdown %j is shown as such', (text, expected) => {
  expect(shown(text)).toBe(expected);
});

test('links lead to web pages alone', () => {
  const link = (url: string, text = url) => `<a href="${url}" rel="nofollow noopener noreferrer" target="_blank">${text}</a>`;
  expect(shown('[a](https://e.com/?a=1&b=2) https://e.com/x. <http://e.com>')).toBe(
    `<p>${link('https://e.com/?a=1&amp;b=2', 'a')} ${link('https://e.com/x')}. ${link('http://e.com')}</p>`,
  );
  for (const target of ['javascript:alert(1)', 'data:text/html,x', 'JaVaScript:x', '//e.com', 'vbscript:x', ' https://e.com'])
    expect(shown(`[a](${target})`)).not.toMatch(/href="(?!https:)/);
});

test('nothing that is written becomes markup of its own', () => {
  const tags = new Set(
    'div p br h1 h2 h3 h4 h5 h6 pre code hr blockquote ul ol li input table thead tbody tr th td strong em del a span'.split(' '),
  );
  const bit = fc.constantFrom(
    ...[
      '<script>',
      '"',
      "'",
      '`',
      '```\n',
      '\n',
      '[',
      '](',
      ')',
      '*',
      '_',
      '~~',
      '> ',
      '- ',
      '1. ',
      '|',
      '|-|\n',
      '# ',
      '<a ',
      '&lt;',
    ],
    ...['javascript:', 'https://e.com/"onclick=x', '#7', '@ben', '\\', '<!--', '-->', 'x', ' ', '  ', '\u202e'],
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(bit, fc.string()), { maxLength: 40 }), (bits) => {
      const text = shown(bits.join(''));
      for (const [, name = '', attributes = ''] of text.matchAll(/<\/?([a-z]\w*)([^<>]*)>/g)) {
        expect(tags).toContain(name);
        expect(attributes).toMatch(/^( (class|href|rel|target|type|start)="[^"]*"| disabled| checked)*$/);
      }
      expect(text.replace(/<\/?[a-z]\w*[^<>]*>/g, '')).not.toMatch(/[<>]/);
      expect(text).not.toMatch(/href="(?!https?:|\/acme\/demo\/issues\/7")/);
    }),
  );
});

test.each(['[', '*a ', '`a``', '> ', '- ', '  - ', '| - ', '_a*', '[a](', '<!--', 'a/', '\\', '#7 '])(
  'a text of %j without end does not hold everything up',
  (bit) => {
    const begun = process.cpuUsage();
    shown(bit.repeat(20_000 / bit.length));
    shown(`${bit}\n`.repeat(20_000 / (bit.length + 1)));
    const { user, system } = process.cpuUsage(begun);
    expect((user + system) / 1000).toBeLessThan(2_000);
  },
);

test('titles have code and nothing else', () => {
  expect(html`${titleText('<b> `a<` **c**')}`.text).toBe('&lt;b&gt; <code>a&lt;</code> **c**');
});
