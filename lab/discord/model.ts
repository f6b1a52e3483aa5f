import type { Json } from '../slack/json.ts';

/**
 * What the emulator remembers. Records are never changed in place: a change stores a new object, so an old one stays a true
 * "previous". Ids are snowflakes as text; times are milliseconds since 1970. How records look on the wire is wire.ts.
 */

export interface User {
  id: string;
  username: string;
  /** The name people see. */
  global_name: string;
  /** What the lab says about the person: Owner, Developer, Guest. */
  title: string;
  /** `#rrggbb` */
  color: string;
  bot: boolean;
  /** Role ids in the guild, without @everyone. */
  roles: string[];
  /** Has not agreed to the rules of the guild yet. */
  pending?: boolean | undefined;
}

export interface Role {
  id: string;
  name: string;
  permissions: bigint;
  position: number;
  /** The bot that the role came with. */
  bot_id?: string | undefined;
}

/** Changes of rights in one channel. `type`: 0 role, 1 member. Bit sets as decimal text. */
export interface Overwrite {
  id: string;
  type: 0 | 1;
  allow: string;
  deny: string;
}

export type ChannelKind = 'text' | 'dm' | 'thread';

export interface Channel {
  id: string;
  kind: ChannelKind;
  name: string;
  topic: string;
  position: number;
  overwrites: Overwrite[];
  /** DMs with the bot: the person, and whether the person refuses messages of the bot. */
  dm?: { user: string; closed: boolean } | undefined;
  thread?: Thread | undefined;
}

export interface Thread {
  parent_id: string;
  owner_id: string;
  private: boolean;
  archived: boolean;
  locked: boolean;
  invitable: boolean;
  /** Minutes: 60, 1440, 4320 or 10080. */
  auto_archive_duration: number;
  /** When `archived` last changed. */
  archive_timestamp: number;
  rate_limit_per_user: number;
  members: string[];
  /** Messages ever sent, deleted ones included, the starter excluded. */
  total_message_sent: number;
}

/** A component as the app sent it, with the `id` that Discord adds. */
export interface Component extends Json {
  type: number;
  id: number;
}

export interface Reaction {
  /** A Unicode emoji, or `name:id`. */
  emoji: string;
  users: string[];
}

export interface MessageReference {
  message_id?: string | undefined;
  channel_id: string;
  guild_id?: string | undefined;
}

/** The interaction a message answers. */
export interface MessageInteraction {
  id: string;
  /** 2 command, 3 component, 5 form. */
  type: number;
  user: string;
  name?: string | undefined;
  /** For follow-ups: the first answer. */
  original_response_message_id?: string | undefined;
  /** For presses: the message that carried the component. */
  interacted_message_id?: string | undefined;
}

export interface Message {
  id: string;
  channel: string;
  author: string;
  /** 0 default, 18 thread created, 19 reply, 20 slash command answer, 21 thread starter, 23 context menu answer. */
  type: number;
  content: string;
  embeds: Json[];
  components: Component[];
  /** File ids, in order. */
  attachments: string[];
  /** Bit set, see FLAGS in flags.ts. */
  flags: number;
  /** Users that were really mentioned, and so notified. */
  mentions: string[];
  mention_roles: string[];
  mention_everyone: boolean;
  reactions: Reaction[];
  reference?: MessageReference | undefined;
  edited_at?: number | undefined;
  /** As the sender gave it; only the answer to the sender and the first event carry it. */
  nonce?: string | undefined;
  /** Sent through a webhook that is not an interaction. */
  webhook?: { id: string; username: string } | undefined;
  interaction?: MessageInteraction | undefined;
  /** Ephemeral: only this person sees it. Never stored on disk. */
  visible_to?: string | undefined;
  tts: boolean;
  pinned: boolean;
}

export interface FileRecord {
  id: string;
  filename: string;
  content_type: string;
  size: number;
  description?: string | undefined;
  uploader: string;
  /** Where it was posted; absent until it is. */
  channel?: string | undefined;
}

/** A registered application command. `scope`: `global`, or a guild id. */
export interface Command {
  id: string;
  scope: string;
  /** 1 slash command, 2 user, 3 message. */
  type: 1 | 2 | 3;
  name: string;
  description: string;
  options: CommandOption[];
  /** 0 guild, 1 DM with the bot, 2 other private channels; absent: everywhere. */
  contexts?: number[] | undefined;
  integration_types: number[];
  default_member_permissions?: string | undefined;
  name_localizations?: Record<string, string> | undefined;
  description_localizations?: Record<string, string> | undefined;
  nsfw: boolean;
  /** A snowflake that changes with every change. */
  version: string;
}

/** `type`: 1 subcommand, 2 group, 3 text, 4 whole number, 5 yes/no, 6 user, 7 channel, 8 role, 9 mentionable, 10 number, 11 file. */
export interface CommandOption extends Json {
  type: number;
  name: string;
  description: string;
  required?: boolean;
  autocomplete?: boolean;
  choices?: CommandChoice[];
  options?: CommandOption[];
}

export interface CommandChoice extends Json {
  name: string;
  value: string | number;
}

/** An interaction and the life of its token. */
export interface Interaction {
  id: string;
  token: string;
  /** 2 command, 3 component, 4 autocomplete, 5 form. */
  type: number;
  user: string;
  channel: string;
  created_at: number;
  /** `waiting` for the first answer, `answered`, or `failed`: the deadline passed without one. */
  state: 'waiting' | 'answered' | 'failed';
  /** Name of the command. */
  name?: string | undefined;
  /** The message that carried the component, or that the form was opened from. */
  source?: string | undefined;
  /** The message `@original` means. */
  original?: string | undefined;
  /** `@original` is still the "thinking" placeholder. */
  loading?: boolean | undefined;
}

/** A form that is open in front of a person. */
export interface Modal {
  /** Id of the interaction that opened it. */
  id: string;
  user: string;
  channel: string;
  custom_id: string;
  title: string;
  components: Component[];
  /** The message whose component opened it. */
  source?: string | undefined;
  /** What the person is told when the app did not take it. */
  error?: string | undefined;
}

/** Something a reader of the state may want to know. */
export type Change =
  | { type: 'message'; message: Message; previous?: Message | undefined }
  | { type: 'message_removed'; message: Message }
  | { type: 'channel'; channel: Channel }
  | { type: 'channel_removed'; channel: Channel }
  | { type: 'file'; file: FileRecord }
  | { type: 'modal'; modal: Modal }
  | { type: 'modal_removed'; modal: Modal }
  /** The bot or a person types; it shows for ten seconds or until the next message of that user there. */
  | { type: 'typing'; channel: string; user: string; at: number }
  | { type: 'notice'; user: string; channel?: string | undefined; tone: 'error' | 'info'; text: string }
  /** Registered commands changed. */
  | { type: 'commands' }
  | { type: 'settings' }
  /** The app connected, disconnected or changed. */
  | { type: 'app' }
  | { type: 'reset' };
