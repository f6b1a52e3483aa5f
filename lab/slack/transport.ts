import type { Json } from './json.ts';

/** How one delivery to the app ended. `waiting` deliveries end as `closed` when the emulator closes. */
export type Outcome =
  | { status: 'acked'; body: Json | undefined }
  /** `reason` is the wording Slack uses for its retry reason. */
  | { status: 'failed'; reason: string; noRetry: boolean }
  | { status: 'closed' };

export interface Retry {
  /** 1 to 3. */
  attempt: number;
  reason: string;
}

export type DeliveryKind = 'events_api' | 'slash_commands' | 'interactive';

/** Carries payloads to the app: Socket Mode or signed HTTP. */
export interface Transport {
  /**
   * Delivers one payload and waits for its acknowledgement. An event waits until the app can be reached at all;
   * commands and interactions fail at once then.
   */
  deliver(kind: DeliveryKind, payload: Json, retry?: Retry): Promise<Outcome>;
  connected(): boolean;
}
