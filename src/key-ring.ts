import type { Config } from './config.ts';
import type { KeyRing } from './runtime/secret-box.ts';
import { storedSecretKeys } from './store/data-dir.ts';

type Given = Pick<Config, 'secretKey' | 'otherKeys'>;

/** The keys of an installation: those of the configuration, else those that `stored` has, as they are at each call. */
export function createKeyRing({ secretKey, otherKeys }: Given, stored: () => KeyRing): () => KeyRing {
  if (secretKey !== undefined) {
    const fixed = ringOf([secretKey], otherKeys);
    return () => fixed;
  }
  if (otherKeys.length === 0) return stored;
  let known: { stored: KeyRing; ring: KeyRing } | undefined;
  return () => {
    const now = stored();
    if (known?.stored !== now) known = { stored: now, ring: ringOf(now, otherKeys) };
    return known.ring;
  };
}

/** The keys of an installation that this process does not run; undefined: it has none yet. */
export function keysOf({ secretKey, otherKeys, dataDir }: Given & Pick<Config, 'dataDir'>): KeyRing | undefined {
  const first = secretKey === undefined ? storedSecretKeys(dataDir) : ([secretKey] as const);
  return first === undefined ? undefined : ringOf(first, otherKeys);
}

/** All keys of both, each once. */
export function ringOf([first, ...older]: KeyRing, others: readonly Buffer[]): KeyRing {
  const kept: [Buffer, ...Buffer[]] = [first];
  for (const key of [...older, ...others]) if (!kept.some((known) => known.equals(key))) kept.push(key);
  return kept;
}
