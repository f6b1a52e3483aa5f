import { createHmac } from 'node:crypto';
import { compact, type Json } from '../slack/json.ts';
import type { Core } from './core.ts';
import { FLAGS, has } from './flags.ts';
import { timeOf } from './ids.ts';
import type { Channel, FileRecord, Message, Role, User } from './model.ts';
import { permissionsIn } from './permissions.ts';
import { APPLICATION_ID, BOT_USER, GUILD } from './seed.ts';
import { wireComponent } from './wire-components.ts';

/** Records as Discord puts them on the wire. Shapes: UserResponse, ThreadResponse, MessageResponse … of its OpenAPI document. */

export const iso = (ms: number) => new Date(ms).toISOString().replace('Z', '000+00:00');

export function wireUser(user: User): Json {
  return compact({
    id: user.id,
    username: user.username,
    discriminator: user.bot ? '4077' : '0',
    global_name: user.bot ? null : user.global_name,
    avatar: null,
    banner: null,
    accent_color: null,
    avatar_decoration_data: null,
    collectibles: null,
    primary_guild: null,
    bot: user.bot ? true : undefined,
    public_flags: 0,
    flags: 0,
  });
}

/** A guild member without its user, as messages carry it. */
export function wireMember(user: User): Json {
  return {
    roles: user.roles,
    nick: null,
    avatar: null,
    banner: null,
    premium_since: null,
    joined_at: iso(timeOf(GUILD.id)),
    communication_disabled_until: null,
    pending: user.pending ?? false,
    flags: 0,
    deaf: false,
    mute: false,
  };
}

export function wireFullMember(user: User): Json {
  return { user: wireUser(user), ...wireMember(user) };
}

export function wireRole(role: Role): Json {
  return compact({
    id: role.id,
    name: role.name,
    description: null,
    permissions: String(role.permissions),
    position: role.position,
    color: 0,
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    hoist: false,
    managed: role.bot_id !== undefined,
    mentionable: false,
    icon: null,
    unicode_emoji: null,
    flags: 0,
    tags: role.bot_id ? { bot_id: role.bot_id } : undefined,
  });
}

/** A channel, thread or DM as the bot sees it. */
export function wireChannel(core: Core, channel: Channel): Json {
  const lastMessage = core.state.messagesOf(channel.id).at(-1)?.id ?? null;
  const shared = { id: channel.id, last_message_id: lastMessage, flags: 0, last_pin_timestamp: null };
  if (channel.dm) {
    const other = core.state.users.get(channel.dm.user);
    return { ...shared, type: 1, recipients: other ? [wireUser(other)] : [] };
  }
  if (channel.thread) return { ...shared, ...threadFields(core, channel, channel.thread) };
  return {
    ...shared,
    type: 0,
    guild_id: GUILD.id,
    name: channel.name,
    topic: channel.topic === '' ? null : channel.topic,
    position: channel.position,
    parent_id: null,
    permission_overwrites: channel.overwrites,
    nsfw: false,
    rate_limit_per_user: 0,
  };
}

function threadFields(core: Core, channel: Channel, thread: NonNullable<Channel['thread']>): Json {
  const starter = core.state.message(channel.id);
  const counted = core.state.messagesOf(channel.id).filter((message) => message.type !== 21);
  return compact({
    type: thread.private ? 12 : 11,
    guild_id: GUILD.id,
    parent_id: thread.parent_id,
    owner_id: thread.owner_id,
    name: channel.name,
    rate_limit_per_user: thread.rate_limit_per_user,
    bitrate: 64_000,
    user_limit: 0,
    rtc_region: null,
    thread_metadata: compact({
      archived: thread.archived,
      archive_timestamp: iso(thread.archive_timestamp),
      auto_archive_duration: thread.auto_archive_duration,
      locked: thread.locked,
      create_timestamp: iso(starter ? thread.archive_timestamp : timeOf(channel.id)),
      invitable: thread.private ? thread.invitable : undefined,
    }),
    message_count: counted.length,
    member_count: thread.members.length,
    total_message_sent: thread.total_message_sent,
    member: thread.members.includes(BOT_USER) ? wireThreadMember(channel, BOT_USER) : undefined,
  });
}

