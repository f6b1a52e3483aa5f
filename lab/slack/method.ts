import { SlackApiError } from './api-error.ts';
import type { Args } from './args.ts';
import type { ApiCall } from './calls.ts';
import type { Core } from './core.ts';
import type { Json } from './json.ts';
import type { Channel, ChannelKind } from './model.ts';
import type { Tier } from './rate-limits.ts';
import { BOT_USER, dmChannel } from './seed.ts';

/** One call of a Web API method, already authenticated and with a scope that fits. */
export interface MethodCall {
  core: Core;
  args: Args;
  record: ApiCall;
  /** A single-use Socket Mode URL. */
  openSocketUrl(): string;
}

export interface Method {
  tier: Tier;
  /** Bot scopes, any of which lets the call in; a handler may ask for a particular one of them. Empty: none needed. */
  scopes: readonly string[];
  token: 'bot' | 'app' | 'none';
  handle(call: MethodCall): Json | Promise<Json>;
}

export function hasScope(core: Core, scope: string): boolean {
  return core.manifest.oauth_config.scopes.bot.includes(scope);
}

export function requireScope(core: Core, scope: string): void {
  if (hasScope(core, scope)) return;
  throw new SlackApiError('missing_scope', {
    extra: { needed: scope, provided: core.manifest.oauth_config.scopes.bot.join(',') },
  });
}

const FAMILY: Record<ChannelKind, string> = { public: 'channels', private: 'groups', im: 'im' };

/** `channels:history`, `im:read` …: the scope that the kind of conversation asks for. */
export function requireKindScope(core: Core, kind: ChannelKind, right: 'read' | 'history'): void {
  requireScope(core, `${FAMILY[kind]}:${right}`);
}

/** A conversation by id. Private ones without the bot look as if they did not exist. */
export function channelById(core: Core, id: string): Channel {
  const channel = core.state.channels.get(id);
  if (!channel || (channel.kind !== 'public' && !channel.members.includes(BOT_USER)))
    throw new SlackApiError('channel_not_found');
  return channel;
}

/** Where a message may be sent: an id, `#name`, or a person's id, which means the DM with that person. */
export function destination(core: Core, target: string): Channel {
  const person = core.state.users.get(target);
  const channel = person && !person.is_bot ? openDm(core, target) : channelById(core, channelIdOf(core, target));
  const isHome = channel.kind === 'im';
  if (isHome && core.manifest.features.app_home?.messages_tab_enabled === false) throw new SlackApiError('messages_tab_disabled');
  if (!channel.members.includes(BOT_USER) && !hasScope(core, 'chat:write.public')) throw new SlackApiError('not_in_channel');
  return channel;
}

function channelIdOf(core: Core, target: string): string {
  const name = target.replace(/^#/, '');
  return core.state.channels.values().find((channel) => channel.kind !== 'im' && channel.name === name)?.id ?? target;
}

/** The DM between the bot and a person, made on first use. */
export function openDm(core: Core, userId: string): Channel {
  const user = core.state.users.get(userId);
  if (!user || user.is_bot) throw new SlackApiError('user_not_found');
  const known = core.state.channels.values().find((channel) => channel.im_user === userId);
  if (known) return known;
  const channel = dmChannel(user);
  core.state.channels.put(channel);
  core.state.emit({ type: 'channel', channel });
  return channel;
}

/** The thread a message goes to: the parent's ts. Refuses unknown parents and replies posing as parents. */
export function threadOf(core: Core, channel: Channel, args: Args): string | undefined {
  const ts = args.ts('thread_ts', 'invalid_thread_ts');
  if (ts === undefined) return undefined;
  const parent = core.state.message(channel.id, ts);
  if (!parent) throw new SlackApiError('thread_not_found');
  if (parent.thread_ts !== undefined && parent.thread_ts !== parent.ts) throw new SlackApiError('cannot_reply_to_message');
  return ts;
}
