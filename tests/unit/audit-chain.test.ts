import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chainLines } from '../../src/audit/chain-lines.ts';
import { createChainCheck } from '../../src/audit/check-chain.ts';
import { createWalk } from '../../src/audit/walk.ts';
import { createSecretBox } from '../../src/runtime/secret-box.ts';
import { strictJson } from '../../src/runtime/strict-json.ts';
import type { WaitingLine } from '../../src/store/audit-chain.ts';
import { type HashedLine, removedText, zeroHash } from '../../src/store/audit-line.ts';

const workspace = 'wsp_1';
const start = { seq: 0, hash: zeroHash };
const text = fc.string({ unit: 'grapheme' });

/** What a JSON column holds. */
const json = fc.jsonValue({ stringUnit: 'grapheme' }).map((value): unknown => JSON.parse(JSON.stringify(value)));

const waitingLine: fc.Arbitrary<WaitingLine> = fc.record({
  workspace: fc.constant(workspace),
  id: text,
  at: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }).map((at) => at.toISOString()),
  actor: fc.option(text, { nil: null }),
  action: text,
  subject: text,
  data: json,
  via: fc.option(json, { nil: null }),
});
const chain = fc.array(waitingLine, { minLength: 2, maxLength: 12 }).map((lines) => chainLines(start, lines));

/** What is wrong with lines that stand in the order of their places, whose last one is known. */
function problemsOf(lines: readonly HashedLine[], end: { seq: number; hash: string }): string[] {
  const check = createChainCheck({ workspace });
  const found = lines.map(check.next).flatMap((problem) => problem?.what ?? []);
  const last = check.end();
  return last.seq === end.seq && last.hash === end.hash ? found : [...found, 'another end'];
}

const endOf = (lines: readonly HashedLine[]) => lines.at(-1) ?? start;

describe('the canonical form', () => {
  test('is the same whatever the order of the keys, and tells the same value again', () => {
    fc.assert(
      fc.property(json, (value) => {
        const shuffled: unknown = JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
          typeof part === 'object' && part !== null && !Array.isArray(part)
            ? Object.fromEntries(Object.entries(part).reverse())
            : part,
        );
        expect(strictJson(shuffled)).toBe(strictJson(value));
        expect(strictJson(JSON.parse(strictJson(value)))).toBe(strictJson(value));
      }),
    );
  });

  test('differs for different values', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        const same = strictJson(one) === strictJson(other);
        const equal = (() => {
          try {
            expect(one).toEqual(other);
            return true;
          } catch {
            return false;
          }
        })();
        // toEqual tells 0 from -0, JSON does not.
        if (same !== equal) expect(JSON.stringify(one)).toBe(JSON.stringify(other));
      }),
    );
  });

  test('is the one that RFC 8785 shows', () => {
    const value: unknown =
      JSON.parse(String.raw`{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`);
    expect(strictJson(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
    const keys: unknown = JSON.parse(
      String.raw`{"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7}`,
    );
    expect(Object.values(JSON.parse(strictJson(keys).replace('"1"', '"one"')))).toEqual([2, 4, 6, 7, 1, 5, 3]);
  });

  test('refuses what has none', () => {
    for (const value of [
      undefined,
      Number.NaN,
      Infinity,
      '\ud800',
      { a: undefined },
      [undefined],
      new Date(),
      { '\udc00': 1 },
      1n,
    ])
      expect(() => strictJson(value), String(value)).toThrow(TypeError);
  });
});

