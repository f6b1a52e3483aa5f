import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AttachedFile, FileDownload } from './given-file.ts';
import type { InboundEvent } from './inbound.ts';
import type { Conversation, IdentityRef, MessageRef, Platform } from './platform.ts';
import type { Form, View } from './view.ts';

/** The calls the outbox makes. Rate budgets are stated per operation. */
export const operations = ['send', 'edit', 'ephemeral', 'form', 'upload', 'react', 'home', 'direct', 'draft', 'remove'] as const;
export type Operation = (typeof operations)[number];

/**
 * A published limit, as data: at most `calls` of `operations` in any `windowMs` within one `scope`. `scope: 'conversation'` is
 * one channel, `'tenant'` the whole workspace on the platform, `'message'` one message (edit cadence).
 */
export interface RateBudget {
  operations: readonly Operation[];
  scope: 'message' | 'conversation' | 'tenant';
  calls: number;
  windowMs: number;
  /** How many of them a message takes that opens a thread. Default 1. */
  opening?: number | undefined;
}

/** What a platform can do, as data. The renderer and the outbox ask this, never the platform's name. */
export interface Capabilities {
  platform: Platform;
  text: {
    /** How lengths are counted. */
    unit: 'utf16' | 'codepoints';
    /** Characters that escaping makes longer, with their length then, e.g. `&` -> 5. */
    escapes?: Readonly<Record<string, number>> | undefined;
    /** Most characters of one message over all blocks, after escaping. */
    maxMessage: number;
    /** Most characters of one text or code block, after escaping. */
    maxBlock: number;
    maxBlocks: number;
    maxTitle: number;
  };
  buttons: { perRow: number; perMessage: number; label: number } | undefined;
  select: { options: number; label: number } | undefined;
  /** `modal`: opens a form on a press. `guided`: the bot asks field by field, and `openForm` is never called. */
  forms: 'modal' | 'guided';
  /**
   * Answers that only one person sees; elsewhere a direct message is sent. Where it depends on the act, `ephemeral` rejects with
   * `not_permitted` for those that cannot be answered so, and a direct message is sent too.
   */
  ephemeral: boolean;
  threads: boolean;
  /**
   * `one`: every message notifies everybody who follows the conversation (GitHub mails them), so that a request is answered by one
   * message that is edited, and by nothing else.
   */
  cards: 'many' | 'one';
  edit: boolean;
  reactions: boolean;
  /** Where the bot can delete messages of people, if it is given the right to: in channels, and in direct conversations. */
  removes: { channels: boolean; direct: boolean };
  home: boolean;
  files: { maxBytes: number; perMessage: number } | undefined;
  /** How prose of an agent streams: a native stream, a draft, or edits of a message. */
  streaming: 'native' | 'draft' | 'edit';
  /** True when `find` can tell whether a send with an unknown outcome arrived. */
  findsSent: boolean;
  budgets: readonly RateBudget[];
}

/**
 * Why a platform call failed, in the words the outbox acts on.
 *
 * - `rate_limited`: wait `retryAfterMs`, nothing was done.
 * - `unreachable`: never reached the platform; safe to repeat.
 * - `unknown`: the request may have been done, its answer was lost; reconcile with `find` before repeating.
 * - `gone`: channel, thread or message no longer exists (or the form's trigger has expired).
 * - `not_permitted`: the bot lacks a right or a membership; `detail` says which.
 * - `moved`: the conversation goes on under another id (Telegram: a group became a supergroup); nothing was done.
 * - `rejected`: the platform refuses this content; repeating is useless.
 */
export type DeliveryFailure =
  | { kind: 'rate_limited'; retryAfterMs: number }
  | { kind: 'unreachable'; detail: string }
  | { kind: 'unknown'; detail: string }
  | { kind: 'gone'; detail: string }
  | { kind: 'not_permitted'; detail: string }
  | { kind: 'moved'; channel: string; detail: string }
  | { kind: 'rejected'; detail: string };

export class DeliveryError extends Error {
  readonly failure: DeliveryFailure;
  constructor(failure: DeliveryFailure, options?: ErrorOptions) {
    super(
      failure.kind === 'rate_limited' ? `rate limited for ${failure.retryAfterMs} ms` : `${failure.kind}: ${failure.detail}`,
      options,
    );
    this.name = 'DeliveryError';
    this.failure = failure;
  }
}

