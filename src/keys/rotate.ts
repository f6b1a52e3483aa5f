import { randomBytes } from 'node:crypto';
import { changeKey } from '../audit/change-key.ts';
import { AppError } from '../contracts/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { passPoint } from '../runtime/points.ts';
import { createSecretBox, type KeyRing, keyId, keyIds } from '../runtime/secret-box.ts';
import { recordAudit } from '../store/audit.ts';
import { installationChain } from '../store/audit-line.ts';
import type { Database } from '../store/database.ts';
import { type KeyHolder, lockKeys, noteNewKey, noteResealed } from '../store/secret-keys.ts';
import { type ResealReport, resealRows } from './reseal.ts';
import { holderNames, isChanging, keyStanding, lacking, sealingWithout } from './standing.ts';

/** Where the keys of an installation come from. */
export interface KeySource {
  /** As they are at this moment. */
  ring(): KeyRing;
  /** Replaces those of the key file, for all processes on it; undefined: variables set the keys, and only people can change them. */
  write: ((keys: KeyRing) => void) | undefined;
}

export interface RotateInput {
  database: Pick<Database, 'db' | 'transaction'>;
  source: KeySource;
  /** Makes another key though an earlier change has left something that does not open. */
  again: boolean;
  now(): Date;
  logger: Pick<Logger, 'error'>;
}

export interface RotateReport {
  /** The key that seals now. */
  key: string;
  /** It was made by this call; else an earlier change was gone on with, or the key was given. */
  made: boolean;
  replaced: string[];
  resealed: ResealReport[];
  chains: number;
  /** Older keys of which nothing is left: they can be retired. */
  free: string[];
  /** Processes that still seal with another key: after their restart this is to be called again. */
  behind: KeyHolder[];
}

/**
 * Changes the secret key: makes one where the keys are in a file, takes the given one where variables set them; then everything that older ones have
 * sealed or signed is sealed and signed anew. It can be ended at any moment: called again, it goes on where it was, and does not make another key.
 * Running processes go on meanwhile: all keys open all the time. Throws DH-128, DH-129, DH-130.
 */
export async function rotateKeys(input: RotateInput): Promise<RotateReport> {
  const { database, source, now, logger } = input;
  const begun = await begin(input);
  passPoint('keys.noted');
  const secretBox = createSecretBox(source.ring);
  const resealed = await resealRows(database, secretBox, () => passPoint('keys.resealed'));
  const chains = await changeKey({ database, secretBox, logger, now, passed: () => passPoint('keys.signed') });
  const end = await finish(input, begun.key, resealed, chains);
  passPoint('keys.done');
  return { ...begun, resealed, chains, ...end };
}

/** Which key seals from now on: noted in the database when it returns, and given to all who read the file. */
async function begin(input: RotateInput): Promise<Pick<RotateReport, 'key' | 'made' | 'replaced'>> {
  const { database, source, again } = input;
  return await database.transaction(async (tx) => {
    await lockKeys(tx);
    let ring = source.ring();
    const standing = await keyStanding(tx.db, keyIds(ring));
    const isMade = again || !isChanging(standing);
    if (isMade) {
      if (source.write === undefined) throw new AppError('DH-128', { id: keyId(ring[0]) });
      ring = [randomBytes(32), ...ring];
      source.write(ring);
      // From here on everybody seals with the new key, though nothing is noted yet: whoever comes next finds it in the file.
      passPoint('keys.written');
    }
    const [key, ...older] = keyIds(ring);
    const lost = standing.keys.find(
      ({ id, replacedAt, retiredAt }) => id !== key && replacedAt === null && retiredAt === null && !older.includes(id),
    );
    if (lost !== undefined) throw new AppError('DH-130', { id: lost.id });
    const without = lacking(standing.holders, key);
    if (without.length > 0) throw new AppError('DH-129', { id: key, who: holderNames(without) });
    const replaced = await noteNewKey(tx, key, standing.keys.length === 0 ? older : []);
    if (replaced.length > 0)
      await recordAudit(tx, {
        workspace: installationChain,
        action: 'key.changed',
        subject: key,
        data: { from: replaced.join(', '), to: key, made: isMade },
      });
    return { key, made: isMade, replaced };
  });
}

async function finish(
  { database, source }: RotateInput,
  key: string,
  resealed: readonly ResealReport[],
  chains: number,
): Promise<Pick<RotateReport, 'free' | 'behind'>> {
  return await database.transaction(async (tx) => {
    await lockKeys(tx);
    const { ring, sealed, holders } = await keyStanding(tx.db, keyIds(source.ring()));
    const behind = sealingWithout(holders, key);
    const free = behind.length > 0 ? [] : ring.filter((id) => id !== key && !sealed.has(id));
    const done = await noteResealed(tx, free);
    const rows = resealed.reduce((sum, place) => sum + place.rows, 0);
    if (done.length > 0 || rows > 0 || chains > 0)
      await recordAudit(tx, {
        workspace: installationChain,
        action: 'key.resealed',
        subject: key,
        data: { rows, chains, unread: resealed.reduce((sum, place) => sum + place.unread.length, 0), free: done.join(', ') },
      });
    return { free, behind };
  });
}
