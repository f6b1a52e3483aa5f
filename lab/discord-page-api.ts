/**
 * The API between the Discord pane (browser) and the lab server. Types only, importable from both sides.
 *
 * Reading
 *   GET  /lab/discord/api/state               -> DiscordState      the whole picture; `version` is the id of the last event folded in
 *   GET  /lab/discord/api/events              -> SSE of DiscordEvent; resumed with Last-Event-ID or `?after=<version>`; a resume point
 *                                                the server no longer knows yields one `reset` event: fetch the state again
 *   GET  /lab/discord/api/files/:id/:name     -> the bytes of a file (inline; `?download=1` as attachment)
 *
 * Acting as a person (POST, JSON body, every body has `as`: a person's user id; shapes in discord-page-actions.ts)
 *   messages, messages/edit, messages/delete  writing; deleting an ephemeral message dismisses it
 *   reactions, threads, threads/set, dms      what else one does with messages and conversations
 *   commands, autocomplete, message-commands  slash commands with typed options, and Apps > … on a message
 *   press                                     buttons and selects
 *   modals/submit, modals/close               forms
 *   files?as&name                             raw bytes as body -> { file: DiscordFile }, then name the id in a message
 *
 * Managing the lab (POST, JSON)
 *   settings, reset
 *
 * Every refusal is HTTP 4xx with a LabError body; `error.message` is the sentence to show. A press, command or form returns when the app
 * has given its first answer, or fails with `not_answered` (424) after 3 seconds, as the Discord client shows it.
 */

export interface DiscordState {
  version: number;
  guild: { id: string; name: string };
  app: DiscordApp;
  people: DiscordPerson[];
  roles: { id: string; name: string }[];
  /** Text channels in their order, threads, and one DM with the bot per person. */
  channels: DiscordChannel[];
  /** Oldest first; the newest 500 of each channel and thread, and the ephemeral ones. */
  messages: DiscordMessage[];
  /** Open forms of all people, at most one each. */
  modals: DiscordModal[];
  commands: DiscordCommand[];
  settings: DiscordSettings;
  suggestions: DiscordSuggestion[];
}

export interface DiscordApp {
  /** The bot's user id. */
  id: string;
  name: string;
  /** A gateway session is open, or interactions go to an address. */
  connected: boolean;
}

export interface DiscordPerson {
  id: string;
  /** `ada`: the handle, and the key of the person in the lab. */
  username: string;
  name: string;
  title: string;
  /** `#rrggbb` */
  color: string;
  bot: boolean;
}

export interface DiscordChannel {
  id: string;
  kind: 'text' | 'thread' | 'dm';
  name: string;
  topic: string;
  /** Who of the people sees it, and who may write there. */
  readers: string[];
  writers: string[];
  bot_sees: boolean;
  /** The thread's channel, and its state. The thread of a message has the id of the message. */
  thread?: { parent: string; archived: boolean; locked: boolean; private: boolean; owner: string } | undefined;
  /** The DM takes messages of the bot. */
  dm_open?: boolean | undefined;
}

export interface DiscordMessage {
  id: string;
  channel: string;
  author: string;
  /** Of a webhook: the name it goes by. */
  author_name?: string | undefined;
  /** Milliseconds since 1970. */
  at: number;
  /** 0 default, 18 thread created, 19 reply, 20 slash command answer, 21 thread starter, 23 context menu answer. */
  type: number;
  content: string;
  embeds: DiscordPart[];
  /** As the app sent them, checked; `attachment://name` refers to `files`. */
  components: DiscordPart[];
  /** Attachments are shown only where a component refers to them. */
  v2: boolean;
  files: DiscordFile[];
  reactions: { emoji: string; users: string[] }[];
  /** Notified people. */
  mentions: string[];
  edited: boolean;
  /** The app has deferred: "Deckhand is thinking…". */
  thinking: boolean;
  reply_to?: string | undefined;
  /** A thread hangs on it, with the id of the message. */
  has_thread: boolean;
  /** Of type 18: the thread somebody started without a message. */
  opened_thread?: string | undefined;
  /** The command, press or form it answers. `name` of commands only. */
  answers?: { user: string; type: number; name?: string | undefined } | undefined;
  /** Ephemeral: only this person sees it. */
  visible_to?: string | undefined;
}

/** A component or embed; see Discord's component reference for the fields. */
export type DiscordPart = Record<string, unknown>;

export interface DiscordFile {
  id: string;
  name: string;
  type: string;
  size: number;
  description?: string | undefined;
  /** The first lines of a text file, at most 4,000 characters. */
  preview?: string | undefined;
  url: string;
}

export interface DiscordModal {
  id: string;
  user: string;
  channel: string;
  title: string;
  components: DiscordPart[];
  /** What the person is told when the app did not take it. */
  error?: string | undefined;
}

export interface DiscordCommand {
  id: string;
  /** 1 slash command, 2 user, 3 message. */
  type: 1 | 2 | 3;
  name: string;
  description: string;
  options: DiscordOption[];
  /** Offered in the guild, offered in DMs with the bot. */
  in_guild: boolean;
  in_dm: boolean;
  /** Who of the people is offered it in the guild. */
  members: string[];
}

/** `type`: 1 subcommand, 2 group, 3 text, 4 whole number, 5 yes/no, 6 user, 7 channel, 8 role, 9 mentionable, 10 number, 11 file. */
export interface DiscordOption {
  type: number;
  name: string;
  description: string;
  required?: boolean | undefined;
  autocomplete?: boolean | undefined;
  choices?: DiscordChoice[] | undefined;
  options?: DiscordOption[] | undefined;
}

export interface DiscordChoice {
  name: string;
  value: string | number;
}

export interface DiscordSettings {
  /** Answer 429 as the published limits say. */
  rate_limiting: boolean;
  /** Added to every REST answer, milliseconds. */
  latency_ms: number;
}

export interface DiscordSuggestion {
  text: string;
  hint: string;
  /** Where it makes sense; absent: anywhere. */
  channel?: string | undefined;
}

export type DiscordEvent =
  | { type: 'message'; message: DiscordMessage }
  | { type: 'message_removed'; id: string }
  | { type: 'channel'; channel: DiscordChannel }
  | { type: 'channel_removed'; id: string }
  | { type: 'modal'; modal: DiscordModal }
  | { type: 'modal_removed'; id: string }
  | { type: 'typing'; channel: string; user: string; at: number }
  | { type: 'app'; app: DiscordApp }
  | { type: 'commands'; commands: DiscordCommand[] }
  | { type: 'settings'; settings: DiscordSettings }
  | { type: 'reset' };
