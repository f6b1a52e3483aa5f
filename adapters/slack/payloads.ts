import { z } from 'zod';

/**
 * The parts of Slack's payloads that are read, checked before they are believed. Shapes: @slack/types 3.2 (events),
 * @slack/bolt 5.1 (commands and interactions), docs.slack.dev.
 */

const id = z.string().min(1);
/** `1721609600.123456`: an id, never a number. */
const ts = z.string().regex(/^\d+\.\d+$/);

const person = z.object({
  id,
  name: z.string().optional(),
  username: z.string().optional(),
  team_id: z.string().nullish(),
});

const fileSchema = z.object({
  id,
  name: z.string().nullish(),
  mimetype: z.string().nullish(),
  size: z.number().int().nonnegative().nullish(),
});

const storedMessageSchema = z.object({
  user: z.string().optional(),
  bot_id: z.string().nullish(),
  subtype: z.string().optional(),
  text: z.string().nullish(),
  ts,
  thread_ts: ts.optional(),
  edited: z.object({ user: z.string().optional(), ts }).optional(),
});
export type StoredMessage = z.infer<typeof storedMessageSchema>;

/** `message` in all its subtypes, and `app_mention`. */
export const messageEventSchema = z.object({
  type: z.enum(['message', 'app_mention']),
  subtype: z.string().optional(),
  user: z.string().optional(),
  user_team: z.string().nullish(),
  bot_id: z.string().nullish(),
  text: z.string().nullish(),
  ts,
  thread_ts: ts.optional(),
  channel: id,
  channel_type: z.string().optional(),
  files: z.array(fileSchema).optional(),
  message: storedMessageSchema.optional(),
  previous_message: storedMessageSchema.optional(),
  deleted_ts: ts.optional(),
});
export type MessageEvent = z.infer<typeof messageEventSchema>;

export const homeOpenedSchema = z.object({
  type: z.literal('app_home_opened'),
  user: id,
  channel: id,
  tab: z.string().optional(),
  event_ts: ts,
});

export const eventCallbackSchema = z.object({
  type: z.literal('event_callback'),
  event_id: id,
  team_id: z.string().nullish(),
  authorizations: z.array(z.object({ team_id: z.string().nullish() })).nullish(),
  is_ext_shared_channel: z.boolean().nullish(),
  event: z.looseObject({ type: z.string() }),
});

export const commandSchema = z.object({
  command: z.string().startsWith('/'),
  text: z.string().default(''),
  user_id: id,
  user_name: z.string().optional(),
  team_id: id,
  channel_id: id,
  channel_name: z.string().optional(),
  response_url: z.url().optional(),
  trigger_id: id,
});

/** What says which payload it is and whom it concerns. */
export const interactionHeadSchema = z.object({
  type: z.string(),
  user: person,
  team: z.object({ id }).nullish(),
  enterprise: z.unknown().optional(),
  view: z.looseObject({ app_installed_team_id: z.string().nullish() }).nullish().catch(undefined),
});

const channel = z.object({ id, name: z.string().optional() });
const option = z.object({ value: z.string() });

export const blockActionsSchema = z.object({
  ...interactionHeadSchema.shape,
  type: z.literal('block_actions'),
  trigger_id: id,
  response_url: z.url().optional(),
  container: z.object({
    type: z.string(),
    message_ts: ts.optional(),
    thread_ts: ts.optional(),
    view_id: id.optional(),
    is_ephemeral: z.boolean().optional(),
  }),
  channel: channel.optional(),
  message: z.object({ ts, thread_ts: ts.optional() }).optional(),
  actions: z
    .array(
      z.object({
        type: z.string(),
        action_id: id,
        action_ts: ts,
        value: z.string().optional(),
        selected_option: option.nullish(),
        selected_options: z.array(option).optional(),
      }),
    )
    .min(1),
});

export const viewSubmissionSchema = z.object({
  ...interactionHeadSchema.shape,
  type: z.literal('view_submission'),
  trigger_id: id.optional(),
  view: z.object({
    id,
    hash: id,
    callback_id: id,
    private_metadata: z.string(),
    app_installed_team_id: z.string().nullish(),
    state: z.object({
      values: z.record(
        z.string(),
        z.record(
          z.string(),
          z.object({
            value: z.string().nullish(),
            selected_option: option.nullish(),
            selected_options: z.array(option).nullish(),
          }),
        ),
      ),
    }),
  }),
});

export const messageActionSchema = z.object({
  ...interactionHeadSchema.shape,
  type: z.literal('message_action'),
  callback_id: id,
  trigger_id: id,
  action_ts: ts,
  response_url: z.url().optional(),
  channel,
  message: z.object({ ts, thread_ts: ts.optional(), user: z.string().optional(), text: z.string().nullish() }),
});
