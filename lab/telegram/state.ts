import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Journal, type JournalRecord, openJournal } from '../slack/journal.ts';
import { createTable, type Table } from '../slack/table.ts';
import type {
  BotProfile,
  CallbackQuery,
  Change,
  Chat,
  CommandList,
  FileRecord,
  Message,
  PendingUpdate,
  Topic,
  User,
} from './model.ts';
import { OTHER_BOTS, PEOPLE, seedChats } from './seed.ts';

/**
 * Everything the emulator remembers, with a journal behind it when `persistPath` is given. Writers store whole new records;
 * what people can see is announced to the listeners after it is stored.
 */
export interface State {
  users: Map<number, User>;
  /** By chat id as text. */
  chats: Table<Chat>;
  topics: Table<Topic>;
  files: Table<FileRecord>;
  queries: Table<CallbackQuery>;
  pending: Table<PendingUpdate>;
  commands: Table<CommandList>;

  profile(): BotProfile;
  putProfile(profile: BotProfile): void;

  chat(id: number): Chat | undefined;
  putChat(chat: Chat): void;
  topic(chat: number, id: number): Topic | undefined;
  topicsOf(chat: number): Topic[];
  putTopic(topic: Topic): void;

  /** Private chats and basic groups share one sequence of message ids; every supergroup has its own. */
  nextMessageId(chat: Chat): number;
  /** The next of a named sequence; `first` is its first value. */
  next(counter: string, first: number): number;
  message(chat: number, id: number): Message | undefined;
  /** Oldest first. */
  messagesOf(chat: number): Message[];
  putMessage(message: Message): void;
  removeMessage(message: Message): void;

  readContent(fileId: string): Buffer | undefined;
  writeContent(fileId: string, content: Buffer): void;

  emit(change: Change): void;
  subscribe(listener: (change: Change) => void): () => void;
  /** Forgets everything but people; chats are as on the first start. */
  reset(): void;
  close(): void;
}

interface Counter {
  name: string;
  value: number;
}

const keyOf = (chat: number, id: number) => `${chat}/${id}`;
const emptyProfile = (): BotProfile => ({ allowed_updates: [], texts: {}, menu_buttons: {}, default_rights: {} });

export function createState(options: { persistPath?: string | undefined; bot: User }): State {
  const listeners = new Set<(change: Change) => void>();
  let journal: Journal | undefined;
  const write = (record: JournalRecord) => journal?.append(record);

  const messages = createTable<Message>('message', (m) => keyOf(m.chat, m.id), write);
  const chats = createTable<Chat>('chat', (c) => String(c.id), write);
  const topics = createTable<Topic>('topic', (t) => keyOf(t.chat, t.id), write);
  const files = createTable<FileRecord>('file', (f) => f.id, write);
  const queries = createTable<CallbackQuery>('query', (q) => q.id, write);
  const pending = createTable<PendingUpdate>('update', (u) => String(u.update_id), write);
  const commands = createTable<CommandList>('commands', (c) => `${c.scope} ${c.language_code}`, write);
  const counters = createTable<Counter>('counter', (c) => c.name, write);
  const profiles = createTable<BotProfile>('profile', () => 'bot', write);
  const tables: Table<unknown>[] = [messages, chats, topics, files, queries, pending, commands, counters, profiles];

  const byChat = new Map<number, Set<string>>();
  const contents = new Map<string, Buffer>();
  const contentDirectory = options.persistPath ? join(options.persistPath, 'files') : undefined;
  const pathOf = (fileId: string) => (contentDirectory ? join(contentDirectory, fileId) : undefined);

  function index(message: Message): void {
    const keys = byChat.get(message.chat) ?? new Set();
    byChat.set(message.chat, keys.add(keyOf(message.chat, message.id)));
  }

  function seed(): void {
    for (const chat of seedChats()) if (!chats.get(String(chat.id))) chats.put(chat);
  }

  if (options.persistPath) {
    const load = (record: JournalRecord) => tables.find((table) => table.name === record.table)?.load(record);
    journal = openJournal(options.persistPath, load, function* () {
      for (const table of tables) yield* table.records();
    });
    if (contentDirectory) mkdirSync(contentDirectory, { recursive: true, mode: 0o700 });
    for (const message of messages.values()) index(message);
  }
  seed();

  const emit = (change: Change) => {
    for (const listener of listeners) listener(change);
  };
  const next = (name: string, first: number) => {
    const value = (counters.get(name)?.value ?? first - 1) + 1;
    counters.put({ name, value });
    return value;
  };

  return {
    users: new Map([...PEOPLE, ...OTHER_BOTS, options.bot].map((user) => [user.id, user])),
    chats,
    topics,
    files,
    queries,
    pending,
    commands,
    profile: () => profiles.get('bot') ?? emptyProfile(),
    putProfile: (profile) => profiles.put(profile),
    chat: (id) => chats.get(String(id)),
    putChat(chat) {
      chats.put(chat);
      emit({ type: 'chat', chat });
    },
    topic: (chat, id) => topics.get(keyOf(chat, id)),
    topicsOf: (chat) => topics.values().filter((topic) => topic.chat === chat),
    putTopic(topic) {
      topics.put(topic);
      emit({ type: 'topic', topic });
    },
    next,
    nextMessageId: (chat) => next(chat.kind === 'supergroup' ? `messages ${chat.id}` : 'messages', 1),
    message: (chat, id) => messages.get(keyOf(chat, id)),
    messagesOf: (chat) => [...(byChat.get(chat) ?? [])].flatMap((key) => messages.get(key) ?? []),
    putMessage(message) {
      const previous = messages.get(keyOf(message.chat, message.id));
      messages.put(message);
      index(message);
      emit({ type: 'message', message, previous });
    },
    removeMessage(message) {
      const key = keyOf(message.chat, message.id);
      messages.remove(key);
      byChat.get(message.chat)?.delete(key);
      emit({ type: 'message_removed', message });
    },
    readContent(fileId) {
      const path = pathOf(fileId);
      if (path === undefined) return contents.get(fileId);
      return existsSync(path) ? readFileSync(path) : undefined;
    },
    writeContent(fileId, content) {
      const path = pathOf(fileId);
      if (path === undefined) contents.set(fileId, content);
      else writeFileSync(path, content, { mode: 0o600 });
    },
    emit,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reset() {
      for (const file of files.values()) {
        const path = pathOf(file.id);
        if (path !== undefined) rmSync(path, { force: true });
      }
      contents.clear();
      // The bot's updates and messages count on: a bot that remembers the ids of before must not meet them again.
      for (const table of tables) if (table.name !== 'counter') table.clear();
      byChat.clear();
      seed();
      emit({ type: 'reset' });
    },
    close() {
      listeners.clear();
      journal?.close();
      journal = undefined;
    },
  };
}
