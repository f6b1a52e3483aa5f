import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { isRecord } from './json.ts';

/** One stored fact: the newest value of `key` in `table`; `null` says it is gone. */
export interface JournalRecord {
  table: string;
  key: string;
  value: unknown;
}

export interface Journal {
  append(record: JournalRecord): void;
  close(): void;
}

const FILE = 'journal.ndjson';
/** Rewrite once the file holds this many lines more than three times the live records. */
const SLACK_LINES = 5_000;

/**
 * Append-only journal in `directory`. A record is in the operating system's hands when `append` returns, so it survives
 * SIGKILL of this process. A torn last line (killed while writing) is cut off on open; anything else unreadable throws.
 *
 * `load` receives the stored records in order before this function returns; `snapshot` lists the live records when the
 * journal is rewritten.
 */
export function openJournal(
  directory: string,
  load: (record: JournalRecord) => void,
  snapshot: () => Iterable<JournalRecord>,
): Journal {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, FILE);
  let lines = existsSync(path) ? replay(path, load) : 0;
  let file = openSync(path, 'a', 0o600);
  let nextCheck = lines;

  function rewrite(): void {
    const records = [...snapshot()];
    nextCheck = records.length * 3 + SLACK_LINES;
    if (lines <= nextCheck) return;
    const temporary = `${path}.new`;
    const target = openSync(temporary, 'w', 0o600);
    for (const record of records) writeSync(target, line(record));
    fsyncSync(target);
    closeSync(target);
    renameSync(temporary, path);
    closeSync(file);
    file = openSync(path, 'a', 0o600);
    lines = records.length;
  }

  rewrite();
  return {
    append(record) {
      writeSync(file, line(record));
      lines += 1;
      if (lines > nextCheck) rewrite();
    },
    close() {
      closeSync(file);
    },
  };
}

function line({ table, key, value }: JournalRecord): string {
  return `${JSON.stringify([table, key, value])}\n`;
}

function replay(path: string, load: (record: JournalRecord) => void): number {
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end < bytes.length) truncateSync(path, end);
  const entries = bytes.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
  entries.forEach((entry, index) => {
    load(parse(entry, `${path}:${index + 1}`));
  });
  return entries.length;
}

function parse(entry: string, place: string): JournalRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(entry);
  } catch (cause) {
    throw new Error(`${place} is not a journal record; move the file away to start with an empty workspace`, { cause });
  }
  if (
    !Array.isArray(parsed) ||
    typeof parsed[0] !== 'string' ||
    typeof parsed[1] !== 'string' ||
    !(parsed[2] === null || isRecord(parsed[2]))
  ) {
    throw new Error(`${place} is not a journal record; move the file away to start with an empty workspace`);
  }
  return { table: parsed[0], key: parsed[1], value: parsed[2] };
}
