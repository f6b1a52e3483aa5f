/** What people ask for while Deckhand is killed again and again, and the chances of a seed. */

export type Person = 'ada' | 'ben';

/** What one request is to become. */
export type Kind = 'quick' | 'counter' | 'fails' | 'approved' | 'denied' | 'contested' | 'stopped' | 'commits';

export interface Order {
  kind: Kind;
  by: Person;
  how: 'slash' | 'mention';
  channel: 'demo' | 'ops' | 'dm';
}

/** An order as it was typed. A try whose answer never came is not repeated: it may have been heard. */
export interface Posted extends Order {
  /** Stands in the command and nowhere else, for example `chaos-07`. */
  marker: string;
  accepted: boolean;
}

/** Numbers of a seed: the same seed gives each name the same row of numbers. */
export interface Chances {
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number;
  oneOf<T>(all: readonly [T, ...T[]]): T;
  /** In another order. */
  shuffled<T>(all: readonly T[]): T[];
}

export function chancesOf(seed: number, name: string): Chances {
  let state = [...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193), seed ^ 0x811c9dc5);
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    between,
    oneOf: (all) => all[between(0, all.length - 1)] ?? all[0],
    shuffled: (all) =>
      all
        .map((one) => ({ one, at: next() }))
        .sort((a, b) => a.at - b.at)
        .map(({ one }) => one),
  };
}

/** `CHAOS_SEED` repeats the chances of an earlier run (not its timing: that is the machine's). */
export function chosenSeed(): number {
  return Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 1_000_000));
}

/** One order per kind named, in a random order, by random people in random ways. */
export function ordersOf(kinds: Partial<Record<Kind, number>>, chances: Chances): Order[] {
  const all = Object.entries(kinds).flatMap(([kind, count]) => Array.from({ length: count }, () => kind as Kind));
  return chances.shuffled(all).map((kind) => ({
    kind,
    by: chances.oneOf(['ada', 'ben']),
    how: chances.oneOf(['slash', 'mention']),
    // Who decides must see the card: not in the direct conversation of another.
    channel: chances.oneOf(asks(kind) ? ['demo', 'ops'] : ['demo', 'ops', 'dm']),
  }));
}

/** Commands of these kinds wait for a decision. */
export function asks(kind: Kind): boolean {
  return kind === 'approved' || kind === 'denied' || kind === 'contested';
}

/** Lines a counter writes, the numbers from 1 on. */
export const counted = 40;

/**
 * The shell command of a request. Each begins with its effect: one line at the end of a file of the working copy, and where the
 * sandbox can reach it, one at the end of `outside`.
 */
export function commandOf(kind: Kind, marker: string, outside: string | undefined): string {
  const effect = `echo ${marker} >> effects.txt; ${outside === undefined ? '' : `echo ${marker} >> ${outside}; `}`;
  const author = '-c user.name=Ada -c user.email=ada@example.com';
  const rest: Record<Kind, string> = {
    quick: 'echo he""llo',
    counter: `i=0; while [ $i -lt ${counted} ]; do i=$((i+1)); echo $i; sleep 0.1; done`,
    fails: 'echo about to fa""il; exit 3',
    approved: 'echo he""llo',
    denied: 'echo nev""er',
    contested: 'echo he""llo',
    stopped: 'echo be""gun; sleep 600; echo nev""er',
    commits: `git add effects.txt && git ${author} commit -qm of-the-command && echo more >> README.md; echo he""llo`,
  };
  return effect + rest[kind];
}
