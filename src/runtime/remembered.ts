import type { Clock } from './clock.ts';

/** Facts that are looked up elsewhere, each kept for some time. */
export interface Remembered<T> {
  /**
   * What is known, or what `ask` finds in time; what it found last counts while it takes too long or fails. `undefined`: nothing is known.
   * Whoever asks meanwhile waits for the same answer. Never rejects.
   */
  find(key: string, ask: () => Promise<T>): Promise<T | undefined>;
}

export interface RememberedOptions {
  clock: Clock;
  freshMs: number;
  /** So long nothing is asked again after a failure. */
  failedMs: number;
  /** How long callers wait: where nothing is known, and where something is. Default: as long as it takes. */
  patienceMs?: { first: number; again: number };
  onError(error: unknown, key: string): void;
}

const maxKnown = 5_000;

export function createRemembered<T>(options: RememberedOptions): Remembered<T> {
  const { clock, freshMs, failedMs, patienceMs, onError } = options;
  const known = new Map<string, { value: T | undefined; until: number }>();
  const asking = new Map<string, Promise<T | undefined>>();
  const now = () => clock.now().getTime();

  function keep(key: string, value: T | undefined, forMs: number): T | undefined {
    known.delete(key);
    const oldest = known.keys().next().value;
    if (known.size >= maxKnown && oldest !== undefined) known.delete(oldest);
    known.set(key, { value, until: now() + forMs });
    asking.delete(key);
    return value;
  }

  async function askOnce(key: string, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return keep(key, await ask(), freshMs);
    } catch (error) {
      onError(error, key);
      return keep(key, known.get(key)?.value, failedMs);
    }
  }

  return {
    async find(key, ask) {
      const entry = known.get(key);
      if (entry !== undefined && entry.until > now()) return entry.value;
      let question = asking.get(key);
      if (question === undefined) {
        question = askOnce(key, ask);
        asking.set(key, question);
      }
      if (patienceMs === undefined) return question;
      const late = Promise.withResolvers<T | undefined>();
      const timer = setTimeout(late.resolve, entry === undefined ? patienceMs.first : patienceMs.again, entry?.value);
      try {
        return await Promise.race([question, late.promise]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
