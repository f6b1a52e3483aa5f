import { isRecord, type Json } from '../slack/json.ts';
import { apiError, invalidForm } from './api-error.ts';
import { flatten } from './component-rules.ts';
import type { Core } from './core.ts';
import { COMPONENT, FLAGS, has } from './flags.ts';
import { messageBody } from './message-rules.ts';
import { type AllowedMentions, EVERY_MENTION, mentionsIn, newFile } from './messages.ts';
import type { Component, Message } from './model.ts';
import type { RequestBody, UploadedFile } from './request-body.ts';
import { validate } from './schema.ts';

/** Turns the body of a create or edit request into the fields of a message. */

export interface BodyContext {
  core: Core;
  channel: string;
  author: string;
  /** The message being edited. */
  previous?: Message | undefined;
  /** Flags the route lets the app set, besides SUPPRESS_EMBEDS. */
  settable: number;
  /** Interaction answers mention users only, unless asked otherwise. */
  parseByDefault: readonly string[];
  /** Whose message this one replies to. */
  repliedTo?: string | undefined;
}

export type MessageFields = Pick<
  Message,
  'content' | 'embeds' | 'components' | 'attachments' | 'flags' | 'mentions' | 'mention_roles' | 'mention_everyone'
>;

/** Validates everything before anything is stored. Throws 50035, 50006 or 40005. */
export function messageFields(context: BodyContext, body: RequestBody): MessageFields {
  const { core, previous } = context;
  const given: Json = isRecord(body.json) ? body.json : {};
  const flags = flagsOf(context, given);
  const isV2 = has(flags, FLAGS.IS_COMPONENTS_V2);
  validate(given, messageBody(isV2));

  const pick = <T>(key: string, known: T, read: (value: unknown) => T, empty: T): T =>
    given[key] === undefined ? known : given[key] === null ? empty : read(given[key]);
  const content = pick('content', previous?.content ?? '', (value) => String(value).trim(), '');
  const embeds = pick('embeds', previous?.embeds ?? [], (value) => records(value).map(withType), []);
  const components = pick('components', previous?.components ?? [], (value) => withIds(records(value)), []);
  const names = [...keptNames(context, given), ...body.files.map((file) => describe(given, file).filename)];
  if (isV2 && previous && (content !== '' || embeds.length > 0)) {
    const told = "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2";
    throw invalidForm([{ path: ['content'], code: 'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2', message: told }]);
  }
  checkReferences(components, names);
  checkAttachmentIds(context, given, body.files);
  if (names.length > 10)
    throw invalidForm([{ path: ['attachments'], code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 10 or fewer in length.' }]);
  if (content === '' && embeds.length === 0 && components.length === 0 && names.length === 0) throw apiError('emptyMessage');

  const texts = [
    content,
    ...flatten(components).map((entry) => (entry.type === COMPONENT.TEXT_DISPLAY ? String(entry.content) : '')),
  ];
  return {
    content,
    embeds,
    components,
    flags,
    attachments: [...keptIds(context, given), ...storeFiles(context, given, body.files)],
    ...mentionsIn(core, texts.join('\n'), allowedOf(context, given), context.repliedTo),
  };
}

/** IS_COMPONENTS_V2 stays once set; other flags than the settable ones are ignored. */
function flagsOf({ previous, settable }: BodyContext, given: Json): number {
  const asked = typeof given.flags === 'number' && Number.isInteger(given.flags) ? given.flags : undefined;
  const mine = settable | FLAGS.SUPPRESS_EMBEDS;
  if (!previous) return (asked ?? 0) & mine;
  const kept = previous.flags & (asked === undefined ? ~0 : ~FLAGS.SUPPRESS_EMBEDS);
  return kept | ((asked ?? 0) & (FLAGS.SUPPRESS_EMBEDS | FLAGS.IS_COMPONENTS_V2));
}

function allowedOf({ parseByDefault }: BodyContext, given: Json): AllowedMentions {
  const allowed = given.allowed_mentions;
  if (!isRecord(allowed)) return { ...EVERY_MENTION, parse: parseByDefault };
  const list = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
  return {
    parse: list(allowed.parse),
    users: list(allowed.users),
    roles: list(allowed.roles),
    repliedUser: allowed.replied_user === true,
  };
}

function records(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function withType(embed: Json): Json {
  const fields = records(embed.fields).map((field) => ({ inline: false, ...field }));
  return { type: 'rich', ...embed, ...(fields.length === 0 ? {} : { fields }) };
}

/** Gives every component without one a number, in reading order. */
export function withIds(components: Json[]): Component[] {
  const taken = new Set(flatten(components).map((entry) => entry.id));
  let last = 0;
  const next = () => {
    do last += 1;
    while (taken.has(last));
    return last;
  };
  const number = (entry: Json): Component => {
    const id = typeof entry.id === 'number' && entry.id > 0 ? entry.id : next();
    const own: Component = { ...entry, type: Number(entry.type), id };
    if (Array.isArray(entry.components)) own.components = records(entry.components).map(number);
    if (isRecord(entry.component)) own.component = number(entry.component);
    if (isRecord(entry.accessory)) own.accessory = number(entry.accessory);
    return own;
  };
  return components.map(number);
}

/** Attachments of an edited message that stay: all without a list, else the listed ones. */
function keptIds({ core, previous }: BodyContext, given: Json): string[] {
  if (!previous) return [];
  if (given.attachments === undefined) return previous.attachments;
  const listed = records(given.attachments).map((entry) => String(entry.id));
  const kept = previous.attachments.filter((id) => listed.includes(id));
  for (const id of previous.attachments) {
    if (kept.includes(id)) continue;
    core.state.files.remove(id);
    core.state.removeContent(id);
  }
  return kept;
}

function keptNames({ core, previous }: BodyContext, given: Json): string[] {
  const listed = given.attachments === undefined ? undefined : records(given.attachments).map((entry) => String(entry.id));
  const kept = (previous?.attachments ?? []).filter((id) => listed?.includes(id) ?? true);
  return kept.flatMap((id) => core.state.files.get(id)?.filename ?? []);
}

/** Every listed attachment is a file of this request, or one the message has. */
function checkAttachmentIds({ previous }: BodyContext, given: Json, files: UploadedFile[]): void {
  const known = new Set([...(previous?.attachments ?? []), ...files.map((file) => String(file.n))]);
  const problems = records(given.attachments).flatMap((entry, index) =>
    known.has(String(entry.id))
      ? []
      : [
          {
            path: ['attachments', index],
            code: 'ATTACHMENT_NOT_FOUND',
            message: `Attachment data ${String(entry.id)} not found`,
          },
        ],
  );
  if (problems.length > 0) throw invalidForm(problems);
}

function describe(given: Json, file: UploadedFile): { filename: string; description: string | undefined } {
  const entry = records(given.attachments).find((candidate) => String(candidate.id) === String(file.n));
  const filename = typeof entry?.filename === 'string' ? entry.filename.replace(/[^\p{L}\p{N}_.()-]+/gu, '_') : file.filename;
  return { filename, description: typeof entry?.description === 'string' ? entry.description : undefined };
}

function storeFiles({ core, channel, author }: BodyContext, given: Json, files: UploadedFile[]): string[] {
  return files.map((file) => {
    const { content, content_type } = file;
    const stored = newFile(core, { ...describe(given, file), content, content_type, uploader: author });
    core.state.files.put({ ...stored, channel });
    return stored.id;
  });
}

/** `attachment://name` in a component must name a file of the message. In an embed it is not checked: the picture is just missing. */
function checkReferences(components: Component[], names: string[]): void {
  const problems = referencesIn(components, ['components']).flatMap(({ name, path }) =>
    names.includes(name)
      ? []
      : [
          {
            path,
            code: 'UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND',
            message: `Referenced attachment ${name} not found`,
          },
        ],
  );
  if (problems.length > 0) throw invalidForm(problems);
}

function referencesIn(value: unknown, path: (string | number)[]): { name: string; path: (string | number)[] }[] {
  if (Array.isArray(value)) return value.flatMap((entry, index) => referencesIn(entry, [...path, index]));
  if (!isRecord(value)) return [];
  const name = typeof value.url === 'string' ? /^attachment:\/\/(.+)$/.exec(value.url)?.[1] : undefined;
  const own = name === undefined ? [] : [{ name, path: [...path, 'url'] }];
  return [...own, ...Object.entries(value).flatMap(([key, entry]) => referencesIn(entry, [...path, key]))];
}
