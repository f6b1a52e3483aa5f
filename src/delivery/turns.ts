import type { Priority } from '../contracts/outbox.ts';
import { type Call, type Ledger, scopes } from './budget.ts';

/** Something that wants to make a platform call. */
export interface Turn {
  /** Small first, after the priority: how long it waits already. */
  since: number;
  priority: Priority;
  /** Goes before everything else: what it answers lives for seconds. */
  urgent: boolean;
  call: Call;
  ledger: Ledger;
  /** Not before this moment. */
  notBefore: number;
  /** Turns of one lane go one after another in the order of `place`; undefined: in no order with any other. */
  lane: string | undefined;
  place: string;
  /** Platform and tenant: counted against `perGroup`. */
  group: string;
  /** Since when nothing but a rate budget keeps it from going; undefined: nothing did. */
  heldSince?: number | undefined;
}

export interface Taken<T extends Turn> {
  turn: T;
  /** Says when the call has ended; the budget counts it as under way until then. */
  end(at: number): void;
}

/**
 * Whose turn it is now: by urgency, priority and age, within rate budgets and lanes. What it returns is counted in the ledgers.
 * `wakeAt`: when to ask again if nothing else happens (Infinity: never).
 */
export function takeTurns<T extends Turn>(
  waiting: readonly T[],
  options: { now: number; busyLanes: ReadonlySet<string>; room(group: string): number },
): { taken: Taken<T>[]; wakeAt: number } {
  const { now, busyLanes } = options;
  const heads = laneHeads(waiting);
  const rank = (turn: T): Priority =>
    turn.lane === undefined ? turn.priority : (heads.get(turn.lane)?.priority ?? turn.priority);
  const freeAt = createAvailability(now);
  const rooms = new Map<string, number>();
  const room = (group: string) => {
    const known = rooms.get(group) ?? options.room(group);
    rooms.set(group, known);
    return known;
  };
  let wakeAt = Number.POSITIVE_INFINITY;
  const mayGo = (turn: T): boolean => {
    const allowedAt = freeAt.of(turn, rank(turn));
    const at = Math.max(turn.notBefore, allowedAt);
    if (allowedAt > now && turn.notBefore <= now) turn.heldSince ??= now;
    if (at > now) wakeAt = Math.min(wakeAt, at);
    return at <= now;
  };
  // Thousands may wait for a budget that is used up: they are left out before the rest is put in order.
  const ready = waiting.filter(
    (turn) =>
      (turn.lane === undefined || (heads.get(turn.lane)?.turn === turn && !busyLanes.has(turn.lane))) &&
      room(turn.group) > 0 &&
      mayGo(turn),
  );
  ready.sort(
    (one, other) =>
      Number(other.urgent) - Number(one.urgent) ||
      rank(one) - rank(other) ||
      one.since - other.since ||
      compare(one.place, other.place),
  );
  const taken: Taken<T>[] = [];
  for (const turn of ready) {
    const left = room(turn.group);
    if (left <= 0 || !mayGo(turn)) continue;
    taken.push({ turn, end: turn.ledger.begin(turn.call, now) });
    rooms.set(turn.group, left - 1);
    freeAt.forget();
  }
  return { taken, wakeAt };
}

/**
 * When budgets allow a call, asked once for all that are equal, and from the widest scope to the narrowest: where a thousand wait for what
 * one tenant has used up, that is asked once.
 */
function createAvailability(now: number): { of(turn: Turn, rank: Priority): number; forget(): void } {
  const known = new Map<Ledger, Map<string, number>>();
  return {
    of({ ledger, call }, rank) {
      const answers = known.get(ledger) ?? new Map<string, number>();
      known.set(ledger, answers);
      let key = `${rank}|${call.operation}|${call.opens === true}`;
      for (const scope of scopes) {
        key += `|${call[scope] ?? ''}`;
        let at = answers.get(key);
        if (at === undefined) {
          at = ledger.availableIn(scope, call, rank, now);
          answers.set(key, at);
        }
        // When the narrower ones allow it is looked at then.
        if (at > now) return at;
      }
      return now;
    },
    forget: () => known.clear(),
  };
}

/** The first of each lane, with the highest priority of those that wait behind it: a decision never waits for a card's sake. */
function laneHeads<T extends Turn>(waiting: readonly T[]): Map<string, { turn: T; priority: Priority }> {
  const heads = new Map<string, { turn: T; priority: Priority }>();
  for (const turn of waiting) {
    if (turn.lane === undefined) continue;
    const head = heads.get(turn.lane);
    if (head === undefined) heads.set(turn.lane, { turn, priority: turn.priority });
    else {
      if (turn.place < head.turn.place) head.turn = turn;
      if (turn.priority < head.priority) head.priority = turn.priority;
    }
  }
  return heads;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
