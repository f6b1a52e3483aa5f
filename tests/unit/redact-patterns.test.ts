import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRedactor, redactText } from '../../src/runtime/redact-patterns.ts';

const key = `-----BEGIN OPENSSH PRIVATE KEY-----\n${'b3BlbnNzaC1rZXktdjEAAAAA\n'.repeat(4)}-----END OPENSSH PRIVATE KEY-----`;

// Put together from pieces, so that no scanner takes this file for a leak.
test.each([
  ['a Slack bot token', `xoxb${'-123456789012-1234567890123-abcdefABCDEF'}`],
  ['a Slack app token', `xapp${'-1-A012ABCDEFG-1234567890-0123456789abcdef'}`],
  ['a Slack configuration token', `xoxe.xoxp${'-1-Mi0yLTEyMzQ1Njc4OTA'}`],
  ['a Slack webhook', `https://hooks.slack.com/${'services/T000/B000/XXXXXXXXXXXXXXXX'}`],
  ['a GitHub token', `ghp${'_0123456789abcdefghijABCDEFGHIJ012345'}`],
  ['a fine-grained GitHub token', `github_pat${'_11ABCDEFG0123456789_abcdefghijklmnopqrstuvwxyz'}`],
  ['a GitLab token', `glpat${'-0123456789abcdefghij'}`],
  ['an Anthropic key', `sk-ant${'-api03-abcdefghijklmnop_qrstuv'}`],
  ['an OpenAI key', `sk-proj${'-abcdefghijklmnopqrstuvwxyz0123456789'}`],
  ['an AWS key id', `AKIA${'IOSFODNN7EXAMPLE'}`],
  ['a Google key', `AIza${'SyA1234567890abcdefghijklmnopqrstuv'}`],
  ['a Hugging Face token', `hf${'_abcdefghijKLMNOPQRSTuvwxyzABCDEFGH'}`],
  ['an npm token', `npm${'_0123456789abcdefghijABCDEFGHIJ012345'}`],
  ['a Stripe key', `sk_live${'_0123456789abcdefABCDEF'}`],
  ['a Telegram token', `123456789${':AAabcdefghijklmnopqrstuvwxyz0123456'}`],
  ['a Discord token', `MTIzNDU2Nzg5MDEyMzQ1Njc4${'.GabcdE.abcdefghijklmnopqrstuvwxyz0123456789AB'}`],
  ['a JSON web token', `eyJhbGciOiJIUzI1NiJ9${'.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'}`],
  ['a private key', key],
  ['a private key that is cut off', key.slice(0, 100)],
  ['a private key inside JSON', JSON.stringify(key).slice(1, -1)],
])('%s is blanked out wherever it stands', (_what, secret) => {
  for (const text of [secret, `token=${secret}`, `"${secret}"`, `see <${secret}>, then`, `${secret}\nnext line`]) {
    const clean = redactText(text, []);
    expect(clean).not.toContain(secret);
    expect(clean).not.toContain(secret.slice(-12));
    expect(clean).toContain('[redacted ');
  }
});

test('what is around a secret stays: scheme, user, host', () => {
  expect(redactText('Authorization: Bearer abcdefghijklmnop.qrst==', [])).toBe('Authorization: Bearer [redacted]');
  expect(redactText('clone https://ada:s3cret@example.com/web.git now', [])).toBe(
    'clone https://ada:[redacted]@example.com/web.git now',
  );
  expect(redactText(`AWS_SECRET_ACCESS_KEY="q7Jm0x/${'Vb2+Zr5Tn8Kc1Wd4Ys6Lf9Hg3Pa0Qe2Ru'}" aws s3 ls`, [])).toBe(
    'AWS_SECRET_ACCESS_KEY="[redacted]" aws s3 ls',
  );
  expect(redactText('postgresql://deckhand:p%40ss@/db?host=/run', [])).toBe('postgresql://deckhand:[redacted]@/db?host=/run');
});

test.each([
  'npm install left-pad@1.3.0 && git push origin main',
  'commit 3f9c2e1d8b7a6f5e4d3c2b1a0f9e8d7c6b5a4f3e',
  'at Object.start (src/store/embedded-postgres.ts:233:15)',
  'https://example.com:8080/path?time=12:30:45',
  'sk-learn and sk-1 are words, as are xoxo and bearer of news',
  'user@example.com wrote to git@github.com:acme/web.git',
  '{"tokens": 41000, "keys": ["a", "b"]}',
])('ordinary text stays as it is: %s', (text) => {
  expect(redactText(text, [])).toBe(text);
});

test('a known secret is blanked out in every form it is written in', () => {
  const secret = 'p"ss wörd/+\\&';
  const redact = createRedactor([secret]);
  const forms = [secret, JSON.stringify(secret), encodeURIComponent(secret), Buffer.from(secret).toString('base64')];
  for (const form of forms) expect(redact(`before ${form} after`)).toMatch(/^before "?\[redacted\]"?=* after$/);
});

test('each line of a known key file is blanked out, and words shorter than a secret are not', () => {
  const redact = createRedactor(['first-long-line-0001\nsecond-long-line-0002', 'abc', '']);
  expect(redact('second-long-line-0002 alone; abc')).toBe('[redacted] alone; abc');
});

test('the longer of two known secrets wins', () => {
  expect(redactText('secret-and-more', ['secret', 'secret-and-more'])).toBe('[redacted]');
});

test('no known secret survives, whatever surrounds it, and redacting again changes nothing', () => {
  const secret = fc
    .string({ minLength: 8, maxLength: 40 })
    .filter((text) => text.trim().length >= 8 && !'[redacted]'.includes(text.trim()));
  fc.assert(
    fc.property(secret, fc.string(), fc.string(), (known, before, after) => {
      const redact = createRedactor([known]);
      const clean = redact(`${before}${known}${after}`);
      expect(clean.includes(known.trim())).toBe(false);
      expect(redact(clean)).toBe(clean);
    }),
  );
});

test('a megabyte of hostile text takes well under a second', () => {
  const hostile = [
    '-----BEGIN PRIVATE KEY-----'.repeat(40_000),
    'https://a:'.repeat(100_000),
    `${'a'.repeat(1_000_000)}:`,
    'Bearer '.repeat(150_000),
    'eyJ'.repeat(350_000),
  ];
  for (const text of hostile) {
    const since = performance.now();
    redactText(text, ['known-secret']);
    expect(performance.now() - since).toBeLessThan(2_000);
  }
});
