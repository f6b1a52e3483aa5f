import { randomBytes } from 'node:crypto';

/** Ids, node ids and secrets in GitHub's forms. */

export interface Ids {
  next(): number;
  /** The one that was given last. */
  last(): number;
  continueAfter(last: number): void;
}

/** Rising numbers; large enough to look like GitHub's and to never be taken for the number of an issue. */
export function createIds(): Ids {
  let last = 2_480_000_000;
  return {
    next() {
      last += 37;
      return last;
    },
    last: () => last,
    continueAfter(given) {
      last = given;
    },
  };
}

/** `PR_kwDOL…`: the kind can be read, the rest is not for clients to look into. */
export function nodeId(kind: string, id: number): string {
  const bytes = Buffer.alloc(9);
  bytes[0] = 0xce;
  bytes.writeBigUInt64BE(BigInt(id), 1);
  return `${kind}_kwDO${bytes.toString('base64url')}`;
}

/** The number behind a node id of this kind. */
export function idOfNode(kind: string, node: string): number | undefined {
  const start = `${kind}_kwDO`;
  const bytes = node.startsWith(start) ? Buffer.from(node.slice(start.length), 'base64url') : Buffer.alloc(0);
  return bytes.length === 9 ? Number(bytes.readBigUInt64BE(1)) : undefined;
}

/** Letters and digits, as in tokens. */
export function secret(length: number): string {
  let text = '';
  while (text.length < length)
    text += randomBytes(length * 2)
      .toString('base64')
      .replace(/[^A-Za-z0-9]/g, '');
  return text.slice(0, length);
}

/** Milliseconds since 1970 as `2026-11-21T21:00:00Z`. */
export function iso(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

export function isoOrNull(at: number | null): string | null {
  return at === null ? null : iso(at);
}
