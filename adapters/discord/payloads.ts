import { z } from 'zod';

/** The parts of Discord's payloads that are read, as strictly as they are relied upon. Everything else may change. */
const id = z.string().regex(/^\d{1,20}$/);
const text = z.string().nullish();

export const userSchema = z.object({
  id,
  username: text,
  global_name: text,
  bot: z.boolean().nullish(),
});
/** `flags`: bit 4 (16) marks a guest, let in for one voice channel. `pending`: has not agreed to the rules of the server yet. */
const membershipSchema = z.object({
  nick: text,
  pending: z.boolean().nullish(),
  flags: z.number().int().nullish(),
  roles: z.array(id).nullish().catch(undefined),
});
export type Membership = z.infer<typeof membershipSchema>;
const memberSchema = membershipSchema.extend({ user: userSchema.nullish() });

const attachmentSchema = z.object({ id, filename: text, content_type: text, size: z.number().nullish() });

export const messageSchema = z.object({
  id,
  channel_id: id,
  guild_id: id.nullish(),
  author: userSchema.nullish(),
  member: membershipSchema.nullish(),
  content: z.string().nullish(),
  timestamp: z.string().nullish(),
  edited_timestamp: z.string().nullish(),
  type: z.number().nullish(),
  webhook_id: id.nullish(),
  mentions: z.array(z.object({ id })).nullish(),
  attachments: z.array(attachmentSchema).nullish(),
  /** The message that this one answers; null when it is deleted. */
  referenced_message: z.object({ id, author: userSchema.nullish() }).nullish().catch(undefined),
  flags: z.number().nullish(),
});
export type DiscordMessage = z.infer<typeof messageSchema>;

/** The files of a message with their addresses, which end. */
export const attachedSchema = z.object({ id, attachments: z.array(attachmentSchema.extend({ url: z.string() })).nullish() });

/** The message that a thread was opened on, as the first message of the thread holds it (type 21). */
export const starterSchema = z.object({ type: z.literal(21), referenced_message: messageSchema });

/** One deleted message, or many at once. */
export const deletedSchema = z.object({ id: id.optional(), ids: z.array(id).optional(), channel_id: id });

const bits = z.string().regex(/^\d{1,30}$/);

/** Rights that a role or a person (`id`) has in a channel beside those they have anyway: bit sets as decimal numbers. */
const overwriteSchema = z.object({ id, allow: bits, deny: bits });

export const channelSchema = z.object({
  id,
  type: z.number(),
  name: text,
  parent_id: id.nullish(),
  guild_id: id.nullish(),
  permission_overwrites: z.array(overwriteSchema).nullish().catch(undefined),
});
export type DiscordChannel = z.infer<typeof channelSchema>;

export const guildSchema = z.object({
  id,
  name: text,
  unavailable: z.boolean().nullish(),
  roles: z
    .array(z.object({ id, permissions: bits }))
    .nullish()
    .catch(undefined),
  /** `COMMUNITY`: a server for all who find it. */
  features: z.array(z.string()).nullish().catch(undefined),
  channels: z.array(channelSchema).nullish().catch(undefined),
  threads: z.array(channelSchema).nullish().catch(undefined),
});
export const threadListSchema = z.object({ guild_id: id, threads: z.array(channelSchema) });

export interface CommandOption {
  name: string;
  type: number;
  value?: string | number | boolean | undefined;
  focused?: boolean | undefined;
  options?: CommandOption[] | undefined;
}
const optionSchema: z.ZodType<CommandOption> = z.lazy(() =>
  z.object({
    name: z.string(),
    type: z.number(),
    value: z.union([z.string(), z.number(), z.boolean()]).optional(),
    focused: z.boolean().optional(),
    options: z.array(optionSchema).optional(),
  }),
);

/** What a modal gives back: texts have a value, menus have values; each sits in a label, or in a row as of old. */
interface SubmittedComponent {
  custom_id?: string | undefined;
  value?: string | null | undefined;
  values?: string[] | null | undefined;
  component?: SubmittedComponent | undefined;
  components?: SubmittedComponent[] | undefined;
}
const submittedSchema: z.ZodType<SubmittedComponent> = z.lazy(() =>
  z.object({
    custom_id: z.string().optional(),
    value: z.string().nullish(),
    values: z.array(z.string()).nullish(),
    component: submittedSchema.optional(),
    components: z.array(submittedSchema).optional(),
  }),
);
export type Submitted = z.infer<typeof submittedSchema>;

const targetSchema = z.object({
  id,
  channel_id: id.nullish(),
  content: z.string().nullish(),
  author: userSchema.nullish(),
  flags: z.number().nullish(),
});

/** `token` is a secret for fifteen minutes: whoever has it may answer as the bot. */
export const interactionSchema = z.object({
  id,
  application_id: id,
  type: z.number(),
  token: z.string().min(1),
  guild_id: id.nullish(),
  guild: z
    .object({ id, features: z.array(z.string()).nullish() })
    .nullish()
    .catch(undefined),
  channel_id: id.nullish(),
  channel: channelSchema.nullish().catch(undefined),
  member: memberSchema.nullish(),
  user: userSchema.nullish(),
  message: z.object({ id, flags: z.number().nullish() }).nullish(),
  data: z
    .object({
      name: z.string().optional(),
      type: z.number().optional(),
      options: z.array(optionSchema).optional(),
      custom_id: z.string().optional(),
      component_type: z.number().optional(),
      values: z.array(z.string()).nullish().catch(undefined),
      target_id: id.optional(),
      resolved: z
        .object({ messages: z.record(z.string(), targetSchema).optional() })
        .nullish()
        .catch(undefined),
      components: z.array(submittedSchema).optional(),
    })
    .nullish(),
});
export type DiscordInteraction = z.infer<typeof interactionSchema>;
