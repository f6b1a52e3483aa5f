import { isSlashCommand, messageCommand } from './command-names.ts';
import { commandText, typedCommand } from './command-text.ts';
import { readCustomId } from './controls.ts';
import { decodeText, snowflakeTime, storable } from './discord-text.ts';
import { type Handle, mayOpenForm, sealHandle } from './handle.ts';
import { fieldOf, readModalId } from './modal.ts';
import type { DiscordInteraction, Submitted } from './payloads.ts';
import { affiliationIn, event, type Inbound, type InboundContext, ignored, named, nameOf, type Place } from './reading.ts';

/** Types of interactions, and of commands (Discord documentation, receiving and responding). */
export const interactionTypes = { ping: 1, command: 2, component: 3, autocomplete: 4, modal: 5 } as const;
const commandTypes = { chat: 1, message: 3 } as const;
/** Flags of messages. */
const flags = { hasThread: 1 << 5, ephemeral: 1 << 6 } as const;

/** How the first answer to an interaction looks: see `Handle`. */
export function handleKind(interaction: DiscordInteraction): Handle['kind'] {
  if (interaction.type === interactionTypes.component) {
    return readCustomId(interaction.data?.custom_id ?? '')?.kind === 'form' ? 'opens' : 'quiet';
  }
  if (interaction.type === interactionTypes.command && interaction.data?.type === commandTypes.message) return 'asks';
  return interaction.type === interactionTypes.modal && interaction.message != null ? 'quiet' : 'thinking';
}

/** A command, a press, a choice or a submitted form. The same interaction gives the same event (promise 2). */
export function interactionEvents(interaction: DiscordInteraction, place: Place, context: InboundContext): Inbound {
  const user = interaction.member?.user ?? interaction.user;
  if (user == null) return ignored('an interaction of nobody');
  if (user.bot === true) return ignored('not done by a person');
  const kind = handleKind(interaction);
  const sealed = sealHandle({ kind, id: interaction.id, token: interaction.token, at: context.now().getTime() }, context.seal);
  const features = interaction.guild?.features;
  const at = features == null ? place : { ...place, community: features.includes('COMMUNITY') };
  const base = {
    key: `int:${interaction.id}`,
    at: snowflakeTime(interaction.id).toISOString(),
    conversation: place.conversation,
    ...named(place),
    actor: { user: user.id, ...nameOf(interaction.member, user), bot: false, ...affiliationIn(interaction.member, at) },
    reply: sealed,
    ...(mayOpenForm({ kind }) ? { trigger: sealed } : {}),
  };
  switch (interaction.type) {
    case interactionTypes.command:
      return commandEvents(interaction, base, context);
    case interactionTypes.component:
      return pressEvents(interaction, base);
    case interactionTypes.modal:
      return formEvents(interaction, base);
    default:
      return ignored(`interaction of type ${interaction.type}`);
  }
}

type Base = Pick<Extract<Inbound, { kind: 'events' }>['events'][number], 'key' | 'at' | 'conversation' | 'actor' | 'reply'>;

function commandEvents({ data }: DiscordInteraction, base: Base, context: InboundContext): Inbound {
  if (data?.type === commandTypes.message && data.name === messageCommand) {
    const target = data.resolved?.messages?.[data.target_id ?? ''];
    if (target === undefined) return ignored('a message command without a message');
    return event({
      ...base,
      type: 'shortcut',
      conversation: besideThread(base.conversation, target),
      message: target.id,
      text: decodeText(target.content ?? '').trim(),
      ...(target.author == null ? {} : { author: target.author.id }),
    });
  }
  if (data?.type !== commandTypes.chat || !isSlashCommand(data.name)) return ignored('a command of another kind');
  const text = commandText(context.menu, data.options ?? []);
  if (text === undefined) return ignored('a command that is not in the menu any more');
  return event({ ...base, type: 'command', text: storable(text), typed: storable(typedCommand(data.name, data.options ?? [])) });
}

function pressEvents({ data, message }: DiscordInteraction, base: Base): Inbound {
  const pressed = readCustomId(data?.custom_id ?? '');
  if (pressed === undefined || message == null) return ignored('a press that is not ours');
  // An ephemeral message is no message anybody could edit or answer.
  const isEphemeral = ((message.flags ?? 0) & flags.ephemeral) !== 0;
  return event({
    ...base,
    type: 'press',
    conversation: besideThread(base.conversation, message),
    token: pressed.token,
    values: pressed.kind === 'select' ? (data?.values ?? []) : [],
    ...(isEphemeral ? {} : { message: message.id }),
  });
}

/** A submitted form. Where it belongs stands in the id that the form was opened with. */
function formEvents({ data }: DiscordInteraction, base: Base): Inbound {
  const form = readModalId(data?.custom_id ?? '');
  if (form === undefined) return ignored('a form that is not ours');
  return event({
    ...base,
    type: 'form',
    conversation: form.about,
    token: form.token,
    values: formValues(data?.components ?? []),
  });
}

/** Field id → what was entered or chosen; nothing for a field left empty. */
function formValues(components: readonly Submitted[]): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  const read = (one: Submitted) => {
    if (one.custom_id !== undefined) {
      const given = one.values ?? (one.value == null || one.value === '' ? [] : [storable(one.value)]);
      const field = fieldOf(one.custom_id);
      values[field] = [...(values[field] ?? []), ...given];
    }
    for (const inner of [...(one.component === undefined ? [] : [one.component]), ...(one.components ?? [])]) read(inner);
  };
  for (const component of components) read(component);
  return values;
}

/** A message that has a thread stands beside it, in the channel; whatever is done with it belongs to the thread. */
function besideThread(conversation: Place['conversation'], message: { id: string; flags?: number | null | undefined }) {
  const starts = conversation.thread === undefined && ((message.flags ?? 0) & flags.hasThread) !== 0;
  return starts ? { ...conversation, thread: message.id } : conversation;
}
