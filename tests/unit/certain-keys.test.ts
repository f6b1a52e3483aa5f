import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newAccessToken } from '../../src/access/access-token.ts';
import { revokeText, withoutCertainKeys } from '../../src/access/certain-keys.ts';
import { gitHubToken } from '../support/certain-keys.ts';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';
/** As a provider draws it, from bytes that fast-check draws. */
const drawn = (from: string, length: number) =>
  fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((bytes) => [...bytes].map((byte) => from[byte % from.length]).join(''));
const word = (length: number) => drawn(`${digits}${letters}`, length);
const safe = (length: number) => drawn(`${digits}${letters}-_`, length);
const hex = (length: number) => drawn(`${digits}abcdef`, length);
const number = (length: number) => drawn(digits, length);
const parts = (...all: (string | fc.Arbitrary<string>)[]) =>
  fc.tuple(...all.map((one) => (typeof one === 'string' ? fc.constant(one) : one))).map((texts) => texts.join(''));

const kinds: Record<string, fc.Arbitrary<string>> = {
  'an Anthropic key': parts('sk-ant-api03-', safe(93), 'AA'),
  'an OpenAI key': fc.oneof(
    parts('sk-proj-', safe(74), 'T3BlbkFJ', safe(74)),
    parts('sk-svcacct-', safe(58), 'T3BlbkFJ', safe(58)),
    parts('sk-', word(20), 'T3BlbkFJ', word(20)),
  ),
  'an OpenRouter key': parts('sk-or-v1-', hex(64)),
  'a GitHub token': fc.oneof(
    fc.tuple(fc.constantFrom('ghp', 'gho', 'ghs'), word(30)).map(([kind, text]) => gitHubToken(text, kind)),
    parts('github_pat_', word(22), '_', word(59)),
  ),
  'a GitLab token': fc.oneof(
    parts('glpat-', safe(20)),
    parts('glpat-', safe(27), '.01.', drawn(`${digits}abcdefghijklmnopqrstuvwxyz`, 9)),
  ),
  'a Slack token': fc.oneof(
    parts('xoxb-', number(12), '-', number(13), '-', word(24)),
    parts('xoxp-', number(12), '-', number(12), '-', number(13), '-', hex(32)),
    parts('xapp-1-A', drawn(`${digits}ABCDEFGHIJKLMNOPQRSTUVWXYZ`, 10), '-', number(13), '-', hex(64)),
  ),
  'a token of a Telegram bot': parts(number(10), ':AA', safe(33)),
  'a token of a Discord bot': fc
    .tuple(fc.bigInt({ min: 10n ** 17n, max: 10n ** 19n }), safe(6), safe(38))
    .map(([id, middle, end]) => `${Buffer.from(String(id)).toString('base64url')}.${middle}.${end}`),
  'a Google key': parts('AIza', safe(35)),
  'a Stripe key': parts('sk_live_', word(24)),
  'a Hugging Face token': parts('hf_', drawn(letters, 34)),
  'an npm token': word(30).map((text) => gitHubToken(text, 'npm')),
  'an access token of Deckhand': fc.constant(0).map(() => newAccessToken()),
};

/** What was drawn can repeat itself or count up by chance, and is taken for made up then. */
function drawnWell(key: string): boolean {
  const end = [...key.slice(-24)];
  const rising = end.map((char, at) => (char.charCodeAt(0) - (end[at - 1]?.charCodeAt(0) ?? 0) === 1 ? '1' : '0')).join('');
  return new Set(end).size >= 12 && !rising.includes('11111');
}

test.each(Object.entries(kinds))('%s is taken out wherever it stands, and nothing else is', (name, key) => {
  const plain = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => withoutCertainKeys(text).found.length === 0);
  const beside = fc.constantFrom(' ', '\n', '"', "'", '`', '=', '(', ')', '<', '>', ',', ': ');
  fc.assert(
    fc.property(plain, beside, key.filter(drawnWell), beside, plain, (before, left, typed, right, after) => {
      const { text, found } = withoutCertainKeys(`${before}${left}${typed}${right}${after}`);
      expect(found).toEqual([name]);
      expect(text).toBe(`${before}${left}[redacted ${name.replace(/^an? /, '')}]${right}${after}`);
      expect(withoutCertainKeys(text)).toEqual({ text, found: [] });
      expect(revokeText(found)).toMatch(/\.$/);
    }),
    { numRuns: 30 },
  );
});

