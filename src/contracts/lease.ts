/**
 * The right to do something that only one process of the installation may do, e.g. to poll Telegram with one token. Held until it is
 * released, the holder dies or loses the database.
 */
export interface Lease {
  /** Fires when the right is lost; the holder stops at once. */
  readonly lost: AbortSignal;
  /** Grows with every holder of this name: whoever writes with a lower one than the newest has been followed by another. */
  readonly term: number;
  /**
   * Whether it was confirmed so lately that nobody else can have got it by the holder's silence. A process that was paused, or a machine
   * that slept, learns it here, before `lost` can fire; with false it is lost. To be asked right before what cannot be taken back.
   */
  isFresh(): boolean;
  /** Idempotent. */
  release(): Promise<void>;
}

/** Waits for the right named so; rejects only when `signal` fires. */
export type AcquireLease = (name: string, signal: AbortSignal) => Promise<Lease>;
