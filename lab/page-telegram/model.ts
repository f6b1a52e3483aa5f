import type { PersonKey } from '../page-person.ts';
import type { PageChat, PageDraft, PageMessage, PageUser, TelegramPageEvent, TelegramPageState } from '../telegram-page-api.ts';

/** Where a person is: a chat, and in a forum a topic (absent: General). */
export interface Place {
  chat: number;
  topic: number | undefined;
}

/** The person whose Telegram this is. */
export type Me = PageUser & { key: PersonKey };

/** Folds one event into the state. Pure: returns a new state, or the same when nothing changed. */
export function fold(state: TelegramPageState, event: TelegramPageEvent): TelegramPageState {
  switch (event.type) {
    case 'message': {
      const { message } = event;
      const at = state.messages.findLastIndex(({ id, chat }) => id === message.id && chat === message.chat);
      return { ...state, messages: at < 0 ? [...state.messages, message] : state.messages.with(at, message) };
    }
    case 'message_removed':
      return { ...state, messages: state.messages.filter(({ id, chat }) => id !== event.id || chat !== event.chat) };
    case 'chat':
      return { ...state, chats: upsert(state.chats, event.chat, ({ id }) => `${id}`) };
    case 'topic':
      return { ...state, topics: upsert(state.topics, event.topic, ({ chat, id }) => `${chat}/${id}`) };
    case 'draft':
      return { ...state, drafts: upsert(state.drafts, event.draft, draftKey) };
    case 'draft_removed':
      return { ...state, drafts: state.drafts.filter((draft) => draftKey(draft) !== draftKey(event)) };
    case 'settings':
      return { ...state, settings: event.settings };
    case 'bot':
      return { ...state, bot: event.bot };
    case 'action':
    case 'commands':
    case 'reset':
      return state;
  }
}

/** A chat and topic have one draft at a time. */
function draftKey({ chat, topic }: Pick<PageDraft, 'chat' | 'topic'>): string {
  return `${chat}/${topic ?? ''}`;
}

function upsert<T>(list: T[], item: T, key: (item: T) => string): T[] {
  const at = list.findIndex((other) => key(other) === key(item));
  return at < 0 ? [...list, item] : list.with(at, item);
}

export function userOf(state: TelegramPageState, person: PersonKey): Me | undefined {
  const user = state.users.find(({ key, is_bot }) => key === person && !is_bot);
  return user === undefined ? undefined : { ...user, key: person };
}

/** The person's chats, the one with the newest message first. */
export function chatsOf(state: TelegramPageState, me: Me): PageChat[] {
  const chats = state.chats.filter(({ members, migrated_to }) => members.includes(me.id) && migrated_to === undefined);
  const date = (chat: PageChat) => lastOf(state, chat)?.date ?? 0;
  return chats.toSorted((a, b) => date(b) - date(a));
}

export function lastOf(state: TelegramPageState, chat: PageChat): PageMessage | undefined {
  return state.messages.findLast((message) => message.chat === chat.id);
}

/** What a chat shows, oldest first: with the messages from before it became a supergroup, and in a forum those of one topic. */
export function historyOf(state: TelegramPageState, chat: PageChat, topic: number | undefined): PageMessage[] {
  const from = chat.migrated_from;
  const earlier = from === undefined ? [] : state.messages.filter((message) => message.chat === from);
  const own = state.messages.filter((message) => message.chat === chat.id && (!chat.is_forum || message.topic === topic));
  return [...earlier, ...own];
}

const indexes = new WeakMap<PageMessage[], Map<string, PageMessage>>();

/** A message as it is now; `undefined` when it is gone or too old to be here. */
export function messageAt(state: TelegramPageState, chat: number, id: number): PageMessage | undefined {
  let index = indexes.get(state.messages);
  if (index === undefined) {
    index = new Map(state.messages.map((message) => [`${message.chat}/${message.id}`, message]));
    indexes.set(state.messages, index);
  }
  return index.get(`${chat}/${id}`);
}

/** The beginning of what a message says, in one line. */
export function gist(message: PageMessage): string {
  if (message.service !== undefined) return message.service;
  if (message.text !== '') return message.text.replace(/\s+/g, ' ').slice(0, 140);
  if (message.file !== undefined) return message.file.is_photo ? 'Photo' : message.file.name;
  return 'Message';
}

/** The question of the bot that this person's client opens a reply to: the newest one, unless it was answered or has changed since. */
export function pendingAsk(messages: readonly PageMessage[], me: Me, dismissed: ReadonlySet<number>): PageMessage | undefined {
  const ask = messages.findLast(({ asks }) => asks?.of.includes(me.id));
  if (ask === undefined || ask.edited || dismissed.has(ask.id)) return undefined;
  const isAnswered = messages.some(({ from, reply, chat }) => from === me.id && reply?.id === ask.id && chat === ask.chat);
  return isAnswered ? undefined : ask;
}
