import { createHash } from 'node:crypto';
import type { AuditId } from '../contracts/ids.ts';
import { strictJson } from '../runtime/strict-json.ts';

/** The chain of what belongs to no workspace. */
export const installationChain = 'installation';

/** In place of the hash before the first line. */
export const zeroHash = '0'.repeat(64);

/** Actions that the chain itself writes about itself. */
export const chainActions = {
  /** The first line of every chain. `earlier`: id of the last line from before there were chains, or null. */
  began: 'audit.began',
  /** Old lines were removed: `first` to `last` (their places), `hash` of the last one, `count`, `problem` when they were not as chained. */
  removed: 'audit.removed',
  /** The end of the chain was not as it had been left: `seq`, `hash`, `why`. */
  refused: 'audit.head_refused',
  /**
   * The end is signed with another secret key from here on, `to` instead of `from`: all that is signed in the lines before, the last of them `seq`
   * with `hash`, was looked at with the former keys. `problem`: what was wrong with it.
   */
  keyChanged: 'audit.key_changed',
  /** Follows the line of a run that ended: `digest` of its events 1 to `through`. */
  runLog: 'run.log',
} as const;
/** The line that says that a run ended. */
export const runEnded = 'run.ended';
/** The line that says that the log of an old run was made shorter. */
export const logThinned = 'run.log_thinned';

/** A line as it is chained. `at`: ISO 8601 in UTC with milliseconds. `prev`: hash of the line before. */
export interface ChainedLine {
  workspace: string;
  seq: number;
  prev: string;
  id: AuditId | string;
  at: string;
  actor: string | null;
  action: string;
  subject: string;
  data: unknown;
  via: unknown;
}

/** A line as exports have it: its hash is that of the same object without `hash`. */
export interface HashedLine extends ChainedLine {
  v: 1;
  hash: string;
}

/** SHA-256 over the canonical JSON (RFC 8785) of all fields with `v: 1`, hexadecimal. */
export function lineHash(line: ChainedLine): string {
  const { workspace, seq, prev, id, at, actor, action, subject, data, via } = line;
  return sha256(strictJson({ v: 1, workspace, seq, prev, id, at, actor, action, subject, data, via }));
}

/** What the signature of the end of a chain is made over. */
export function headText(workspace: string, { seq, hash }: { seq: number; hash: string }): string {
  return `deckhand audit head\n${workspace}\n${seq}\n${hash}`;
}

/** What the signature in a line that tells of removed ones is made over. */
export function removedText(workspace: string, { last, hash }: { last: number; hash: string }): string {
  return `deckhand audit removed\n${workspace}\n${last}\n${hash}`;
}

/** What the signature in a line that tells of another key is made over. */
export function keyChangedText(
  workspace: string,
  { from, to, seq, hash, problem }: { from: string; to: string; seq: number; hash: string; problem?: string | undefined },
): string {
  return `deckhand audit key changed\n${strictJson({ workspace, from, to, seq, hash, problem: problem ?? null })}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
