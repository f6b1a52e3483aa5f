import * as z from 'zod';

/** The bodies the Discord pane sends, checked. */

const as = z.string().min(1);
const id = z.string().min(1);
const values = z.union([z.string(), z.array(z.string()), z.boolean()]);
const options = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const command = { as, channel: id, path: z.array(z.string().min(1)).min(1).max(3), options };

export const discordActions = {
  post: z.object({
    as,
    channel: id,
    text: z.string(),
    reply_to: id.optional(),
    ping: z.boolean().optional(),
    files: z.array(id).max(10).optional(),
  }),
  edit: z.object({ as, id, text: z.string() }),
  delete: z.object({ as, id }),
  react: z.object({ as, id, emoji: z.string().min(1).max(100), action: z.enum(['add', 'remove']) }),
  thread: z.object({ as, channel: id, name: z.string().min(1).max(100), message: id.optional() }),
  setThread: z.object({ as, id, archived: z.boolean().optional(), locked: z.boolean().optional() }),
  dms: z.object({ as, open: z.boolean() }),
  command: z.object(command),
  autocomplete: z.object({ ...command, focused: z.string().min(1) }),
  messageCommand: z.object({ as, id, name: z.string().min(1) }),
  press: z.object({ as, id, custom_id: z.string().min(1), values: z.array(z.string()).max(25).optional() }),
  submit: z.object({ as, id, values: z.record(z.string(), values) }),
  close: z.object({ as, id }),
  settings: z.object({
    rate_limiting: z.boolean().optional(),
    latency_ms: z.number().int().min(0).max(60_000).optional(),
  }),
};

type Actions = typeof discordActions;
/** The bodies as the pane sends them. */
export type DiscordActions = { [K in keyof Actions]: z.input<Actions[K]> };

export const discordUpload = z.object({ as, name: z.string().min(1).max(255) });
