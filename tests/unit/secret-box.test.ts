import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSecretBox, type KeyRing, keyId, keyIdOf, keysIn, keyText } from '../../src/runtime/secret-box.ts';

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
  const [token] = box.tokensFor('gateway of run_1');
  expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(createSecretBox([key]).tokensFor('gateway of run_1')).toEqual([token]);
  expect(box.tokensFor('gateway of run_2')).not.toContain(token);
  expect(createSecretBox([randomBytes(32)]).tokensFor('gateway of run_1')).not.toContain(token);
  // What a run was given before a rotation holds after it.
  const next = randomBytes(32);
  expect(createSecretBox([next, key]).tokensFor('gateway of run_1')).toEqual([
    createSecretBox([next]).tokensFor('gateway of run_1')[0],
    token,
  ]);
});

test('a ring opens and checks what any ring with the key of it has made, whatever was rotated and retired meanwhile, and nothing else', () => {
  const step = fc.oneof(
    fc.constant('rotate' as const),
    fc.constant('retire' as const),
    fc.record({ text: fc.string({ unit: 'binary' }), context: fc.string() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let ring: KeyRing = [randomBytes(32)];
      // One box through all of it, as a process that runs on while its keys are changed.
      const running = createSecretBox(() => ring);
      const made: { key: string; text: string; context: string; sealed: string; signature: string }[] = [];
      for (const one of steps) {
        if (one === 'rotate') ring = [randomBytes(32), ...ring];
        else if (one === 'retire') ring = ring.length === 1 ? ring : [ring[0], ...ring.slice(1, -1)];
        else
          made.push({
            ...one,
            key: keyId(ring[0]),
            sealed: running.seal(one.text, one.context),
            signature: running.sign(one.text),
          });
        expect(running.keyIds()).toEqual(ring.map(keyId));
        for (const { key: by, text, context, sealed, signature } of made) {
          expect(keyIdOf(sealed)).toBe(by);
          expect(running.isStale(sealed)).toBe(by !== keyId(ring[0]));
          if (ring.some((known) => keyId(known) === by)) {
            expect(running.open(sealed, context)).toBe(text);
            expect(running.check(signature, text)).toBe('good');
            expect(running.check(signature, `${text}.`)).toBe('bad');
          } else {
            expect(() => running.open(sealed, context)).toThrow('not configured');
            expect(running.check(signature, text)).toBe('unknown_key');
          }
        }
      }
    }),
  );
});

test('keys are written one a line and read again; what is none is refused', () => {
  const ring: KeyRing = [randomBytes(32), randomBytes(32)];
  expect(keysIn(keyText(ring))).toEqual(ring);
  expect(keysIn('')).toBeUndefined();
  expect(keysIn(`${key.toString('base64')}\nshort\n`)).toBeUndefined();
});
