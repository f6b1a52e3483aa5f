import { Refused } from '../refused.ts';
import { isRecord, type Json } from '../slack/json.ts';
import { flatten } from './component-rules.ts';
import type { Core } from './core.ts';
import { COMPONENT as C } from './flags.ts';
import type { Channel, Component, Message, Modal, User } from './model.ts';
import { visibleMessage } from './people.ts';
import { canSee } from './permissions.ts';
import { labelOf } from './visible-text.ts';

/** What a person can find: channels by name, messages by id, buttons and fields by what stands on them. */

export type MessageOrId = Pick<Message, 'id'> | string;
/** `#demo`, `demo`, `dm`, an id, or a message: the thread that hangs on it. */
export type Where = MessageOrId;

export interface Lookups {
  user: User;
  channelOf(where: Where): Channel;
  /** Channels, threads and the DM. */
  visibleChannels(): Channel[];
  /** Shown to this person alone. */
  isOwn(message: Message): boolean;
  find(target: MessageOrId): Message;
  modalOf(target: Modal | string): Modal;
}

export function idOf(target: MessageOrId): string {
  return typeof target === 'string' ? target : target.id;
}

export function createLookups(core: Core, nameOrId: string): Lookups {
  const { state } = core;
  const people = [...state.users.values()].filter((entry) => !entry.bot);
  const user = people.find((entry) => entry.id === nameOrId || entry.username === nameOrId.toLowerCase());
  if (!user) throw new Error(`no person ${nameOrId}; there are ${people.map((entry) => entry.username).join(', ')}`);
  const visibleChannels = () => state.channels.values().filter((channel) => canSee(core, channel, user.id));
  return {
    user,
    visibleChannels,
    isOwn: (message) => message.visible_to === user.id,
    find: (target) => visibleMessage(core, user, idOf(target)),
    channelOf(where) {
      const name = idOf(where);
      const bare = name.replace(/^#/, '');
      const channel = visibleChannels().find((entry) => {
        if (entry.id === name) return true;
        return entry.kind === 'dm' ? bare === 'dm' : entry.kind === 'text' && entry.name === bare;
      });
      if (channel) return channel;
      const known = visibleChannels().map((entry) => (entry.kind === 'dm' ? 'dm' : `#${entry.name} (${entry.id})`));
      throw new Error(`${user.username} sees no channel or thread ${name}; there are ${known.join(', ')}`);
    },
    modalOf(target) {
      const modal = state.modals.get(typeof target === 'string' ? target : target.id);
      if (modal?.user !== user.id) throw new Refused('modal_not_found', `${user.username} has no such form open`);
      return modal;
    },
  };
}

/** The component with this label, placeholder or custom id; an option's label or value finds its select, too. */
export function pickComponent(components: Component[], what: string): { component: Json; value?: string | undefined } {
  const all = flatten(components).filter((entry) => typeof entry.custom_id === 'string' || entry.type === C.BUTTON);
  const named = all.filter((entry) => labelOf(entry) === what || entry.custom_id === what);
  const byOption = all.filter((entry) => optionNamed(entry, what) !== undefined);
  const found = named.length > 0 ? named : byOption;
  if (found.length > 1)
    throw new Refused(
      'component_ambiguous',
      `"${what}" is the name of several components: ${found.map((entry) => entry.custom_id).join(', ')}`,
    );
  const [component] = found;
  if (!component) {
    const known = all.map((entry) => `"${labelOf(entry) || String(entry.custom_id)}"`).join(', ');
    throw new Refused('component_not_found', `nothing is called "${what}"; there is ${known || 'nothing to press'}`);
  }
  return { component, value: named.length > 0 ? undefined : optionNamed(component, what) };
}

/** The value of the option with this label or value. */
export function optionNamed(component: Json, name: string): string | undefined {
  const options = Array.isArray(component.options) ? component.options.filter(isRecord) : [];
  const option = options.find((entry) => entry.value === name || entry.label === name);
  return option === undefined ? undefined : String(option.value);
}

/** A field of a form by its label or custom id. */
export function fieldNamed(modal: Modal, name: string): Json {
  const fields = modal.components.flatMap((entry) => {
    const inner = flatten([entry]).filter((own) => typeof own.custom_id === 'string');
    return inner.map((component) => ({
      label: entry.type === C.LABEL ? String(entry.label) : String(component.label),
      component,
    }));
  });
  const found = fields.find(({ label, component }) => label === name || component.custom_id === name);
  if (found) return found.component;
  throw new Refused(
    'field_not_found',
    `no field is called "${name}"; there are ${fields.map(({ label }) => `"${label}"`).join(', ') || 'none'}`,
  );
}
