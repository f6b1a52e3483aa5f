import { permissionBits } from '../adapters/discord/invite.ts';
import type { ApiCall } from '../lab/discord/calls.ts';
import { createDiscordEmulator } from '../lab/discord/emulator.ts';
import { keptCalls } from './chat.ts';
import type { LivePlatform, OpenPlatform } from './live-platform.ts';
import type { Site } from './site.ts';

/** A server with the bot's own rights and no others, where Ada types commands. */
export const openDiscord: OpenPlatform = (site) => openServer(site, 'command');

/** The same, where Ada mentions the bot instead: what has no deadline of three seconds reaches it however busy the machine is. */
export const openDiscordByMention: OpenPlatform = (site) => openServer(site, 'mention');

async function openServer(site: Site, by: 'command' | 'mention'): Promise<LivePlatform> {
  const discord = await createDiscordEmulator({ botPermissions: permissionBits, keepCalls: keptCalls });
  site.onEnd(() => discord.close());
  const { controls } = discord;
  const methods = { send: 'create_message', edit: 'update_message' };
  const ada = discord.person('ada');
  const inChannel =
    (name: string) =>
    ({ method, channel }: { method: string; channel?: string | undefined }) =>
      method === name ? channel : undefined;
  const invalid = new Set([401, 403, 429]);
  return {
    platform: 'discord',
    variables: {
      DISCORD_BOT_TOKEN: discord.token,
      DISCORD_APPLICATION_ID: discord.applicationId,
      DISCORD_API_URL: discord.apiUrl,
      DECKHAND_OWNERS: `discord:${ada.id}`,
    },
    addPlaces: (count) =>
      Array.from({ length: count }, (_, at) => {
        const name = `team-${at + 1}`;
        return { platform: 'discord', tenant: discord.applicationId, channel: controls.addChannel({ name }).id, name };
      }),
    isReady: () => controls.gateway.count() > 0 && [...discord.core.state.commands.values()].length > 0,
    acknowledges: by === 'command',
    async command(place, line) {
      if (by === 'mention') {
        ada.mention(place.channel, line);
        return;
      }
      const [, name = '', rest = ''] = /^(\S+) ?(.*)$/s.exec(line) ?? [];
      await (name === 'sh'
        ? ada.slash(place.channel, '/deckhand sh', { command: rest })
        : ada.slash(place.channel, '/deckhand do', { text: line }));
    },
    calls: () => discord.calls,
    methods,
    textOf: ({ args }) => contents(args.components).join('\n').replaceAll('\\', ''),
    overLimit: () => discord.overLimit(),
    limits: [
      // Calls that answer an interaction carry its token instead of the bot's, and are not in this limit.
      {
        name: 'requests in a second',
        windowMs: 1000,
        atMost: 50,
        scopeOf: (call) => (/interaction|webhook/.test(call.method) ? undefined : 'all'),
      },
      { name: 'new messages in 5 s in a channel', windowMs: 5000, atMost: 5, scopeOf: inChannel(methods.send) },
      { name: 'edits in 5 s in a channel', windowMs: 5000, atMost: 5, scopeOf: inChannel(methods.edit) },
      {
        name: 'answers of 401, 403 and 429 in ten minutes',
        windowMs: 600_000,
        atMost: 10_000,
        countsRefused: true,
        scopeOf: ({ status }) => (invalid.has(status) ? 'all' : undefined),
      },
    ],
    enforce(refuses, retryAfter) {
      controls.rateLimiting(true);
      const when = (call: ApiCall) => refuses(call);
      for (const method of Object.values(methods))
        controls.failNext(method, { status: 429, retryAfter, times: Number.POSITIVE_INFINITY, when });
    },
    refusalScope: ({ method, channel = '' }) => `${method} ${channel}`,
    errors: () => controls.errors,
  };
}

/** Texts of components, however deep. */
function contents(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(contents);
  if (typeof value !== 'object' || value === null) return [];
  const own = 'content' in value && typeof value.content === 'string' ? [value.content] : [];
  return [...own, ...Object.values(value).flatMap(contents)];
}
