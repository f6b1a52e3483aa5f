import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSealed, openTyped, takenOut, withoutKeys, withSealedLogins } from '../../src/access/typed-secrets.ts';
import { createSecretBox } from '../../src/runtime/secret-box.ts';

test.each([
  ['account add main anthropic sk-ant-api03-abcdefghijklmnop', `account add main anthropic ${takenOut}`],
  ['account add main anthropic key=correct-horse', `account add main anthropic ${takenOut}`],
  ['account set main api_key="two words"', `account set main ${takenOut}`],
  ['  Account set main token=abc', `  Account set main ${takenOut}`],
  ['account key main 0123456789abcdef0123456789abcdef', `account key main ${takenOut}`],
  ['acount add main sk-ant-api03-abcdefghijklmnop', 'acount add main sk-ant-api03-abcdefghijklmnop'],
  ['account ad main sk-ant-api03-abcdefghijklmnop', `account ad main ${takenOut}`],
])('takes what looks like a key out of %s', (text, clean) => {
  expect(withoutKeys(text)).toBe(clean);
});

test.each([
  'account add main anthropic',
  'account add local openai url=http://10.0.0.5:8000/v1 auth=none',
  'account add cheap anthropic models=claude-sonnet-4-5-20250929,claude-haiku-4-5',
  'account set main image=registry.example.org/acme/agents:2026.11.21-3 binary=/opt/claude/2.1.197/bin/claude',
  'account set main auth=bearer',
  'account key main',
  'run fix the login with token=abc',
  'The account page shows the wrong key: fix it in src/components/account-page-0123456789-view.ts',
])('leaves %s as it is', (text) => {
  expect(withoutKeys(text)).toBe(text);
});

test('what is typed for a secret opens for its writer alone, and only as it was sealed', () => {
  const box = createSecretBox([randomBytes(32)]);
  const by = (user: string, tenant = 'T1') => ({
    conversation: { platform: 'slack' as const, tenant, channel: 'D1', kind: 'direct' as const },
    actor: { user, bot: false },
  });
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (text) => {
      const sealed = `sealed:${box.seal(text, 'typed by slack:T1:U1')}`;
      expect(isSealed(sealed)).toBe(true);
      expect(openTyped(sealed, by('U1'), box)).toBe(text);
      expect(openTyped(sealed, by('U2'), box)).toBeUndefined();
      expect(openTyped(sealed, by('U1', 'T2'), box)).toBeUndefined();
      expect(openTyped(text, by('U1'), box)).toBeUndefined();
    }),
    { numRuns: 50 },
  );
});

test('taking keys out takes little time, whatever the text', () => {
  const long = `account add ${'a1-'.repeat(20_000)} ${'key='.repeat(5_000)}`;
  const since = performance.now();
  withoutKeys(long);
  // Of a length at which a pattern that tries every way to part it takes seconds, and with a few more for ever.
  withoutKeys(`account add a1${'.1'.repeat(21)}!`);
  expect(performance.now() - since).toBeLessThan(1000);
});

test('a login in an address that is to become a project is sealed where it stands, and nothing else', () => {
  const seal = (login: string) => `v1.key.${Buffer.from(login).toString('base64url')}`;
  expect(withSealedLogins('project add web https://bot:hunter2@example.com/acme/web.git branch=develop', seal)).toBe(
    `project add web https://sealed:v1.key.${Buffer.from('bot:hunter2').toString('base64url')}@example.com/acme/web.git branch=develop`,
  );
  for (const same of [
    'project add web https://example.com/acme/web.git',
    'project add web git@example.com:acme/web.git',
    'run look at https://bot:hunter2@example.com/x',
  ]) {
    expect(withSealedLogins(same, seal)).toBe(same);
  }
});
