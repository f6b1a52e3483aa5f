import { PermissionFlagsBits } from 'discord-api-types/v10';
import { type ChatAdapter, DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { channelSchema, type DiscordChannel, guildSchema, threadListSchema } from './payloads.ts';
import { channelTypes, isThread, type Place } from './reading.ts';
import { path, type Rest } from './rest.ts';

type Tenants = ReturnType<ChatAdapter['tenants']>;

interface GuildFacts {
  id: string;
  name?: string | null | undefined;
  features?: readonly string[] | null | undefined;
}

/**
 * Servers and channels as far as they are known: told by the gateway, asked for otherwise. Nothing depends on what it remembers; it saves
 * asking for every message which channel a thread belongs to.
 */
export interface Directory {
  /** Where something in this channel happens. Rejects when Discord does not say now; a channel that is hidden is one without threads. */
  place(channel: { id: string; guild: string | undefined; told?: DiscordChannel | undefined }): Promise<Place>;
  /** `undefined`: gone or hidden. */
  channel(id: string): Promise<DiscordChannel | undefined>;
  /** Takes what the gateway tells about servers and channels; other events are left alone. */
  learn(type: string, data: unknown): void;
  learnGuilds(guilds: readonly GuildFacts[]): void;
  /**
   * The bot is one tenant, whatever servers it is in: accounts are the same in all of them and in direct messages, channels have ids of
   * their own everywhere, and the limits of calls are those of the bot.
   */
  tenants(): Tenants;
  /** How many servers the bot is in. */
  servers(): number;
}

const maxChannels = 20_000;

/**
 * Whether `@everyone`, the role with the id of the server, sees a channel. Undefined: not known. (Discord documentation, permissions: what
 * a channel says of the role counts before what the role has; categories are copied into their channels.)
 */
function isHidden(channel: DiscordChannel | undefined, closed: boolean | undefined): boolean | undefined {
  if (channel?.permission_overwrites == null) return undefined;
  const everyone = channel.permission_overwrites.find(({ id }) => id === channel.guild_id);
  if (everyone !== undefined && has(everyone.allow, PermissionFlagsBits.ViewChannel)) return false;
  return (everyone !== undefined && has(everyone.deny, PermissionFlagsBits.ViewChannel)) || closed;
}

function has(bits: string, flag: bigint): boolean {
  return (BigInt(bits) & flag) !== 0n;
}

export function createDirectory(deps: { rest: Rest; application: string; botUser: string }): Directory {
  const { rest, application, botUser } = deps;
  const guilds = new Map<string, string>();
  /** Servers where nobody sees a channel without being let in: `@everyone` lacks the right. */
  const closed = new Map<string, boolean>();
  const communities = new Map<string, boolean>();
  const channels = new Map<string, DiscordChannel>();

  function remember(channel: DiscordChannel): DiscordChannel {
    const known = channels.get(channel.id);
    channels.delete(channel.id);
    // Interactions tell less of a channel than the gateway does.
    const merged = { ...known, ...Object.fromEntries(Object.entries(channel).filter(([, value]) => value != null)) };
    const complete = channelSchema.parse(merged);
    channels.set(channel.id, complete);
    const oldest = channels.keys().next().value;
    if (channels.size > maxChannels && oldest !== undefined) channels.delete(oldest);
    return complete;
  }

  async function find(id: string): Promise<DiscordChannel | undefined> {
    const known = channels.get(id);
    if (known !== undefined) return known;
    try {
      return remember(await rest.call({ method: 'get', route: path`/channels/${id}`, what: 'look up a channel' }, channelSchema));
    } catch (error) {
      if (error instanceof DeliveryError && ['gone', 'not_permitted'].includes(error.failure.kind)) return undefined;
      throw error;
    }
  }

  async function place({ id, guild, told }: Parameters<Directory['place']>[0]): Promise<Place> {
    const direct: Conversation = { platform: 'discord', tenant: application, channel: id, kind: 'direct' };
    if (guild === undefined) return { conversation: direct };
    const channel = told === undefined ? await find(id) : remember({ ...told, guild_id: guild });
    const inThread = channel !== undefined && isThread(channel.type) && channel.parent_id != null;
    const main = inThread ? (channel.parent_id ?? id) : id;
    const mainChannel = inThread ? channels.get(main) : channel;
    const name = mainChannel?.name;
    const channelPrivate = isHidden(mainChannel, closed.get(guild));
    const conversation: Conversation = {
      platform: 'discord',
      tenant: application,
      channel: main,
      ...(inThread ? { thread: id } : {}),
      kind: 'channel',
    };
    return {
      conversation,
      ...(name == null || name === '' ? {} : { channelName: name }),
      channelPrivate,
      community: await isCommunity(guild),
    };
  }

  /** The gateway tells it of every server; asked for by what comes before that, or over HTTP. Hidden: as if it were one. */
  async function isCommunity(guild: string): Promise<boolean> {
    const known = communities.get(guild);
    if (known !== undefined) return known;
    try {
      const found = await rest.call({ method: 'get', route: path`/guilds/${guild}`, what: 'look up a server' }, guildSchema);
      communities.set(guild, found.features?.includes('COMMUNITY') ?? true);
    } catch (error) {
      if (!(error instanceof DeliveryError) || !['gone', 'not_permitted'].includes(error.failure.kind)) throw error;
      communities.set(guild, true);
    }
    return communities.get(guild) ?? true;
  }

  function learnGuild({ id, name, features }: GuildFacts): void {
    guilds.set(id, name ?? guilds.get(id) ?? id);
    if (features != null) communities.set(id, features.includes('COMMUNITY'));
  }

  function learn(type: string, data: unknown): void {
    if (type === 'GUILD_CREATE' || type === 'GUILD_UPDATE') {
      const guild = guildSchema.safeParse(data).data;
      if (guild === undefined || guild.unavailable === true) return;
      learnGuild(guild);
      const everyone = guild.roles?.find(({ id }) => id === guild.id);
      if (everyone !== undefined) closed.set(guild.id, !has(everyone.permissions, PermissionFlagsBits.ViewChannel));
      for (const channel of [...(guild.channels ?? []), ...(guild.threads ?? [])]) remember({ ...channel, guild_id: guild.id });
    } else if (type === 'GUILD_DELETE') {
      const guild = guildSchema.safeParse(data).data;
      // An outage of the server is no goodbye.
      if (guild === undefined || guild.unavailable === true) return;
      guilds.delete(guild.id);
      communities.delete(guild.id);
    } else if (type === 'THREAD_LIST_SYNC') {
      for (const thread of threadListSchema.safeParse(data).data?.threads ?? []) remember(thread);
    } else if (/^(?:CHANNEL|THREAD)_(?:CREATE|UPDATE)$/.test(type)) {
      const channel = channelSchema.safeParse(data).data;
      if (channel !== undefined && channel.type !== channelTypes.direct) remember(channel);
    } else if (type === 'CHANNEL_DELETE' || type === 'THREAD_DELETE') {
      const channel = channelSchema.safeParse(data).data;
      if (channel !== undefined) channels.delete(channel.id);
    }
  }

  return {
    place,
    channel: find,
    learn,
    learnGuilds(list) {
      for (const guild of list) learnGuild(guild);
    },
    tenants: () => [{ tenant: application, name: 'Discord', botUser }],
    servers: () => guilds.size,
  };
}
