import type { InboundEvent } from '../../src/contracts/inbound.ts';

/** What is known about the installation, and what turns a secret of a payload into an opaque handle. */
export interface InboundContext {
  team: string;
  botUser: string;
  seal(text: string): string;
  now(): Date;
}

/**
 * What a payload means. `events`: hand them over, then acknowledge. `ignored`: nothing a person did, or nothing for us;
 * acknowledge. `malformed`: not what Slack sends; acknowledge as well, for a repetition would be no better, but say so in the log.
 */
export type Inbound =
  | { kind: 'events'; events: InboundEvent[] }
  | { kind: 'ignored'; why: string }
  | { kind: 'malformed'; why: string };

export function ignored(why: string): Inbound {
  return { kind: 'ignored', why };
}

export function events(...list: InboundEvent[]): Inbound {
  return { kind: 'events', events: list };
}
