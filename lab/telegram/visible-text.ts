import { isRecord } from '../slack/json.ts';
import type { Core } from './core.ts';
import type { Message } from './model.ts';
import { buttonsOf } from './presses.ts';
import { plainRun } from './rich-text.ts';

/** A message as a person sees it. */
export interface Seen extends Message {
  /** Everything readable: text or caption, rich content, file name, buttons. One piece per line. */
  plain: string;
  /** Labels of the buttons, in order. */
  buttons: string[];
}

export function seen(core: Core, message: Message): Seen {
  const buttons = buttonsOf(message).map((button) => button.text);
  const file = message.media && core.state.files.get(message.media.file);
  const rich = message.rich ? textsOf(message.rich.blocks) : [];
  const service = message.service ? [serviceText(core, message)] : [];
  const lines = [message.text ?? '', message.caption ?? '', ...rich, ...service, file?.name ?? '', ...buttons];
  return { ...message, plain: lines.filter((line) => line !== '').join('\n'), buttons };
}

const RUNS = new Set(['text', 'caption', 'summary', 'credit']);

/** Texts of rich blocks in reading order; a run of rich text is one piece. */
export function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf);
  // Buttons are listed with those below the message.
  if (!isRecord(value) || value.type === 'buttons') return [];
  return Object.entries(value).flatMap(([key, entry]) => {
    if (RUNS.has(key)) return [plainRun(entry)];
    return typeof entry === 'object' ? textsOf(entry) : [];
  });
}

function serviceText(core: Core, message: Message): string {
  const { service } = message;
  const names = (service?.users ?? []).map((id) => core.state.users.get(id)?.first_name ?? String(id));
  const value = isRecord(service?.value) && typeof service.value.name === 'string' ? [service.value.name] : [];
  return [service?.field.replaceAll('_', ' ') ?? '', ...names, ...value].join(' ');
}
