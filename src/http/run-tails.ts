import { apiEvent } from '../contracts/api.ts';
import type { EventLog, RunEvent } from '../contracts/run-event.ts';
import { createLoop, type Loop } from '../runtime/loop.ts';
import type { Wakeups } from '../store/wakeups.ts';
import { eventFrame } from './event-frames.ts';

/** Events of a run as bytes of a stream, in order and without holes. */
export interface Frames {
  /** Empty when there is nothing that readers are shown among these events. */
  bytes: Buffer;
  /** Number of the last event. */
  to: number;
}

/** A reader of the log of one run. Each reads at its own speed and remembers by itself how far it is. */
export interface TailReader {
  /**
   * What follows after event `after`: at once when it is there, else as soon as it is. Undefined: the run is over and nothing follows. Rejects
   * when the reader has left, or the log cannot be read.
   */
  next(after: number): Promise<Frames | undefined>;
  /** Idempotent; ends a `next` that waits. */
  leave(): void;
}

export interface RunTails {
  /** `lastSeq`, `over`: how the log stood when the run was looked up. */
  join(run: string, at: { lastSeq: number; over: boolean }): TailReader;
}

export interface RunTailsDeps {
  log: Pick<EventLog, 'read'>;
  wakeups: Pick<Wakeups, 'subscribe'>;
  logger: { warn(context: object, message: string): void };
  /** Told how old each event is when readers get it. Milliseconds. */
  onLag?: ((ms: number) => void) | undefined;
}

/** Events that are read at once; each is at most some 32 KiB. */
const pageEvents = 100;
/** What a tail keeps for readers that are a little behind. */
const keptBytes = 1024 * 1024;
const keptPages = 256;
/** How long a tail sleeps without a wake-up before it looks by itself. */
const pollMs = 2000;
/** Time between two looks while events come quickly: what comes meanwhile is read and written together. */
const gatherMs = 8;

/**
 * One reader of the database for each run, however many follow it: what it reads is made into bytes once and written to all of them. Whoever is
 * behind what is kept (a reader that has just come, or is slow) reads the log by itself, a page at a time, and so delays nobody.
 */
export function createRunTails(deps: RunTailsDeps): RunTails {
  const tails = new Map<string, Tail>();
  return {
    join(run, at) {
      const tail = tails.get(run) ?? new Tail(run, at.lastSeq, deps, () => tails.delete(run));
      tails.set(run, tail);
      if (at.over) tail.end(at.lastSeq);
      return tail.join();
    },
  };
}

/** Events that were read together, as bytes. */
interface Page {
  after: number;
  to: number;
  bytes: Buffer;
  /** Where each event begins in `bytes`. */
  starts: { seq: number; at: number }[];
}

/** How a reader is told that there is something to look at. */
interface Waiting {
  left: boolean;
  wake(): void;
}

class Tail {
  readonly #run: string;
  readonly #deps: RunTailsDeps;
  readonly #onEmpty: () => void;
  readonly #readers = new Set<Waiting>();
  readonly #pages: Page[] = [];
  #keptBytes = 0;
  /** The last event that was read for all. */
  #head: number;
  /** The terminal event was read. */
  #terminal = false;
  /** The last event, once the run is over. */
  #last: number | undefined;
  /** Looks for new events while somebody follows and the run is not over. */
  readonly #looks: Loop;
  #unsubscribe: (() => void) | undefined;
  /** Pages that readers who are behind are waiting for, by where they begin: many that come at once read once. */
  readonly #underWay = new Map<number, Promise<RunEvent[]>>();

