import { Refused } from '../refused.ts';
import type { Core } from './core.ts';
import type { Place } from './interactions.ts';
import type { Channel, Message, User, View } from './model.ts';

/** What a person can find: channels by name, messages by timestamp, forms by id. */

export type MessageOrTs = Pick<Message, 'ts'> | string;

export interface Lookups {
  user: User;
  channelOf(name: string): Channel;
  visibleChannels(): Channel[];
  /** Shown to this person alone. */
  isOwn(message: Message): boolean;
  find(target: MessageOrTs): Message;
  viewOf(target: View | string): View;
  placeOf(target: MessageOrTs | View): Place;
}

export function tsOf(target: MessageOrTs): string {
  return typeof target === 'string' ? target : target.ts;
}

export function createLookups(core: Core, nameOrId: string): Lookups {
  const { state } = core;
  const people = [...state.users.values()].filter((entry) => !entry.is_bot);
  const user = people.find((entry) => entry.id === nameOrId || entry.name === nameOrId.toLowerCase());
  if (!user) throw new Error(`no person ${nameOrId}; there are ${people.map((entry) => entry.name).join(', ')}`);

  const visibleChannels = () =>
    state.channels.values().filter((entry) => entry.kind === 'public' || entry.members.includes(user.id));
  const isOwn = (message: Message) => message.visible_to === user.id;

  const find = (target: MessageOrTs): Message => {
    const ts = tsOf(target);
    for (const channel of visibleChannels()) {
      const shown = state.ephemeral(channel.id, ts);
      const message = shown && isOwn(shown) ? shown : state.message(channel.id, ts);
      if (message) return message;
    }
    throw new Refused('message_not_found', `${user.name} sees no message ${ts}`);
  };

  return {
    user,
    visibleChannels,
    isOwn,
    find,
    channelOf(name) {
      const bare = name.replace(/^#/, '');
      const channel = visibleChannels().find((entry) => {
        if (entry.id === name) return true;
        return entry.kind === 'im' ? bare === 'dm' && entry.im_user === user.id : entry.name === bare;
      });
      if (!channel) {
        const known = visibleChannels().map((entry) => (entry.kind === 'im' ? 'dm' : `#${entry.name}`));
        throw new Error(`${user.name} sees no channel ${name}; there are ${known.join(', ')}`);
      }
      return channel;
    },
    viewOf(target) {
      const view = state.views.get(typeof target === 'string' ? target : target.id);
      if (view?.user !== user.id) throw new Refused('view_not_found', `${user.name} has no such form open`);
      return view;
    },
    placeOf(target) {
      if (typeof target !== 'string' && 'hash' in target) return { view: state.views.get(target.id) ?? target };
      return { message: find(target) };
    },
  };
}