/** The message starts a thread where the platform has threads; `title` names it where they have names. */
export interface ThreadOpening {
  title: string;
}

/** A conversation in which people may have written while nobody listened. */
export interface Missed {
  conversation: Conversation;
  /** Nothing older is wanted (ISO 8601). */
  since: string;
}

/** What becomes of a gap: a time in which people may have written while nobody listened. */
export interface GapLook {
  /** Resolves when its beginning is kept. What is stored before that could be taken for its end by another process. Never rejects. */
  kept: Promise<void>;
  /** Resolves when all that was said in it is stored. Never rejects. */
  over: Promise<void>;
}

/** A message as it stands in a conversation now, whoever wrote it. */
export interface PastMessage {
  message: string;
  /** ISO 8601. */
  at: string;
  /** `own`: this bot wrote it. `outside`: the account is of another workspace of the platform. */
  author: { user: string; name?: string | undefined; bot: boolean; own: boolean; outside?: boolean | undefined };
  text: string;
  /** `id`: with which `download` finds it; absent where the platform does not tell. Sizes in bytes. */
  attachments: readonly { name: string; id?: string | undefined; mime?: string | undefined; bytes?: number | undefined }[];
}

/** Bytes to upload with a message. */
export interface UploadFile {
  name: string;
  bytes: Uint8Array;
  language?: string | undefined;
}

/**
 * Where an adapter puts what people do. Resolves when the events are rows in the database: only then may the adapter tell
 * the platform "ok". Rejects when they could not be stored: the adapter must then not acknowledge, so that the platform
 * delivers again. `duplicate` counts events that were stored already.
 */
export type InboundSink = (events: InboundEvent[]) => Promise<{ stored: number; duplicate: number }>;

/** An HTTP endpoint of an adapter. The server hands over the raw body; the adapter verifies, answers and ends the response. */
export interface AdapterWebhook {
  method: 'POST';
  /** Full path, e.g. `/slack/events`. */
  path: string;
  handle(request: IncomingMessage, response: ServerResponse, rawBody: Buffer): Promise<void>;
}

export interface AdapterHealth {
  ok: boolean;
  /** What was found, in a sentence for people. */
  detail: string;
  /** What to do when it is not ok. */
  remedy?: string | undefined;
}

/**
 * One platform. Translates, and nothing else: it stores nothing, decides nothing, retries nothing. All sends go through the
 * outbox (promise 6). Every method rejects only with `DeliveryError` for what the platform answered.
 */
