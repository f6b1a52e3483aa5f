import { strictJson } from '../runtime/strict-json.ts';
import { chainedLines, chainHeads, firstSince, readAtOneMoment } from '../store/audit-chain.ts';
import type { Database } from '../store/database.ts';

/** The first line of an export. */
export interface ExportHeader {
  export: 'deckhand audit 1';
  workspace: string;
  /** `whole`: all that is kept, from the beginning of the chain on. */
  whole: boolean;
}

/** The last line of an export: where the chain ends, as Deckhand has signed it. */
export interface ExportEnd {
  end: { seq: number; hash: string; signature: string | null };
  lines: number;
}

const linesAtOnce = 1_000;

/**
 * Writes a chain as lines of JSON in canonical form (RFC 8785), as it is at one moment: a header, the lines, where it ends. Takes little memory,
 * however long it is; `write` resolves when more can be taken. `since`, or `last`: only lines from a moment on, or the last ones. Returns how many lines
 * of the audit; undefined: the workspace has no chain.
 */
export async function exportChain(
  database: Pick<Database, 'db'>,
  workspace: string,
  options: { since?: Date | undefined; last?: number | undefined },
  write: (text: string) => Promise<void> | void,
): Promise<number | undefined> {
  return await readAtOneMoment(database, (db) => exportLines(db, workspace, options, write));
}

/** The same with what is read from already. Lines that are chained meanwhile are not in it. */
export async function exportLines(
  db: Parameters<typeof chainHeads>[0],
  workspace: string,
  options: { since?: Date | undefined; last?: number | undefined },
  write: (text: string) => Promise<void> | void,
): Promise<number | undefined> {
  const [head] = await chainHeads(db, workspace);
  if (head === undefined) return undefined;
  const { since, last = Number.POSITIVE_INFINITY } = options;
  const first = since === undefined ? 1 : ((await firstSince(db, workspace, since)) ?? head.seq + 1);
  let after = Math.max(first - 1, head.seq - last, 0);
  const header: ExportHeader = { export: 'deckhand audit 1', workspace, whole: after === 0 };
  await write(`${strictJson(header)}\n`);
  let count = 0;
  for (let more = true; more; ) {
    const found = await chainedLines(db, workspace, { after, most: linesAtOnce });
    const lines = found.filter(({ seq }) => seq <= head.seq);
    if (lines.length > 0) await write(lines.map((line) => `${strictJson(line)}\n`).join(''));
    count += lines.length;
    after = lines.at(-1)?.seq ?? after;
    more = lines.length === linesAtOnce;
  }
  const { seq, hash, signature } = head;
  const end: ExportEnd = { end: { seq, hash, signature }, lines: count };
  await write(`${strictJson(end)}\n`);
  return count;
}
