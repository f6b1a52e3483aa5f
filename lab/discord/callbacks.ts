import { isRecord, type Json } from '../slack/json.ts';
import { apiError, invalidForm } from './api-error.ts';
import type { Core, FirstAnswer } from './core.ts';
import { FLAGS, has } from './flags.ts';
import { messageFields, withIds } from './message-body.ts';
import { changeMessage, postMessage } from './messages.ts';
import { modal as modalRules } from './modal-rules.ts';
import type { Interaction, Message, Modal } from './model.ts';
import type { RequestBody } from './request-body.ts';
import { decimal, list, object, text, validate } from './schema.ts';
import { BOT_USER, GUILD } from './seed.ts';
import { wireMessage } from './wire.ts';

/** The first answer to an interaction, by REST callback or as the body of an HTTP answer. */

const PING = 1;
/** Which answers fit which interaction: 2 command, 3 component, 4 autocomplete, 5 form. */
const FITTING: Record<number, readonly number[]> = { 2: [4, 5, 9], 3: [4, 5, 6, 7, 9], 4: [8], 5: [4, 5, 6, 7] };

/** Flags a message of an interaction may carry. */
export const ANSWER_FLAGS = FLAGS.EPHEMERAL | FLAGS.SUPPRESS_NOTIFICATIONS | FLAGS.IS_COMPONENTS_V2;

/** The message that was made or changed, if any. Throws 10062, 40060, 50035, 50006. */
export function respond(core: Core, interaction: Interaction, body: RequestBody): Message | undefined {
  if (interaction.state === 'failed') throw apiError('unknownInteraction');
  if (interaction.state === 'answered') throw apiError('alreadyAcknowledged');
  const given: Json = isRecord(body.json) ? body.json : {};
  const type = given.type;
  const data = isRecord(given.data) ? given.data : {};
  if (
    typeof type !== 'number' ||
    !(FITTING[interaction.type] ?? [PING]).includes(type) ||
    (needsSource(type) && !interaction.source)
  ) {
    const message = 'This callback type does not fit the interaction.';
    throw invalidForm([{ path: ['type'], code: 'INTERACTION_CALLBACK_TYPE_INVALID', message }]);
  }
  const files = body.files;
  switch (type) {
    case 4:
      return answerWithMessage(core, interaction, { json: data, files });
    case 5:
      return defer(core, interaction, data);
    case 6:
      settle(core, interaction, { original: interaction.source }, { type });
      return core.state.message(interaction.source ?? '');
    case 7:
      return update(core, interaction, { json: data, files });
    case 8:
      validateForm(data, choiceRules);
      settle(core, interaction, {}, { type, choices: Array.isArray(data.choices) ? data.choices.filter(isRecord) : [] });
      return undefined;
    default:
      openModal(core, interaction, data);
      return undefined;
  }
}

/** A deferred update or an update (6, 7) of a form needs the message that the form was opened from. */
const needsSource = (type: number) => type === 6 || type === 7;

const choiceRules = object({
  choices: list(
    object({
      name: text({ min: 1, max: 100 }),
      value: (value, path, problems) => (typeof value === 'number' ? decimal() : text({ max: 100 }))(value, path, problems),
    }),
    { max: 25 },
  ),
});

/** Mistakes inside `data` are reported below `data`. */
function validateForm(data: Json, rules: Parameters<typeof validate>[1]): void {
  validate({ data }, object({ data: rules }));
}

function settle(core: Core, interaction: Interaction, patch: Partial<Interaction>, answer: FirstAnswer): void {
  core.state.interactions.put({ ...interaction, ...patch, state: 'answered' });
  core.answered(interaction.id, answer);
}

function answerWithMessage(core: Core, interaction: Interaction, body: RequestBody): Message {
  const fields = messageFields(contextOf(core, interaction), body);
  const message = postAnswer(core, interaction, fields);
  settle(core, interaction, { original: message.id }, { type: 4 });
  return message;
}

