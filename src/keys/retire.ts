import { AppError } from '../contracts/errors.ts';
import { count, duration } from '../delivery/units.ts';
import { type KeyRing, keyId, keyIds } from '../runtime/secret-box.ts';
import { recordAudit } from '../store/audit.ts';
import { installationChain } from '../store/audit-line.ts';
import type { Database } from '../store/database.ts';
import { lockKeys, noteRetired, runsFromBefore } from '../store/secret-keys.ts';
import type { KeySource } from './rotate.ts';
import { having, holderNames, type KeyStanding, keyStanding, sealingWithout } from './standing.ts';

export interface RetireInput {
  database: Pick<Database, 'db' | 'transaction'>;
  source: KeySource;
  /** Its name, or a beginning of it that no other has. */
  key: string;
  /** Does not wait for what may still be on its way, and for runs with tokens that it gave. */
  now: boolean;
  /** Gives up what it has sealed. */
  lose: boolean;
}

export interface RetireReport {
  key: string;
  /** It was in the key file, and is not any more. */
  removed: boolean;
  /** Processes that were given it by a variable. */
  held: string;
}

/** Handles of acts that platforms gave live for up to half an hour, and nothing else that is sealed is on its way for so long. */
const restSeconds = 60 * 60;

/**
 * Gives a former key up: from then on nothing opens that it has sealed. Refused as long as something would be lost by that. Repeatable. Throws
 * DH-131.
 */
export async function retireKey(input: RetireInput): Promise<RetireReport> {
  const { database, source, lose } = input;
  return await database.transaction(async (tx) => {
    await lockKeys(tx);
    const ring = source.ring();
    const standing = await keyStanding(tx.db, keyIds(ring));
    const key = chosen(standing, input.key);
    const runs = await runsFromBefore(tx.db, key);
    const refusal = refusalOf(standing, key, { ...input, runs });
    if (refusal !== undefined) throw new AppError('DH-131', { id: key, ...refusal });
    const lost = standing.sealed.get(key)?.rows ?? 0;
    if (await noteRetired(tx, key))
      await recordAudit(tx, { workspace: installationChain, action: 'key.retired', subject: key, data: { lost, lose } });
    const kept = ring.filter((one) => keyId(one) !== key);
    const removed = source.write !== undefined && kept.length < ring.length;
    // The row is there when the key is gone: where the transaction fails after all, the next call notes it.
    if (removed) source.write?.(kept as unknown as KeyRing);
    return { key, removed, held: holderNames(having(standing.holders, key)) };
  });
}

/** Throws DH-131. */
function chosen({ ring, keys, sealed }: KeyStanding, name: string): string {
  const known = [...new Set([...ring, ...keys.map(({ id }) => id), ...sealed.keys()])];
  const found = known.filter((id) => id.startsWith(name));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new AppError('DH-131', {
    id: name,
    why: found.length === 0 ? 'there is no such key' : `it may be any of ${found.join(', ')}`,
    remedy: `Known: ${known.join(', ')}.`,
  });
}

/** Pure. Undefined: nothing speaks against it. */
export function refusalOf(
  standing: KeyStanding,
  key: string,
  { now, lose, runs }: { now: boolean; lose: boolean; runs: number },
): { why: string; remedy: string } | undefined {
  const rotate = '`deckhand keys rotate` changes to another key first.';
  if (key === standing.ring[0]) return { why: 'it is the one that seals', remedy: rotate };
  const known = standing.keys.find(({ id }) => id === key);
  const left = standing.sealed.get(key);
  if (left !== undefined && !lose) {
    const where = left.places.map(({ place, rows }) => `${place}: ${rows}`).join(', ');
    return {
      why: `${count(left.rows, 'row')} are sealed with it (${where})`,
      remedy: '`deckhand keys rotate` seals them with the newest key; `--lose` gives them up.',
    };
  }
  if (known?.replacedAt === null && !lose) return { why: 'it is noted as the one that seals', remedy: rotate };
  const behind = sealingWithout(standing.holders, standing.ring[0]).filter(({ keys }) => keys[0] === key);
  if (behind.length > 0)
    return { why: `${holderNames(behind)} seal with it`, remedy: 'Give them the new key, restart them, and rotate once more.' };
  if (!lose && known !== undefined && known.resealedAt === null)
    return { why: 'the change of the key is not done', remedy: '`deckhand keys rotate` goes on with it.' };
  const rest = restSeconds - (known?.replacedFor ?? restSeconds);
  if (rest > 0 && !now)
    return {
      why: `it was replaced only ${duration((known?.replacedFor ?? 0) * 1000)} ago, so answers to presses may still need it`,
      remedy: `Try again in ${duration(rest * 1000)}, or at once with \`--now\`: such answers then come as direct messages.`,
    };
  if (runs > 0 && !now)
    return {
      why: `${count(runs, 'run')} from before its change may use a token that it gave`,
      remedy: 'Try again when they have ended, or at once with `--now`: they lose their models when their runner starts anew.',
    };
  return undefined;
}
