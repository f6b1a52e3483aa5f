import type { FileKind, FileStat } from '../src/contracts/run-event.ts';

/** One entry of `git diff-tree --raw --numstat -z`. */
export interface RawChange {
  /** Bytes that are no UTF-8 are U+FFFD. */
  path: string;
  from: string | undefined;
  status: NonNullable<FileStat['status']> | 'modified';
  before: RawSide;
  after: RawSide;
  /** Lines; null for a binary file. */
  added: number | null;
  removed: number | null;
}

interface RawSide {
  /** Octal; undefined where there is nothing. */
  mode: string | undefined;
  object: string;
}

const statuses: Record<string, RawChange['status']> = {
  A: 'added',
  D: 'deleted',
  M: 'modified',
  R: 'renamed',
  C: 'copied',
  T: 'type_changed',
};

/**
 * Reads first all entries of `--raw`, `:<mode> <mode> <object> <object> <status> NUL <path> NUL` with a second path for renames and copies, then
 * those of `--numstat`, `<added> TAB <removed> TAB <path> NUL` or `… TAB NUL <old> NUL <new> NUL`, with `-` for binary files. Throws on
 * anything else.
 */
export function parseChanges(output: Uint8Array): RawChange[] {
  // Each character stands for one byte: names that are no UTF-8 stay apart.
  const fields = Buffer.from(output).toString('latin1').split('\0');
  const changes: RawChange[] = [];
  let at = 0;
  const next = () => {
    const field = fields[at];
    if (field === undefined || at === fields.length - 1) throw unknownForm();
    at += 1;
    return field;
  };
  while (fields[at]?.startsWith(':') === true) changes.push(readRaw(next));
  const counts = new Map<string, Counts>();
  while (at < fields.length - 1) readCounts(next, counts);
  return changes.map((change) => {
    const { added, removed } = counts.get(change.path) ?? { added: 0, removed: 0 };
    const from = change.from === undefined ? undefined : decoded(change.from);
    return { ...change, path: decoded(change.path), from, added, removed };
  });
}

type Counts = Pick<RawChange, 'added' | 'removed'>;

function readRaw(next: () => string): RawChange {
  const match = /^:(\d{6}) (\d{6}) ([0-9a-f]{40,64}) ([0-9a-f]{40,64}) ([A-Z])\d*$/.exec(next());
  const [, oldMode = '', newMode = '', oldObject = '', newObject = '', letter = ''] = match ?? [];
  const status = statuses[letter];
  if (status === undefined) throw unknownForm();
  const first = next();
  const from = status === 'renamed' || status === 'copied' ? first : undefined;
  return {
    path: from === undefined ? first : next(),
    from,
    status,
    before: { mode: modeOf(oldMode), object: oldObject },
    after: { mode: modeOf(newMode), object: newObject },
    added: 0,
    removed: 0,
  };
}

/** A file that changed its type is counted in two entries: what it was, and what it is. */
function readCounts(next: () => string, counts: Map<string, Counts>): void {
  const match = /^(\d+|-)\t(\d+|-)\t([\s\S]*)$/.exec(next());
  if (match === null) throw unknownForm();
  let path = match[3] ?? '';
  if (path === '') {
    next();
    path = next();
  }
  const { added, removed } = counts.get(path) ?? { added: 0, removed: 0 };
  counts.set(path, { added: sum(added, match[1]), removed: sum(removed, match[2]) });
}

function sum(before: number | null, text: string | undefined): number | null {
  return before === null || text === undefined || text === '-' ? null : before + Number(text);
}

/** What git calls a mode, in words; undefined where there is nothing. */
export function kindOf(mode: string | undefined): FileKind | undefined {
  if (mode === undefined) return undefined;
  if (mode.startsWith('12')) return 'symlink';
  if (mode.startsWith('16')) return 'submodule';
  return (Number.parseInt(mode, 8) & 0o111) === 0 ? 'file' : 'executable';
}

function modeOf(mode: string): string | undefined {
  return mode === '000000' ? undefined : mode;
}

function decoded(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function unknownForm(): Error {
  return new Error('git diff-tree gave a line of an unknown form');
}
