/**
 * The right to do something that only one process of the installation may do, e.g. to poll Telegram with one token. Held until it is
 * released, the holder dies or loses the database.
 */
export interface Lease {
  /** Fires when the right is lost; the holder stops at once. */
  readonly lost: AbortSignal;
  /** Idempotent. */
  release(): Promise<void>;
}

/** Waits for the right named so; rejects only when `signal` fires. */
export type AcquireLease = (name: string, signal: AbortSignal) => Promise<Lease>;
