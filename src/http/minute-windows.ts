/** Counts what each of many does in a minute, which begins with the first of it. */
export interface MinuteWindows {
  /** What was counted in the minute that runs; none runs where nothing was. */
  look(who: string): Counted;
  /** Counts one more. */
  note(who: string): Counted;
}

export interface Counted {
  count: number;
  /** Until the minute is over, at least 1. */
  seconds: number;
}

const windowMs = 60_000;
/** Of the oldest nothing is known any more when there are more. */
const mostKnown = 10_000;

export function createMinuteWindows(now: () => number): MinuteWindows {
  const windows = new Map<string, { since: number; count: number }>();
  const look = (who: string) => {
    const window = windows.get(who);
    return window === undefined || now() - window.since >= windowMs ? undefined : window;
  };
  const counted = ({ since, count }: { since: number; count: number }): Counted => ({
    count,
    seconds: Math.max(1, Math.ceil((since + windowMs - now()) / 1000)),
  });
  return {
    look: (who) => counted(look(who) ?? { since: now(), count: 0 }),
    note(who) {
      const window = look(who) ?? { since: now(), count: 0 };
      if (window.count === 0) {
        windows.delete(who);
        windows.set(who, window);
        // The oldest come first.
        const [oldest] = windows.keys();
        if (windows.size > mostKnown && oldest !== undefined) windows.delete(oldest);
      }
      window.count += 1;
      return counted(window);
    },
  };
}
