import { TryLater } from '../access/repository-access.ts';
import { AppError, describeError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { traced } from '../runtime/trace.ts';
import type { Database, Tx } from '../store/database.ts';
import { isDatabaseTrouble } from '../store/database-trouble.ts';
import { dueLanes, type InboxRow, markDone, markFailed, putOff, takeLaneHead } from '../store/inbox.ts';
import type { Wakeups } from '../store/wakeups.ts';

/** What the worker needs of a clock and a logger. */
export interface InboxWorkerOptions {
  database: Database;
  wakeups: Wakeups;
  now(): Date;
  log: {
    error(context: object, message: string): void;
    warn(context: object, message: string): void;
  };
  /** Handles one event in the transaction that marks it done. Throws `AppError` for what the person is to be told. */
  handle(tx: Tx, event: InboundEvent): Promise<void>;
  /** Answers the person with the error, in the transaction that marks the event handled. */
  refuse(tx: Tx, event: InboundEvent, error: AppError): Promise<void>;
  /** Told of every event that is dealt with. */
  onHandled?: ((event: InboundEvent, outcome: 'done' | 'refused' | 'failed') => void) | undefined;
  /** Lanes worked on at once. */
  concurrency: number;
  /** How many events come just now: people wait until they are stored, so the more there are, the fewer lanes are worked on. Default: none. */
  arriving?: (() => number) | undefined;
}

/** Lanes that are worked on however much arrives, so that one that is slow does not stop the others. */
const fewestLanes = 2;

/** An event that fails for an internal reason is tried this often before the person is told. */
const maxAttempts = 4;
/** One that a code host has to answer for first: about an hour and a half. Also while the database itself is in trouble, which is no fault of the event. */
const patientAttempts = 22;
/** Then it is tried again soon: many wait for the same. */
const troubleMs = 5000;
const pollMs = 2000;

/**
 * Works the inbox: one event after another within a lane, lanes side by side. Every event is one transaction with all its effects,
 * so a crash at any point leaves it either pending or done, never half done (promises 1 to 3).
 */
export class InboxWorker {
  readonly #options: InboxWorkerOptions;
  readonly #busy = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  #unsubscribe: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #scanning: Promise<void> | undefined;
  #stopped = true;

  constructor(options: InboxWorkerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopped = false;
    this.#unsubscribe = this.#options.wakeups.subscribe('inbox', undefined, (lane) =>
      lane === '' ? this.#scan() : this.#work(lane),
    );
    this.#timer = setInterval(() => this.#scan(), pollMs);
    this.#scan();
  }

  /** Takes no more events; resolves when those being handled are done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe?.();
    clearInterval(this.#timer);
    await this.#scanning;
    await Promise.all(this.#busy.values());
  }

  /** Finds lanes with work: at start, after a lost wake-up and when an event that was put off is due. */
  #scan(): void {
    if (this.#stopped || this.#scanning !== undefined) return;
    const { database, now, log, concurrency } = this.#options;
    this.#scanning = dueLanes(database, now(), concurrency * 4)
      .then((lanes) => {
        for (const lane of lanes) this.#work(lane);
      })
      .catch((error: unknown) => log.error({ err: error }, 'the inbox could not be read'))
      .finally(() => {
        this.#scanning = undefined;
      });
  }

  #work(lane: string): void {
    if (this.#stopped) return;
    if (this.#busy.has(lane) || this.#busy.size >= this.#lanesAtOnce()) {
      this.#again.add(lane);
      return;
    }
    const work = this.#drain(lane)
      .catch((error: unknown) => this.#options.log.error({ err: error, lane }, 'a lane stopped'))
      .finally(() => {
        this.#busy.delete(lane);
        this.#next(lane);
      });
    this.#busy.set(lane, work);
  }

  /** A lane is free: those that had to wait go on, this one last so that a busy lane never starves another. */
  #next(freed: string): void {
    this.#fill(freed);
    if (this.#busy.size < this.#lanesAtOnce() && this.#again.delete(freed)) this.#work(freed);
  }

  #fill(but: string | undefined): void {
    for (const lane of this.#again) {
      if (this.#busy.size >= this.#lanesAtOnce()) return;
      if (lane === but || this.#busy.has(lane)) continue;
      this.#again.delete(lane);
      this.#work(lane);
    }
  }

  #lanesAtOnce(): number {
    const { concurrency, arriving } = this.#options;
    return Math.min(concurrency, Math.max(fewestLanes, concurrency - (arriving?.() ?? 0)));
  }

  async #drain(lane: string): Promise<void> {
    while (!this.#stopped && (await this.#handleHead(lane))) {
      if (this.#busy.size <= this.#lanesAtOnce()) {
        // Less may be arriving than before.
        this.#fill(undefined);
        continue;
      }
      // It goes on when one of the others is done.
      this.#again.add(lane);
      return;
    }
  }

  /** Handles the oldest event of the lane; false when there is none to handle now. */
  async #handleHead(lane: string): Promise<boolean> {
    const { database, now, handle, onHandled } = this.#options;
    let taken: InboxRow | undefined;
    try {
      const handled = await database.transaction(async (tx) => {
        taken = undefined;
        const row = await takeLaneHead(tx, lane, now());
        if (row === undefined) return false;
        taken = row;
        const { type, conversation } = row.event;
        const about = { inbox: String(row.id), platform: conversation.platform, type, attempt: row.attempts + 1 };
        await traced('handle event', about, () => handle(tx, row.event), { from: row.traceparent, kind: 'takes' });
        await markDone(tx, row, now());
        return true;
      });
      if (handled && taken !== undefined) onHandled?.(taken.event, 'done');
      return handled;
    } catch (error) {
      if (taken === undefined) throw error;
      return await this.#failed(taken, error);
    }
  }

  /** The effects are rolled back. A refusal is answered at once; anything else is tried again, then answered too (promise 4). */
  async #failed(row: InboxRow, error: unknown): Promise<boolean> {
    const { database, now, log, refuse, onHandled } = this.#options;
    const most = error instanceof TryLater || isDatabaseTrouble(error) ? patientAttempts : maxAttempts;
    if (!(error instanceof AppError) && row.attempts + 1 < most) {
      log.warn({ err: error, inbox: row.id.toString(), attempt: row.attempts + 1 }, 'an event failed and is tried again');
      await this.#putOff(row, error);
      return false;
    }
    const reference = `in-${row.id}`;
    const told = error instanceof AppError ? error : new AppError('DH-299', { reference });
    if (!(error instanceof AppError)) log.error({ err: error, reference }, 'an event failed for good');
    try {
      await database.transaction(async (tx) => {
        await refuse(tx, row.event, told);
        const { title, text } = describeError(told.code, told.params);
        if (error instanceof AppError) await markDone(tx, row, now());
        else await markFailed(tx, row, `${title}: ${text}`, now());
      });
    } catch (refusal) {
      // An answer that cannot be written must not block its lane for ever.
      log.error({ err: refusal, reference }, 'an event could not be answered');
      if (row.attempts < 2 * maxAttempts) await this.#putOff(row, refusal);
      else {
        await database.transaction((tx) => markFailed(tx, row, String(refusal), now()));
        onHandled?.(row.event, 'failed');
      }
      return false;
    }
    onHandled?.(row.event, error instanceof AppError ? 'refused' : 'failed');
    return true;
  }

  /** Tries the event again after 0.5, 2, 8 … s, at most every 5 min; every 5 s while the database is in trouble. */
  async #putOff(row: InboxRow, error: unknown): Promise<void> {
    const delayMs = Math.min(500 * 4 ** row.attempts, isDatabaseTrouble(error) ? troubleMs : 300_000);
    await putOff(this.#options.database, row.id, new Date(this.#options.now().getTime() + delayMs), String(error));
    setTimeout(() => this.#scan(), delayMs + 50).unref();
  }
}
