import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStreamRedactor, incompleteTail, longestLine, type OutputPiece } from '../../runner/redact.ts';
import { createRedactor } from '../../src/runtime/redact-patterns.ts';

const keyText = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEpAIBAAKCAQEA0123456789abcdefghijklmnopqrstuvwxyz\n'.repeat(4)}-----END RSA PRIVATE KEY-----`;
const secrets = ['hunter2-hunter2', 'ünïcode-sécret', 'first line\nsecond line of the secret\nlast'];
const tokens = [
  'ghp_abcdefghijklmnopqrstuvwxyz0123456789',
  'xoxb-123456789012-abcdefghijkl',
  'Authorization: Bearer abcdefghijklmnop1234567890',
  'https://ada:swordfish@example.com/x',
  'AKIAABCDEFGHIJKLMNOP',
  keyText,
  ...secrets,
];

const redactWhole = createRedactor(secrets);
const decode = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).replaceAll('\0', '\uFFFD');
const join = (pieces: OutputPiece[]) => pieces.map(({ text }) => text).join('');

/** Pushes the bytes in parts of the given lengths, the rest at the end. `each` may act between the parts. */
function stream(bytes: Uint8Array, lengths: readonly number[], flushEach = false, at = 0, shownTo = at): OutputPiece[] {
  const redactor = createStreamRedactor({ secrets, at, shownTo });
  const pieces: OutputPiece[] = [];
  let from = 0;
  for (const length of lengths) {
    pieces.push(...redactor.push(bytes.subarray(from, from + length)));
    if (flushEach) pieces.push(...redactor.flush());
    from += length;
  }
  pieces.push(...redactor.push(bytes.subarray(from)), ...redactor.end());
  expect(redactor.held()).toBe(0);
  return pieces;
}

const word = fc.oneof(
  fc.constantFrom(...tokens),
  fc.string({ maxLength: 12 }),
  fc.constantFrom('\n', '\r\n', '\r', ' ', '\0', '\uFEFF', '€', '🦊', 'ghp_', 'sk-', 'hunter2-', 'first line\n', 'token=', '='),
);
const output = fc.oneof(
  fc.array(word, { maxLength: 30 }).map((words) => Buffer.from(words.join(''))),
  fc
    .array(
      fc.oneof(
        word.map((text) => Buffer.from(text)),
        fc.uint8Array({ maxLength: 6 }).map(Buffer.from),
      ),
      { maxLength: 30 },
    )
    .map(Buffer.concat),
);
const lengths = fc.array(fc.nat({ max: 40 }), { maxLength: 200 });

