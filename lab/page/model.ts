import type { LabChannel, LabEvent, LabMessage, LabState } from '../page-api.ts';

/** Where a person is in the lab. Kept in the address, so that a reload and a link lead to the same place. */
export interface Place {
  as: string;
  /** A channel id, or `home`. */
  channel: string;
  thread: string | undefined;
}

/** Something the page says to the person for a while. */
export interface Notice {
  id: number;
  tone: 'error' | 'info';
  text: string;
}

/** Folds one event into the state. Pure: returns a new state, or the same when nothing changed. */
export function fold(state: LabState, event: LabEvent): LabState {
  switch (event.type) {
    case 'message': {
      const { message } = event;
      const at = state.messages.findIndex((other) => isSame(other, message));
      const messages = at < 0 ? insertByTs(state.messages, message) : state.messages.with(at, message);
      return { ...state, messages };
    }
    case 'message_removed':
      return { ...state, messages: state.messages.filter((other) => !isSame(other, event)) };
    case 'channel':
      return { ...state, channels: upsert(state.channels, event.channel, ({ id }) => id) };
    case 'view':
      return { ...state, views: upsert(state.views, event.view, ({ id }) => id) };
    case 'view_removed':
      return { ...state, views: state.views.filter(({ id }) => id !== event.id) };
    case 'home':
      return { ...state, homes: upsert(state.homes, event.home, ({ user }) => user) };
    case 'status': {
      const others = state.statuses.filter(
        ({ channel, thread_ts }) => channel !== event.status.channel || thread_ts !== event.status.thread_ts,
      );
      return { ...state, statuses: event.status.status === '' ? others : [...others, event.status] };
    }
    case 'settings':
      return { ...state, settings: event.settings };
    case 'app':
      return { ...state, app: event.app, commands: event.commands, shortcuts: event.shortcuts };
    case 'notice':
    case 'reset':
      return state;
  }
}

interface MessageKey {
  channel: string;
  ts: string;
  visible_to?: string | undefined;
}

function isSame(a: MessageKey, b: MessageKey): boolean {
  return a.ts === b.ts && a.channel === b.channel && a.visible_to === b.visible_to;
}

function upsert<T>(list: T[], item: T, key: (item: T) => string): T[] {
  const at = list.findIndex((other) => key(other) === key(item));
  return at < 0 ? [...list, item] : list.with(at, item);
}

function insertByTs(messages: LabMessage[], message: LabMessage): LabMessage[] {
  const at = messages.findLastIndex(({ ts }) => Number(ts) <= Number(message.ts));
  return messages.toSpliced(at + 1, 0, message);
}

/** The channels a person can open: public ones, and private ones and direct messages they are in. */
export function channelsOf(state: LabState, as: string): LabChannel[] {
  return state.channels.filter(({ kind, members, im_user }) =>
    kind === 'im' ? im_user === as : kind === 'public' || members.includes(as),
  );
}

export function isVisible(message: LabMessage, as: string): boolean {
  return message.visible_to === undefined || message.visible_to === as;
}

/** What the channel itself shows: top-level messages, broadcast replies, and the person's ephemeral ones. */
export function topLevel(state: LabState, channel: string, as: string): LabMessage[] {
  return state.messages.filter(
    (message) =>
      message.channel === channel &&
      isVisible(message, as) &&
      (message.thread_ts === undefined || message.thread_ts === message.ts || message.broadcast),
  );
}

/** A thread: its parent, then the replies. */
export function threadOf(state: LabState, channel: string, thread: string, as: string): LabMessage[] {
  return state.messages.filter(
    (message) => message.channel === channel && isVisible(message, as) && (message.ts === thread || message.thread_ts === thread),
  );
}

export function nameOf(state: LabState, user: string): string {
  const person = state.people.find(({ id }) => id === user);
  return person === undefined ? user : person.display_name || person.real_name;
}
