import { useEffect, useState } from 'preact/hooks';
import type { LabEvent, LabState } from '../page-api.ts';
import { api, Refused } from './api.ts';
import { channelsOf, fold, type Notice, type Place } from './model.ts';

export interface Snapshot {
  state: LabState;
  place: Place;
  /** The event stream is open. */
  online: boolean;
  notices: Notice[];
  /** Messages that came in while the person looked elsewhere, by `<person> <channel>`. */
  unread: Record<string, number>;
}

/** Keeps the page's picture of the lab: fetched once, then folded from events; fetched again after a reset. */
export class LabClient {
  #snapshot: Snapshot | undefined;
  readonly #listeners = new Set<() => void>();
  #source: EventSource | undefined;
  #noticeCount = 0;

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
      const place = placeFromAddress(state);
      this.#set({ state, place, online: true, notices: this.#snapshot?.notices ?? [], unread: this.#snapshot?.unread ?? {} });
      this.#listen(state.version);
    } catch {
      setTimeout(() => void this.start(), 1000);
    }
  }

  #listen(after: number): void {
    this.#source?.close();
    const source = new EventSource(`/lab/api/events?after=${after}`);
    this.#source = source;
    source.onopen = () => this.#update({ online: true });
    source.onerror = () => {
      this.#update({ online: false });
      // The server ended the stream for good (for example a new lab): begin anew.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => void this.start(), 1000);
    };
    source.onmessage = (message) => this.#receive(JSON.parse(String(message.data)) as LabEvent);
  }

  #receive(event: LabEvent): void {
    const before = this.#snapshot;
    if (before === undefined) return;
    if (event.type === 'reset') {
      this.#source?.close();
      void this.start();
      return;
    }
    if (event.type === 'notice') {
      if (event.user === before.place.as) this.say(event.tone, event.text);
      return;
    }
    const state = fold(before.state, event);
    let { unread } = before;
    if (event.type === 'message' && state.messages.length > before.state.messages.length) {
      const { message } = event;
      for (const person of state.people) {
        const here = person.id === before.place.as && message.channel === before.place.channel;
        if (person.is_bot || here || message.user === person.id) continue;
        if (message.visible_to !== undefined && message.visible_to !== person.id) continue;
        const key = `${person.id} ${message.channel}`;
        unread = { ...unread, [key]: (unread[key] ?? 0) + 1 };
      }
    }
    this.#set({ ...before, state, unread });
  }

  go(change: Partial<Place>): void {
    const before = this.#snapshot;
    if (before === undefined) return;
    let place = { ...before.place, ...change };
    if (place.channel !== 'home' && !channelsOf(before.state, place.as).some(({ id }) => id === place.channel)) {
      // A direct message belongs to one person: the next one sees the own conversation with the bot.
      const own = channelsOf(before.state, place.as);
      const wasDirect = before.state.channels.find(({ id }) => id === place.channel)?.kind === 'im';
      place = {
        ...place,
        channel: (own.find(({ kind }) => (kind === 'im') === wasDirect) ?? own[0])?.id ?? 'home',
        thread: undefined,
      };
    }
    const unread = { ...before.unread };
    delete unread[`${place.as} ${place.channel}`];
    history.replaceState(null, '', addressOf(place));
    this.#set({ ...before, place, unread });
    if (place.channel === 'home' && (before.place.channel !== 'home' || before.place.as !== place.as)) {
      void this.attempt(() => api.home({ as: place.as, tab: 'home' }));
    }
  }

  /** Runs an action; a refusal becomes a notice. Returns whether it went through. */
  async attempt(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.say('error', error instanceof Refused ? error.message : String(error));
      return false;
    }
  }

  say(tone: Notice['tone'], text: string): void {
    const before = this.#snapshot;
    if (before === undefined) return;
    const id = ++this.#noticeCount;
    this.#set({ ...before, notices: [...before.notices, { id, tone, text }] });
    setTimeout(() => this.dismiss(id), 9000);
  }

  dismiss(id: number): void {
    const before = this.#snapshot;
    if (before !== undefined) this.#set({ ...before, notices: before.notices.filter((notice) => notice.id !== id) });
  }

  #update(change: Partial<Snapshot>): void {
    if (this.#snapshot !== undefined) this.#set({ ...this.#snapshot, ...change });
  }

  #set(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener();
  }
}

export function useSnapshot(client: LabClient): Snapshot | undefined {
  const [snapshot, setSnapshot] = useState(client.snapshot);
  useEffect(() => client.subscribe(() => setSnapshot(client.snapshot)), [client]);
  return snapshot;
}

function addressOf({ as, channel, thread }: Place): string {
  return `#${new URLSearchParams({ as, channel, ...(thread === undefined ? {} : { thread }) })}`;
}

function placeFromAddress(state: LabState): Place {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const people = state.people.filter(({ is_bot }) => !is_bot);
  const as = (people.find(({ id }) => id === wanted.get('as')) ?? people[0])?.id ?? '';
  const channels = channelsOf(state, as);
  const channel =
    wanted.get('channel') === 'home'
      ? 'home'
      : ((channels.find(({ id }) => id === wanted.get('channel')) ?? channels[0])?.id ?? 'home');
  return { as, channel, thread: wanted.get('thread') ?? undefined };
}
