import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSecretBox, keyId } from '../../src/runtime/secret-box.ts';

const key = randomBytes(32);
const box = createSecretBox([key]);

test('what was sealed opens again, and no two sealed texts are alike', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, context) => {
      const sealed = box.seal(text, context);
      expect(sealed).not.toBe(box.seal(text, context));
      expect(box.open(sealed, context)).toBe(text);
    }),
  );
});

test('a sealed text names its key and shows nothing of the text', () => {
  const sealed = box.seal('xoxb-secret', 'tenant T1');
  expect(sealed).toMatch(new RegExp(`^v1\\.${keyId(key)}\\.[A-Za-z0-9_-]+$`));
  expect(Buffer.from(sealed.split('.')[2] ?? '', 'base64url').toString('latin1')).not.toContain('secret');
});

test('a sealed text does not open in another context, nor altered in any place', () => {
  const sealed = box.seal('a token', 'row 1');
  expect(() => box.open(sealed, 'row 2')).toThrow();
  const body = Buffer.from(sealed.split('.')[2] ?? '', 'base64url');
  for (let at = 0; at < body.length; at += 1) {
    const altered = Buffer.from(body);
    altered[at] = (altered[at] ?? 0) ^ 1;
    expect(() => box.open(`v1.${keyId(key)}.${altered.toString('base64url')}`, 'row 1')).toThrow();
  }
  for (const broken of ['', 'v1', `v1.${keyId(key)}.`, `v1.${keyId(key)}.AAAA`, `v2${sealed.slice(2)}`]) {
    expect(() => box.open(broken, 'row 1')).toThrow();
  }
});

test('after a rotation old texts open and are known as stale', () => {
  const rotated = createSecretBox([randomBytes(32), key]);
  const old = box.seal('kept', 'row');
  expect(rotated.open(old, 'row')).toBe('kept');
  expect(rotated.isStale(old)).toBe(true);
  const fresh = rotated.seal('kept', 'row');
  expect(rotated.isStale(fresh)).toBe(false);
  expect(() => box.open(fresh, 'row')).toThrow(/which is not configured/);
});

test('a key that is not 32 bytes long is refused', () => {
  expect(() => createSecretBox([randomBytes(16)])).toThrow('32 bytes');
});

test('the token for a purpose is the same with the same key, and different for another purpose or key', () => {
  const token = box.tokenFor('gateway of run_1');
  expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(createSecretBox([key]).tokenFor('gateway of run_1')).toBe(token);
  expect(box.tokenFor('gateway of run_2')).not.toBe(token);
  expect(createSecretBox([randomBytes(32)]).tokenFor('gateway of run_1')).not.toBe(token);
});
