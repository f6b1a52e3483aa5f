/**
 * The API between the lab page (browser) and the lab server. Types only, importable from both sides.
 *
 * Reading
 *   GET  /lab/api/state                     -> LabState        the whole picture; `version` is the id of the last event folded in.
 *                                              Its ETag answers "has anything changed?": If-None-Match gets 304 where nothing has.
 *   GET  /lab/api/events                    -> SSE of LabEvent `id:` grows monotonically, also across restarts of the server.
 *                                              Resume with the Last-Event-ID header (EventSource does it) or `?after=<version>`.
 *                                              A resume point the server no longer knows yields one `reset` event: fetch the state again.
 *                                              A comment line every 15 s keeps the connection alive.
 *   GET  /lab/api/complete?as&channel&command&text -> LabCompletions   for the text typed after a slash command
 *   GET  /lab/api/files/:id/:name           -> the bytes of a file (inline; `?download=1` as attachment)
 *
 * Acting as a person (POST, JSON body, every body has `as`: a person's user id)
 *   /lab/api/messages            PostMessageAction     -> { message: LabMessage }
 *   /lab/api/messages/edit       EditMessageAction     -> { message: LabMessage }
 *   /lab/api/messages/delete     DeleteMessageAction   -> {}
 *   /lab/api/commands            SlashCommandAction    -> {}            what the app answers arrives as events
 *   /lab/api/press               PressAction           -> {}            button, select, checkbox, date picker … in a message, modal or Home
 *   /lab/api/options             OptionsQuery          -> LabOptions    options of an external select
 *   /lab/api/views/submit        SubmitViewAction      -> SubmitViewResult
 *   /lab/api/views/close         CloseViewAction       -> {}
 *   /lab/api/shortcuts           ShortcutAction        -> {}
 *   /lab/api/home                OpenHomeAction        -> {}            tells the app that its Home (or Messages) tab was opened
 *   /lab/api/reactions           ReactAction           -> {}
 *   /lab/api/channels/invite     InviteAction          -> {}            adds the bot to a channel
 *   /lab/api/channels/kick       InviteAction          -> {}            removes the bot from a channel
 *   /lab/api/files?as&name       raw bytes as body     -> { file: LabFile }   then name the id in PostMessageAction.files
 *
 * Managing the lab (POST, JSON)
 *   /lab/api/settings            Partial<LabSettings>  -> { settings: LabSettings }
 *   /lab/api/reset               {}                    -> {}            forgets every message, file and view
 *
 * Every refusal is HTTP 4xx with a LabError body. `error.message` is the sentence to show to the person.
 * A press, command or submission returns when the app has acknowledged it, or fails with `operation_timeout` after 3 seconds,
 * just as the Slack client shows it.
 */

export type {
  CloseViewAction,
  DeleteMessageAction,
  EditMessageAction,
  InputValue,
  InputValues,
  InviteAction,
  LabOptions,
  OpenHomeAction,
  OptionsQuery,
  PostMessageAction,
  PressAction,
  ReactAction,
  ShortcutAction,
  SlashCommandAction,
  SubmitViewAction,
  SubmitViewResult,
} from './page-requests.ts';

/** Slack user id, for example `U0000000ADA`. */
export type UserId = string;
/** `C…` for channels, `D…` for direct messages with the bot. */
export type ChannelId = string;
/** Slack timestamp `seconds.micros`: id of a message within its channel. Sort as numbers, keep as string. */
export type Ts = string;

export interface LabState {
  version: number;
  team: { id: string; name: string; domain: string };
  app: LabApp;
  people: LabPerson[];
  channels: LabChannel[];
  /** Oldest first. The newest 1,000 of each channel, threads included. */
  messages: LabMessage[];
  /** Open modals of all people. Those of one person form a stack: the last one is on top. */
  views: LabView[];
  homes: LabHome[];
  statuses: LabThreadStatus[];
  commands: LabCommand[];
  shortcuts: LabShortcut[];
  settings: LabSettings;
  /** What the host proposes to type first. Texts without a leading mention or slash are ready to be sent as they are. */
  suggestions: LabSuggestion[];
}

export interface LabApp {
  id: string;
  name: string;
  description: string;
  bot_user_id: UserId;
  bot_id: string;
  /** True while at least one socket of the app is open, or HTTP delivery is configured. */
  connected: boolean;
  home_tab: boolean;
}

export interface LabPerson {
  id: UserId;
  /** Handle used in the driver and in mentions typed by people: `ada`. */
  name: string;
  real_name: string;
  display_name: string;
  title: string;
  /** `#rrggbb`, for the avatar. */
  color: string;
  is_bot: boolean;
}

export interface LabChannel {
  id: ChannelId;
  /** Without `#`. For a DM: the handle of the person. */
  name: string;
  kind: 'public' | 'private' | 'im';
  topic: string;
  /** User ids, the bot's too. A person sees public channels, and private ones and DMs they are a member of. */
  members: UserId[];
  bot_is_member: boolean;
  /** Set for a DM: the person who talks to the bot there. */
  im_user?: UserId | undefined;
}

