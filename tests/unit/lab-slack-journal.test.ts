import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Journal, type JournalRecord, openJournal } from '../../lab/slack/journal.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-journal-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A journal over a map, as the state uses it. */
function open(): { rows: Map<string, unknown>; journal: Journal; put(key: string, value: Record<string, unknown> | null): void } {
  const rows = new Map<string, unknown>();
  const apply = ({ key, value }: JournalRecord) => (value === null ? rows.delete(key) : rows.set(key, value));
  const journal = openJournal(directory, apply, () => [...rows].map(([key, value]) => ({ table: 't', key, value })));
  return {
    rows,
    journal,
    put(key, value) {
      apply({ table: 't', key, value });
      journal.append({ table: 't', key, value });
    },
  };
}
const file = () => join(directory, 'journal.ndjson');

describe('the journal', () => {
  test('brings back exactly what was written, whatever the order of changes', () => {
    const change = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.option(fc.record({ n: fc.integer(), text: fc.string() })));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        rmSync(directory, { recursive: true, force: true });
        const first = open();
        for (const [key, value] of changes) first.put(key, value);
        first.journal.close();
        const second = open();
        expect([...second.rows]).toEqual([...first.rows]);
        second.journal.close();
      }),
      { numRuns: 50 },
    );
  });

  test('cuts off a torn last line and goes on behind it', () => {
    const first = open();
    first.put('a', { n: 1 });
    first.journal.close();
    appendFileSync(file(), '["t","b",{"n":');
    const second = open();
    expect([...second.rows]).toEqual([['a', { n: 1 }]]);
    second.put('c', { n: 3 });
    second.journal.close();
    const third = open();
    expect([...third.rows.keys()]).toEqual(['a', 'c']);
    third.journal.close();
  });

  test('says which line it cannot read', () => {
    writeFileSync(file(), '["t","a",{"n":1}]\nnonsense\n["t","b",{"n":2}]\n');
    expect(() => open()).toThrow(/journal\.ndjson:2 is not a journal record/);
  });

  test('is rewritten once it is much longer than what lives', () => {
    const first = open();
    for (let n = 0; n < 12_000; n += 1) first.put(`k${n % 10}`, { n });
    const lines = readFileSync(file(), 'utf8').trimEnd().split('\n').length;
    expect(lines).toBeLessThan(6_000);
    first.journal.close();
    const second = open();
    expect([...second.rows]).toEqual([...first.rows]);
    second.journal.close();
  });
});
