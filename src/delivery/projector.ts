import type { OutboxPut } from '../contracts/outbox.ts';
import type { Platform } from '../contracts/platform.ts';
import type { RunEvent } from '../contracts/run-event.ts';
import { isTerminal } from '../contracts/states.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createLoop } from '../runtime/loop.ts';
import type { Database } from '../store/database.ts';
import { eventsAfter, projectedSeqs, runsBehind } from '../store/projection.ts';
import type { Wakeups } from '../store/wakeups.ts';
import { asideCards, readReceipts } from './agent-receipts.ts';
import { baseCards } from './base-cards.ts';
import { changedByThemselves } from './card-clock.ts';
import { type CardFacts, factsOf, readCardFacts } from './card-facts.ts';
import { directNotices } from './direct-notices.ts';
import { oneCards, type Shown, toldApart } from './one-card.ts';
import { otherRuns } from './other-runs.ts';
import { countEvents, type Entry, fresh, progress, progressInterval, takeFigures } from './projected-run.ts';
import { publicationCards } from './publication-cards.ts';
import { oldPullNewsCards, pullNewsCards } from './pull-news-cards.ts';
import { readOn } from './read-run.ts';
import { type CardInput, endCardsOf, runCards } from './run-cards.ts';
import type { RunFigure } from './run-figures.ts';
import { emptyRunView, foldRuns } from './run-view.ts';
import { type CardStep, storeCards } from './store-cards.ts';
import { digest } from './upload.ts';

export interface ProjectorOptions {
  database: Database;
  wakeups: Pick<Wakeups, 'subscribe'>;
  clock: Clock;
  logger: Logger;
  /** Address of docs/errors.md, when error codes can link to it. */
  docs?: string | undefined;
  /** Platforms whose threads take one message for each run. Default: none. */
  oneCard?: ReadonlySet<Platform> | undefined;
  /** Told what is to be counted of runs: each figure once, over all projectors of a database. */
  onFigures?: ((figures: readonly RunFigure[]) => void) | undefined;
}

/** How far apart two looks are that no wake-up asked for. */
const idleMs = 500;
const gapMs = 25;
const scanMs = 2000;
const scanAllMs = 60_000;
const clockMs = 5000;
const eventsAtOnce = 500;
const runsAtOnce = 25;
/** A run whose log cannot be read, or whose cards cannot be made, is tried again after this. */
const brokenMs = 30_000;

interface Facts {
  own: CardFacts;
  /** Of the runs before those that show for the first time, and of those after whose cards show what befalls an earlier change. */
  others: CardFacts | undefined;
}

/**
 * Folds new run events into views and puts what every thread of the task must show, in one transaction with the step of the cursor:
 * a crash anywhere loses and doubles nothing, and of two projectors one wins each step. What people act on is put at once, output and what
 * agents do is gathered: the more runs are live, the longer, because a platform takes only so many edits a minute.
 */
export function createProjector(options: ProjectorOptions): Part {
  const projector = new Projector(options);
  return { name: 'projector', start: () => projector.start(), stop: () => projector.stop() };
}

class Projector {
  readonly #options: ProjectorOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #asked = new Set<string>();
  /** Runs whose log could not be read, each with when that is tried again. */
  readonly #unreadable = new Map<string, number>();
  readonly #loop: ReturnType<typeof createLoop>;
  #unsubscribe: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #scannedAt = Number.NEGATIVE_INFINITY;
  #scannedAllAt = Number.NEGATIVE_INFINITY;
  #clockAt = Number.NEGATIVE_INFINITY;

