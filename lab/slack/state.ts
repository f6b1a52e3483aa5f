import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTsClock, secret } from './ids.ts';
import { type Journal, type JournalRecord, openJournal } from './journal.ts';
import type { Change, Channel, FileRecord, Message, PendingEvent, ResponseHook, ThreadStatus, User, View } from './model.ts';
import { botUser, PEOPLE, seedChannels } from './seed.ts';
import { createTable, type Table } from './table.ts';

/**
 * Everything the emulator remembers, with a journal behind it when `persistPath` is given. Writers store whole new records;
 * every stored change is announced to the listeners after it is stored.
 */
export interface State {
  users: Map<string, User>;
  channels: Table<Channel>;
  files: Table<FileRecord>;
  views: Table<View>;
  hooks: Table<ResponseHook>;
  pending: Table<PendingEvent>;
  statuses: Map<string, ThreadStatus>;

  /** Next message timestamp. */
  nextTs(): string;
  message(channel: string, ts: string): Message | undefined;
  /** Messages and replies of a channel, oldest first; no ephemeral ones. */
  messagesOf(channel: string): Message[];
  /** Replies of a thread, oldest first, without the parent. */
  replies(channel: string, threadTs: string): Message[];
  ephemeral(channel: string, ts: string): Message | undefined;
  ephemerals(): Message[];
  putMessage(message: Message): void;
  removeMessage(message: Message): void;

  readContent(fileId: string): Buffer | undefined;
  writeContent(fileId: string, content: Buffer): void;
  removeContent(fileId: string): void;

  emit(change: Change): void;
  subscribe(listener: (change: Change) => void): () => void;
  /** Forgets everything but people; channels are as on the first start. */
  reset(): void;
  close(): void;
}

const keyOf = (channel: string, ts: string) => `${channel}/${ts}`;

export function createState(options: { persistPath?: string | undefined; botName: string; now: () => number }): State {
  const clock = createTsClock(options.now);
  const listeners = new Set<(change: Change) => void>();
  let journal: Journal | undefined;
  const write = (record: JournalRecord) => journal?.append(record);

  const messages = createTable<Message>('message', (m) => keyOf(m.channel, m.ts), write);
  const channels = createTable<Channel>('channel', (c) => c.id, write);
  const files = createTable<FileRecord>('file', (f) => f.id, write);
  const views = createTable<View>('view', (v) => v.id, write);
  const hooks = createTable<ResponseHook>('hook', (h) => h.id, write);
  const pending = createTable<PendingEvent>('event', (e) => e.id, write);
  const tables: Table<unknown>[] = [messages, channels, files, views, hooks, pending];

  const byChannel = new Map<string, Set<string>>();
  const byThread = new Map<string, Set<string>>();
  const ephemerals = new Map<string, Message>();
  const contents = new Map<string, Buffer>();
  const contentDirectory = options.persistPath ? join(options.persistPath, 'files') : undefined;

  function index(message: Message): void {
    clock.seen(message.ts);
    addTo(byChannel, message.channel, keyOf(message.channel, message.ts));
    if (message.thread_ts && message.thread_ts !== message.ts) {
      addTo(byThread, keyOf(message.channel, message.thread_ts), keyOf(message.channel, message.ts));
    }
  }

  function load(record: JournalRecord): void {
    tables.find((table) => table.name === record.table)?.load(record);
  }

  function seed(): void {
    for (const channel of seedChannels()) if (!channels.get(channel.id)) channels.put(channel);
  }

  if (options.persistPath) {
    journal = openJournal(options.persistPath, load, function* () {
      for (const table of tables) yield* table.records();
    });
    if (contentDirectory) mkdirSync(contentDirectory, { recursive: true, mode: 0o700 });
    for (const message of messages.values()) index(message);
  }
  seed();

  const list = (keys: Set<string> | undefined) => [...(keys ?? [])].flatMap((key) => messages.get(key) ?? []);
  const emit = (change: Change) => {
    for (const listener of listeners) listener(change);
  };

  return {
    users: new Map([...PEOPLE, botUser(options.botName)].map((user) => [user.id, user])),
    channels,
    files,
    views,
    hooks,
    pending,
    statuses: new Map(),
    nextTs: () => clock.next(),
    message: (channel, ts) => messages.get(keyOf(channel, ts)),
    messagesOf: (channel) => list(byChannel.get(channel)),
    replies: (channel, threadTs) => list(byThread.get(keyOf(channel, threadTs))),
    ephemeral: (channel, ts) => ephemerals.get(keyOf(channel, ts)),
    ephemerals: () => [...ephemerals.values()],
    putMessage(message) {
      const key = keyOf(message.channel, message.ts);
      const previous = message.visible_to ? ephemerals.get(key) : messages.get(key);
      if (message.visible_to) ephemerals.set(key, message);
      else {
        messages.put(message);
        index(message);
      }
      emit({ type: 'message', message, previous });
    },
    removeMessage(message) {
      const key = keyOf(message.channel, message.ts);
      if (message.visible_to) ephemerals.delete(key);
      else {
        messages.remove(key);
        byChannel.get(message.channel)?.delete(key);
        if (message.thread_ts) byThread.get(keyOf(message.channel, message.thread_ts))?.delete(key);
      }
      emit({ type: 'message_removed', message });
    },
    readContent(fileId) {
      if (!contentDirectory) return contents.get(fileId);
      const path = join(contentDirectory, fileId);
      return existsSync(path) ? readFileSync(path) : undefined;
    },
    writeContent(fileId, content) {
      if (contentDirectory) writeFileSync(join(contentDirectory, fileId), content, { mode: 0o600 });
      else contents.set(fileId, content);
    },
    removeContent(fileId) {
      contents.delete(fileId);
      if (contentDirectory) rmSync(join(contentDirectory, fileId), { force: true });
    },
    emit,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reset() {
      for (const file of files.values()) this.removeContent(file.id);
      for (const table of tables) table.clear();
      for (const map of [byChannel, byThread, ephemerals, this.statuses]) map.clear();
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

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
}

/** The secrets of an installation, made anew for each emulator unless the host fixes them. */
export function newCredentials(): { botToken: string; appToken: string; signingSecret: string } {
  return {
    botToken: `xoxb-lab-${secret(12)}`,
    appToken: `xapp-1-lab-${secret(12)}`,
    signingSecret: secret(16),
  };
}
