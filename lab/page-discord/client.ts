import { useEffect, useState } from 'preact/hooks';
import type { DiscordEvent, DiscordMessage, DiscordState } from '../discord-page-api.ts';
import type { PersonKey } from '../page-person.ts';
import { api, base, Refused } from './api.ts';
import { channelOf, directChannel, fold, type Place, textChannels } from './model.ts';

/** A command on its way, as the client shows it before the app answers, or the sentence that it did not. */
export interface Sending {
  id: number;
  user: string;
  channel: string;
  command: string;
  failed: string | undefined;
}

export interface Snapshot {
  state: DiscordState;
  /** The person's user id. */
  as: string;
  place: Place;
  /** The event stream is open. */
  online: boolean;
  /** What the client says about a press, by message id. */
  failures: Record<string, string>;
  sending: Sending[];
  notices: { id: number; text: string }[];
  /** Messages that came in while the person looked elsewhere, by `<person> <channel>`. */
  unread: Record<string, number>;
  /** Who types where, by `<channel> <user>`: until when. */
  typing: Record<string, number>;
}

const TYPING_MS = 10_000;
const NOTICE_MS = 8_000;
const RETRY_MS = 1_000;

/** Keeps the pane's picture of the lab: fetched once, then folded from events; fetched again after a reset. */
export class DiscordClient {
  #snapshot: Snapshot | undefined;
  #person: PersonKey;
  #source: EventSource | undefined;
  #ended = false;
  #count = 0;
  readonly #listeners = new Set<() => void>();

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
    try {
      const state = await api.state();
      if (this.#ended) return;
      const kept = this.#snapshot ?? { failures: {}, sending: [], notices: [], unread: {}, typing: {} };
      const as = idOf(state, this.#person);
      this.#set({ ...kept, state, as, place: placeFor(state, as, this.#snapshot?.place), online: true });
      this.#listen(state.version);
    } catch {
      if (!this.#ended) setTimeout(() => void this.start(), RETRY_MS);
    }
  }

  stop(): void {
    this.#ended = true;
    this.#source?.close();
  }

  setPerson(person: PersonKey): void {
    this.#person = person;
    const before = this.#snapshot;
    if (before === undefined) return;
    const as = idOf(before.state, person);
    this.#set({ ...before, as, place: placeFor(before.state, as, before.place) });
    this.go({});
  }

  #listen(after: number): void {
    this.#source?.close();
    const source = new EventSource(`${base}/events?after=${after}`);
    this.#source = source;
    source.onopen = () => this.#update({ online: true });
    source.onerror = () => {
      this.#update({ online: false });
      // The server ended the stream for good: begin anew.
      if (source.readyState === EventSource.CLOSED && !this.#ended) setTimeout(() => void this.start(), RETRY_MS);
    };
    source.onmessage = (message) => this.#receive(JSON.parse(String(message.data)) as DiscordEvent);
  }

  #receive(event: DiscordEvent): void {
    const before = this.#snapshot;
    if (before === undefined) return;
    if (event.type === 'reset') {
      this.#source?.close();
      void this.start();
      return;
    }
    if (event.type === 'typing') {
      const key = `${event.channel} ${event.user}`;
      this.#set({ ...before, typing: { ...before.typing, [key]: event.at + TYPING_MS } });
      setTimeout(() => this.#update({}), TYPING_MS + 50);
      return;
    }
    const state = fold(before.state, event);
    const next = { ...before, state };
    if (event.type === 'message' && state.messages.length > before.state.messages.length) this.#countNew(next, event.message);
    if (event.type === 'channel_removed') next.place = placeFor(state, before.as, before.place);
    this.#set(next);
  }

  #countNew(next: Snapshot, message: DiscordMessage): void {
    const { place, as } = next;
    next.typing = { ...next.typing };
    delete next.typing[`${message.channel} ${message.author}`];
    const readers = channelOf(next.state, message.channel)?.readers ?? [];
    for (const reader of readers) {
      const isHere = reader === as && (message.channel === place.channel || message.channel === place.thread);
      const isHidden = message.visible_to !== undefined && message.visible_to !== reader;
      if (isHere || isHidden || message.author === reader || message.type === 21) continue;
      const key = `${reader} ${message.channel}`;
      next.unread = { ...next.unread, [key]: (next.unread[key] ?? 0) + 1 };
    }
  }

  go(change: Partial<Place>): void {
    const before = this.#snapshot;
    if (before === undefined) return;
    const place = { ...before.place, ...change };
    const unread = { ...before.unread };
    for (const channel of [place.channel, place.thread]) delete unread[`${before.as} ${channel}`];
    this.#set({ ...before, place, unread });
  }

  /** Runs an action; a refusal is shown for a while. Returns whether it went through. */
  async attempt(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.say(error.message);
      return false;
    }
  }