  constructor(run: string, head: number, deps: RunTailsDeps, onEmpty: () => void) {
    this.#run = run;
    this.#head = head;
    this.#deps = deps;
    this.#onEmpty = onEmpty;
    this.#looks = createLoop({
      name: 'tail',
      idleMs: pollMs,
      gapMs: gatherMs,
      run: () => this.#look(),
      onError(error, failures) {
        if (failures === 1) deps.logger.warn({ err: error, run }, 'events of a run cannot be read now');
      },
    });
  }

  join(): TailReader {
    const reader: Waiting = { left: false, wake: () => undefined };
    this.#readers.add(reader);
    if (this.#unsubscribe === undefined && this.#last === undefined) {
      this.#unsubscribe = this.#deps.wakeups.subscribe('run', this.#run, this.#looks.wake);
      this.#looks.start();
    }
    return {
      next: (after) => this.#next(reader, after),
      leave: () => {
        reader.left = true;
        reader.wake();
        if (!this.#readers.delete(reader) || this.#readers.size > 0) return;
        this.#onEmpty();
        this.#stop();
      },
    };
  }

  /** The run is over, and `last` is its last event as far as is known. */
  end(last: number): void {
    this.#last = Math.max(last, this.#last ?? 0);
    this.#stop();
    for (const reader of this.#readers) reader.wake();
  }

  #stop(): void {
    this.#unsubscribe?.();
    void this.#looks.stop();
  }

  async #next(reader: Waiting, after: number): Promise<Frames | undefined> {
    while (!reader.left) {
      const page = this.#pages.findLast((one) => one.after <= after && after < one.to);
      if (page !== undefined) return { bytes: tailOf(page, after), to: page.to };
      if (this.#last !== undefined && after >= this.#last) return undefined;
      const known = Math.max(this.#head, this.#last ?? 0);
      if (after < known) {
        const events = await this.#read(after);
        // Old runs have gaps: what is not there any more is passed over.
        return events.length === 0 ? { bytes: Buffer.alloc(0), to: known } : pageOf(after, events);
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      reader.wake = resolve;
      await promise;
    }
    throw new Error('the reader has left');
  }

  #read(after: number): Promise<RunEvent[]> {
    const known = this.#underWay.get(after);
    if (known !== undefined) return known;
    const reading = this.#deps.log.read(this.#run, after, pageEvents).finally(() => this.#underWay.delete(after));
    this.#underWay.set(after, reading);
    return reading;
  }

  /** Reads a page for all; true when there is probably another one already. */
  async #look(): Promise<boolean> {
    const events = await this.#deps.log.read(this.#run, this.#head, pageEvents);
    if (events.length === 0) return false;
    const page = pageOf(this.#head, events);
    this.#keep(page);
    const now = Date.now();
    for (const { at } of events) this.#deps.onLag?.(Math.max(0, now - at.getTime()));
    const full = events.length === pageEvents;
    this.#terminal ||= events.some(({ data }) => data.type === 'terminal');
    if (this.#terminal && !full) this.end(page.to);
    else for (const reader of this.#readers) reader.wake();
    return full;
  }

  #keep(page: Page): void {
    this.#head = page.to;
    this.#pages.push(page);
    this.#keptBytes += page.bytes.length;
    while (this.#pages.length > 1 && (this.#keptBytes > keptBytes || this.#pages.length > keptPages)) {
      this.#keptBytes -= this.#pages.shift()?.bytes.length ?? 0;
    }
  }
}

function pageOf(after: number, events: readonly RunEvent[]): Page {
  const frames: string[] = [];
  const starts: Page['starts'] = [];
  let at = 0;
  for (const event of events) {
    starts.push({ seq: event.seq, at });
    const shown = apiEvent(event);
    if (shown === undefined) continue;
    const frame = eventFrame(shown);
    frames.push(frame);
    at += Buffer.byteLength(frame);
  }
  return { after, to: events.at(-1)?.seq ?? after, bytes: Buffer.from(frames.join('')), starts };
}

/** The bytes of the events of the page that come after this one. */
function tailOf({ after: first, bytes, starts }: Page, after: number): Buffer {
  if (after === first) return bytes;
  const next = starts.find(({ seq }) => seq > after);
  return next === undefined ? Buffer.alloc(0) : bytes.subarray(next.at);
}