describe('a chain', () => {
  test('that nobody has touched has no problem', () => {
    fc.assert(fc.property(chain, (lines) => void expect(problemsOf(lines, endOf(lines))).toEqual([])));
  });

  test('shows every change of any field of any line', () => {
    const fields = ['workspace', 'seq', 'prev', 'id', 'at', 'actor', 'action', 'subject', 'data', 'via', 'hash'] as const;
    fc.assert(
      fc.property(chain, fc.nat(), fc.constantFrom(...fields), text, (lines, at, field, other) => {
        const place = at % lines.length;
        const line = lines[place];
        fc.pre(line !== undefined && line[field] !== other);
        const changed = lines.map((one, index) =>
          index === place ? { ...one, [field]: field === 'seq' ? one.seq + 1 : other } : one,
        );
        expect(problemsOf(changed, endOf(lines))).not.toEqual([]);
      }),
    );
  });

  test('shows a change whose line was hashed again, and that everything after it was hashed again by its end', () => {
    fc.assert(
      fc.property(chain, fc.nat(), text, (lines, at, subject) => {
        const place = at % lines.length;
        const line = lines[place];
        fc.pre(line !== undefined && line.subject !== subject);
        const before = place === 0 ? start : (lines[place - 1] ?? start);
        const alone = chainLines(before, [{ ...bare(line), subject }]);
        expect(problemsOf([...lines.slice(0, place), ...alone, ...lines.slice(place + 1)], endOf(lines))).not.toEqual([]);
        const all = chainLines(before, [{ ...bare(line), subject }, ...lines.slice(place + 1).map(bare)]);
        expect(problemsOf([...lines.slice(0, place), ...all], endOf(lines))).toEqual(['another end']);
      }),
    );
  });

  test('shows every line that is missing, in the middle, at the beginning and at the end', () => {
    fc.assert(
      fc.property(chain, fc.nat(), fc.integer({ min: 1, max: 3 }), (lines, at, count) => {
        const place = at % lines.length;
        const rest = lines.toSpliced(place, count);
        expect(problemsOf(rest, endOf(lines))).not.toEqual([]);
      }),
    );
  });

  test('shows every line that was put in, also as one of the chain would be', () => {
    fc.assert(
      fc.property(chain, fc.nat(), waitingLine, (lines, at, added) => {
        const place = at % (lines.length + 1);
        const [forged] = chainLines(place === 0 ? start : (lines[place - 1] ?? start), [added]);
        fc.pre(forged !== undefined);
        expect(problemsOf(lines.toSpliced(place, 0, forged), endOf(lines))).not.toEqual([]);
      }),
    );
  });

  test('shows any two lines that were swapped, with their places or without', () => {
    fc.assert(
      fc.property(chain, fc.nat(), fc.nat(), (lines, one, other) => {
        const [a, b] = [lines[one % lines.length], lines[other % lines.length]];
        fc.pre(a !== undefined && b !== undefined && a.seq !== b.seq);
        const swapped = lines.map((line) => (line === a ? b : line === b ? a : line));
        expect(problemsOf(swapped, endOf(lines))).not.toEqual([]);
        const numbered = swapped.map((line, at) => ({ ...line, seq: at + 1 }));
        expect(problemsOf(numbered, endOf(lines))).not.toEqual([]);
      }),
    );
  });

  test('names the first line that is wrong', () => {
    const lines = chainLines(
      start,
      Array.from({ length: 9 }, (_, at) => made(`s${at}`)),
    );
    const changed = lines.map((line) => (line.seq === 4 || line.seq === 7 ? { ...line, subject: 'other' } : line));
    const walk = createWalk({ workspace, whole: true });
    for (const line of changed) walk.next(line);
    expect(walk.done()).toMatchObject({
      problems: 2,
      problem: { seq: 4, id: lines[3]?.id, what: expect.stringContaining('changed') },
    });
  });
});

describe('a chain whose beginning was removed', () => {
  const box = createSecretBox([randomBytes(32)]);
  const lines = chainLines(
    start,
    Array.from({ length: 6 }, (_, at) => made(`s${at}`)),
  );
  const told = (data: object) => chainLines(endOf(lines), [{ ...made(workspace), action: 'audit.removed', data }]);
  const walked = (kept: readonly HashedLine[], check = box.check) => {
    const walk = createWalk({ workspace, whole: true, check });
    for (const line of kept) walk.next(line);
    return walk.done();
  };
  const of = (last: number) => ({ last, hash: lines[last - 1]?.hash ?? '' });

  test('is whole when a signed line says so', () => {
    const data = { ...of(3), first: 1, count: 3, signature: box.sign(removedText(workspace, of(3))) };
    expect(walked([...lines.slice(3), ...told(data)])).toMatchObject({ problems: 0, first: 4, lines: 4 });
  });

  test('is not when no line says so, or another part, or one that was not signed', () => {
    const signed = (last: number) => ({
      ...of(last),
      first: 1,
      count: last,
      signature: box.sign(removedText(workspace, of(last))),
    });
    expect(walked(lines.slice(3))).toMatchObject({ problems: 1, problem: { seq: 3 } });
    expect(walked([...lines.slice(3), ...told(signed(2))])).toMatchObject({ problem: { seq: 3 } });
    const forger = createSecretBox([randomBytes(32)]);
    const forged = { ...signed(3), signature: forger.sign(removedText(workspace, of(3))) };
    expect(walked([...lines.slice(3), ...told(forged)]).problems).toBe(2);
  });
});

function made(subject: string): WaitingLine {
  return {
    workspace,
    id: `aud_${subject}`,
    at: '2026-01-01T00:00:00.000Z',
    actor: null,
    action: 'a.b',
    subject,
    data: {},
    via: null,
  };
}

function bare({ v: _v, seq: _seq, prev: _prev, hash: _hash, ...line }: HashedLine): WaitingLine {
  return line;
}
