import type { Json } from './json.ts';
import type { SlackManifest } from './manifest.ts';
import type { State } from './state.ts';
import type { Triggers } from './triggers.ts';

export interface Settings {
  /** Answer 429 as the published tiers say. */
  rateLimiting: boolean;
  delivery: 'socket' | 'http';
  /** Where HTTP delivery goes; absent when the app has no request URL. */
  requestUrl?: string | undefined;
  mentionOrder: 'app_mention_first' | 'message_first';
  /** Added to every Web API answer, milliseconds. */
  latencyMs: number;
}

/** Times in milliseconds. The defaults are Slack's; tests shorten them. */
export interface Timing {
  /** How long the app has to acknowledge a delivery. */
  ack: number;
  /** Waits before the second, third and fourth delivery of an event. */
  retryDelays: readonly number[];
  trigger: number;
  responseUrl: number;
  stream: number;
}

export const SLACK_TIMING: Timing = {
  ack: 3_000,
  retryDelays: [0, 60_000, 300_000],
  trigger: 3_000,
  responseUrl: 30 * 60_000,
  stream: 5 * 60_000,
};

export interface Credentials {
  botToken: string;
  appToken: string;
  signingSecret: string;
}

/** What every part of the emulator works on. */
export interface Core {
  state: State;
  manifest: SlackManifest;
  settings: Settings;
  timing: Timing;
  credentials: Credentials;
  triggers: Triggers;
  /** `http://127.0.0.1:port` */
  baseUrl: string;
  /** Milliseconds since 1970. */
  now(): number;
  /** Sends an Events API event to the app; delivery, retries and acknowledgement happen behind it. */
  publish(event: Json): void;
  /**
   * Sends a slash command or an interaction and waits for the acknowledgement, whose body is returned. Never retried.
   * Throws NotAnswered when the app stays silent or cannot be reached.
   */
  request(kind: 'slash_commands' | 'interactive', payload: Json): Promise<Json | undefined>;
}

/** The app did not acknowledge a command or an interaction. `code` is what the person sees. */
export class NotAnswered extends Error {
  readonly code: 'operation_timeout' | 'dispatch_failed';
  /** The sentence the Slack client shows. */
  told = 'We had some trouble connecting. Try again?';
  constructor(code: 'operation_timeout' | 'dispatch_failed', detail: string) {
    super(`${code}: ${detail}`);
    this.name = 'NotAnswered';
    this.code = code;
  }
}
