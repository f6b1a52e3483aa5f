import { type ChainedLine, type HashedLine, lineHash } from '../store/audit-line.ts';

/** Gives lines their places behind the end of a chain. Pure. */
export function chainLines(
  head: { seq: number; hash: string },
  lines: readonly Omit<ChainedLine, 'seq' | 'prev'>[],
): HashedLine[] {
  let { seq, hash: prev } = head;
  return lines.map((waiting) => {
    seq += 1;
    const line = { ...waiting, seq, prev };
    const hashed: HashedLine = { v: 1, ...line, hash: lineHash(line) };
    prev = hashed.hash;
    return hashed;
  });
}
