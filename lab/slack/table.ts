import type { JournalRecord } from './journal.ts';

/** Records by key, in order of first insertion; every change is written to the journal before the call returns. */
export interface Table<T> {
  name: string;
  get(key: string): T | undefined;
  put(value: T): void;
  remove(key: string): void;
  values(): T[];
  clear(): void;
  /** Takes over a record of the journal. */
  load(record: JournalRecord): void;
  records(): Iterable<JournalRecord>;
}

export function createTable<T>(name: string, keyOf: (value: T) => string, write: (record: JournalRecord) => void): Table<T> {
  const rows = new Map<string, T>();
  return {
    name,
    get: (key) => rows.get(key),
    put(value) {
      const key = keyOf(value);
      rows.set(key, value);
      write({ table: name, key, value });
    },
    remove(key) {
      if (rows.delete(key)) write({ table: name, key, value: null });
    },
    values: () => [...rows.values()],
    clear() {
      for (const key of rows.keys()) write({ table: name, key, value: null });
      rows.clear();
    },
    load({ key, value }) {
      // The journal holds what `put` wrote for this very table.
      if (value === null) rows.delete(key);
      else rows.set(key, value as T);
    },
    *records() {
      for (const [key, value] of rows) yield { table: name, key, value };
    },
  };
}
