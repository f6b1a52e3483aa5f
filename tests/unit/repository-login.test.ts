import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasOpenLogin, joinLogin, loginContext, openLogin, sealLogin, splitLogin } from '../../src/runtime/repository-login.ts';
import { createSecretBox } from '../../src/runtime/secret-box.ts';

test.each([
  ['https://bot:hunter2@example.com/acme/web.git', 'https://example.com/acme/web.git', 'bot:hunter2'],
  ['https://token@example.com/acme/web.git', 'https://example.com/acme/web.git', 'token'],
  ['http://ada:two%20words@127.0.0.1:8080/web/.git', 'http://127.0.0.1:8080/web/.git', 'ada:two%20words'],
])('%s', (whole, address, login) => {
  expect(splitLogin(whole)).toEqual({ address, login });
  expect(joinLogin(address, login)).toBe(whole);
});

test.each(['https://example.com/acme/web.git', 'git@example.com:acme/web.git', 'ssh://git@example.com/acme/web', '/srv/web', ''])(
  '%j has no login',
  (address) => expect(splitLogin(address)).toEqual({ address, login: undefined }),
);

test('what is taken out goes back in as it was', () => {
  const part = fc
    .string({ minLength: 1 })
    .map((text) => encodeURIComponent(text.toWellFormed()))
    .filter((text) => text !== '');
  fc.assert(
    fc.property(part, fc.option(part, { nil: undefined }), (user, password) => {
      const whole = new URL(`https://${user}${password === undefined ? '' : `:${password}`}@example.com/acme/web.git`).href;
      const { address, login } = splitLogin(whole);
      expect(address).toBe('https://example.com/acme/web.git');
      expect(joinLogin(address, login ?? '')).toBe(whole);
    }),
  );
});

test('a login that is sealed into an address opens for its project alone, and is sealed once', () => {
  const box = createSecretBox([randomBytes(32)]);
  const whole = 'https://bot:hunter%202@example.com/acme/web.git';
  const sealed = sealLogin(whole, (login) => box.seal(login, loginContext('prj_1')));
  expect(sealed).toMatch(/^https:\/\/sealed:v1\.[\w.-]+@example\.com\/acme\/web\.git$/);
  expect([hasOpenLogin(whole), hasOpenLogin(sealed)]).toEqual([true, false]);
  expect(sealLogin(sealed, () => expect.unreachable())).toBe(sealed);
  expect(openLogin(sealed, (text) => box.open(text, loginContext('prj_1')))).toBe(whole);
  expect(() => openLogin(sealed, (text) => box.open(text, loginContext('prj_2')))).toThrow();
  for (const plain of ['https://example.com/x.git', 'git@example.com:x.git', whole]) {
    expect(openLogin(plain, () => expect.unreachable())).toBe(plain);
  }
});
