import { invalidArguments, SlackApiError } from './api-error.ts';
import type { Core } from './core.ts';
import type { Json } from './json.ts';
import { channelById, type Method, type MethodCall, openDm, requireKindScope, requireScope } from './method.ts';
import type { Channel, ChannelKind } from './model.ts';
import { pageOf, pageOfMessages, within } from './pages.ts';
import { wireChannel, wireMessage } from './payloads.ts';
import { BOT_USER } from './seed.ts';
import { addMember, removeMember } from './workspace.ts';

/** `conversations.*` and `users.conversations`. */

const READ = ['groups:read', 'im:read', 'mpim:read', 'channels:read'];
const HISTORY = ['groups:history', 'im:history', 'mpim:history', 'channels:history'];

export const conversationMethods: Record<string, Method> = {
  'conversations.open': {
    tier: 't3',
    scopes: ['channels:manage', 'groups:write', 'im:write', 'mpim:write'],
    token: 'bot',
    handle: open,
  },
  'conversations.info': { tier: 't3', scopes: READ, token: 'bot', handle: info },
  'conversations.members': { tier: 't4', scopes: READ, token: 'bot', handle: members },
  'conversations.list': { tier: 't2', scopes: READ, token: 'bot', handle: list },
  'conversations.history': { tier: 't3', scopes: HISTORY, token: 'bot', handle: history },
  'conversations.replies': { tier: 't3', scopes: HISTORY, token: 'bot', handle: replies },
  'conversations.join': { tier: 't3', scopes: ['channels:join'], token: 'bot', handle: join },
  'conversations.leave': {
    tier: 't3',
    scopes: ['groups:write', 'im:write', 'mpim:write', 'channels:write', 'channels:manage'],
    token: 'bot',
    handle: leave,
  },
  'users.conversations': { tier: 't3', scopes: READ, token: 'bot', handle: ofUser },
};

function open({ core, args }: MethodCall): Json {
  const given = args.text('channel');
  if (given) {
    const channel = channelById(core, given);
    if (channel.kind !== 'im') throw new SlackApiError('method_not_supported_for_channel_type');
    return {
      ok: true,
      no_op: true,
      already_open: true,
      channel: args.flag('return_im') ? wireChannel(channel) : { id: channel.id },
    };
  }
  const users = args.list('users');
  const [user] = users;
  if (user === undefined) throw new SlackApiError('users_list_not_supplied');
  if (users.length > 1) {
    requireScope(core, 'mpim:write');
    throw new SlackApiError('method_not_supported_for_channel_type');
  }
  requireScope(core, 'im:write');
  const channel = openDm(core, user);
  return {
    ok: true,
    no_op: true,
    already_open: true,
    channel: args.flag('return_im') ? wireChannel(channel) : { id: channel.id },
  };
}

function info({ core, args }: MethodCall): Json {
  const channel = readable(core, args.required('channel'), 'read');
  const wire = wireChannel(channel);
  if (!args.flag('include_num_members')) delete wire.num_members;
  return { ok: true, channel: wire };
}

function members({ core, args }: MethodCall): Json {
  const channel = readable(core, args.required('channel'), 'read');
  const page = pageOf(channel.members, args, { default: 100, max: 1000 });
  return { ok: true, members: page.items, response_metadata: page.metadata };
}

function list(call: MethodCall): Json {
  return listed(call, () => true);
}

function ofUser(call: MethodCall): Json {
  const user = call.args.text('user') ?? BOT_USER;
  return listed(call, (channel) => channel.members.includes(user));
}

function listed({ core, args }: MethodCall, also: (channel: Channel) => boolean): Json {
  const types = args.list('types');
  const kinds = (types.length > 0 ? types : ['public_channel']).map(kindOf).filter((kind) => kind !== undefined);
  for (const kind of kinds) requireKindScope(core, kind, 'read');
  const visible = core.state.channels
    .values()
    .filter(
      (channel) =>
        kinds.includes(channel.kind) && (channel.kind === 'public' || channel.members.includes(BOT_USER)) && also(channel),
    );
  const page = pageOf(visible, args, { default: 100, max: 1000 });
  return { ok: true, channels: page.items.map(wireChannel), response_metadata: page.metadata };
}

function kindOf(type: string): ChannelKind | undefined {
  if (type === 'public_channel') return 'public';
  if (type === 'private_channel') return 'private';
  if (type === 'im') return 'im';
  if (type === 'mpim') return undefined;
  throw new SlackApiError('invalid_types');
}

function history({ core, args }: MethodCall): Json {
  const channel = readable(core, args.required('channel'), 'history');
  requireMembership(channel);
  const inChannel = core.state
    .messagesOf(channel.id)
    .filter((message) => message.thread_ts === undefined || message.thread_ts === message.ts || message.broadcast);
  const page = pageOfMessages(within(inChannel, args).reverse(), args, { default: 100, max: 999 });
  const metadata = args.flag('include_all_metadata');
  return {
    ok: true,
    messages: page.items.map((message) => wireMessage(core, message, { metadata })),
    has_more: page.more,
    pin_count: 0,
    response_metadata: page.metadata,
  };
}

function replies({ core, args }: MethodCall): Json {
  const channel = readable(core, args.required('channel'), 'history');
  requireMembership(channel);
  const ts = args.required('ts');
  const root = core.state.message(channel.id, ts);
  if (!root) throw new SlackApiError('thread_not_found');
  const isReply = root.thread_ts !== undefined && root.thread_ts !== root.ts;
  const answers = isReply ? [] : within(core.state.replies(channel.id, ts), args);
  const page = pageOfMessages(answers, args, { default: 1000, max: 1000 });
  const metadata = args.flag('include_all_metadata');
  // The parent leads every first page, whatever the bounds.
  const shown = args.has('cursor') ? page.items : [root, ...page.items];
  return {
    ok: true,
    messages: shown.map((message) => wireMessage(core, message, { metadata })),
    has_more: page.more,
    response_metadata: page.metadata,
  };
}

function join({ core, args }: MethodCall): Json {
  const channel = channelById(core, args.required('channel'));
  if (channel.kind !== 'public') throw new SlackApiError('method_not_supported_for_channel_type');
  const joined = addMember(core, channel, BOT_USER);
  const now = core.state.channels.get(channel.id) ?? channel;
  return { ok: true, channel: wireChannel(now), ...(joined ? {} : { warning: 'already_in_channel' }) };
}

function leave({ core, args }: MethodCall): Json {
  const channel = channelById(core, args.required('channel'));
  if (channel.kind === 'im') throw new SlackApiError('method_not_supported_for_channel_type');
  return removeMember(core, channel, BOT_USER) ? { ok: true } : { ok: true, not_in_channel: true };
}

function readable(core: Core, id: string, right: 'read' | 'history'): Channel {
  if (!/^[CDG]/.test(id)) throw invalidArguments(`invalid channel: ${id}`);
  const channel = channelById(core, id);
  requireKindScope(core, channel.kind, right);
  return channel;
}

function requireMembership(channel: Channel): void {
  if (!channel.members.includes(BOT_USER)) throw new SlackApiError('not_in_channel');
}
