import type { Json } from '../slack/json.ts';

/**
 * What the emulator remembers. Records are never changed in place: a change stores a new object, so an old one stays a true
 * "previous". Field names are those of the Bot API wherever it has the thing; ids of users and chats stand where the wire has whole
 * objects. Times are Unix seconds unless a comment says otherwise.
 */

export interface User {
  id: number;
  /** Short lower-case name for the driver and the page: `ada`. */
  name: string;
  first_name: string;
  last_name?: string | undefined;
  username?: string | undefined;
  language_code?: string | undefined;
  is_bot: boolean;
  /** Role as the page shows it. */
  title: string;
  /** `#rrggbb` */
  color: string;
}

export type ChatKind = 'private' | 'group' | 'supergroup';

/** `kicked` cannot come back by themselves; `left` can. */
export type MemberStatus = 'creator' | 'administrator' | 'member' | 'left' | 'kicked';

/** Rights of an administrator that the emulator looks at; a creator has all of them. */
export interface Rights {
  can_manage_topics: boolean;
  can_delete_messages: boolean;
  can_pin_messages: boolean;
  can_change_info: boolean;
  can_restrict_members: boolean;
}

export interface Member {
  status: MemberStatus;
  rights?: Rights | undefined;
  /** Writes as the group itself: its messages come from GroupAnonymousBot. */
  is_anonymous?: boolean | undefined;
}

export interface Chat {
  id: number;
  kind: ChatKind;
  /** Short name for the driver and the page: `demo`, `forum`; the person's name for private chats. */
  name: string;
  /** Title of a group. */
  title?: string | undefined;
  description?: string | undefined;
  is_forum: boolean;
  /** By user id as text. */
  members: Record<string, Member>;
  /** The person on the other side of a private chat with the bot. */
  person?: number | undefined;
  /** Private chats: `new` until the person has written or pressed Start; `blocked` while the person blocks the bot. */
  state: 'new' | 'open' | 'blocked';
  /** Groups: the supergroup that took over. A chat that has it is dead. */
  migrated_to?: number | undefined;
  migrated_from?: number | undefined;
  /** Supergroups: the channel whose posts are discussed here. Whoever reads it may write here without having joined. */
  linked_channel?: number | undefined;
  /** The bot that wrote last; a plain `/command` is for it under privacy mode. */
  last_bot?: number | undefined;
  /** Message ids, newest pinned last. */
  pinned: number[];
  /** The General topic of a forum. */
  general?: { name: string; is_closed: boolean } | undefined;
  /** Members may write only when this is true; the bot as a plain member too. */
  can_send: boolean;
}

/** A topic of a forum. Its id is that of the service message that announces it. */
export interface Topic {
  chat: number;
  id: number;
  name: string;
  icon_color: number;
  icon_custom_emoji_id?: string | undefined;
  creator: number;
  state: 'open' | 'closed' | 'deleted';
}

export interface Entity {
  type: string;
  /** In UTF-16 units. */
  offset: number;
  length: number;
  url?: string | undefined;
  /** `text_mention`: the user's id. */
  user?: number | undefined;
  language?: string | undefined;
  custom_emoji_id?: string | undefined;
  unix_time?: number | undefined;
  date_time_format?: string | undefined;
}

export interface InlineButton extends Json {
  text: string;
}

/** Rows of buttons. */
export type InlineKeyboard = InlineButton[][];

export interface RichMessage {
  blocks: Json[];
  is_rtl?: boolean | undefined;
}

export interface Reaction {
  user: number;
  emoji: string;
}

