import { useEffect, useState } from 'preact/hooks';
import type { PersonKey } from '../page-person.ts';
import type { PageChat, TelegramPageEvent, TelegramPageState } from '../telegram-page-api.ts';
import { api, Refused } from './api.ts';
import { chatsOf, fold, type Me, type Place, userOf } from './model.ts';

export interface Snapshot {
  state: TelegramPageState;
  me: Me;
  place: Place;
  /** The event stream is open. */
  online: boolean;
  /** The bot has been listening within the last seconds. */
  connected: boolean;
  /** Messages that came in while the person looked elsewhere, by `<user> <chat>`. */
  unread: Record<string, number>;
  /** What the bot is doing, by `<chat> <topic>`. */
  doing: Record<string, string>;
  toast: string | undefined;
  alert: string | undefined;
  /** Grows when the menus of commands change. */
  menus: number;
}

/** The bot is between two polls for moments; only a longer silence is worth a word. */
const DISCONNECTED_MS = 3_000;
const DOING_MS = 5_000;
const TOAST_MS = 4_000;
const REMEMBERED = 'telegram-chat';

/** Keeps the pane's picture of Telegram: fetched once, then folded from events; fetched again after a reset. */
export class TelegramClient {
  #snapshot: Snapshot | undefined;
  #person: PersonKey;
  #source: EventSource | undefined;
  #closed = false;
  /** What people have typed and not sent, by person, chat and topic. */
  readonly typed = new Map<string, string>();
  #frame: number | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(person: PersonKey) {
    this.#person = person;
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    if (this.#closed) return;
    try {
      const state = await api.state();
      const me = userOf(state, this.#person);
      if (me === undefined) throw new Error(`there is no ${this.#person}`);
      const { place: was, unread = {} } = this.#snapshot ?? {};
      const place = placeFor(state, me, was ?? { chat: Number(localStorage.getItem(REMEMBERED)), topic: undefined });
      const kept = { unread, doing: {}, toast: undefined, alert: undefined, menus: (this.#snapshot?.menus ?? 0) + 1 };
      this.#set({ state, me, place, online: true, connected: state.bot.connected, ...kept });
      this.#listen(state.version);
    } catch {
      this.#after('start', 1000, () => void this.start());
    }
  }

  close(): void {
    this.#closed = true;
    this.#source?.close();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
  }

  setPerson(person: PersonKey): void {
    this.#person = person;
    const before = this.#snapshot;
    const me = before && userOf(before.state, person);
    if (before === undefined || me === undefined) return;
    this.#enter({ ...before, me, alert: undefined }, before.place);
  }

  go(place: Place): void {
    const before = this.#snapshot;
    if (before !== undefined) this.#enter(before, place);
  }

  /** Runs an action; a refusal becomes a toast. Returns whether it went through. */
  async attempt(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.toast(error instanceof Refused ? error.message : String(error));
      return false;
    }
  }

  toast(toast: string | undefined): void {
    this.#update({ toast });
    this.#after('toast', TOAST_MS, () => this.#update({ toast: undefined }));
  }

  alert(alert: string | undefined): void {
    this.#update({ alert });
  }

  #enter(before: Snapshot, wanted: Place): void {
    const place = placeFor(before.state, before.me, wanted);
    localStorage.setItem(REMEMBERED, String(place.chat));
    const unread = { ...before.unread };
    delete unread[`${before.me.id} ${place.chat}`];
    this.#set({ ...before, place, unread });
  }

  #listen(after: number): void {
    this.#source?.close();
    const source = new EventSource(`/lab/telegram/api/events?after=${after}`);
    this.#source = source;
    source.onopen = () => this.#update({ online: true });
    source.onerror = () => {
      this.#update({ online: false });
      // The server ended the stream for good (for example a new lab): begin anew.
      if (source.readyState === EventSource.CLOSED) this.#after('start', 1000, () => void this.start());
    };
    source.onmessage = (message) => this.#receive(JSON.parse(String(message.data)) as TelegramPageEvent);
  }

  #receive(event: TelegramPageEvent): void {
    const before = this.#snapshot;
    if (before === undefined) return;
    if (event.type === 'reset') {
      this.#source?.close();
      void this.start();
      return;
    }
    if (event.type === 'commands') this.#update({ menus: before.menus + 1 });
    if (event.type === 'action') this.#does(`${event.chat} ${event.topic ?? ''}`, event.action);
    const state = fold(before.state, event);
    if (event.type === 'bot') this.#hears(event.bot.connected);
    if (event.type === 'message' && state.messages.length > before.state.messages.length) {
      const { message } = event;
      if (message.from === state.bot.id) this.#does(`${message.chat} ${message.topic ?? ''}`, undefined);
      this.#update({ state, unread: unreadWith(before, message.chat, message.from) });
      return;
    }
    this.#update({ state });
    // The chat may be gone from under the person, or live on under another id.
    if (event.type === 'chat') this.go(followed(state, before.place));
  }

  #hears(connected: boolean): void {
    if (connected) {
      clearTimeout(this.#timers.get('connected'));
      this.#update({ connected: true });
    } else this.#after('connected', DISCONNECTED_MS, () => this.#update({ connected: false }));
  }

  #does(key: string, action: string | undefined): void {
    const { [key]: _was, ...others } = this.#snapshot?.doing ?? {};
    this.#update({ doing: action === undefined ? others : { ...others, [key]: action } });
    if (action !== undefined) this.#after(`doing ${key}`, DOING_MS, () => this.#does(key, undefined));
  }

  #after(name: string, ms: number, run: () => void): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(run, ms));
  }

  #update(change: Partial<Snapshot>): void {
    if (this.#snapshot !== undefined) this.#set({ ...this.#snapshot, ...change });
  }

  /** Tells the page once a frame: many cards may change at once. */
  #set(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      for (const listener of this.#listeners) listener();
    });
  }
}

export function useSnapshot(client: TelegramClient): Snapshot | undefined {
  const [snapshot, setSnapshot] = useState(client.snapshot);
  useEffect(() => client.subscribe(() => setSnapshot(client.snapshot)), [client]);
  return snapshot;
}

/** The wanted chat if the person is in it; the own conversation with the bot instead of somebody else's. */
function placeFor(state: TelegramPageState, me: Me, wanted: Place): Place {
  const chats = chatsOf(state, me);
  const isIn = (chat: PageChat | undefined) => chat !== undefined && chats.includes(chat);
  const found = state.chats.find(({ id }) => id === wanted.chat);
  if (isIn(found)) return wanted;
  const instead = chats.find(({ kind }) => (kind === 'private') === (found?.kind === 'private')) ?? chats[0];
  return { chat: instead?.id ?? 0, topic: undefined };
}

function followed(state: TelegramPageState, place: Place): Place {
  const to = state.chats.find(({ id }) => id === place.chat)?.migrated_to;
  return to === undefined ? place : { chat: to, topic: undefined };
}

function unreadWith({ state, me, place, unread }: Snapshot, chat: number, from: number): Record<string, number> {
  const members = state.chats.find(({ id }) => id === chat)?.members ?? [];
  const away = members.filter((user) => user !== from && user !== state.bot.id && (user !== me.id || place.chat !== chat));
  return Object.fromEntries([...Object.entries(unread), ...away.map((user) => count(unread, `${user} ${chat}`))]);
}

function count(unread: Record<string, number>, key: string): [string, number] {
  return [key, (unread[key] ?? 0) + 1];
}
