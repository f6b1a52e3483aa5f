import type { Json } from '../slack/json.ts';
import type { Core } from './core.ts';
import { timeOf } from './ids.ts';
import { canSee } from './permissions.ts';
import { wireApplication } from './routes-reads.ts';
import { APPLICATION_ID, BOT_USER, GUILD } from './seed.ts';
import { iso, wireChannel, wireFullMember, wireGuild, wireThreadMember, wireUser } from './wire.ts';

/** The first events of a session, and answers to what clients ask for on the gateway. */

export function ready(core: Core, sessionId: string): Json {
  const bot = core.state.users.get(BOT_USER);
  return {
    v: 10,
    user: { ...(bot ? wireUser(bot) : {}), verified: true, mfa_enabled: true, email: null },
    guilds: [{ id: GUILD.id, unavailable: true }],
    session_id: sessionId,
    session_type: 'normal',
    resume_gateway_url: core.baseUrl.replace(/^http/, 'ws'),
    shard: [0, 1],
    application: { id: APPLICATION_ID, flags: wireApplication(core).flags },
    private_channels: [],
    relationships: [],
    presences: [],
    user_settings: {},
    geo_ordered_rtc_regions: [],
    _trace: ['["lab"]'],
  };
}

/** The guild with all its channels (also those the bot cannot see), the active threads it sees, and its own member. */
export function guildCreate(core: Core): Json {
  const channels = core.state.channels.values();
  const threads = channels.filter((channel) => channel.thread?.archived === false && canSee(core, channel, BOT_USER));
  const bot = core.state.users.get(BOT_USER);
  return {
    ...wireGuild(core),
    joined_at: iso(timeOf(GUILD.id)),
    large: false,
    unavailable: false,
    member_count: core.state.users.size,
    members: bot ? [wireFullMember(bot)] : [],
    channels: channels.filter((channel) => channel.kind === 'text').map((channel) => wireChannel(core, channel)),
    threads: threads.map((thread) => ({
      ...wireChannel(core, thread),
      ...(thread.thread?.members.includes(BOT_USER) ? { member: wireThreadMember(thread, BOT_USER) } : {}),
    })),
    presences: [],
    voice_states: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
    embedded_activities: [],
  };
}

/** The members a client asks for by id or by the beginning of a name. */
export function memberChunk(core: Core, asked: Json): Json {
  const ids = Array.isArray(asked.user_ids)
    ? asked.user_ids.map(String)
    : typeof asked.user_ids === 'string'
      ? [asked.user_ids]
      : undefined;
  const start = typeof asked.query === 'string' ? asked.query.toLowerCase() : '';
  const users = [...core.state.users.values()];
  const members = users.filter((user) => (ids ? ids.includes(user.id) : user.username.startsWith(start)));
  return {
    guild_id: GUILD.id,
    members: members.map(wireFullMember),
    chunk_index: 0,
    chunk_count: 1,
    not_found: (ids ?? []).filter((id) => !core.state.users.has(id)),
    ...(asked.nonce === undefined ? {} : { nonce: asked.nonce }),
  };
}
