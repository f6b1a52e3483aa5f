import { isRecord, type Json } from '../slack/json.ts';
import { flatten } from './component-rules.ts';
import type { Core } from './core.ts';
import { COMPONENT as C, FLAGS, has } from './flags.ts';
import type { Message, Modal } from './model.ts';

/** A message as a person sees it. */
export interface Seen extends Message {
  /** Everything readable, one piece per line: content, embeds, components with their labels, file names. Mentions as `@name`. */
  plain: string;
  /** Labels of the buttons, in order; disabled ones included. */
  buttons: string[];
  /** The thread that hangs on it. */
  thread?: string | undefined;
}

export function seen(core: Core, message: Message): Seen {
  const components = flatten(message.components);
  const files = message.attachments.flatMap((id) => core.state.files.get(id)?.filename ?? []);
  const thinking = has(message.flags, FLAGS.LOADING) ? [`${core.state.users.get(message.author)?.global_name} is thinking…`] : [];
  const lines = [message.content, ...thinking, ...textsOf(message.embeds), ...components.flatMap(textsOfComponent), ...files];
  return {
    ...message,
    plain: lines
      .filter((line) => line !== '')
      .map((line) => withNames(core, line))
      .join('\n'),
    buttons: components.filter((entry) => entry.type === C.BUTTON).map(labelOf),
    thread: has(message.flags, FLAGS.HAS_THREAD) ? message.id : undefined,
  };
}

/** Everything readable in a form. */
export function modalText(modal: Modal): string {
  return [modal.title, ...flatten(modal.components).flatMap(textsOfComponent)].filter((line) => line !== '').join('\n');
}

/** What a component is called: its label, or the placeholder of a select. */
export function labelOf(component: Json): string {
  for (const key of ['label', 'placeholder'] as const) if (typeof component[key] === 'string') return component[key];
  return isRecord(component.emoji) ? String(component.emoji.name ?? '') : '';
}

function textsOfComponent(component: Json): string[] {
  const options = Array.isArray(component.options) ? component.options.filter(isRecord) : [];
  const items = Array.isArray(component.items) ? component.items.filter(isRecord) : [];
  const own = [component.content, labelOf(component), component.description, component.value];
  const nested = [...options.flatMap((option) => [option.label, option.description]), ...items.map((item) => item.description)];
  return [...own, ...nested].filter((entry) => typeof entry === 'string');
}

function textsOf(embeds: Json[]): string[] {
  return embeds.flatMap((embed) => {
    const fields = Array.isArray(embed.fields) ? embed.fields.filter(isRecord) : [];
    const parts = [
      isRecord(embed.author) ? embed.author.name : undefined,
      embed.title,
      embed.description,
      ...fields.flatMap((field) => [field.name, field.value]),
      isRecord(embed.footer) ? embed.footer.text : undefined,
    ];
    return parts.filter((entry) => typeof entry === 'string');
  });
}

function withNames(core: Core, line: string): string {
  return line
    .replace(/<@!?(\d+)>/g, (whole, id: string) => {
      const user = core.state.users.get(id);
      return user ? `@${user.global_name}` : whole;
    })
    .replace(/<#(\d+)>/g, (whole, id: string) => {
      const channel = core.state.channels.get(id);
      return channel ? `#${channel.name}` : whole;
    });
}
