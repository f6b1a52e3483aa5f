import type { Tx } from '../store/database.ts';
import { sealedCounts } from '../store/sealed-places.ts';
import { type KeyHolder, type KnownKey, keyHolders, knownKeys } from '../store/secret-keys.ts';

/** What is sealed with a key: how many rows, and where. */
export interface SealedWith {
  rows: number;
  places: { place: string; rows: number }[];
}

/** All that is known of the secret keys of an installation. */
export interface KeyStanding {
  /** Names of the keys at hand, that which seals first. */
  ring: readonly [string, ...string[]];
  keys: KnownKey[];
  sealed: ReadonlyMap<string, SealedWith>;
  holders: KeyHolder[];
}

/** Looks at the database as it is now. `ring`: names of the keys at hand. */
export async function keyStanding(db: Tx['db'], ring: readonly [string, ...string[]]): Promise<KeyStanding> {
  const keys = await knownKeys(db);
  const known = new Set([...ring, ...keys.map(({ id }) => id)]);
  const sealed = new Map<string, SealedWith>();
  for (const { place, brief, key, rows } of await sealedCounts(db)) {
    // In what people have written something may look like a sealed text.
    if (brief && !known.has(key)) continue;
    const found = sealed.get(key) ?? { rows: 0, places: [] };
    sealed.set(key, { rows: found.rows + rows, places: [...found.places, { place, rows }] });
  }
  return { ring, keys, sealed, holders: await keyHolders(db) };
}

/**
 * Whether a change of the key is under way: the key that seals is not the one that is noted, or one at hand that was replaced may still have sealed
 * something. Pure.
 */
export function isChanging({ ring, keys, sealed }: KeyStanding): boolean {
  const [current, ...older] = ring;
  const noted = keys.filter(({ replacedAt }) => replacedAt === null).map(({ id }) => id);
  const isNew = keys.length > 0 && (noted.length !== 1 || noted[0] !== current);
  const isOpen = keys.some(
    ({ id, replacedAt, resealedAt }) => older.includes(id) && replacedAt !== null && (resealedAt === null || sealed.has(id)),
  );
  return isNew || isOpen;
}

/** The processes that cannot read what this key seals. */
export function lacking(holders: readonly KeyHolder[], key: string): KeyHolder[] {
  return holders.filter(({ source, keys }) => source === 'environment' && !keys.includes(key));
}

/** The processes that seal with another key than this one. Who has a key file reads it again at the next use. */
export function sealingWithout(holders: readonly KeyHolder[], key: string): KeyHolder[] {
  return holders.filter(({ source, keys }) => source === 'environment' && keys[0] !== key);
}

/** The processes that have this key. */
export function having(holders: readonly KeyHolder[], key: string): KeyHolder[] {
  return holders.filter(({ source, keys }) => source === 'environment' && keys.includes(key));
}

/** `gateway on host_1, runner on host_2` */
export function holderNames(holders: readonly KeyHolder[]): string {
  return holders.map(({ role, host }) => `${role} on ${host}`).join(', ');
}
