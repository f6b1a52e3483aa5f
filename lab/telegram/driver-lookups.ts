import { Refused } from '../refused.ts';
import { isIn } from './access.ts';
import type { Core } from './core.ts';
import type { Chat, Message, Topic, User } from './model.ts';

/** What a person can find: chats and topics by name, messages by chat and id. */

export type MessageRef = Pick<Message, 'chat' | 'id'>;

export interface Lookups {
  user: User;
  /** `dm`, a name like `demo` (also `#demo`), or an id. */
  chatOf(name: string | number): Chat;
  visibleChats(): Chat[];
  find(target: MessageRef): Message;
  /** By name or id. */
  topicOf(chat: Chat, topic: string | number): Topic;
}

export function createLookups(core: Core, nameOrId: string | number): Lookups {
  const { state } = core;
  const people = [...state.users.values()].filter((entry) => !entry.is_bot);
  const wanted = String(nameOrId).toLowerCase();
  const user = people.find((entry) => String(entry.id) === wanted || entry.name === wanted);
  if (!user) throw new Error(`no person ${nameOrId}; there are ${people.map((entry) => entry.name).join(', ')}`);

  const visibleChats = () => state.chats.values().filter((chat) => isIn(chat, user.id) || chat.linked_channel !== undefined);
  return {
    user,
    visibleChats,
    chatOf(name) {
      const bare = String(name).replace(/^#/, '');
      const fits = (chat: Chat) => {
        if (String(chat.id) === bare) return true;
        return chat.kind === 'private' ? bare === 'dm' : chat.name === bare && chat.migrated_to === undefined;
      };
      const chat = visibleChats().find(fits);
      if (chat) return chat;
      const known = visibleChats().map((entry) => (entry.kind === 'private' ? 'dm' : entry.name));
      throw new Error(`${user.name} sees no chat ${name}; there are ${known.join(', ')}`);
    },
    find({ chat, id }) {
      const message = visibleChats().some((entry) => entry.id === chat) ? state.message(chat, id) : undefined;
      if (!message) throw new Refused('message_not_found', `${user.name} sees no message ${id} in ${chat}`);
      return message;
    },
    topicOf(chat, topic) {
      const all = state.topicsOf(chat.id).filter((entry) => entry.state !== 'deleted');
      const found = all.findLast((entry) => entry.id === topic || entry.name === topic);
      if (found) return found;
      throw new Error(`${chat.name} has no topic ${topic}; there are ${all.map((entry) => entry.name).join(', ') || 'none'}`);
    },
  };
}
