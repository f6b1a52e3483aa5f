import * as z from 'zod';
import { people } from './page-person.ts';
import type * as api from './telegram-page-api.ts';

/** The bodies the Telegram pane sends, checked. Shapes: telegram-page-api.ts. */

const as = z.enum(people);
const chat = z.number().int();
const id = z.number().int().positive();
const text = z.string();

export const telegramActions = {
  say: z.object({
    as,
    chat,
    text,
    topic: id.optional(),
    reply_to: id.optional(),
    quote: z.string().optional(),
  }) satisfies z.ZodType<api.SayAction>,
  edit: z.object({ as, chat, id, text }) satisfies z.ZodType<api.EditAction>,
  message: z.object({ as, chat, id }) satisfies z.ZodType<api.MessageAction>,
  react: z.object({ as, chat, id, emoji: z.string().min(1).nullable() }) satisfies z.ZodType<api.ReactAction>,
  press: z.object({ as, chat, id, data: z.string().min(1) }) satisfies z.ZodType<api.PressAction>,
  start: z.object({ as, payload: z.string().optional() }) satisfies z.ZodType<api.StartAction>,
  block: z.object({ as, on: z.boolean() }) satisfies z.ZodType<api.BlockAction>,
  stopDraft: z.object({ as, draft_id: z.number().int() }) satisfies z.ZodType<api.StopDraftAction>,
  topic: z.object({ as, chat, name: z.string() }) satisfies z.ZodType<api.TopicAction>,
  bot: z.object({ as, chat, on: z.boolean() }) satisfies z.ZodType<api.BotAction>,
  chat: z.object({ as, chat }) satisfies z.ZodType<api.ChatAction>,
};

export const telegramSettings = z.object({
  rate_limiting: z.boolean().optional(),
  privacy_mode: z.boolean().optional(),
  latency_ms: z.number().int().min(0).max(60_000).optional(),
}) satisfies z.ZodType<{ [K in keyof api.PageSettings]?: api.PageSettings[K] | undefined }>;

export const commandsQuery = z.object({ as, chat: z.coerce.number().int() });
export const uploadQuery = z.object({
  as,
  chat: z.coerce.number().int(),
  name: z.string().min(1).max(255),
  kind: z.enum(['document', 'photo']),
  caption: z.string().optional(),
  topic: z.coerce.number().int().positive().optional(),
  reply_to: z.coerce.number().int().positive().optional(),
});
