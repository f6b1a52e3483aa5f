import type { Platform } from '../src/contracts/platform.ts';
import type { Place } from './chat.ts';
import type { Site } from './site.ts';

/** A call to a platform, as every emulator keeps it. */
export interface PlatformCall {
  method: string;
  args: Readonly<Record<string, unknown>>;
  /** The conversation it concerns: chats, channels and threads by their own ids. */
  channel?: string | undefined;
  /** When the request was read and when the answer was sent, milliseconds since 1970. */
  at: number;
  finishedAt?: number | undefined;
  /** HTTP status; 0 while there is no answer. */
  status: number;
  ok: boolean;
}

/** A published limit: at most `atMost` calls of one scope in any window of so many milliseconds. */
export interface PublishedLimit {
  name: string;
  windowMs: number;
  atMost: number;
  /** Refused calls are taken from no budget, but some limits are about just them. */
  countsRefused?: true;
  /** Whose limit the call counts against; undefined: not against this one. */
  scopeOf(call: PlatformCall): string | undefined;
}

/** An emulated platform, as far as many runs at once on it are concerned. */
export interface LivePlatform {
  platform: Platform;
  /** Variables of a program that is connected to it, with Ada as its owner. */
  variables: Record<string, string>;
  /** So many more channels with Ada and the bot in them. */
  addPlaces(count: number): Place[];
  /** Whether people can type commands by now. */
  isReady(): boolean;
  /** Whether what Ada does has an acknowledgement that she waits for. */
  acknowledges: boolean;
  /**
   * Ada asks the bot for `sh npm test`. Resolves when it is acknowledged, where it is. Rejects when the platform has told Ada
   * that nobody answered in time.
   */
  command(place: Place, line: string): Promise<void>;
  /** Oldest first. */
  calls(): readonly PlatformCall[];
  /** The methods that make a message and that change one. */
  methods: { send: string; edit: string };
  /** What a call of these methods shows. */
  textOf(call: PlatformCall): string;
  /** Calls over the limits, as the emulator counts them. */
  overLimit(): readonly PlatformCall[];
  /** The limits once more, counted here from the calls alone. */
  limits: readonly PublishedLimit[];
  /** Refuses what is over the limits, and of the messages and edits also every one `refuses` says yes to. */
  enforce(refuses: (call: PlatformCall) => boolean, retryAfterSeconds: number): void;
  /** What has to wait when this call is refused: everything with the same answer here. */
  refusalScope(call: PlatformCall): string;
  /** Mistakes of the emulator itself. */
  errors(): readonly unknown[];
}

export type OpenPlatform = (site: Site) => Promise<LivePlatform>;

/** The most calls that any window of the limit has held in one scope. */
export function densest(calls: readonly PlatformCall[], { windowMs, countsRefused, scopeOf }: PublishedLimit): number {
  const byScope = Map.groupBy(
    calls.filter(({ status }) => countsRefused === true || status !== 429),
    scopeOf,
  );
  byScope.delete(undefined);
  let most = 0;
  for (const scoped of byScope.values()) {
    const times = scoped.map(({ at }) => at).sort((one, other) => one - other);
    let first = 0;
    for (const [last, time] of times.entries()) {
      while (time - (times[first] ?? time) >= windowMs) first += 1;
      most = Math.max(most, last - first + 1);
    }
  }
  return most;
}
