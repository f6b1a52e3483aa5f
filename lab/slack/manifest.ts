import * as z from 'zod';

/** The part of a Slack app manifest the emulator acts on, checked against the limits of Slack's manifest reference. */

const slashCommand = z.object({
  command: z
    .string()
    .regex(/^\/[^\s/]+$/)
    .max(32),
  description: z.string().min(1).max(2000),
  usage_hint: z.string().max(1000).optional(),
  should_escape: z.boolean().optional(),
  url: z.url().optional(),
});

const shortcut = z.object({
  name: z.string().min(1).max(24),
  type: z.enum(['message', 'global']),
  callback_id: z.string().min(1).max(255),
  description: z.string().min(1).max(150),
});

const manifestSchema = z.object({
  display_information: z.object({ name: z.string().min(1).max(35), description: z.string().max(140).optional() }),
  features: z.object({
    app_home: z
      .object({
        home_tab_enabled: z.boolean().optional(),
        messages_tab_enabled: z.boolean().optional(),
        messages_tab_read_only_enabled: z.boolean().optional(),
      })
      .optional(),
    bot_user: z.object({ display_name: z.string().min(1).max(80), always_online: z.boolean().optional() }),
    slash_commands: z.array(slashCommand).max(50).optional(),
    shortcuts: z.array(shortcut).max(10).optional(),
    assistant_view: z.record(z.string(), z.unknown()).optional(),
    agent_view: z.record(z.string(), z.unknown()).optional(),
  }),
  oauth_config: z.object({ scopes: z.object({ bot: z.array(z.string()).min(1).max(255) }) }),
  settings: z.object({
    event_subscriptions: z
      .object({ request_url: z.string().optional(), bot_events: z.array(z.string()).max(100).optional() })
      .optional(),
    interactivity: z
      .object({ is_enabled: z.boolean(), request_url: z.string().optional(), message_menu_options_url: z.string().optional() })
      .optional(),
    socket_mode_enabled: z.boolean().optional(),
    org_deploy_enabled: z.boolean().optional(),
    token_rotation_enabled: z.boolean().optional(),
  }),
});

export type SlackManifest = z.infer<typeof manifestSchema>;

const BUILT_IN = [
  '/status',
  '/me',
  '/join',
  '/invite',
  '/remind',
  '/topic',
  '/leave',
  '/dm',
  '/mute',
  '/shrug',
  '/who',
  '/search',
];

/** Scopes an event subscription needs; Slack refuses a manifest that subscribes without them. */
const SCOPE_OF_EVENT: Record<string, string> = {
  app_mention: 'app_mentions:read',
  'message.channels': 'channels:history',
  'message.groups': 'groups:history',
  'message.im': 'im:history',
  'message.mpim': 'mpim:history',
  reaction_added: 'reactions:read',
  reaction_removed: 'reactions:read',
  file_shared: 'files:read',
  file_deleted: 'files:read',
  member_joined_channel: 'channels:read',
  member_left_channel: 'channels:read',
};

/** The manifest as Slack would accept it. Throws one Error that lists every problem. */
export function parseManifest(manifest: unknown): SlackManifest {
  const parsed = manifestSchema.safeParse(manifest);
  if (!parsed.success) {
    throw new Error(
      `Slack refuses this manifest:\n${parsed.error.issues.map((issue) => `- ${issue.path.join('.')}: ${issue.message}`).join('\n')}`,
    );
  }
  const value = parsed.data;
  const problems: string[] = [];
  for (const { command } of value.features.slash_commands ?? []) {
    if (BUILT_IN.includes(command)) problems.push(`${command} is a command of Slack itself`);
  }
  for (const event of value.settings.event_subscriptions?.bot_events ?? []) {
    const scope = SCOPE_OF_EVENT[event];
    if (scope && !value.oauth_config.scopes.bot.includes(scope)) problems.push(`the event ${event} needs the scope ${scope}`);
  }
  if ((value.features.slash_commands ?? []).length > 0 && !value.oauth_config.scopes.bot.includes('commands')) {
    problems.push('slash commands need the scope commands');
  }
  if (problems.length > 0)
    throw new Error(`Slack refuses this manifest:\n${problems.map((problem) => `- ${problem}`).join('\n')}`);
  return value;
}

export function subscribes(manifest: SlackManifest, event: string): boolean {
  return manifest.settings.event_subscriptions?.bot_events?.includes(event) ?? false;
}

/** What is installed when the host passes no manifest of its own: the least a chat-ops bot needs. */
export const defaultManifest: SlackManifest = {
  display_information: { name: 'Deckhand', description: 'Runs coding and ops work in containers' },
  features: {
    app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: false },
    bot_user: { display_name: 'Deckhand', always_online: true },
    slash_commands: [{ command: '/deckhand', description: 'Run and watch tasks', usage_hint: 'help', should_escape: true }],
    shortcuts: [
      {
        name: 'Hand to Deckhand',
        type: 'message',
        callback_id: 'hand_to_deckhand',
        description: 'Start a task from this message',
      },
    ],
  },
  oauth_config: {
    scopes: {
      bot: [
        'app_mentions:read',
        'channels:history',
        'channels:read',
        'chat:write',
        'commands',
        'files:read',
        'files:write',
        'groups:history',
        'groups:read',
        'im:history',
        'im:read',
        'im:write',
        'reactions:read',
        'reactions:write',
        'team:read',
        'users:read',
      ],
    },
  },
  settings: {
    event_subscriptions: {
      bot_events: [
        'app_home_opened',
        'app_mention',
        'member_joined_channel',
        'message.channels',
        'message.groups',
        'message.im',
        'reaction_added',
        'reaction_removed',
      ],
    },
    interactivity: { is_enabled: true },
    socket_mode_enabled: true,
    org_deploy_enabled: false,
    token_rotation_enabled: false,
  },
};