export function contextOf(core: Core, interaction: Interaction) {
  return { core, channel: interaction.channel, author: BOT_USER, settable: ANSWER_FLAGS, parseByDefault: ['users'] };
}

/** Stores a message that answers an interaction, for one person alone when it is ephemeral. */
export function postAnswer(core: Core, interaction: Interaction, fields: Partial<Message>, follows?: string): Message {
  const isEphemeral = has(fields.flags ?? 0, FLAGS.EPHEMERAL);
  const target = core.state.message(follows ?? interaction.source ?? '');
  const inDm = core.state.channels.get(interaction.channel)?.kind === 'dm';
  return postMessage(core, {
    channel: interaction.channel,
    author: BOT_USER,
    ...fields,
    type: typeOf(core, interaction, target),
    reference: target && { message_id: target.id, channel_id: target.channel, guild_id: inDm ? undefined : GUILD.id },
    visible_to: isEphemeral ? interaction.user : undefined,
    interaction: {
      id: interaction.id,
      type: interaction.type,
      user: interaction.user,
      name: interaction.name,
      original_response_message_id: follows,
      interacted_message_id: interaction.type === 3 ? interaction.source : undefined,
    },
  });
}

/** 20 and 23 answer commands; answers to components and follow-ups show as replies. */
function typeOf(core: Core, interaction: Interaction, target: Message | undefined): number {
  if (target) return 19;
  if (interaction.type !== 2) return 0;
  const command = core.state.commands.values().find((entry) => entry.name === interaction.name && entry.type !== 1);
  return command ? 23 : 20;
}

function defer(core: Core, interaction: Interaction, data: Json): Message {
  const flags = typeof data.flags === 'number' ? data.flags & FLAGS.EPHEMERAL : 0;
  const message = postAnswer(core, interaction, { flags: flags | FLAGS.LOADING });
  settle(core, interaction, { original: message.id, loading: true }, { type: 5 });
  return message;
}

function update(core: Core, interaction: Interaction, body: RequestBody): Message {
  const source = core.state.message(interaction.source ?? '');
  if (!source) throw apiError('unknownMessage');
  const fields = messageFields({ ...contextOf(core, interaction), previous: source }, body);
  const message = changeMessage(core, source, { ...fields, edited_at: core.now() });
  settle(core, interaction, { original: source.id }, { type: 7 });
  return message;
}

function openModal(core: Core, interaction: Interaction, data: Json): void {
  validateForm(data, modalRules);
  const components = Array.isArray(data.components) ? data.components.filter(isRecord) : [];
  const modal: Modal = {
    id: interaction.id,
    user: interaction.user,
    channel: interaction.channel,
    custom_id: String(data.custom_id),
    title: String(data.title),
    components: withIds(components),
    source: interaction.source,
  };
  // A client shows one form at a time.
  for (const open of core.state.modals.values()) if (open.user === modal.user) closeModal(core, open);
  core.state.modals.set(modal.id, modal);
  core.state.emit({ type: 'modal', modal });
  settle(core, interaction, {}, { type: 9, modal });
}

export function closeModal(core: Core, modal: Modal): void {
  if (core.state.modals.delete(modal.id)) core.state.emit({ type: 'modal_removed', modal });
}

/** `InteractionCallbackResponse`, the answer to a callback with `with_response=true`. */
export function callbackResponse(core: Core, interaction: Interaction, type: number, message: Message | undefined): Json {
  const resource =
    message && (type === 4 || type === 5 || type === 7) ? { resource: { type, message: wireMessage(core, message) } } : {};
  return {
    interaction: {
      id: interaction.id,
      type: interaction.type,
      channel_id: interaction.channel,
      ...(core.state.channels.get(interaction.channel)?.kind === 'dm' ? {} : { guild_id: GUILD.id }),
      ...(message
        ? {
            response_message_id: message.id,
            response_message_loading: has(message.flags, FLAGS.LOADING),
            response_message_ephemeral: has(message.flags, FLAGS.EPHEMERAL),
          }
        : {}),
    },
    ...resource,
  };
}