export interface LabMessage {
  channel: ChannelId;
  ts: Ts;
  /** Equals `ts` for a parent that has replies; absent outside threads. */
  thread_ts?: Ts | undefined;
  /** Author. The bot user for messages of the app. */
  user: UserId;
  is_bot: boolean;
  /** Slack mrkdwn. The fallback when `blocks` is not empty: show the blocks then. */
  text: string;
  blocks: LabBlock[];
  /** Legacy attachments, shown below the text with a coloured bar. */
  attachments: Record<string, unknown>[];
  files: LabFile[];
  reactions: LabReaction[];
  edited?: { user: UserId; ts: Ts } | undefined;
  /** Number of replies when this is a parent. */
  reply_count: number;
  reply_users: UserId[];
  latest_reply?: Ts | undefined;
  /** A reply that is shown in the channel too. */
  broadcast: boolean;
  /** For example `channel_join`, `tombstone` (a deleted parent that still has replies), `thread_broadcast`, `file_share`. */
  subtype?: string | undefined;
  /** Ephemeral: only this person sees it. */
  visible_to?: UserId | undefined;
  /** Natively streamed message. Parts in order; `blocks` (from the end of the stream) are shown below them. */
  stream?: { state: 'in_progress' | 'completed' | 'errored'; mode: 'timeline' | 'plan'; parts: LabStreamPart[] } | undefined;
}

/** A block as the app sent it, already checked against Slack's limits; every block has a `block_id`. See @slack/types for the fields. */
export interface LabBlock {
  type: string;
  block_id: string;
  [field: string]: unknown;
}

export type LabStreamPart =
  | { type: 'markdown'; text: string }
  | {
      type: 'task';
      id: string;
      title: string;
      status: 'pending' | 'in_progress' | 'complete' | 'error';
      details?: string | undefined;
      output?: string | undefined;
      sources?: { url: string; text: string }[] | undefined;
    }
  | { type: 'plan'; title: string }
  | { type: 'blocks'; blocks: LabBlock[] };

export interface LabFile {
  id: string;
  name: string;
  title: string;
  mimetype: string;
  /** `diff`, `text`, `png`, `binary` … */
  filetype: string;
  pretty_type: string;
  size: number;
  user: UserId;
  alt_text?: string | undefined;
  /** `snippet` is shown as a collapsible code box, `hosted` as a card or image. */
  mode: 'snippet' | 'hosted';
  /** The first lines of a text file (at most 5 KB). */
  preview?: string | undefined;
  /** Path on the lab server: `/lab/api/files/F…/name`. */
  url: string;
}

export interface LabReaction {
  /** Without colons: `eyes`. */
  name: string;
  users: UserId[];
}

export interface LabView {
  id: string;
  type: 'modal';
  /** The person who has it open. */
  user: UserId;
  title: string;
  submit?: string | undefined;
  close?: string | undefined;
  blocks: LabBlock[];
  hash: string;
  /** Position in the person's stack, 0 at the bottom. */
  depth: number;
  /** Errors of the last submission by block id. */
  errors: Record<string, string>;
}

export interface LabHome {
  user: UserId;
  view_id: string;
  blocks: LabBlock[];
  hash: string;
}

/** `assistant.threads.setStatus`: "Deckhand is …" below a thread. */
export interface LabThreadStatus {
  channel: ChannelId;
  thread_ts: Ts;
  status: string;
  loading_messages: string[];
}

export interface LabCommand {
  /** With the slash: `/deckhand`. */
  command: string;
  description: string;
  usage_hint: string;
}

export interface LabShortcut {
  name: string;
  type: 'message' | 'global';
  callback_id: string;
  description: string;
}

export interface LabCompletions {
  /** `value` replaces the whole text after the command. */
  completions: LabCompletion[];
}
export interface LabCompletion {
  value: string;
  hint: string;
}

export interface LabSuggestion {
  text: string;
  hint: string;
  /** Where it makes sense; absent: anywhere. */
  channel?: ChannelId | undefined;
}

export interface LabSettings {
  /** Answer 429 as the published tiers say. */
  rate_limiting: boolean;
  delivery: 'socket' | 'http';
  /** Modes the host has set up; `http` needs a request URL. */
  delivery_modes: ('socket' | 'http')[];
  /** Which of the two events of a mention is delivered first. */
  mention_order: 'app_mention_first' | 'message_first';
  /** Added to every Web API answer, milliseconds. */
  latency_ms: number;
}

/** `data:` of one server-sent event; `id:` is its number. */
export type LabEvent =
  /** New or changed (edit, reaction, reply count, stream). Replace the one with the same channel, ts and visible_to. */
  | { type: 'message'; message: LabMessage }
  | { type: 'message_removed'; channel: ChannelId; ts: Ts; visible_to?: UserId | undefined }
  | { type: 'channel'; channel: LabChannel }
  /** Opened or updated. */
  | { type: 'view'; view: LabView }
  | { type: 'view_removed'; id: string; user: UserId }
  | { type: 'home'; home: LabHome }
  /** An empty `status` removes it. */
  | { type: 'status'; status: LabThreadStatus }
  | { type: 'settings'; settings: LabSettings }
  | { type: 'app'; app: LabApp; commands: LabCommand[]; shortcuts: LabShortcut[] }
  /** What the Slack client itself tells one person. A failure that an action already answers with a LabError is not told twice. */
  | {
      type: 'notice';
      user: UserId;
      channel?: ChannelId | undefined;
      thread_ts?: Ts | undefined;
      tone: 'error' | 'info';
      text: string;
    }
  /** Everything changed, or the resume point is gone: fetch the state again. */
  | { type: 'reset' };

export interface LabError {
  error: {
    /** Stable: `operation_timeout`, `not_in_threads`, `message_not_found`, `not_in_channel`, `invalid_input`, `dispatch_failed` … */
    code: string;
    message: string;
  };
}
