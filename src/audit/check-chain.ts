import { type HashedLine, lineHash, zeroHash } from '../store/audit-line.ts';

/** The first thing that is wrong with a chain. `seq`: the place it shows at. */
export interface ChainProblem {
  seq: number;
  id?: string | undefined;
  what: string;
}

export interface ChainCheck {
  /** Takes the next line; says what is wrong with it. After a problem the check goes on from that line as it is. */
  next(line: HashedLine): ChainProblem | undefined;
  /** The last line so far, else where the check began. */
  end(): { seq: number; hash: string };
}

/**
 * Checks lines in the order of their places, each against the one before. Finds a line that was changed, removed, inserted or put elsewhere; not an
 * end that was cut off: `end` has to be compared with what is known of it. `after`: the line before the first; absent: the chain is checked
 * from its beginning. Pure.
 */
export function createChainCheck(of: { workspace: string; after?: { seq: number; hash: string } | undefined }): ChainCheck {
  let last = of.after ?? { seq: 0, hash: zeroHash };

  function problem(line: HashedLine): string | undefined {
    if (line.workspace !== of.workspace) return 'it belongs to another workspace';
    if (line.seq <= last.seq) return `it comes after line ${last.seq}`;
    if (line.seq > last.seq + 1)
      return line.seq === last.seq + 2 ? 'the line before it is missing' : missing(last.seq + 1, line.seq - 1);
    if (hashOf(line) !== line.hash) return 'it was changed: its hash is not that of what it says';
    if (line.prev !== last.hash) return 'it does not follow the line before it, which was replaced';
    return undefined;
  }

  return {
    next(line) {
      const what = problem(line);
      last = { seq: line.seq, hash: line.hash };
      return what === undefined ? undefined : { seq: line.seq, id: line.id, what };
    },
    end: () => last,
  };
}

function missing(first: number, last: number): string {
  return `lines ${first} to ${last} before it are missing`;
}

/** What cannot be hashed was not chained like this. */
function hashOf(line: HashedLine): string | undefined {
  try {
    return lineHash(line);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