describe('redacting a stream', () => {
  it('gives the same text however the bytes are cut', () => {
    fc.assert(
      fc.property(output, lengths, (bytes, cuts) => {
        expect(join(stream(bytes, cuts))).toBe(join(stream(bytes, [])));
      }),
      { numRuns: 500 },
    );
  });

  it('gives what redacting the whole text gives', () => {
    fc.assert(
      fc.property(output, lengths, (bytes, cuts) => {
        // A private key that never ends is blanked out here and cannot be recognised there.
        fc.pre(!/-----BEGIN [A-Z ]*PRIVATE KEY-----(?![\s\S]*-----END)/.test(decode(bytes)));
        expect(join(stream(bytes, cuts))).toBe(redactWhole(decode(bytes)));
      }),
      { numRuns: 500 },
    );
  });

  it('numbers the raw bytes without gaps, with pauses and without', () => {
    fc.assert(
      fc.property(output, lengths, fc.boolean(), (bytes, cuts, pauses) => {
        let at = 1000;
        for (const piece of stream(bytes, cuts, pauses, 1000)) {
          expect(piece.from).toBe(at);
          expect(piece.to).toBeGreaterThan(at);
          expect(piece.to - piece.from).toBeLessThanOrEqual(longestLine);
          at = piece.to;
        }
        expect(at).toBe(1000 + bytes.length);
      }),
    );
  });

  it('shows at most three characters of a known secret when the program pauses while writing it', () => {
    fc.assert(
      fc.property(output, lengths, fc.constantFrom(...secrets.slice(0, 2)), (before, cuts, secret) => {
        const bytes = Buffer.concat([before, Buffer.from(`\n${secret}\n`)]);
        const text = join(stream(bytes, [...cuts, ...Array.from({ length: 30 }, () => 1)], true));
        const clean = decode(before);
        const ends = Array.from({ length: secret.length - 3 }, (_, i) => secret.slice(i, i + 4));
        for (const part of ends) if (!clean.includes(part)) expect(text.split(part).length, part).toBe(1);
      }),
    );
  });

  it('shows nothing but its mark of a token when the program pauses at any byte of it', () => {
    for (const token of tokens.slice(0, 5)) {
      const bytes = Buffer.from(`see ${token} there\n`);
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        const text = join(stream(bytes, [cut], true));
        const secret = redactWhole(token).startsWith('[') ? token.slice(5) : token.slice(token.lastIndexOf(':') + 9, -12);
        expect(text, `cut at ${cut}`).not.toContain(secret);
        expect(text).toContain('redacted');
        expect(text.endsWith(' there\n') || token.includes('example.com')).toBe(true);
      }
    }
  });

  it('continues after a crash at every stored position with the text of an uninterrupted run', () => {
    fc.assert(
      fc.property(output, lengths, (bytes, cuts) => {
        const whole = stream(bytes, cuts, true);
        for (const [index, { to }] of whole.entries()) {
          const again = stream(bytes, cuts, false, 0, to);
          expect(again[0]?.from ?? to).toBe(to);
          // Shown before the crash plus shown after it hides what the whole hides.
          const text = join(whole.slice(0, index + 1)) + join(again);
          const clean = redactWhole(decode(bytes));
          for (const token of tokens.slice(0, 5)) if (!clean.includes(token)) expect(text).not.toContain(token);
        }
        const stops = stream(bytes, cuts);
        for (const [index, { to }] of stops.entries()) {
          expect(join(stops.slice(0, index + 1)) + join(stream(bytes, cuts, false, 0, to))).toBe(join(stops));
        }
      }),
    );
  });

  it('does not lose redaction when only the bytes just before the stored position are read again', () => {
    const bytes = Buffer.from(`${'x\n'.repeat(100)}key ghp_abcdefghijklmnopqrstuvwxyz0123456789 end\n`);
    const at = bytes.indexOf('ghp_') - 10;
    const shownTo = bytes.indexOf('ghp_') + 2;
    const text = join(stream(bytes.subarray(at), [3, 4, 5], false, at, shownTo));
    expect(text).toBe('[redacted github token] end\n');
  });

  it('blanks out a private key that never ends', () => {
    const cut = keyText.slice(0, 120);
    expect(join(stream(Buffer.from(`a\n${cut}`), [8, 50, 20], true))).toBe('a\n[redacted private key]');
  });

  it('gives whole lines at once, and an unfinished line at the first pause', () => {
    const redactor = createStreamRedactor({ secrets, at: 0 });
    expect(redactor.push(Buffer.from('one\ntwo\rthr'))).toEqual([{ from: 0, to: 8, text: 'one\ntwo\r' }]);
    expect(redactor.flush()).toEqual([{ from: 8, to: 11, text: 'thr' }]);
    expect(redactor.flush()).toEqual([]);
    expect(redactor.push(Buffer.from('ee\n'))).toEqual([{ from: 11, to: 14, text: 'ee\n' }]);
  });

  it('keeps a character together whose bytes come one by one, and replaces bytes that are none', () => {
    const fox = Buffer.from('🦊');
    const redactor = createStreamRedactor({ secrets: [], at: 0 });
    for (const byte of fox.subarray(0, 3)) {
      redactor.push(Uint8Array.of(byte));
      expect(redactor.flush()).toEqual([]);
    }
    redactor.push(fox.subarray(3));
    expect(redactor.flush()).toEqual([{ from: 0, to: 4, text: '🦊' }]);
    redactor.push(Uint8Array.of(0xff, 0xc3, 0x28, 0x00));
    expect(redactor.flush()).toEqual([{ from: 4, to: 8, text: '\uFFFD\uFFFD(\uFFFD' }]);
    expect(incompleteTail(Uint8Array.of(0xe2, 0x82))).toBe(2);
    expect(incompleteTail(Buffer.from('€'))).toBe(0);
  });

  it('gives lines longer than it holds, whatever they are made of, in linear time', () => {
    for (const text of ['a', 'a ', 'ghp_', 'aaaaaaaaaaaaaaaaaaaa!', '://', 'Bearer ', '-----B', '🦊', '0123456789:']) {
      const bytes = Buffer.from(text.repeat(Math.ceil((3 * longestLine) / text.length)));
      const since = performance.now();
      const pieces = stream(
        bytes,
        Array.from({ length: 97 }, () => 1000),
        true,
      );
      expect(pieces.at(-1)?.to).toBe(bytes.length);
      expect(performance.now() - since, text).toBeLessThan(2000);
    }
  });

  it('redacts several megabytes a second', () => {
    const line = `${new Date(0).toISOString()} info  GET /api/v1/projects/42 200 in 12 ms, agent Mozilla/5.0\n`;
    const chunk = Buffer.from(line.repeat(Math.ceil(32_768 / line.length)));
    const redactor = createStreamRedactor({ secrets, at: 0 });
    const since = performance.now();
    let bytes = 0;
    for (; bytes < 8 * 1024 * 1024; bytes += chunk.length) redactor.push(chunk);
    expect(bytes / 1e6 / ((performance.now() - since) / 1000)).toBeGreaterThan(4);
  });
});