test('what is longer, shorter, or has another checksum is no key', () => {
  // By its first part the number of a bot is certain, and its last is of several lengths.
  const { 'a token of a Discord bot': _, ...exact } = kinds;
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(exact)).chain((key) => key.filter(drawnWell)),
      (key) => {
        for (const text of [key.slice(0, -1), `${key}a`, `a${key}`]) {
          // The end of a private part can be one of another kind by itself only where its whole form is in it.
          expect(withoutCertainKeys(text).text).toBe(text);
        }
      },
    ),
    { numRuns: 150 },
  );
  const good = gitHubToken('zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ');
  expect(good).toBe(['ghp', 'zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17'].join('_'));
  expect(withoutCertainKeys(good).found).toEqual(['a GitHub token']);
  expect(withoutCertainKeys(good.replace('0mLq17', '0mLq18')).found).toEqual([]);
});

// In pieces, so that no scanner of repositories takes them for keys.
const id = ['AKIA', '3SGQVB7Z5KXN2LPT'].join('');
const hook = ['https://hooks.slack.com', 'services', 'T0123ABCD', 'B0123ABCD', ''].join('/');
const secret = 'q7Jm0x/Vb2+Zr5Tn8Kc1Wd4Ys6Lf9Hg3Pa0Qe2Ru';

test.each([
  [`aws_secret_access_key = ${secret}`, 'aws_secret_access_key = [redacted secret key of AWS]'],
  [`AWS_SECRET_ACCESS_KEY="${secret}"`, 'AWS_SECRET_ACCESS_KEY="[redacted secret key of AWS]"'],
  [`${id} ${secret}`, `${id} [redacted secret key of AWS]`],
  [`${hook}q7Jm0xVb2Zr5Tn8Kc1Wd4Ys6`, `${hook}[redacted address of a Slack webhook]`],
])('of %s the secret part is taken out', (text, clean) => {
  expect(withoutCertainKeys(text).text).toBe(clean);
});

test('a private key is taken out whole, also between other lines; a public one, and a word about one, is not', () => {
  const body = randomBytes(600)
    .toString('base64')
    .replaceAll(/(.{64})/g, '$1\n');
  const pem = (kind: string) => `-----BEGIN ${kind}KEY-----\n${body}\n-----END ${kind}KEY-----`;
  for (const kind of ['PRIVATE ', 'RSA PRIVATE ', 'OPENSSH PRIVATE ']) {
    expect(withoutCertainKeys(`use\n${pem(kind)}\nfor it`).text).toBe('use\n[redacted private key]\nfor it');
  }
  for (const text of [pem('PUBLIC '), 'why does it say -----BEGIN PRIVATE KEY----- there?']) {
    expect(withoutCertainKeys(text)).toEqual({ text, found: [] });
  }
});

test.each([
  'use AKIAIOSFODNN7EXAMPLE with wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  `which service uses ${id}?`,
  'why does the scanner take ghp_0123456789abcdefghijABCDEFGHIJ012345 for a token',
  'a placeholder such as sk-ant-api03-abcdefghijklmnop or glpat-xxxxxxxxxxxxxxxxxxxx',
  'revert 3f9c2e1b7d6a5f4e8c9b0a1d2e3f4a5b6c7d8e9f and d41d8cd98f00b204e9800998ecf8427e',
  'task 0192f0c1-2a3b-7c4d-8e5f-60718293a4b5 at https://example.com/a/b?c=ZGVja2hhbmQgZGVja2hhbmQgZGVja2hhbmQ=',
  'at 1234567890:30 the job sk-learn-pipeline-nightly-build-2026-11-22 failed',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
  'postgres://app:correct-horse@localhost/app',
])('leaves what is no key for certain: %s', (text) => {
  expect(withoutCertainKeys(text)).toEqual({ text, found: [] });
});

test('taking keys out takes little time, whatever the text', () => {
  const texts = [
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN PRIVATE KEY-----\nMIIE',
    'glpat-',
    'sk-',
    'AKIA',
    'xoxb-1',
    'aws_secret_key=  ',
    'a',
    '1',
    'M',
  ];
  const since = performance.now();
  for (const text of texts) withoutCertainKeys(text.repeat(Math.ceil(40_000 / text.length)));
  expect(performance.now() - since).toBeLessThan(2000);
});