export interface ChatAdapter {
  readonly platform: Platform;
  readonly capabilities: Capabilities;
  /** The accounts this adapter serves, known after `start` (Slack: its team). */
  tenants(): readonly { tenant: string; name: string; botUser: string }[];
  /** HTTP endpoints to mount before `start`; empty when the adapter connects outwards. */
  readonly webhooks: readonly AdapterWebhook[];
  /** Connects and delivers inbound events to `sink`. Resolves when events can arrive. Reconnects by itself. */
  start(sink: InboundSink): Promise<void>;
  /** Stops taking events; resolves when none is in flight. Idempotent. */
  stop(): Promise<void>;
  /** Is it connected right now, and may it do what it needs? Used by `/readyz` and `doctor`; at most 3 s. */
  health(): Promise<AdapterHealth>;
  /**
   * Sends a new message. `key` is stored with the message where the platform allows (Slack metadata, Discord nonce), so that
   * `find` recognises it. With `opens`, and when `to` is no thread yet, the message starts one: `thread` of the result is its id
   * (Slack: the message's own; Discord: a thread made from the message; Telegram: a topic where the bot may make one, else the chain of
   * replies to the message). Opening is part of the send: when it fails after the message went out, the failure is `unknown`. Without
   * `thread` in the result the message's own id stands for the thread (Slack; direct conversations of Discord).
   */
  send(to: Conversation, view: View, key: string, opens?: ThreadOpening): Promise<MessageRef>;
  /**
   * Shows prose while it is being written, in a direct conversation: in place of what the same `key` showed there before, undefined while
   * nothing is written yet. Nothing may rely on it: it is no message, holds no buttons, selects and files, fades within 30 s unless it is
   * shown again, and gives way to the bot's next message there, so that the prose itself is sent as one in the end, through the outbox.
   * Hence a call that fails is not repeated; the next one shows more. `rejected` elsewhere, and for what is no text or too long. Present
   * with `streaming: 'draft'`.
   */
  draft?(to: Conversation, view: View | undefined, key: string): Promise<void>;
  /** Replaces the whole content of an own message. Idempotent. */
  edit(ref: MessageRef, view: View): Promise<void>;
  /**
   * Finds an own message by the key it was sent with, looking at most as far back as `since` (ISO 8601). `opens`: it was sent with that,
   * and the answer to it was lost; a message that was found without a thread gets it now, as `send` would have made it.
   */
  find(to: Conversation, key: string, since: string, opens?: ThreadOpening): Promise<MessageRef | undefined>;
  /**
   * Shows `view` to one person only. `reply` is the handle of the act being answered, tried first when present. `replaces`: in the place of the
   * message of this kind that was pressed, where that can be, else as a new one.
   */
  ephemeral(to: Conversation, user: IdentityRef, view: View, reply: string | undefined, replaces?: boolean): Promise<void>;
  /**
   * Address at which people find the conversation in their own client; undefined when it has none, when the platform would have to be asked
   * for it and does not answer within 1.5 s, and while the platform is another one than its own service. Never rejects for what the
   * platform answers. Present where there are such addresses.
   */
  linkTo?(to: Conversation): Promise<string | undefined>;
  /**
   * What the platform calls somebody who may never have written; undefined when it does not tell. Present where it can be asked.
   */
  nameOf?(user: IdentityRef): Promise<string | undefined>;
  /** Opens the direct conversation with a person. Idempotent. */
  direct(user: IdentityRef): Promise<Conversation>;
  /** Opens a form for whoever caused `trigger`. `gone` when the trigger has expired. */
  openForm(trigger: string, form: Form, about: Conversation): Promise<void>;
  /** Uploads files into the conversation. */
  upload(to: Conversation, files: readonly UploadFile[], comment: string | undefined): Promise<void>;
  /**
   * Whether files with these names stand in one own message of the conversation, looking at most as far back as `since` (ISO 8601), and
   * only behind the message `after` when it is given. Present where the platform can tell: the outcome of an upload that is unknown is
   * then looked up before it is repeated.
   */
  findUpload?(to: Conversation, names: readonly string[], since: string, after?: string): Promise<boolean>;
  /** Adds or removes a receipt on somebody's message. Idempotent. */
  react(ref: MessageRef, mark: 'received' | 'read' | 'refused', on: boolean): Promise<void>;
  /**
   * Deletes a message of a person for everybody. Idempotent: `gone` when it is no more there. `not_permitted` where the bot was not given the
   * right to. Present where `capabilities.removes` says so anywhere.
   */
  remove?(ref: MessageRef): Promise<void>;
  /** Replaces the person's home surface. */
  publishHome(user: IdentityRef, view: View): Promise<void>;
  /**
   * Gives the sink what people wrote in these conversations since, oldest first. Present where the platform does not deliver again
   * what it could not deliver (Discord's gateway). Called once for each look into a gap, also when there is nothing to ask for. Events that
   * were stored already are harmless.
   */
  backfill?(missed: readonly Missed[]): Promise<void>;
  /**
   * What was said in a conversation (its thread, else its top level) before the message `before`, oldest first, the last `limit` of it;
   * without `before`: up to now. With the message that a thread was opened on. A call or two to the platform, so in very long threads it
   * may be less. Present where a bot can read what was not said to it.
   */
  history?(to: Conversation, before: string | undefined, limit: number): Promise<PastMessage[]>;
  /**
   * A file that a person attached, as it is now: its address is looked up anew each time. Connects to hosts of the platform only, also
   * when it is sent on to another. `gone`: deleted, or not to be seen any more; `rejected`: this platform does not give it to bots;
   * `not_permitted`: the bot lacks a right; `unreachable`, `rate_limited`: again later. The caller limits the size. An abort rejects with
   * the signal's reason. Present where bots are given files.
   */
  download?(file: AttachedFile, signal: AbortSignal): Promise<FileDownload>;
}
