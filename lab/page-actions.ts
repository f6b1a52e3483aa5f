import * as z from 'zod';
import type * as api from './page-api.ts';

/** The bodies the page sends, checked. Shapes: page-api.ts. */

const as = z.string().min(1);
const channel = z.string().min(1);
const ts = z.string().regex(/^\d+\.\d{6}$/);
const text = z.string();
const place = z.union([z.object({ channel, ts }), z.object({ view_id: z.string().min(1) })]);
const inputValue = z.union([z.string(), z.array(z.string()), z.null()]);
const inputValues = z.record(z.string(), z.record(z.string(), inputValue));
const element = { in: place, block_id: z.string(), action_id: z.string() };

export const actions = {
  post: z.object({
    as,
    channel,
    text,
    thread_ts: ts.optional(),
    broadcast: z.boolean().optional(),
    files: z.array(z.string()).max(10).optional(),
  }) satisfies z.ZodType<api.PostMessageAction>,
  edit: z.object({ as, channel, ts, text }) satisfies z.ZodType<api.EditMessageAction>,
  delete: z.object({ as, channel, ts }) satisfies z.ZodType<api.DeleteMessageAction>,
  command: z.object({
    as,
    channel,
    thread_ts: ts.optional(),
    command: z.string().startsWith('/'),
    text,
  }) satisfies z.ZodType<api.SlashCommandAction>,
  press: z.object({
    as,
    ...element,
    value: inputValue.optional(),
    values: inputValues.optional(),
  }) satisfies z.ZodType<api.PressAction>,
  options: z.object({ as, ...element, query: z.string() }) satisfies z.ZodType<api.OptionsQuery>,
  submit: z.object({ as, view_id: z.string(), values: inputValues }) satisfies z.ZodType<api.SubmitViewAction>,
  close: z.object({ as, view_id: z.string(), all: z.boolean().optional() }) satisfies z.ZodType<api.CloseViewAction>,
  shortcut: z.object({
    as,
    callback_id: z.string(),
    channel: channel.optional(),
    ts: ts.optional(),
  }) satisfies z.ZodType<api.ShortcutAction>,
  home: z.object({ as, tab: z.enum(['home', 'messages']) }) satisfies z.ZodType<api.OpenHomeAction>,
  react: z.object({
    as,
    channel,
    ts,
    name: z.string().min(1),
    action: z.enum(['add', 'remove']),
  }) satisfies z.ZodType<api.ReactAction>,
  invite: z.object({ as, channel }) satisfies z.ZodType<api.InviteAction>,
  settings: z.object({
    rate_limiting: z.boolean().optional(),
    delivery: z.enum(['socket', 'http']).optional(),
    mention_order: z.enum(['app_mention_first', 'message_first']).optional(),
    latency_ms: z.number().int().min(0).max(60_000).optional(),
  }) satisfies z.ZodType<{ [K in keyof api.LabSettings]?: api.LabSettings[K] | undefined }>,
};

export const completeQuery = z.object({ as, channel: z.string().default(''), command: z.string(), text: z.string().default('') });
export const uploadQuery = z.object({ as, name: z.string().min(1).max(255) });
