import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Journal, type JournalRecord, openJournal } from '../slack/journal.ts';
import { createTable, type Table } from '../slack/table.ts';
import { compareIds, createSnowflakes } from './ids.ts';
import type { Change, Channel, Command, FileRecord, Interaction, Message, Modal, Role, User } from './model.ts';
import { botUser, otherBot, PEOPLE, seedChannels } from './seed.ts';

/**
 * Everything the emulator remembers, with a journal behind it when `persistPath` is given. Writers store whole new records;
 * every stored change is announced to the listeners after it is stored.
 */
export interface State {
  users: Map<string, User>;
  roles: Map<string, Role>;
  /** Text channels, threads and DMs. */
  channels: Table<Channel>;
  files: Table<FileRecord>;
  commands: Table<Command>;
  interactions: Table<Interaction>;
  /** Open forms by the id of the interaction that opened them. Not stored on disk: a client that restarts has closed them. */
  modals: Map<string, Modal>;

  nextId(): string;
  /** A message by id, ephemeral ones included. */
  message(id: string): Message | undefined;
  /** Messages of a channel, oldest first; no ephemeral ones. */
  messagesOf(channel: string): Message[];
  ephemerals(): Message[];
  /** The newest message that was sent with this nonce by this author. */
  withNonce(author: string, nonce: string): Message | undefined;
  putMessage(message: Message): void;
  removeMessage(message: Message): void;

  readContent(fileId: string): Buffer | undefined;
  writeContent(fileId: string, content: Buffer): void;
  removeContent(fileId: string): void;

  emit(change: Change): void;
  subscribe(listener: (change: Change) => void): () => void;
  /** Forgets messages, threads, files, forms and interactions; people, roles and registered commands stay. */
  reset(): void;
  close(): void;
}

export function createState(options: {
  persistPath?: string | undefined;
  botName: string;
  roles: Role[];
  now: () => number;
}): State {
  const ids = createSnowflakes(options.now);
  const listeners = new Set<(change: Change) => void>();
  let journal: Journal | undefined;
  const write = (record: JournalRecord) => journal?.append(record);

  const messages = createTable<Message>('message', (m) => m.id, write);
  const channels = createTable<Channel>('channel', (c) => c.id, write);
  const files = createTable<FileRecord>('file', (f) => f.id, write);
  const commands = createTable<Command>('command', (c) => c.id, write);
  const interactions = createTable<Interaction>('interaction', (i) => i.id, write);
  const tables: Table<unknown>[] = [messages, channels, files, commands, interactions];

  const byChannel = new Map<string, Set<string>>();
  const byNonce = new Map<string, string>();
  const ephemerals = new Map<string, Message>();
  const modals = new Map<string, Modal>();
  const contents = new Map<string, Buffer>();
  const contentDirectory = options.persistPath ? join(options.persistPath, 'files') : undefined;

  function index(message: Message): void {
    if (message.nonce !== undefined) byNonce.set(`${message.author}/${message.nonce}`, message.id);
    const known = byChannel.get(message.channel);
    if (known) known.add(message.id);
    else byChannel.set(message.channel, new Set([message.id]));
  }

  /** Files of ephemeral messages, which end with the process, and uploads that were never sent. */
  function removeOrphans(): void {
    const used = new Set(messages.values().flatMap((message) => message.attachments));
    for (const file of files.values()) {
      if (used.has(file.id)) continue;
      files.remove(file.id);
      if (contentDirectory) rmSync(join(contentDirectory, file.id), { force: true });
    }
  }

  function seed(): void {
    for (const channel of seedChannels()) if (!channels.get(channel.id)) channels.put(channel);
  }

  if (options.persistPath) {
    const load = (record: JournalRecord) => {
      tables.find((table) => table.name === record.table)?.load(record);
      ids.seen(record.key);
    };
    journal = openJournal(options.persistPath, load, function* () {
      for (const table of tables) yield* table.records();
    });
    if (contentDirectory) mkdirSync(contentDirectory, { recursive: true, mode: 0o700 });
    for (const message of messages.values().sort((a, b) => compareIds(a.id, b.id))) index(message);
    removeOrphans();
  }
  seed();

  const emit = (change: Change) => {
    for (const listener of listeners) listener(change);
  };

  return {
    users: new Map([...PEOPLE, botUser(options.botName), otherBot].map((user) => [user.id, user])),
    roles: new Map(options.roles.map((role) => [role.id, role])),
    channels,
    files,
    commands,
    interactions,
    modals,
    nextId: () => ids.next(),
    message: (id) => ephemerals.get(id) ?? messages.get(id),
    messagesOf: (channel) => [...(byChannel.get(channel) ?? [])].flatMap((id) => messages.get(id) ?? []),
    ephemerals: () => [...ephemerals.values()],
    withNonce: (author, nonce) => messages.get(byNonce.get(`${author}/${nonce}`) ?? ''),
    putMessage(message) {
      const previous = ephemerals.get(message.id) ?? messages.get(message.id);
      if (message.visible_to) ephemerals.set(message.id, message);
      else {
        messages.put(message);
        index(message);
      }
      emit({ type: 'message', message, previous });
    },
    removeMessage(message) {
      if (message.visible_to) ephemerals.delete(message.id);
      else {
        messages.remove(message.id);
        byChannel.get(message.channel)?.delete(message.id);
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
      for (const table of [messages, channels, files, interactions]) table.clear();
      for (const map of [byChannel, byNonce, ephemerals, modals]) map.clear();
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