export interface Message {
  chat: number;
  id: number;
  date: number;
  /** Author. For an anonymous administrator the group's anonymous bot, with `sender_chat`. */
  from: number;
  sender_chat?: number | undefined;
  /** Who really wrote it, where `from` hides that. Never on the wire. */
  author?: number | undefined;
  /** Topic; in supergroups without topics the first message of a chain of replies. */
  message_thread_id?: number | undefined;
  is_topic_message?: boolean | undefined;
  /** Message id. */
  reply_to?: number | undefined;
  quote?: string | undefined;
  text?: string | undefined;
  caption?: string | undefined;
  /** Of the text or the caption. */
  entities: Entity[];
  rich?: RichMessage | undefined;
  media?: { kind: 'document' | 'photo'; file: string } | undefined;
  media_group_id?: string | undefined;
  edit_date?: number | undefined;
  keyboard?: InlineKeyboard | undefined;
  /** `force_reply`, `keyboard` or `remove_keyboard`: shown by clients, not echoed by the API. */
  asks?: Json | undefined;
  /** Sent with a reply markup other than an inline keyboard: it cannot be edited. Never on the wire. */
  is_fixed?: true | undefined;
  link_preview_options?: Json | undefined;
  /** The service field and its value, e.g. `{ forum_topic_created: {…} }`. Users stand as ids in `users`. */
  service?: { field: string; value?: unknown; users?: number[] | undefined; message?: number | undefined } | undefined;
  reactions: Reaction[];
  disable_notification?: boolean | undefined;
  protect_content?: boolean | undefined;
}

/** A file the bot can use; `id` is its `file_id`. */
export interface FileRecord {
  id: string;
  unique_id: string;
  name: string;
  mime_type: string;
  size: number;
  /** Path below `/file/bot<token>/`. */
  path: string;
  kind: 'document' | 'photo';
  width?: number | undefined;
  height?: number | undefined;
  /** Until when the link of the last `getFile` works, milliseconds since 1970. */
  link_until?: number | undefined;
}

/** A press. */
export interface CallbackQuery {
  id: string;
  user: number;
  chat: number;
  message: number;
  data: string;
  /** Milliseconds since 1970. */
  at: number;
  answer?: CallbackAnswer | undefined;
}

/** What the presser sees. `none`: only the spinner ends. */
export interface CallbackAnswer {
  shown: 'toast' | 'alert' | 'none';
  text: string;
  url?: string | undefined;
}

/** A draft being streamed to a person; forgotten 30 seconds after its last refresh. Never stored on disk. */
export interface Draft {
  chat: number;
  message_thread_id?: number | undefined;
  draft_id: number;
  /** Empty: "Thinking…". */
  text: string;
  entities: Entity[];
  rich?: RichMessage | undefined;
  can_stop: boolean;
  /** Milliseconds since 1970. */
  refreshed_at: number;
}

/** An update the bot has not confirmed. */
export interface PendingUpdate {
  update_id: number;
  /** `message`, `callback_query` … */
  kind: string;
  /** Updates with the same key are delivered one after another by webhook. */
  queue: string;
  body: Json;
  /** Milliseconds since 1970. */
  expires_at: number;
  /** Webhook deliveries already tried. */
  attempts: number;
}

export interface Webhook {
  url: string;
  secret_token?: string | undefined;
  max_connections: number;
  ip_address?: string | undefined;
  last_error_date?: number | undefined;
  last_error_message?: string | undefined;
}

/** One list of commands: a scope (as JSON text with sorted keys) and a language code or ''. */
export interface CommandList {
  scope: string;
  language_code: string;
  commands: { command: string; description: string; is_ephemeral?: boolean | undefined }[];
}

/** What BotFather and the bot itself have set. */
export interface BotProfile {
  /** `allowed_updates` of the last getUpdates or setWebhook; empty is the default. */
  allowed_updates: string[];
  webhook?: Webhook | undefined;
  /** `name`, `description`, `short_description` by language code ('' is the default). */
  texts: Record<string, string>;
  menu_buttons: Record<string, Json>;
  default_rights: Record<string, Json>;
}

/** Something a reader of the state may want to know. */
export type Change =
  | { type: 'message'; message: Message; previous?: Message | undefined }
  | { type: 'message_removed'; message: Message }
  | { type: 'chat'; chat: Chat }
  | { type: 'topic'; topic: Topic }
  | { type: 'draft'; draft: Draft }
  | { type: 'draft_removed'; draft: Draft }
  | { type: 'action'; chat: number; message_thread_id?: number | undefined; action: string }
  | { type: 'query'; query: CallbackQuery }
  | { type: 'commands' }
  | { type: 'notice'; user: number; chat?: number | undefined; tone: 'error' | 'info'; text: string }
  | { type: 'settings' }
  | { type: 'bot' }
  | { type: 'reset' };
