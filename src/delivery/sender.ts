import { setTimeout as delay } from 'node:timers/promises';
import type { Lease } from '../contracts/lease.ts';
import { type Priority, priorities } from '../contracts/outbox.ts';
import type { Conversation, Platform } from '../contracts/platform.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { createLeadership } from '../store/leadership.ts';
import { changedRows, pastCalls, Superseded, senderLease, type WaitingRow, waitingRows } from '../store/outbox-rows.ts';
import { type Call, createLedger, type Ledger } from './budget.ts';
import { type Permit, SenderStopped } from './delivery.ts';
import { showDrafts } from './drafts.ts';
import { sendRow } from './send-row.ts';
import type { SenderOptions } from './sender-options.ts';
import { type Taken, type Turn, takeTurns } from './turns.ts';
import { attemptedOperation, groupOf, type RowTurn, turnOf } from './waiting.ts';

/** How far apart two looks for rows are that no wake-up told about. */
const pollMs = 2000;
const pollSeconds = 60;
const gapMs = 10;
/** Platform calls of one tenant under way at once. */
const callsAtOnce = 8;
const longestWindowSeconds = 120;

/**
 * Brings outbox rows to their platforms. Of all processes on one database one sends at a time, so that rate budgets are kept exactly;
 * when it dies the next one takes over and finds in the rows what was under way (promises 5 and 6).
 */
export function createSender(options: SenderOptions): Part {
  const { database, logger } = options;
  const leadership = createLeadership({
    url: database.url,
    name: senderLease,
    lead: (signal, lease) => new Sending(options, lease).run(signal),
    onError: (error) => logger.error({ err: error }, 'the sender lost its place and tries again'),
  });
  return {
    name: 'outbox sender',
    start: () => leadership.start(),
    stop: () => leadership.stop(),
  };
}

interface PermitTurn extends Turn {
  grant(permit: Permit): void;
}

/** One term of leading. */
class Sending {
  readonly #options: SenderOptions;
  readonly #ledgers = new Map<Platform, Ledger>();
  readonly #directs = new Map<Platform, Map<string, Conversation>>();
  readonly #rows = new Map<string, RowTurn | WaitingRow>();
  /** Since when rows that were read anew have been held up by a rate budget. */
  readonly #held = new Map<string, number>();
  readonly #permits = new Set<PermitTurn>();
  /** Rows under way, and whether something about them changed meanwhile. */
  readonly #underWay = new Map<string, { changed: boolean; group: string; lane: string | undefined; done: Promise<void> }>();
  /** Tenants whose platform did not answer: when to try again, one call at a time. */
  readonly #quiet = new Map<string, { until: number; failures: number }>();
  readonly #asked = new Set<string>();
  #askAll: 'no' | 'recent' | 'all' = 'all';
  #wake: () => void = () => undefined;
  #woken = false;
  #signal: AbortSignal = AbortSignal.abort();
  readonly #lease: Lease;
  /** Fires when a row told that another leads, before the lease did. */
  readonly #followed = new AbortController();

  constructor(options: SenderOptions, lease: Lease) {
    this.#options = options;
    this.#lease = lease;
    for (const [platform, adapter] of options.adapters) {
      this.#ledgers.set(platform, createLedger(adapter.capabilities.budgets));
      this.#directs.set(platform, new Map());
    }
  }

