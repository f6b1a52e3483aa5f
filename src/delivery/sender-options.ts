import type { ChatAdapter, Operation } from '../contracts/chat-adapter.ts';
import type { Platform } from '../contracts/platform.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Database } from '../store/database.ts';
import type { WaitingRow } from '../store/outbox-rows.ts';
import type { Wakeups } from '../store/wakeups.ts';
import type { SendOutcome } from './send-row.ts';
import type { DrawChart, ReadArtifact } from './upload.ts';

export interface SenderOptions {
  database: Database;
  /** The time of the database (default: of this machine). */
  clock?: Clock | undefined;
  adapters: ReadonlyMap<Platform, ChatAdapter>;
  wakeups: Pick<Wakeups, 'subscribe'>;
  logger: Logger;
  readArtifact: ReadArtifact;
  /** Opens the secret of a view; left out: views with one cannot be sent. */
  openSecret?: ((sealed: string) => string) | undefined;
  /** Draws figures that go with messages; left out: they go without. */
  drawChart?: DrawChart | undefined;
  /** Told about each platform call, for metrics. */
  onCall?: ((call: { platform: string; operation: Operation; outcome: string; ms: number }) => void) | undefined;
  /** Told how each version of a message ended. `merged`: versions before it that were never sent. `ms`: since it was due. */
  onSent?: ((sent: SentMessage) => void) | undefined;
  /** Told what calls waited for: a rate budget, or because the platform asked to. */
  onRateWait?: ((wait: { platform: string; cause: 'budget' | 'platform'; ms: number }) => void) | undefined;
  /** An attempt of another process younger than this may still be under way (default 10 s). */
  settleMs?: number | undefined;
  /** How long a call whose answer was lost may still be on its way, before it is looked up (default 2 s). */
  lookUpAfterMs?: number | undefined;
}

export interface SentMessage {
  platform: string;
  type: WaitingRow['payloadType'];
  outcome: SendOutcome;
  merged: number;
  ms: number;
}
