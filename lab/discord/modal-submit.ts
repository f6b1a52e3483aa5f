import { Refused } from '../refused.ts';
import { compact, isRecord, type Json } from '../slack/json.ts';
import { closeModal } from './callbacks.ts';
import { flatten } from './component-rules.ts';
import { type Core, NotAnswered } from './core.ts';
import { COMPONENT as C } from './flags.ts';
import { channelOf, resolvedPicks, send } from './interactions.ts';
import type { Component, Modal, User } from './model.ts';
import { wireAttachment } from './wire.ts';

/** What a person has put in the fields of a form, by custom id. Choices and files as a list, a checkbox as a boolean. */
export type ModalValues = Readonly<Record<string, string | readonly string[] | boolean>>;

/** Sends the form. It closes when the app has answered, and stays open with a sentence when it has not. */
export async function submitModal(core: Core, user: User, modal: Modal, values: ModalValues): Promise<void> {
  const known = flatten(modal.components).flatMap((entry) => (typeof entry.custom_id === 'string' ? [entry.custom_id] : []));
  for (const id of Object.keys(values))
    if (!known.includes(id)) throw new Refused('field_not_found', `The form has no field ${id}.`);
  const channel = channelOf(core, modal.channel);
  const components = modal.components.map((entry) => filled(core, user, entry, values));
  const picks = flatten(components).map((entry) => {
    const chosen = Array.isArray(entry.values) ? entry.values.map(String) : [];
    return entry.type === C.FILE_UPLOAD
      ? files(core, channel.id, chosen)
      : resolvedPicks(core, channel, entry, isPick(entry) ? chosen : []);
  });
  const data = compact({ custom_id: modal.custom_id, components, resolved: merged(picks) });
  const message = modal.source === undefined ? undefined : core.state.message(modal.source);
  try {
    await send(core, user, channel, { type: 5, data, message });
  } catch (error) {
    if (error instanceof NotAnswered) {
      const told = { ...modal, error: error.told };
      core.state.modals.set(modal.id, told);
      core.state.emit({ type: 'modal', modal: told });
    }
    throw error;
  }
  closeModal(core, modal);
}

const isPick = (entry: Json) =>
  [C.USER_SELECT, C.ROLE_SELECT, C.MENTIONABLE_SELECT, C.CHANNEL_SELECT].some((type) => type === entry.type);

/** A component of the form as it is sent back: only what identifies it, and its value. */
function filled(core: Core, user: User, entry: Component, values: ModalValues): Json {
  const { type, id } = entry;
  if (isRecord(entry.component)) return { type, id, component: field(core, user, entry.component, String(entry.label), values) };
  if (Array.isArray(entry.components)) {
    return {
      type,
      id,
      components: entry.components.filter(isRecord).map((own) => field(core, user, own, String(own.label), values)),
    };
  }
  return { type, id };
}

function field(core: Core, user: User, entry: Json, label: string, values: ModalValues): Json {
  const { type, id, custom_id } = entry;
  const given = values[String(custom_id)];
  const isRequired = entry.required !== false;
  const base = { type, id, custom_id };
  switch (type) {
    case C.TEXT_INPUT:
      return { ...base, value: textOf(entry, label, given, isRequired) };
    case C.CHECKBOX:
      return { ...base, value: typeof given === 'boolean' ? given : entry.default === true };
    case C.RADIO_GROUP: {
      const [value = null] = choices(entry, label, given, isRequired, 1);
      return { ...base, value };
    }
    case C.FILE_UPLOAD: {
      const chosen = choices(entry, label, given, isRequired, 1);
      for (const file of chosen)
        if (core.state.files.get(file)?.uploader !== user.id)
          throw new Refused('file_not_found', `There is no uploaded file ${file}.`);
      return { ...base, values: chosen };
    }
    default:
      return { ...base, values: choices(entry, label, given, isRequired, 1) };
  }
}

function textOf(entry: Json, label: string, given: ModalValues[string] | undefined, isRequired: boolean): string {
  const text = given === undefined ? String(entry.value ?? '') : String(given);
  if (text === '' && isRequired) throw new Refused('field_missing', `"${label}" is required.`);
  const min = typeof entry.min_length === 'number' && (isRequired || text !== '') ? entry.min_length : 0;
  const max = typeof entry.max_length === 'number' ? entry.max_length : 4000;
  if (text.length < min || text.length > max) throw new Refused('wrong_length', `"${label}" takes ${min} to ${max} characters.`);
  return text;
}

/** Chosen values by option value; nothing given means what the app marked as default. */
function choices(
  entry: Json,
  label: string,
  given: ModalValues[string] | undefined,
  isRequired: boolean,
  usual: number,
): string[] {
  const options = Array.isArray(entry.options) ? entry.options.filter(isRecord) : undefined;
  const defaults = (options ?? []).filter((option) => option.default === true).map((option) => String(option.value));
  const chosen = given === undefined ? defaults : (Array.isArray(given) ? given : [given]).map(String);
  const min = typeof entry.min_values === 'number' ? entry.min_values : usual;
  const max =
    typeof entry.max_values === 'number' ? entry.max_values : entry.type === C.CHECKBOX_GROUP ? (options?.length ?? 1) : usual;
  if (chosen.length === 0 && !isRequired) return chosen;
  if (chosen.length < min || chosen.length > max) throw new Refused('wrong_choice', `"${label}" takes ${min} to ${max} choices.`);
  for (const value of chosen) {
    if (options && !options.some((option) => option.value === value))
      throw new Refused('wrong_choice', `"${label}" has no choice "${value}".`);
  }
  return chosen;
}

function files(core: Core, channel: string, ids: string[]): Json | undefined {
  const found = ids.flatMap((id) => core.state.files.get(id) ?? []);
  if (found.length === 0) return undefined;
  return { attachments: Object.fromEntries(found.map((file) => [file.id, wireAttachment(core, file, { channel })])) };
}

function merged(parts: (Json | undefined)[]): Json | undefined {
  const all: Record<string, Json> = {};
  for (const part of parts) {
    for (const [kind, records] of Object.entries(part ?? {})) all[kind] = { ...all[kind], ...(isRecord(records) ? records : {}) };
  }
  return Object.keys(all).length === 0 ? undefined : all;
}
