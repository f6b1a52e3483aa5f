import type { KeyObject } from 'node:crypto';
import type { Json } from '../slack/json.ts';
import type { Interaction, Modal } from './model.ts';
import type { State } from './state.ts';

export interface Settings {
  /** Answer 429 as the published limits say. */
  rateLimiting: boolean;
  /** Where interactions go by HTTP; unset: through the gateway. */
  interactionsUrl?: string | undefined;
  /** Added to every REST answer, milliseconds. */
  latencyMs: number;
  /** The guild is a community: for all who find it. */
  community: boolean;
  /** REST answers 503 and the gateway takes no connection. */
  outage: boolean;
  /** Privileged intents that are switched on for the application, as bits. */
  grantedIntents: number;
}

/** Times in milliseconds. The defaults are Discord's; tests shorten them. */
export interface Timing {
  /** How long the app has for the first answer to an interaction. */
  respond: number;
  /** Life of an interaction token. */
  token: number;
  heartbeat: number;
  /** How long a session without connection can be resumed. */
  resume: number;
  /** How long a nonce is remembered. */
  nonce: number;
  /** Life of an attachment's address. */
  fileUrl: number;
}

export const DISCORD_TIMING: Timing = {
  respond: 3_000,
  token: 15 * 60_000,
  heartbeat: 41_250,
  resume: 3 * 60_000,
  nonce: 5 * 60_000,
  fileUrl: 24 * 60 * 60_000,
};

export interface Credentials {
  token: string;
  /** Hex, as the developer portal shows it. */
  publicKey: string;
  privateKey: KeyObject;
}

/** Something for gateway sessions. A session gets it when it asked for one of `intents` (0: always). */
export interface Dispatch {
  t: string;
  intents: number;
  d: Json;
  /** What sessions without the MESSAGE_CONTENT intent get instead. */
  bare?: Json | undefined;
}

/** The app's first answer to an interaction, as the person's client needs it. */
export interface FirstAnswer {
  type: number;
  modal?: Modal | undefined;
  choices?: Json[] | undefined;
}

/** What every part of the emulator works on. */
export interface Core {
  state: State;
  settings: Settings;
  timing: Timing;
  credentials: Credentials;
  /** `http://127.0.0.1:port` */
  baseUrl: string;
  /** When commands were created lately, by scope (`global`, or a guild id). */
  commandCreates: Map<string, number[]>;
  /** Milliseconds since 1970. */
  now(): number;
  dispatch(event: Dispatch): void;
  /**
   * Sends an interaction to the app and waits for its first answer. Never retried. Throws NotAnswered when the app stays
   * silent, answers wrongly, or cannot be reached.
   */
  ask(interaction: Interaction, payload: Json): Promise<FirstAnswer>;
  /** Tells the one who waits in `ask` that the answer has come. */
  answered(interactionId: string, answer: FirstAnswer): void;
}

/** The app did not answer an interaction in time, or not as it must. */
export class NotAnswered extends Error {
  /** The sentence the Discord client shows. */
  told = 'The application did not respond';
  constructor(detail: string) {
    super(`the application did not respond: ${detail}`);
    this.name = 'NotAnswered';
  }
}
