/**
 * The API between the Telegram pane of the lab (browser) and the lab server. Types only, importable from both sides.
 *
 * Reading
 *   GET  /lab/telegram/api/state                  -> TelegramPageState   the whole picture; `version` is the id of the last event folded in
 *   GET  /lab/telegram/api/events                 -> SSE of TelegramPageEvent, resumed like /lab/api/events (page-api.ts)
 *   GET  /lab/telegram/api/commands?as&chat       -> { commands: PageCommand[] }   what the person's client offers in that chat
 *   GET  /lab/telegram/api/files/:id/:name        -> the bytes of a file (inline; `?download=1` as attachment)
 *
 * Acting as a person (POST, JSON body, every body has `as`: `ada`, `ben` or `gus`)
 *   /lab/telegram/api/messages           SayAction          -> { message: PageMessage }
 *   /lab/telegram/api/messages/edit      EditAction         -> { message: PageMessage }
 *   /lab/telegram/api/messages/delete    MessageAction      -> {}
 *   /lab/telegram/api/reactions          ReactAction        -> {}
 *   /lab/telegram/api/press              PressAction        -> PressResult   when the bot has answered, at the latest after 15 seconds
 *   /lab/telegram/api/start              StartAction        -> { message: PageMessage }   the button Start of a new conversation
 *   /lab/telegram/api/block              BlockAction        -> {}
 *   /lab/telegram/api/drafts/stop        StopDraftAction    -> {}
 *   /lab/telegram/api/topics             TopicAction        -> { topic: PageTopic }
 *   /lab/telegram/api/bot                BotAction          -> {}   takes the bot into a group or out of it
 *   /lab/telegram/api/migrate            ChatAction         -> { chat: number }   makes a basic group a supergroup
 *   /lab/telegram/api/files?as&chat&name&kind&caption&topic&reply_to   raw bytes as body -> { message: PageMessage }
 *
 * Managing the lab (POST, JSON)
 *   /lab/telegram/api/settings           Partial<PageSettings>  -> { settings: PageSettings }
 *   /lab/telegram/api/reset              {}                     -> {}   forgets every message and file
 *
 * Every refusal is HTTP 4xx with a LabError body (page-api.ts). Times are Unix seconds. Offsets of entities are UTF-16 units.
 */
import type { PersonKey } from './page-person.ts';

export interface TelegramPageState {
  version: number;
  bot: PageBot;
  /** People, and the bots of the chats. */
  users: PageUser[];
  chats: PageChat[];
  topics: PageTopic[];
  /** Oldest first within a chat. The newest 1,000 of each chat. */
  messages: PageMessage[];
  drafts: PageDraft[];
  settings: PageSettings;
  /** What the host proposes to type first. */
  suggestions: TelegramSuggestion[];
}

export interface PageBot {
  id: number;
  name: string;
  username: string;
  description: string;
  /** It polls at the moment, or has set a webhook. False for moments between two polls. */
  connected: boolean;
}

export interface PageUser {
  id: number;
  /** `ada`, `ben`, `gus` for people. */
  key: string;
  name: string;
  username: string | undefined;
  title: string;
  /** `#rrggbb` */
  color: string;
  is_bot: boolean;
}

export interface PageChat {
  id: number;
  kind: 'private' | 'group' | 'supergroup';
  /** Title of a group; the bot's name for private chats. */
  title: string;
  is_forum: boolean;
  /** Name of a forum's first topic, which is none of `topics`. */
  general?: string | undefined;
  /** User ids of those who are in it. A private chat: the person and the bot. */
  members: number[];
  /** How the bot stands in a group. */
  bot_is: 'administrator' | 'member' | 'absent';
  /** Private chats: `new` until the person presses Start, `blocked` while the person blocks the bot. */
  state: 'new' | 'open' | 'blocked';
  /** Set on a basic group that has become a supergroup: nobody writes there any more. */
  migrated_to?: number | undefined;
  /** Set on that supergroup: earlier messages are there. */
  migrated_from?: number | undefined;
}

export interface PageTopic {
  chat: number;
  id: number;
  name: string;
  /** `#rrggbb` */
  color: string;
  state: 'open' | 'closed' | 'deleted';
}

export interface PageEntity {
  type: string;
  offset: number;
  length: number;
  url?: string | undefined;
  user?: number | undefined;
  language?: string | undefined;
  unix_time?: number | undefined;
  date_time_format?: string | undefined;
}

export interface PageButton {
  text: string;
  style?: 'danger' | 'success' | 'primary' | 'link' | undefined;
  callback_data?: string | undefined;
  url?: string | undefined;
  /** The text that a press copies. */
  copy?: string | undefined;
}

