import type { Json } from './json.ts';

/** What the emulator remembers. Records are never changed in place: a change stores a new object, so an old one stays a true "previous". */

export interface User {
  id: string;
  name: string;
  real_name: string;
  display_name: string;
  email: string;
  title: string;
  /** `#rrggbb` */
  color: string;
  tz: string;
  is_bot: boolean;
  /** A guest of the workspace: of several channels, or of one. */
  guest?: 'multi_channel' | 'single_channel' | undefined;
  /** Of another workspace, met in channels shared with it (Slack Connect). */
  team?: { id: string; name: string; domain: string } | undefined;
}

export type ChannelKind = 'public' | 'private' | 'im';

export interface Channel {
  id: string;
  name: string;
  kind: ChannelKind;
  topic: string;
  purpose: string;
  /** Unix seconds. */
  created: number;
  creator: string;
  members: string[];
  /** The person on the other side of a DM with the bot. */
  im_user?: string | undefined;
}

export interface Block extends Json {
  type: string;
  block_id: string;
}

export interface Reaction {
  name: string;
  users: string[];
}

export interface Metadata {
  event_type: string;
  event_payload: Json;
}

export type StreamPart =
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
  | { type: 'blocks'; blocks: Block[] };

export interface Stream {
  state: 'in_progress' | 'completed' | 'errored';
  mode: 'timeline' | 'plan';
  /** Milliseconds since 1970. */
  started_at: number;
  parts: StreamPart[];
}

export interface Message {
  channel: string;
  ts: string;
  user: string;
  text: string;
  blocks: Block[];
  attachments: Json[];
  /** File ids. */
  files: string[];
  reactions: Reaction[];
  thread_ts?: string | undefined;
  broadcast?: boolean | undefined;
  subtype?: string | undefined;
  bot_id?: string | undefined;
  app_id?: string | undefined;
  client_msg_id?: string | undefined;
  username?: string | undefined;
  edited?: { user: string; ts: string } | undefined;
  metadata?: Metadata | undefined;
  /** Ephemeral: only this person sees it. Never stored on disk. */
  visible_to?: string | undefined;
  stream?: Stream | undefined;
}

export interface FileRecord {
  id: string;
  name: string;
  title: string;
  mimetype: string;
  filetype: string;
  pretty_type: string;
  mode: 'snippet' | 'hosted';
  size: number;
  user: string;
  /** Unix seconds. */
  created: number;
  alt_text?: string | undefined;
  preview?: string | undefined;
  /** `awaiting` bytes, `uploaded` but not completed, `ready`. */
  state: 'awaiting' | 'uploaded' | 'ready';
  shares: { channel: string; ts: string; thread_ts?: string | undefined }[];
  /** Of another organisation, in a channel shared with it (Slack Connect): messages tell its id alone. */
  connected?: boolean | undefined;
}

export interface View {
  id: string;
  type: 'modal' | 'home';
  user: string;
  blocks: Block[];
  callback_id: string;
  private_metadata: string;
  external_id: string;
  hash: string;
  title?: Json | undefined;
  submit?: Json | undefined;
  close?: Json | undefined;
  clear_on_close: boolean;
  notify_on_close: boolean;
  submit_disabled: boolean;
  root_view_id: string;
  previous_view_id?: string | undefined;
  /** Errors of the last submission by block id. */
  errors: Record<string, string>;
}

export interface ThreadStatus {
  channel: string;
  thread_ts: string;
  status: string;
  loading_messages: string[];
}

/** A `response_url`: where it leads, how often it was used, until when it works (milliseconds since 1970). */
export interface ResponseHook {
  id: string;
  user: string;
  channel: string;
  thread_ts?: string | undefined;
  /** The message that carried the pressed element; absent for slash commands. */
  source?: { ts: string; ephemeral: boolean } | undefined;
  uses: number;
  expires_at: number;
}

/** An Events API delivery that the app has not acknowledged yet. */
export interface PendingEvent {
  id: string;
  body: Json;
  /** Deliveries already tried. */
  attempts: number;
}

/** Something a reader of the state may want to know. */
export type Change =
  | { type: 'message'; message: Message; previous?: Message | undefined }
  | { type: 'message_removed'; message: Message }
  | { type: 'channel'; channel: Channel }
  | { type: 'file'; file: FileRecord }
  | { type: 'view'; view: View }
  | { type: 'view_removed'; view: View }
  | { type: 'status'; status: ThreadStatus }
  | {
      type: 'notice';
      user: string;
      channel?: string | undefined;
      thread_ts?: string | undefined;
      tone: 'error' | 'info';
      text: string;
    }
  | { type: 'settings' }
  | { type: 'app' }
  | { type: 'reset' };