  async run(leads: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([leads, this.#followed.signal]);
    this.#signal = signal;
    await this.#recall();
    const unsubscribe = this.#options.wakeups.subscribe('outbox', undefined, (id) => this.#ask(id));
    const poll = setInterval(() => this.#ask(''), pollMs);
    const { database, adapters, wakeups, logger, onCall } = this.#options;
    const drafts = showDrafts(
      {
        database,
        adapters,
        wakeups,
        logger,
        onCall,
        permit: (platform, call) => this.#permitForDraft(platform, call),
        pause: (platform, call, ms) => this.#ledgers.get(platform)?.pause(call, performance.now() + ms, performance.now()),
      },
      signal,
    );
    const stop = () => this.#rouse();
    signal.addEventListener('abort', stop);
    try {
      while (!signal.aborted && this.#lease.isFresh()) {
        this.#woken = false;
        const looked = performance.now();
        const sleepMs = await this.#look().catch((error: unknown) => {
          this.#options.logger.error({ err: error }, 'the outbox could not be read');
          this.#askAll = 'all';
          return 1000;
        });
        await this.#sleep(sleepMs);
        // What comes in a burst is read together.
        await delay(Math.max(0, gapMs - (performance.now() - looked)));
      }
    } finally {
      signal.removeEventListener('abort', stop);
      clearInterval(poll);
      unsubscribe();
      await Promise.all([drafts, ...[...this.#underWay.values()].map(({ done }) => done)]);
    }
  }

  /** What earlier lives used of the budgets still counts. */
  async #recall(): Promise<void> {
    const past = await pastCalls(this.#options.database, longestWindowSeconds);
    // Looked at after the answer: each call then counts as later than it was, never as earlier.
    const now = performance.now();
    for (const { operation, platform, tenant, channel, id, externalId, agoMs } of past) {
      const call: Call = { operation, tenant, conversation: channel, message: externalId ?? id };
      this.#ledgers.get(platform)?.recall(call, now - agoMs);
    }
    // Calls that a dead sender has begun may have reached the platform until just now.
    for (const row of await waitingRows(this.#options.database, 'attempted')) {
      const turn = this.#turn(row, now);
      if (turn === undefined) continue;
      turn.ledger.recall({ ...turn.call, operation: attemptedOperation(row) ?? turn.call.operation }, performance.now());
    }
  }

  #ask(id: string): void {
    if (id !== '') this.#asked.add(id);
    else if (this.#askAll === 'no') this.#askAll = 'recent';
    const underWay = this.#underWay.get(id);
    if (underWay !== undefined) underWay.changed = true;
    this.#rouse();
  }

  #rouse(): void {
    this.#woken = true;
    this.#wake();
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#woken || this.#signal.aborted) return await new Promise(setImmediate);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = ms === Number.POSITIVE_INFINITY ? undefined : setTimeout(resolve, Math.min(ms, 60_000));
    await promise;
    clearTimeout(timer);
    this.#wake = () => undefined;
  }

  /** Reads what is new and starts whatever may go now. Returns how long nothing else can happen by itself. */
  async #look(): Promise<number> {
    await this.#read();
    const now = performance.now();
    const turns: (RowTurn | PermitTurn)[] = [...this.#permits];
    for (const [id, row] of this.#rows) {
      const turn = 'row' in row ? row : this.#turn(row, now);
      if (turn === undefined) continue;
      if (turn !== row) {
        turn.heldSince = this.#held.get(id);
        this.#held.delete(id);
        this.#rows.set(id, turn);
      }
      if (!this.#underWay.has(id)) turns.push(turn);
    }
    const busyLanes = new Set([...this.#underWay.values()].flatMap(({ lane }) => (lane === undefined ? [] : [lane])));
    const { taken, wakeAt } = takeTurns(turns, { now, busyLanes, room: (group) => this.#room(group, now) });
    for (const one of taken) {
      this.#countWait(one.turn, now);
      if ('grant' in one.turn) this.#grant(one.turn, one.end);
      else this.#send(one.turn, one);
    }
    const quietUntil = Math.min(
      ...[...this.#quiet.values()].map(({ until }) => (until > now ? until : Number.POSITIVE_INFINITY)),
    );
    return Math.max(0, Math.min(wakeAt, quietUntil) - performance.now());
  }

  async #read(): Promise<void> {
    const all = this.#askAll;
    const ids = [...this.#asked];
    this.#askAll = 'no';
    this.#asked.clear();
    const { database } = this.#options;
    if (all === 'all') this.#keep(await waitingRows(database, 'all'));
    else if (all === 'recent') ids.push(...(await changedRows(database, pollSeconds, (id) => this.#stampOf(id))));
    if (ids.length === 0 || all === 'all') return;
    const found = await waitingRows(database, { ids });
    this.#keep(found);
    const waiting = new Set(found.map(({ id }) => id));
    for (const id of ids) {
      if (waiting.has(id) || this.#underWay.has(id)) continue;
      this.#held.delete(id);
      this.#rows.delete(id);
    }
  }

  #stampOf(id: string): string | undefined {
    const row = this.#rows.get(id);
    return row === undefined || 'stamp' in row ? row?.stamp : row.row.stamp;
  }

  #keep(rows: readonly WaitingRow[]): void {
    for (const row of rows) {
      if (this.#underWay.has(row.id)) continue;
      const known = this.#rows.get(row.id);
      if (known !== undefined && 'row' in known && known.heldSince !== undefined) this.#held.set(row.id, known.heldSince);
      this.#rows.set(row.id, row);
    }
  }

  #turn(row: WaitingRow, now: number): RowTurn | undefined {
    const { adapters, settleMs = 10_000 } = this.#options;
    const adapter = adapters.get(row.platform);
    const ledger = this.#ledgers.get(row.platform);
    const directs = this.#directs.get(row.platform);
    if (adapter === undefined || ledger === undefined || directs === undefined) return undefined;
    return turnOf(row, { now, settleMs, capabilities: adapter.capabilities, ledger, directs });
  }

  #room(group: string, now: number): number {
    const quiet = this.#quiet.get(group);
    if (quiet !== undefined && quiet.until > now) return 0;
    const busy = [...this.#underWay.values()].filter((one) => one.group === group).length;
    return (quiet === undefined ? callsAtOnce : 1) - busy;
  }

  #countWait(turn: RowTurn | PermitTurn, now: number): void {
    if (turn.heldSince === undefined) return;
    const platform = 'row' in turn ? turn.row.platform : [...this.#ledgers].find(([, ledger]) => ledger === turn.ledger)?.[0];
    if (platform !== undefined) this.#options.onRateWait?.({ platform, cause: 'budget', ms: now - turn.heldSince });
  }

  #grant(turn: PermitTurn, end: (at: number) => void): void {
    this.#permits.delete(turn);
    turn.grant(permit(turn.call, end));
  }

  /** Leave for a further call of a row under way; counted and ordered like any other. */
  #permitFor(row: WaitingRow, priority: Priority, ledger: Ledger, call: Call): Promise<Permit> {
    const since = performance.now() - row.waitingMs;
    const urgent = row.payloadType === 'form';
    return this.#wait({ since, priority, urgent, call, ledger, place: row.id, group: `permit|${groupOf(row)}` });
  }

  /** Leave for a call of no row: after everything else. */
  #permitForDraft(platform: Platform, call: Call): Promise<Permit> {
    const ledger = this.#ledgers.get(platform);
    if (ledger === undefined) throw new Error(`no adapter for ${platform}`);
    const group = `permit|${platform}|${call.tenant}`;
    return this.#wait({ since: performance.now(), priority: priorities.progress, urgent: false, call, ledger, place: '', group });
  }

  #wait(turnOfCall: Omit<PermitTurn, 'notBefore' | 'lane' | 'grant'>): Promise<Permit> {
    const { promise, resolve, reject } = Promise.withResolvers<Permit>();
    const turn: PermitTurn = { ...turnOfCall, notBefore: performance.now(), lane: undefined, grant: resolve };
    this.#permits.add(turn);
    const abort = () => {
      this.#permits.delete(turn);
      reject(new SenderStopped());
    };
    if (this.#signal.aborted) abort();
    else this.#signal.addEventListener('abort', abort, { once: true });
    this.#rouse();
    return promise.finally(() => this.#signal.removeEventListener('abort', abort));
  }

  #send(turn: RowTurn, taken: Taken<RowTurn | PermitTurn>): void {
    const { row, ledger, group, lane } = turn;
    const { adapters, database, logger, readArtifact, openSecret, drawChart, onCall } = this.#options;
    const adapter = adapters.get(row.platform);
    const directs = this.#directs.get(row.platform);
    if (adapter === undefined || directs === undefined) throw new Error(`no adapter for ${row.platform}`);
    const entry = { changed: false, group, lane, done: Promise.resolve() };
    this.#underWay.set(row.id, entry);
    entry.done = sendRow(row, permit(turn.call, taken.end), {
      database,
      clock: this.#options.clock ?? systemClock,
      adapter,
      lease: this.#lease,
      readArtifact,
      openSecret,
      drawChart,
      directs,
      onCall,
      logger,
      permit: (call) => this.#permitFor(row, turn.priority, ledger, call),
      lookUpAfterMs: this.#options.lookUpAfterMs,
      expired: turn.expiresAt !== undefined && turn.expiresAt <= performance.now(),
    })
      .then((sent) => {
        if (sent.outcome !== undefined) {
          const { platform, payloadType: type } = row;
          const ms = performance.now() - turn.since;
          this.#options.onSent?.({ platform, type, outcome: sent.outcome, merged: sent.merged ?? 0, ms });
        }
        if (sent.answered !== undefined) this.#heard(group, sent.answered);
        if (sent.pause !== undefined) {
          ledger.pause(sent.pause.call, performance.now() + sent.pause.ms, performance.now());
          this.#options.onRateWait?.({ platform: row.platform, cause: 'platform', ms: sent.pause.ms });
        }
        if (sent.waits) entry.changed = true;
        if (row.threadId !== undefined) this.#askThread(row.threadId);
      })
      .catch((error: unknown) => {
        if (error instanceof Superseded) return this.#followed.abort(error);
        entry.changed = true;
        logger.error({ err: error, outbox: row.id }, 'a row could not be sent');
      })
      .finally(() => {
        this.#underWay.delete(row.id);
        this.#held.delete(row.id);
        this.#rows.delete(row.id);
        if (entry.changed) this.#asked.add(row.id);
        this.#rouse();
      });
  }

  /** The thread may have been opened: its other rows know it when they are read again. */
  #askThread(thread: string): void {
    for (const [id, row] of this.#rows) {
      const waiting = 'row' in row ? row.row : row;
      if (waiting.threadId === thread && waiting.thread === undefined && waiting.externalId === undefined) this.#asked.add(id);
    }
  }

  /** A platform that does not answer is asked more and more rarely, until it does. */
  #heard(group: string, answered: boolean): void {
    if (answered) {
      this.#quiet.delete(group);
      return;
    }
    const failures = (this.#quiet.get(group)?.failures ?? 0) + 1;
    this.#quiet.set(group, { failures, until: performance.now() + Math.min(30_000, 250 * 2 ** Math.min(failures, 10)) });
  }
}

function permit(call: Call, end: (at: number) => void): Permit {
  return { call, end: () => end(performance.now()), cancel: () => end(Number.NEGATIVE_INFINITY) };
}