  constructor(options: ProjectorOptions) {
    this.#options = options;
    this.#loop = createLoop({
      name: 'projector',
      run: () => this.#look(),
      idleMs,
      gapMs,
      onError: (error, failures) => options.logger.error({ err: error, failures }, 'runs could not be projected'),
    });
  }

  async start(): Promise<void> {
    const { wakeups } = this.#options;
    this.#unsubscribe = [
      wakeups.subscribe('run', undefined, (run) => {
        if (run === '') this.#scannedAt = Number.NEGATIVE_INFINITY;
        else this.#asked.add(run);
        this.#loop.wake();
      }),
      wakeups.subscribe('queue', undefined, () => {
        this.#clockAt = Math.min(this.#clockAt, performance.now() - clockMs + 1000);
      }),
    ];
    this.#loop.start();
  }

  async stop(): Promise<void> {
    for (const end of this.#unsubscribe) end();
    await this.#loop.stop();
    clearTimeout(this.#timer);
  }

  async #look(): Promise<boolean> {
    await this.#scan();
    const asked = this.#takeAsked();
    try {
      await this.#read(asked);
    } catch (error) {
      for (const run of asked) this.#asked.add(run);
      throw error;
    }
    await this.#tick();
    const now = performance.now();
    const interval = progressInterval(this.#entries.size);
    for (const [run, { view, from }] of this.#entries) if (isTerminal(view.state) && view.seq <= from) this.#entries.delete(run);
    const waiting = [...this.#entries].filter(
      ([, entry]) => entry.view.seq > 0 && (entry.urgent || entry.refresh || entry.view.seq > entry.from),
    );
    const dueAt = ({ urgent, putAt, notBefore }: Entry) => Math.max(notBefore, urgent ? 0 : putAt + interval);
    const due = waiting
      .filter(([, entry]) => dueAt(entry) <= now)
      .sort(([, one], [, other]) => Number(other.urgent) - Number(one.urgent));
    await this.#put(due.slice(0, runsAtOnce).map(([run]) => run));
    if (due.length > runsAtOnce || this.#asked.size > 0) return true;
    const next = Math.min(...waiting.map(([, entry]) => dueAt(entry)).filter((at) => at > now));
    clearTimeout(this.#timer);
    if (next !== Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#loop.wake(), next - now);
    return false;
  }

  /** Views that must be made again from a long log come a few at a time, so that the others need not wait for them. */
  #takeAsked(): string[] {
    const now = performance.now();
    for (const [run, until] of this.#unreadable) (until <= now ? this.#unreadable : this.#asked).delete(run);
    const known = [...this.#asked].filter((run) => this.#entries.has(run));
    const unknown = [...this.#asked].filter((run) => !this.#entries.has(run)).slice(0, runsAtOnce);
    const taken = [...known, ...unknown];
    for (const run of taken) this.#asked.delete(run);
    return taken;
  }

  /** Finds runs that no wake-up told about. */
  async #scan(): Promise<void> {
    const now = performance.now();
    const all = now - this.#scannedAllAt >= scanAllMs;
    if (!all && now - this.#scannedAt < scanMs) return;
    const found = await runsBehind(this.#options.database.db, all ? 'all' : { known: [...this.#entries.keys()] });
    for (const run of found) this.#asked.add(run);
    this.#scannedAt = now;
    if (all) this.#scannedAllAt = now;
  }

  /** Folds what is new into the views; a view that is missing is made again from the whole log, `evenDone` when cards show all of it. */
  async #read(runs: readonly string[], evenDone = false): Promise<void> {
    const { db } = this.#options.database;
    const unknown = runs.filter((run) => !this.#entries.has(run));
    if (unknown.length > 0) {
      for (const [run, { projected, last }] of await projectedSeqs(db, unknown)) {
        if (last > projected || evenDone) this.#entries.set(run, fresh(run, projected));
      }
    }
    const known = runs.filter((run) => this.#entries.has(run));
    for (let at = 0; at < known.length; at += runsAtOnce) await this.#follow(known.slice(at, at + runsAtOnce));
  }

  /** Reads these runs to the end of their logs. */
  async #follow(runs: readonly string[]): Promise<void> {
    let wanted = runs;
    while (wanted.length > 0) {
      const read = await eventsAfter(
        this.#options.database.db,
        wanted.map((run) => ({ run, after: this.#entries.get(run)?.view.seq ?? 0 })),
        eventsAtOnce,
        (run, error) => this.#leave(run, error),
      );
      for (const [run, events] of read) this.#fold(run, events);
      wanted = [...read].filter(([run, events]) => events.length === eventsAtOnce && this.#entries.has(run)).map(([run]) => run);
    }
  }

  #fold(run: string, events: readonly RunEvent[]): void {
    const entry = this.#entries.get(run);
    if (entry === undefined) return;
    try {
      entry.view = foldRuns(entry.view, events);
      entry.urgent ||= events.some(({ seq, data }) => seq > entry.from && !progress.has(data.type));
      countEvents(entry, events);
    } catch (error) {
      this.#leave(run, error);
    }
  }

  #leave(run: string, error: unknown): void {
    this.#options.logger.error({ err: error, run }, 'the log of a run cannot be read: its cards stay as they are');
    this.#entries.delete(run);
    this.#unreadable.set(run, performance.now() + brokenMs);
  }

  /** Asks for cards that change without an event: a clock that moved on, another place in the queue. */
  async #tick(): Promise<void> {
    if (performance.now() - this.#clockAt < clockMs) return;
    this.#clockAt = performance.now();
    const { database, clock } = this.#options;
    const changed = await changedByThemselves(database, clock.now(), (run) => this.#entries.get(run)?.shown);
    await this.#read(
      changed.map(({ run }) => run),
      true,
    );
    for (const { run, shown } of changed) {
      const entry = this.#entries.get(run);
      if (entry !== undefined) Object.assign(entry, { refresh: true, shown });
    }
  }

  /** Puts the cards of these runs and takes the steps of their cursors, in one transaction. */
  async #put(runs: readonly string[]): Promise<void> {
    if (runs.length === 0) return;
    const { database, logger } = this.#options;
    const steps: CardStep[] = [];
    const facts = await this.#facts(runs);
    for (const run of runs) {
      const entry = this.#entries.get(run);
      if (entry === undefined) continue;
      try {
        const puts = await this.#cards(entry, facts);
        steps.push({
          run,
          from: entry.from,
          to: entry.view.seq,
          puts: puts
            .filter((put) => entry.put.get(put.key) !== digestOf(put))
            .map((put) => ({ ...put, traceparent: facts.own.runs.get(run)?.traceparent })),
        });
      } catch (error) {
        logger.error({ err: error, run }, 'the cards of a run cannot be made');
        entry.notBefore = performance.now() + brokenMs;
      }
    }
    if (steps.length === 0) return;
    const won = await storeCards(database, steps, (run, error) => {
      logger.error({ err: error, run }, 'the cards of a run cannot be stored');
      const entry = this.#entries.get(run);
      if (entry !== undefined) entry.notBefore = performance.now() + brokenMs;
    });
    for (const { run, to, puts } of steps) if (won.get(run) === 'won') this.#advanced(run, to, puts);
    const lost = steps.map(({ run }) => run).filter((run) => won.get(run) === 'lost');
    if (lost.length > 0) await this.#lost(lost);
  }

  async #facts(runs: readonly string[]): Promise<Facts> {
    const { database, docs, clock } = this.#options;
    const source = factsOf(database);
    const facts = await readCardFacts(source, runs, { now: clock.now(), docs });
    const others = [...facts.runs.values()].flatMap((run) => otherRuns(run, this.#entries.get(run.run)));
    return {
      own: facts,
      others: others.length === 0 ? undefined : await readCardFacts(source, others, { now: clock.now(), docs }),
    };
  }

  async #cards(entry: Entry, facts: Facts): Promise<OutboxPut[]> {
    const { view } = entry;
    const input = await facts.own.input(view);
    if (input === undefined) return [];
    const { many, one } = this.#toldApart(input);
    const cards = [
      ...runCards(many, !entry.urgent),
      ...oneCards(one, many.contexts),
      ...directNotices(input, input.direct),
      ...asideCards(many, entry.from),
      ...publicationCards(many, entry.from),
      ...pullNewsCards(many, entry.from),
      ...baseCards(many, entry.from),
      ...(await readReceipts(this.#options.database.db, input, entry.from)),
    ];
    const known = facts.own.runs.get(view.run);
    for (const run of known === undefined ? [] : otherRuns(known, entry)) {
      const other = await facts.others?.input(await readOn(this.#options.database.db, emptyRunView(run)));
      if (other === undefined) continue;
      const shown = this.#toldApart(other);
      cards.push(...endCardsOf(shown.many), ...oldPullNewsCards(shown.many), ...oneCards(shown.one, shown.many.contexts));
    }
    return cards;
  }

  #toldApart(input: CardInput): Shown {
    return toldApart(input, this.#options.oneCard ?? new Set());
  }

  #advanced(run: string, to: number, puts: readonly OutboxPut[]): void {
    const entry = this.#entries.get(run);
    if (entry === undefined) return;
    const figures = takeFigures(entry, to, this.#options.clock.now());
    if (figures.length > 0) this.#options.onFigures?.(figures);
    entry.from = to;
    entry.urgent = false;
    entry.refresh = false;
    entry.putAt = performance.now();
    for (const put of puts) entry.put.set(put.key, digestOf(put));
  }

  /** Another projector was there first, or somebody wrote to the run just then: look again where it stands. */
  async #lost(runs: readonly string[]): Promise<void> {
    const seqs = await projectedSeqs(this.#options.database.db, runs);
    for (const run of runs) {
      const entry = this.#entries.get(run);
      const seq = seqs.get(run)?.projected;
      if (entry === undefined || seq === undefined) {
        this.#entries.delete(run);
      } else if (seq === entry.from) {
        entry.notBefore = performance.now() + gapMs;
      } else {
        entry.figures.drop(seq);
        entry.behindSince = undefined;
        entry.from = seq;
        entry.put.clear();
        if (seq >= entry.view.seq) Object.assign(entry, { urgent: false, refresh: false });
        this.#asked.add(run);
      }
    }
  }
}

function digestOf({ payload }: OutboxPut): string {
  return digest(payload);
}
