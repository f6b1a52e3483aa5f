import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Tx } from '../store/database.ts';
import { hasOwner, setRole } from '../store/people.ts';
import { readMetaLocked, removeMeta, writeMeta } from '../store/workspaces.ts';
import { codeHash, newOneTimeCode } from './one-time-code.ts';

/** Wrong tries before the code is void; a restart makes a new one. */
const maxAttempts = 10;

/** `until`: made on the machine for a workspace that has an owner, who may be out of reach; it counts until then (ISO 8601). */
const storedSchema = z.object({ hash: z.string(), attempts: z.number().int(), until: z.iso.datetime().optional() });

/** How long a code that was made on the machine can be sent. Milliseconds. */
export const ownerCodeLifeMs = 60 * 60_000;

export type ClaimResult = 'claimed' | 'wrong' | 'used_up' | 'has_owner';

/**
 * Makes a new one-time code that makes whoever sends it the owner; any earlier code is void. Only its hash is stored, so this
 * return value is the only copy. Undefined when the workspace has an owner.
 */
export async function newClaimCode(tx: Tx, workspace: string): Promise<string | undefined> {
  if (await hasOwner(tx, workspace)) return undefined;
  const code = newOneTimeCode();
  await writeMeta(tx, metaKey(workspace), JSON.stringify({ hash: codeHash(code), attempts: 0 }));
  return code;
}

/**
 * The same for a workspace that may have owners: they stay what they are, whoever sends the code becomes one more. For whoever has the
 * machine; never to be reached from a chat.
 */
export async function newOwnerCode(tx: Tx, workspace: string, now: Date): Promise<string> {
  const code = newOneTimeCode();
  const until = new Date(now.getTime() + ownerCodeLifeMs).toISOString();
  await writeMeta(tx, metaKey(workspace), JSON.stringify({ hash: codeHash(code), attempts: 0, until }));
  return code;
}

/** Tries a code: the right one makes `user` the owner and is used up with it. Tries are counted, also those at the same time. */
export async function claim(tx: Tx, workspace: string, user: string, code: string, now: Date): Promise<ClaimResult> {
  const text = await readMetaLocked(tx, metaKey(workspace));
  const stored = text === undefined ? undefined : storedSchema.parse(JSON.parse(text));
  const isOver = stored?.until !== undefined && new Date(stored.until) <= now;
  if (isOver || (stored?.until === undefined && (await hasOwner(tx, workspace)))) {
    await removeMeta(tx, metaKey(workspace));
    return (await hasOwner(tx, workspace)) ? 'has_owner' : 'used_up';
  }
  if (stored === undefined) return 'used_up';
  const { hash, attempts } = stored;
  if (!timingSafeEqual(Buffer.from(hash, 'hex'), Buffer.from(codeHash(code), 'hex'))) {
    if (attempts + 1 >= maxAttempts) {
      await removeMeta(tx, metaKey(workspace));
      return 'used_up';
    }
    await writeMeta(tx, metaKey(workspace), JSON.stringify({ ...stored, attempts: attempts + 1 }));
    return 'wrong';
  }
  await removeMeta(tx, metaKey(workspace));
  await setRole(tx, workspace, user, 'owner');
  return 'claimed';
}

function metaKey(workspace: string): string {
  return `claim:${workspace}`;
}
