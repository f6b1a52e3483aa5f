import type { DiscordChannel, DiscordEvent, DiscordMessage, DiscordState } from '../discord-page-api.ts';

/** Where a person is: in a text channel or the DM, perhaps with a thread open beside it. */
export interface Place {
  channel: string;
  thread: string | undefined;
}

/** Folds one event into the state. Pure: returns a new state, or the same when nothing changed. */
export function fold(state: DiscordState, event: DiscordEvent): DiscordState {
  switch (event.type) {
    case 'message': {
      const at = state.messages.findLastIndex(({ id }) => id === event.message.id);
      const messages = at < 0 ? insert(state.messages, event.message) : state.messages.with(at, event.message);
      return { ...state, messages };
    }
    case 'message_removed':
      return { ...state, messages: without(state.messages, event.id) };
    case 'channel':
      return { ...state, channels: upsert(state.channels, event.channel) };
    case 'channel_removed':
      return { ...state, channels: without(state.channels, event.id) };
    case 'modal':
      return { ...state, modals: upsert(state.modals, event.modal) };
    case 'modal_removed':
      return { ...state, modals: without(state.modals, event.id) };
    case 'app':
      return { ...state, app: event.app };
    case 'commands':
      return { ...state, commands: event.commands };
    case 'settings':
      return { ...state, settings: event.settings };
    case 'typing':
    case 'reset':
      return state;
  }
}

type Identified = { id: string };

function without<T extends Identified>(list: T[], id: string): T[] {
  return list.filter((entry) => entry.id !== id);
}

function upsert<T extends Identified>(list: T[], item: T): T[] {
  const at = list.findIndex(({ id }) => id === item.id);
  return at < 0 ? [...list, item] : list.with(at, item);
}

/** Snowflakes sort by length, then as text. */
function isAfter(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}

function insert(messages: DiscordMessage[], message: DiscordMessage): DiscordMessage[] {
  const at = messages.findLastIndex(({ id }) => isAfter(message.id, id));
  return messages.toSpliced(at + 1, 0, message);
}

export function textChannels(state: DiscordState, as: string): DiscordChannel[] {
  return state.channels.filter(({ kind, readers }) => kind === 'text' && readers.includes(as));
}

export function directChannel(state: DiscordState, as: string): DiscordChannel | undefined {
  return state.channels.find(({ kind, readers }) => kind === 'dm' && readers.includes(as));
}

export function threadsOf(state: DiscordState, channel: string, as: string): DiscordChannel[] {
  return state.channels.filter(({ thread, readers }) => thread?.parent === channel && readers.includes(as));
}

export function channelOf(state: DiscordState, id: string): DiscordChannel | undefined {
  return state.channels.find((channel) => channel.id === id);
}

/** What the person sees in a channel, thread or DM. */
export function messagesIn(state: DiscordState, channel: string, as: string): DiscordMessage[] {
  return state.messages.filter(
    (message) => message.channel === channel && (message.visible_to === undefined || message.visible_to === as),
  );
}

/** How many messages the thread holds, its starter left out, as the client counts them. */
export function repliesIn(state: DiscordState, thread: string): DiscordMessage[] {
  return state.messages.filter(({ channel, type, visible_to }) => channel === thread && type !== 21 && visible_to === undefined);
}

/** Messages by the same author within seven minutes stand under one name. */
export function isContinued(before: DiscordMessage | undefined, message: DiscordMessage): boolean {
  return (
    before !== undefined &&
    before.author === message.author &&
    before.author_name === message.author_name &&
    message.at - before.at < 7 * 60_000 &&
    message.type === 0 &&
    before.type !== 18 &&
    before.type !== 21 &&
    message.answers === undefined &&
    message.visible_to === before.visible_to &&
    dayOf(before.at) === dayOf(message.at)
  );
}

export function dayOf(at: number): string {
  return new Date(at).toLocaleDateString(undefined, { year: 'numeric', month: 'long', day: 'numeric' });
}

export function clockOf(at: number): string {
  return new Date(at).toLocaleTimeString(undefined, { hour: 'numeric', minute: '2-digit' });
}

/** `Today at 14:03`, `Yesterday at 14:03`, or the date. */
export function momentOf(at: number, now = Date.now()): string {
  if (dayOf(at) === dayOf(now)) return `Today at ${clockOf(at)}`;
  if (dayOf(at) === dayOf(now - 24 * 60 * 60_000)) return `Yesterday at ${clockOf(at)}`;
  return `${new Date(at).toLocaleDateString()} ${clockOf(at)}`;
}

export function nameOf(state: DiscordState, id: string): string {
  return state.people.find((person) => person.id === id)?.name ?? 'Unknown user';
}