export function wireThreadMember(thread: Channel, userId: string): Json {
  return { id: thread.id, user_id: userId, join_timestamp: iso(timeOf(thread.id)), flags: 1, muted: false, mute_config: null };
}

export function featuresOf({ settings }: Pick<Core, 'settings'>): string[] {
  return settings.community ? ['COMMUNITY', 'MEMBER_VERIFICATION_GATE_ENABLED'] : [];
}

export function wireGuild(core: Core): Json {
  return {
    id: GUILD.id,
    name: GUILD.name,
    icon: null,
    description: null,
    home_header: null,
    splash: null,
    discovery_splash: null,
    features: featuresOf(core),
    banner: null,
    owner_id: GUILD.owner,
    application_id: null,
    region: 'us-west',
    afk_channel_id: null,
    afk_timeout: 300,
    system_channel_id: null,
    system_channel_flags: 0,
    widget_enabled: false,
    widget_channel_id: null,
    verification_level: 0,
    roles: [...core.state.roles.values()].map(wireRole),
    default_message_notifications: 0,
    mfa_level: 0,
    explicit_content_filter: 0,
    max_presences: null,
    max_members: 500_000,
    max_video_channel_users: 25,
    max_stage_video_channel_users: 50,
    vanity_url_code: null,
    premium_tier: 0,
    premium_subscription_count: 0,
    preferred_locale: 'en-US',
    rules_channel_id: null,
    safety_alerts_channel_id: null,
    public_updates_channel_id: null,
    premium_progress_bar_enabled: false,
    premium_progress_bar_enabled_user_updated_at: null,
    nsfw: false,
    nsfw_level: 0,
    emojis: [],
    stickers: [],
    incidents_data: null,
  };
}

export interface MessageView {
  /** Leave out what needs the MESSAGE_CONTENT intent, unless this message is exempt. */
  bare?: boolean;
  /** Do not add the message replied to. */
  flat?: boolean;
}

export function wireMessage(core: Core, message: Message, view: MessageView = {}): Json {
  const { state } = core;
  const isBare = view.bare === true && !isOpenToBot(core, message);
  const thread = has(message.flags, FLAGS.HAS_THREAD) ? state.channels.get(message.id) : undefined;
  const files = message.attachments.flatMap((id) => state.files.get(id) ?? []);
  const linked = files.map((file) => ({ file, url: fileUrl(core, file, message.channel) }));
  const reply = message.type === 19 || message.type === 21 ? referenced(core, message, view) : undefined;
  return compact({
    id: message.id,
    channel_id: message.channel,
    type: message.type,
    author: wireAuthor(core, message),
    content: isBare ? '' : message.content,
    embeds: isBare ? [] : message.embeds,
    attachments: isBare ? [] : files.map((file) => wireAttachment(core, file, message)),
    components: isBare ? [] : message.components.map((component) => wireComponent(component, linked)),
    mentions: message.mentions.flatMap((id) => {
      const user = state.users.get(id);
      return user ? [wireUser(user)] : [];
    }),
    mention_roles: message.mention_roles,
    mention_everyone: message.mention_everyone,
    timestamp: iso(timeOf(message.id)),
    edited_timestamp: message.edited_at === undefined ? null : iso(message.edited_at),
    flags: message.flags,
    pinned: message.pinned,
    tts: message.tts,
    reactions: message.reactions.length === 0 ? undefined : message.reactions.map(wireReaction),
    webhook_id: message.webhook?.id ?? (message.interaction ? APPLICATION_ID : undefined),
    application_id: message.interaction ? APPLICATION_ID : undefined,
    interaction_metadata: message.interaction ? wireInteraction(core, message.interaction) : undefined,
    message_reference: message.reference ? { type: 0, ...compact({ ...message.reference }) } : undefined,
    referenced_message: view.flat ? undefined : reply,
    thread: thread ? wireChannel(core, thread) : undefined,
  });
}

