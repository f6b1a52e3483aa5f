import { eventScopes, neededScopes } from './methods.ts';

/** The path of every request Slack makes in HTTP mode. */
export const requestPath = '/slack/events';

export const slashCommand = '/deckhand';

/** "Hand to Deckhand" in the menu of a message. */
export const messageShortcut = {
  name: 'Hand to Deckhand',
  type: 'message',
  callback_id: 'hand_to_deckhand',
  description: 'Start a task from this message',
} as const;

/** Limits of Slack's manifest reference. */
const maxUsageHint = 1000;

export interface ManifestOptions {
  mode: 'socket' | 'http';
  /** Where Slack reaches this program, without a path, e.g. `https://deckhand.example.com`. Needed in HTTP mode only. */
  publicUrl?: string | undefined;
  /** What Slack shows behind `/deckhand` while somebody types, e.g. the names of the commands. */
  usageHint: string;
}

/**
 * The app as Slack must know it, with the least rights that work: paste it at api.slack.com/apps, "From a manifest", as JSON.
 * Throws when HTTP mode has no address Slack could call.
 */
export function slackManifest(options: ManifestOptions) {
  const request = options.mode === 'http' ? { request_url: requestUrl(options.publicUrl) } : {};
  const { usageHint } = options;
  return {
    display_information: {
      name: 'Deckhand',
      description: 'Runs coding and ops work in containers and asks before risky steps',
      background_color: '#0b4f6c',
    },
    features: {
      app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: false },
      bot_user: { display_name: 'Deckhand', always_online: true },
      slash_commands: [
        {
          command: slashCommand,
          description: 'Run and watch tasks',
          usage_hint: usageHint.length <= maxUsageHint ? usageHint : `${usageHint.slice(0, maxUsageHint - 1)}…`,
          // Typed names arrive as account ids, so that `member add @ben` names one person.
          should_escape: true,
          ...(options.mode === 'http' ? { url: requestUrl(options.publicUrl) } : {}),
        },
      ],
      shortcuts: [messageShortcut],
    },
    oauth_config: { scopes: { bot: neededScopes() } },
    settings: {
      event_subscriptions: { ...request, bot_events: Object.keys(eventScopes) },
      interactivity: { is_enabled: true, ...request },
      org_deploy_enabled: false,
      socket_mode_enabled: options.mode === 'socket',
      token_rotation_enabled: false,
    },
  };
}

export type SlackManifest = ReturnType<typeof slackManifest>;

function requestUrl(publicUrl: string | undefined): string {
  if (publicUrl === undefined || !/^https:\/\//.test(publicUrl)) {
    throw new Error('HTTP mode needs the public https address of this program (PUBLIC_URL)');
  }
  return new URL(requestPath, publicUrl).href;
}
