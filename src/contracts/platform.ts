import { z } from 'zod';

/** Where people talk. `github`: issues and pull requests. `console` is the web console and the command line. */
export const platformSchema = z.enum(['slack', 'telegram', 'discord', 'github', 'console']);
export type Platform = z.infer<typeof platformSchema>;

/** Where Deckhand may write to a channel what nobody there has asked for: not at a code host, where it is mailed to all, and not to a command line. */
export const chatPlatforms = ['slack', 'telegram', 'discord'] as const satisfies Platform[];

/** As people write them, in the middle of a sentence. */
export const platformNames: Record<Platform, string> = {
  slack: 'Slack',
  telegram: 'Telegram',
  discord: 'Discord',
  github: 'GitHub',
  console: 'the console',
};

/**
 * One conversation of a platform. All ids are the platform's own, kept as text (a Slack `ts` loses digits as a number).
 *
 * - `tenant`: the platform's account boundary: Slack team id, Discord application id, Telegram bot id, web host of GitHub.
 * - `channel`: channel, chat or DM id. GitHub: full name of the repository, as GitHub writes it.
 * - `thread`: id of the thread inside the channel, absent at the top level. Slack: `thread_ts`. GitHub: number of the issue or pull request.
 */
export const conversationSchema = z.object({
  platform: platformSchema,
  tenant: z.string().min(1),
  channel: z.string().min(1),
  thread: z.string().min(1).optional(),
  kind: z.enum(['channel', 'direct']),
});
export type Conversation = z.infer<typeof conversationSchema>;

/** One sent message: enough to edit it, to react to it and to answer in its thread. */
export const messageRefSchema = z.object({
  platform: platformSchema,
  tenant: z.string().min(1),
  channel: z.string().min(1),
  thread: z.string().min(1).optional(),
  message: z.string().min(1),
});
export type MessageRef = z.infer<typeof messageRefSchema>;

/** One account of a person on one platform. */
export const identityRefSchema = z.object({
  platform: platformSchema,
  tenant: z.string().min(1),
  user: z.string().min(1),
});
export type IdentityRef = z.infer<typeof identityRefSchema>;