  /** A press; what goes wrong stands under the message until the next press. */
  async press(message: string, custom_id: string, values?: string[]): Promise<void> {
    const failures = { ...this.#snapshot?.failures };
    delete failures[message];
    this.#update({ failures });
    const as = this.#snapshot?.as ?? '';
    try {
      await api.press(values === undefined ? { as, id: message, custom_id } : { as, id: message, custom_id, values });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#update({ failures: { ...this.#snapshot?.failures, [message]: error.message } });
    }
  }

  /** A command or message command: shown while it is sent, and kept with the sentence of the client when the app stays silent. */
  async command(given: { channel: string; command: string }, send: () => Promise<unknown>): Promise<boolean> {
    const before = this.#snapshot;
    if (before === undefined) return false;
    const id = ++this.#count;
    this.#update({ sending: [...before.sending, { ...given, id, user: before.as, failed: undefined }] });
    const settle = (failed: string | undefined) => {
      const sending = this.#snapshot?.sending ?? [];
      const rest = failed === undefined ? sending.filter((one) => one.id !== id) : undefined;
      this.#update({ sending: rest ?? sending.map((one) => (one.id === id ? { ...one, failed } : one)) });
    };
    try {
      await send();
      settle(undefined);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      settle(error.code === 'not_answered' ? error.message : undefined);
      if (error.code !== 'not_answered') this.say(error.message);
      return error.code === 'not_answered';
    }
  }

  dismissSending(id: number): void {
    this.#update({ sending: (this.#snapshot?.sending ?? []).filter((one) => one.id !== id) });
  }

  say(text: string): void {
    const id = ++this.#count;
    this.#update({ notices: [...(this.#snapshot?.notices ?? []), { id, text }] });
    setTimeout(() => this.dismiss(id), NOTICE_MS);
  }

  dismiss(id: number): void {
    this.#update({ notices: (this.#snapshot?.notices ?? []).filter((notice) => notice.id !== id) });
  }

  #update(change: Partial<Snapshot>): void {
    if (this.#snapshot !== undefined) this.#set({ ...this.#snapshot, ...change });
  }

  #set(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener();
  }
}

export function useSnapshot(client: DiscordClient): Snapshot | undefined {
  const [snapshot, setSnapshot] = useState(client.snapshot);
  useEffect(() => client.subscribe(() => setSnapshot(client.snapshot)), [client]);
  return snapshot;
}

function idOf(state: DiscordState, person: PersonKey): string {
  return state.people.find(({ username }) => username === person)?.id ?? '';
}

/** The same place for another person: a DM belongs to one person, and not everyone sees every channel. */
function placeFor(state: DiscordState, as: string, before: Place | undefined): Place {
  const wanted = before && channelOf(state, before.channel);
  if (wanted?.kind === 'dm') return { channel: directChannel(state, as)?.id ?? '', thread: undefined };
  const channels = textChannels(state, as);
  const channel = channels.find(({ id }) => id === before?.channel) ?? channels[0];
  const thread = before?.thread === undefined ? undefined : channelOf(state, before.thread);
  const isOpen = thread?.thread?.parent === channel?.id && thread?.readers.includes(as);
  return { channel: channel?.id ?? '', thread: isOpen ? thread?.id : undefined };
}