/** Own messages, DMs and messages that mention the bot are readable without the MESSAGE_CONTENT intent. */
export function isOpenToBot(core: Core, message: Message): boolean {
  return (
    (message.author === BOT_USER && message.webhook === undefined) ||
    message.mentions.includes(BOT_USER) ||
    core.state.channels.get(message.channel)?.kind === 'dm'
  );
}

function wireAuthor(core: Core, message: Message): Json {
  if (message.webhook) {
    const { id, username } = message.webhook;
    return {
      id,
      username,
      avatar: null,
      discriminator: '0000',
      public_flags: 0,
      flags: 0,
      bot: true,
      global_name: null,
      clan: null,
    };
  }
  const user = core.state.users.get(message.author);
  if (!user) throw new Error(`message ${message.id} has the unknown author ${message.author}`);
  return wireUser(user);
}

function referenced(core: Core, message: Message, view: MessageView): Json | null {
  const target = core.state.message(message.reference?.message_id ?? '');
  return target && !target.visible_to ? wireMessage(core, target, { ...view, flat: true }) : null;
}

function wireReaction({ emoji, users }: Message['reactions'][number]): Json {
  return {
    emoji: wireEmoji(emoji),
    count: users.length,
    count_details: { burst: 0, normal: users.length },
    burst_colors: [],
    me_burst: false,
    burst_me: false,
    me: users.includes(BOT_USER),
    burst_count: 0,
  };
}

/** `name:id` is a custom emoji, everything else a Unicode one. */
export function wireEmoji(emoji: string): Json {
  const [name = emoji, id] = emoji.split(':');
  return { id: id ?? null, name };
}

function wireInteraction(core: Core, interaction: NonNullable<Message['interaction']>): Json {
  const { user, ...rest } = interaction;
  const person = core.state.users.get(user);
  return compact({
    ...rest,
    user: person ? wireUser(person) : undefined,
    authorizing_integration_owners: { '0': GUILD.id },
  });
}

/** The signed address of a file, good for a day. */
export function fileUrl(core: Core, file: FileRecord, channel: string): string {
  const issued = Math.floor(core.now() / 1000);
  const expires = issued + Math.floor(core.timing.fileUrl / 1000);
  const path = `/attachments/${channel}/${file.id}/${encodeURIComponent(file.filename)}`;
  const hex = (seconds: number) => seconds.toString(16);
  return `${core.baseUrl}${path}?ex=${hex(expires)}&is=${hex(issued)}&hm=${fileSignature(core, path, hex(expires), hex(issued))}&`;
}

export function fileSignature(core: Core, path: string, expires: string, issued: string): string {
  return createHmac('sha256', core.credentials.token).update(`${path}?ex=${expires}&is=${issued}`).digest('hex');
}

export function wireAttachment(core: Core, file: FileRecord, message: Pick<Message, 'channel' | 'visible_to'>): Json {
  const url = fileUrl(core, file, message.channel);
  return compact({
    id: file.id,
    filename: file.filename,
    size: file.size,
    url,
    proxy_url: url,
    content_type: file.content_type,
    description: file.description,
    ephemeral: message.visible_to ? true : undefined,
    title: file.filename,
  });
}

/** Who acts, as interactions carry it: the member with its rights in the guild, the user in DMs. */
export function wireActor(core: Core, user: User, channel: Channel): Json {
  if (channel.kind === 'dm') return { user: wireUser(user) };
  return { member: { ...wireFullMember(user), permissions: String(permissionsIn(core, channel, user.id)) } };
}