/** A block of a rich message as the Bot API returns it; `type` tells the other fields. */
export interface PageBlock {
  type: string;
  [field: string]: unknown;
}

export interface PageMessage {
  chat: number;
  id: number;
  date: number;
  edited: boolean;
  from: number;
  /** First name of the author, or the title of the group. */
  name: string;
  /** An anonymous administrator: the message shows the group's name. */
  as_group: boolean;
  /** Topic of a forum; absent in General. */
  topic?: number | undefined;
  /** What it answers, as it was when this message changed last: who wrote it and its beginning; both empty when it was gone. */
  reply?: { id: number; name: string; text: string; quoted: boolean } | undefined;
  /** Text, or the caption of a file. */
  text: string;
  entities: PageEntity[];
  blocks?: PageBlock[] | undefined;
  file?: PageFile | undefined;
  /** Messages of one album share it. */
  album?: string | undefined;
  keyboard: PageButton[][];
  /** The clients of these people open a reply to this message. */
  asks?: { of: number[]; placeholder: string } | undefined;
  /** What Telegram says about the chat itself, in words: `Ada created the topic Releases`. Such a message has no text. */
  service?: string | undefined;
  reactions: { user: number; emoji: string }[];
}

export interface PageFile {
  id: string;
  name: string;
  type: string;
  size: number;
  is_photo: boolean;
  width?: number | undefined;
  height?: number | undefined;
  /** Path on the lab server. */
  url: string;
}

/** What the bot is writing to a person. Without text: it is thinking. */
export interface PageDraft {
  chat: number;
  topic?: number | undefined;
  draft_id: number;
  text: string;
  entities: PageEntity[];
  blocks?: PageBlock[] | undefined;
  can_stop: boolean;
}

export interface PageCommand {
  /** Without the slash. */
  command: string;
  description: string;
}

export interface PageSettings {
  /** Answer 429 as the published limits say. */
  rate_limiting: boolean;
  /** BotFather's privacy mode. */
  privacy_mode: boolean;
  /** Added to every Bot API answer, milliseconds. */
  latency_ms: number;
}

export interface TelegramSuggestion {
  text: string;
  hint: string;
  /** Where it makes sense; absent: anywhere. */
  chat?: number | undefined;
}

/** `data:` of one server-sent event; `id:` is its number. */
export type TelegramPageEvent =
  /** New or changed. Replace the one with the same chat and id. */
  | { type: 'message'; message: PageMessage }
  | { type: 'message_removed'; chat: number; id: number }
  | { type: 'chat'; chat: PageChat }
  | { type: 'topic'; topic: PageTopic }
  /** Begun or gone on; one for each chat and topic. */
  | { type: 'draft'; draft: PageDraft }
  | { type: 'draft_removed'; chat: number; topic?: number | undefined; draft_id: number }
  /** `typing` and the like: shown for five seconds, or until the bot's next message. */
  | { type: 'action'; chat: number; topic?: number | undefined; action: string }
  /** The menus changed: ask for the commands again. */
  | { type: 'commands' }
  | { type: 'settings'; settings: PageSettings }
  | { type: 'bot'; bot: PageBot }
  /** Everything changed, or the resume point is gone: fetch the state again. */
  | { type: 'reset' };

interface ActingAs {
  as: PersonKey;
}

export interface ChatAction extends ActingAs {
  chat: number;
}

export interface MessageAction extends ChatAction {
  id: number;
}

export interface SayAction extends ChatAction {
  /** At most 4,096 characters. Mentions, commands and links are found in it. */
  text: string;
  topic?: number | undefined;
  reply_to?: number | undefined;
  /** Part of the message replied to. */
  quote?: string | undefined;
}

export interface EditAction extends MessageAction {
  text: string;
}

export interface ReactAction extends MessageAction {
  /** `null` takes the person's reaction back. */
  emoji: string | null;
}

export interface PressAction extends MessageAction {
  data: string;
}

/** `spinner`: the bot has not answered in time. */
export interface PressResult {
  shown: 'toast' | 'alert' | 'none' | 'spinner';
  text: string;
}

export interface StartAction extends ActingAs {
  /** What a start link carries. */
  payload?: string | undefined;
}

export interface BlockAction extends ActingAs {
  on: boolean;
}

export interface StopDraftAction extends ActingAs {
  draft_id: number;
}

export interface TopicAction extends ChatAction {
  name: string;
}

export interface BotAction extends ChatAction {
  on: boolean;
}
