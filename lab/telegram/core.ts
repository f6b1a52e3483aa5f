import type { Drafts } from './drafts.ts';
import type { User } from './model.ts';
import type { State } from './state.ts';
import type { Updates } from './updates.ts';
import type { WebhookSender } from './webhook.ts';

export interface Settings {
  /** Answer 429 as the published limits say. */
  rateLimiting: boolean;
  /** BotFather's privacy mode: on, the bot as a plain member of a group sees only what is meant for it. */
  privacyMode: boolean;
  /** Added to every Bot API answer, milliseconds. */
  latencyMs: number;
}

/** Times in milliseconds. The defaults are Telegram's; tests shorten them. */
export interface Timing {
  /** How long a press may be answered. */
  callback: number;
  /** How long a pressed button's update waits for the bot. */
  callbackUpdate: number;
  /** How long every other update waits for the bot. */
  update: number;
  /** How long a draft stays without a refresh. */
  draft: number;
  /** How long one webhook request may take. */
  webhook: number;
  /** Waits before the second, third … delivery to the webhook; the last one repeats. */
  retryDelays: readonly number[];
  /** The longest a download link works. */
  fileLink: number;
  /** How long own messages can be deleted in private chats and groups. */
  deletable: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const TELEGRAM_TIMING: Timing = {
  callback: 15_000,
  callbackUpdate: 150_000,
  update: 24 * HOUR,
  draft: 30_000,
  webhook: 60_000,
  retryDelays: [0, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000],
  fileLink: HOUR,
  deletable: 48 * HOUR,
};

/** What every part of the emulator works on. */
export interface Core {
  state: State;
  settings: Settings;
  timing: Timing;
  token: string;
  bot: User;
  updates: Updates;
  webhook: WebhookSender;
  drafts: Drafts;
  /** `http://127.0.0.1:port`, which is what SDKs take as API root. */
  baseUrl: string;
  /** Milliseconds since 1970. */
  now(): number;
  /** Unix seconds. */
  date(): number;
}
