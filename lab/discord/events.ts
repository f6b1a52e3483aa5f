import { compact, type Json } from '../slack/json.ts';
import type { Core } from './core.ts';
import { INTENTS } from './flags.ts';
import type { Channel, Message, User } from './model.ts';
import { canSee } from './permissions.ts';
import { BOT_USER, GUILD } from './seed.ts';
import { wireChannel, wireEmoji, wireFullMember, wireGuild, wireMember, wireMessage, wireThreadMember } from './wire.ts';

/** What happens in the guild and in DMs, told to the gateway sessions. The bot hears of nothing in channels it cannot see. */

function placeOf(core: Core, channelId: string): Channel {
  const channel = core.state.channels.get(channelId);
  if (!channel) throw new Error(`there is no channel ${channelId}`);
  return channel;
}

export function messageEvent(core: Core, t: 'MESSAGE_CREATE' | 'MESSAGE_UPDATE', message: Message): void {
  const channel = placeOf(core, message.channel);
  if (message.visible_to || !canSee(core, channel, BOT_USER)) return;
  const around = surroundings(core, channel, message);
  const nonce = t === 'MESSAGE_CREATE' && message.nonce !== undefined ? { nonce: message.nonce } : {};
  core.dispatch({
    t,
    intents: channel.kind === 'dm' ? INTENTS.DIRECT_MESSAGES : INTENTS.GUILD_MESSAGES,
    d: { ...wireMessage(core, message), ...nonce, ...around },
    bare: { ...wireMessage(core, message, { bare: true }), ...nonce, ...around },
  });
}

/** What events add to a message: the guild, and members where REST gives users alone. */
function surroundings(core: Core, channel: Channel, message: Message): Json {
  if (channel.kind === 'dm') return { channel_type: 1 };
  const author = core.state.users.get(message.author);
  const mentions = message.mentions.flatMap((id) => {
    const user = core.state.users.get(id);
    return user ? [{ ...flatUser(user), member: wireMember(user) }] : [];
  });
  return compact({
    guild_id: GUILD.id,
    channel_type: channel.thread ? (channel.thread.private ? 12 : 11) : 0,
    member: author && !message.webhook ? wireMember(author) : undefined,
    mentions,
  });
}

function flatUser(user: User): Json {
  const { user: flat } = wireFullMember(user);
  return typeof flat === 'object' && flat !== null ? { ...flat } : {};
}

export function messageDeletedEvent(core: Core, message: Message): void {
  const channel = placeOf(core, message.channel);
  if (message.visible_to || !canSee(core, channel, BOT_USER)) return;
  core.dispatch({
    t: 'MESSAGE_DELETE',
    intents: channel.kind === 'dm' ? INTENTS.DIRECT_MESSAGES : INTENTS.GUILD_MESSAGES,
    d: compact({ id: message.id, channel_id: channel.id, guild_id: channel.kind === 'dm' ? undefined : GUILD.id }),
  });
}

export function reactionEvent(core: Core, action: 'ADD' | 'REMOVE', message: Message, user: User, emoji: string): void {
  const channel = placeOf(core, message.channel);
  if (message.visible_to || !canSee(core, channel, BOT_USER)) return;
  const inGuild = channel.kind !== 'dm';
  core.dispatch({
    t: `MESSAGE_REACTION_${action}`,
    intents: inGuild ? INTENTS.GUILD_MESSAGE_REACTIONS : INTENTS.DIRECT_MESSAGE_REACTIONS,
    d: compact({
      user_id: user.id,
      channel_id: channel.id,
      message_id: message.id,
      guild_id: inGuild ? GUILD.id : undefined,
      member: inGuild && action === 'ADD' ? wireFullMember(user) : undefined,
      message_author_id: action === 'ADD' ? message.author : undefined,
      emoji: wireEmoji(emoji),
      burst: false,
      type: 0,
    }),
  });
}

export function typingEvent(core: Core, channel: Channel, user: User): void {
  if (!canSee(core, channel, BOT_USER)) return;
  const inGuild = channel.kind !== 'dm';
  core.dispatch({
    t: 'TYPING_START',
    intents: inGuild ? INTENTS.GUILD_MESSAGE_TYPING : INTENTS.DIRECT_MESSAGE_TYPING,
    d: compact({
      channel_id: channel.id,
      user_id: user.id,
      timestamp: Math.floor(core.now() / 1000),
      guild_id: inGuild ? GUILD.id : undefined,
      member: inGuild ? wireFullMember(user) : undefined,
    }),
  });
}

/** Channels of the guild. Bots hear of all of them, also of those they cannot see. */
export function guildEvent(core: Core): void {
  core.dispatch({ t: 'GUILD_UPDATE', intents: INTENTS.GUILDS, d: wireGuild(core) });
}

export function channelEvent(core: Core, t: 'CHANNEL_CREATE' | 'CHANNEL_UPDATE' | 'CHANNEL_DELETE', channel: Channel): void {
  if (channel.kind === 'text') core.dispatch({ t, intents: INTENTS.GUILDS, d: wireChannel(core, channel) });
}

export function threadEvent(core: Core, t: 'THREAD_CREATE' | 'THREAD_UPDATE', thread: Channel, isNew = false): void {
  if (!canSee(core, thread, BOT_USER)) return;
  core.dispatch({ t, intents: INTENTS.GUILDS, d: { ...wireChannel(core, thread), ...(isNew ? { newly_created: true } : {}) } });
}

export function threadDeletedEvent(core: Core, thread: Channel): void {
  if (!canSee(core, thread, BOT_USER)) return;
  const d = { id: thread.id, guild_id: GUILD.id, parent_id: thread.thread?.parent_id, type: thread.thread?.private ? 12 : 11 };
  core.dispatch({ t: 'THREAD_DELETE', intents: INTENTS.GUILDS, d });
}

/** Without the GUILD_MEMBERS intent a bot only hears of itself. */
export function threadMembersEvent(core: Core, thread: Channel, change: { added?: string; removed?: string }): void {
  if (!thread.thread || !canSee(core, thread, BOT_USER)) return;
  const concernsBot = change.added === BOT_USER || change.removed === BOT_USER;
  const added = change.added === undefined ? [] : [change.added];
  core.dispatch({
    t: 'THREAD_MEMBERS_UPDATE',
    intents: concernsBot ? INTENTS.GUILDS : INTENTS.GUILD_MEMBERS,
    d: {
      id: thread.id,
      guild_id: GUILD.id,
      member_count: thread.thread.members.length,
      added_members: added.flatMap((id) => {
        const user = core.state.users.get(id);
        return user ? [{ ...wireThreadMember(thread, id), member: wireFullMember(user), presence: null }] : [];
      }),
      removed_member_ids: change.removed === undefined ? [] : [change.removed],
    },
  });
}

/** The active threads of a channel that the bot has just been let into. */
export function threadListEvent(core: Core, parent: Channel): void {
  const threads = core.state.channels
    .values()
    .filter((channel) => channel.thread?.parent_id === parent.id && !channel.thread.archived && canSee(core, channel, BOT_USER));
  const joined = threads.filter((thread) => thread.thread?.members.includes(BOT_USER));
  core.dispatch({
    t: 'THREAD_LIST_SYNC',
    intents: INTENTS.GUILDS,
    d: {
      guild_id: GUILD.id,
      channel_ids: [parent.id],
      threads: threads.map((thread) => wireChannel(core, thread)),
      members: joined.map((thread) => wireThreadMember(thread, BOT_USER)),
    },
  });
}
