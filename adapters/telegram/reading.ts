import type { InboundEvent } from '../../src/contracts/inbound.ts';

/** What is known about the bot, and what turns the id of a press into an opaque handle. */
export interface InboundContext {
  /** Bot id, which is the tenant. */
  bot: string;
  /** Without `@`. */
  username: string;
  /** `project_add` -> `project add`, for every command there is. */
  commands: ReadonlyMap<string, string>;
  seal(text: string): string;
  now(): Date;
}

/**
 * What an update means. `events`: hand them over, then confirm. `ignored`: nothing a person did, or nothing for us; confirm. `malformed`:
 * not what Telegram sends; confirm as well, for a repetition would be no better, but say so in the log.
 *
 * - `album`: several files sent at once come as one message each; what they have in common. `talk`: only what another one of them says
 *   makes this one more than talk.
 * - `press`: the id of a press, which must be answered once it is stored (or ignored).
 */
export type Inbound =
  | { kind: 'events'; events: InboundEvent[]; album?: string | undefined; talk?: boolean; press?: string | undefined }
  | { kind: 'ignored'; why: string; press?: string | undefined }
  | { kind: 'malformed'; why: string };

export function ignored(why: string): Inbound {
  return { kind: 'ignored', why };
}

export function events(...list: InboundEvent[]): Inbound {
  return { kind: 'events', events: list };
}
