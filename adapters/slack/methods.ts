/**
 * Every Web API method the adapter calls, with the bot scopes it needs (docs.slack.dev, method reference). The client in `web.ts`
 * takes no other method, and the manifest asks for these scopes and no others, so that neither can drift from the other.
 */
export const methodScopes = {
  'auth.test': [],
  'chat.postEphemeral': ['chat:write'],
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  // One scope for each kind of conversation a message may be looked for in.
  'conversations.history': ['channels:history', 'groups:history', 'im:history'],
  'conversations.open': ['im:write'],
  'conversations.replies': ['channels:history', 'groups:history', 'im:history'],
  'files.completeUploadExternal': ['files:write'],
  'files.getUploadURLExternal': ['files:write'],
  'files.info': ['files:read'],
  'reactions.add': ['reactions:write'],
  'reactions.remove': ['reactions:write'],
  'team.info': ['team:read'],
  'users.info': ['users:read'],
  'views.open': [],
  'views.publish': [],
} as const satisfies Record<string, readonly string[]>;

export type SlackMethod = keyof typeof methodScopes;

/** Every event the adapter reads, with the scopes a subscription needs. */
export const eventScopes = {
  app_home_opened: [],
  app_mention: ['app_mentions:read'],
  'message.channels': ['channels:history'],
  'message.groups': ['groups:history'],
  'message.im': ['im:history'],
} as const satisfies Record<string, readonly string[]>;

/**
 * Without these something is said less well, nothing else: apps that were installed before they were asked for go on as they are.
 * `team:read`: names of other organisations.
 */
export const optionalScopes: ReadonlySet<string> = new Set(['team:read']);

/** The bot scopes the app asks for, in order. */
export function neededScopes(): string[] {
  const all = ['commands', ...Object.values(methodScopes).flat(), ...Object.values(eventScopes).flat()];
  return [...new Set(all)].sort();
}
