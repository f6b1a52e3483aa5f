import { isRecord } from '../slack/json.ts';
import { apiError } from './api-error.ts';
import type { Core } from './core.ts';
import { channelEvent } from './events.ts';
import { markThread, postMessage } from './messages.ts';
import type { Channel } from './model.ts';
import { canSee, may } from './permissions.ts';
import { BUCKETS } from './rate-limits.ts';
import {
  type Answer,
  bodyOf,
  channelOf,
  created,
  messageOf,
  noContent,
  ok,
  type Route,
  type RouteCall,
  require,
  userIdOf,
} from './route.ts';
import { flag, integer, object, oneOf, text, validate } from './schema.ts';
import { BOT_USER, GUILD } from './seed.ts';
import { changeThread, deleteThread, joinThread, leaveThread, openThread } from './threads.ts';
import { wireChannel, wireFullMember, wireThreadMember } from './wire.ts';

const ARCHIVE_AFTER = oneOf(60, 1440, 4320, 10080);
const threadName = { name: text({ min: 1, max: 100 }) };
const threadOptions = { auto_archive_duration: ARCHIVE_AFTER, rate_limit_per_user: integer({ min: 0, max: 21_600 }) };

/** Rooms for threads: text channels alone, not DMs and not threads themselves. */
function parentOf(call: RouteCall): Channel {
  const channel = channelOf(call);
  if (channel.kind === 'dm') throw apiError('notOnDm');
  if (channel.kind === 'thread') throw apiError('wrongChannelType');
  return channel;
}

function botAsOwner(core: Core) {
  const owner = core.state.users.get(BOT_USER);
  if (!owner) throw new Error('the bot has no user');
  return owner;
}

function threadFromMessage(call: RouteCall): Answer {
  const { core } = call;
  const parent = parentOf(call);
  const starter = messageOf(call, parent);
  const body = bodyOf(call);
  validate(body, object(threadName, threadOptions));
  require(core, parent, 'CREATE_PUBLIC_THREADS', 'READ_MESSAGE_HISTORY');
  if (core.state.channels.get(starter.id)) throw apiError('threadExists');
  if (starter.type === 18 || starter.type === 21) throw apiError('systemMessage');
  const thread = openThread(core, { parent, starter, name: String(body.name), owner: botAsOwner(core), ...optionsOf(body) });
  markThread(core, starter);
  postMessage(core, {
    channel: thread.id,
    author: BOT_USER,
    type: 21,
    reference: { message_id: starter.id, channel_id: parent.id, guild_id: GUILD.id },
  });
  return created(wireChannel(core, thread));
}

function threadAlone(call: RouteCall): Answer {
  const { core } = call;
  const parent = parentOf(call);
  const body = bodyOf(call);
  validate(body, object(threadName, { ...threadOptions, type: oneOf(10, 11, 12), invitable: flag }));
  // Without a type the API opens a private thread.
  const isPrivate = (body.type ?? 12) === 12;
  require(core, parent, isPrivate ? 'CREATE_PRIVATE_THREADS' : 'CREATE_PUBLIC_THREADS');
  const invitable = body.invitable !== false;
  const thread = openThread(core, {
    parent,
    name: String(body.name),
    owner: botAsOwner(core),
    private: isPrivate,
    invitable,
    ...optionsOf(body),
  });
  if (!isPrivate) {
    postMessage(core, {
      channel: parent.id,
      author: BOT_USER,
      type: 18,
      content: thread.name,
      reference: { channel_id: thread.id, guild_id: GUILD.id },
    });
  }
  return created(wireChannel(core, thread));
}

function optionsOf(body: Record<string, unknown>) {
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
  return { auto_archive_duration: number(body.auto_archive_duration), rate_limit_per_user: number(body.rate_limit_per_user) };
}

function updateChannel(call: RouteCall): Answer {
  const { core } = call;
  const channel = channelOf(call);
  const body = bodyOf(call);
  if (channel.kind === 'dm') throw apiError('notOnDm');
  if (channel.thread) return ok(wireChannel(core, updateThread(core, channel, body)));
  require(core, channel, 'MANAGE_CHANNELS');
  validate(body, object({}, { name: text({ min: 1, max: 100 }), topic: text({ max: 1024 }) }));
  const next = {
    ...channel,
    name: typeof body.name === 'string' ? body.name : channel.name,
    topic: body.topic === undefined ? channel.topic : String(body.topic ?? ''),
  };
  core.state.channels.put(next);
  core.state.emit({ type: 'channel', channel: next });
  channelEvent(core, 'CHANNEL_UPDATE', next);
  return ok(wireChannel(core, next));
}

/** In an archived thread only `archived` and `locked` can change. Unlocking, and unarchiving a locked one, needs MANAGE_THREADS. */
function updateThread(core: Core, channel: Channel, body: Record<string, unknown>): Channel {
  const thread = channel.thread;
  if (!thread) throw new Error(`${channel.id} is no thread`);
  validate(body, object({}, { ...threadName, ...threadOptions, archived: flag, locked: flag, invitable: flag }));
  const manages = may(core, channel, BOT_USER, 'MANAGE_THREADS');
  const opens = body.archived === false && thread.archived;
  const onlyOpens = opens && Object.keys(body).every((key) => key === 'archived' || key === 'auto_archive_duration');
  if (thread.locked && !manages) throw apiError(onlyOpens ? 'threadLocked' : 'missingPermissions');
  if (thread.archived && !opens && body.locked === undefined) throw apiError('threadArchived');
  const isOwner = thread.owner_id === BOT_USER;
  if (!manages && !isOwner && !(onlyOpens && may(core, channel, BOT_USER, 'SEND_MESSAGES_IN_THREADS')))
    throw apiError('missingPermissions');
  if (typeof body.locked === 'boolean' && body.locked !== thread.locked && !manages) throw apiError('missingPermissions');
  const set = <T>(key: string, known: T): T => {
    const value = body[key];
    return typeof value === typeof known ? (value as T) : known;
  };
  return changeThread(core, channel, {
    name: set('name', channel.name),
    archived: set('archived', thread.archived),
    locked: set('locked', thread.locked),
    invitable: set('invitable', thread.invitable),
    auto_archive_duration: set('auto_archive_duration', thread.auto_archive_duration),
    rate_limit_per_user: set('rate_limit_per_user', thread.rate_limit_per_user),
  });
}

function deleteChannel(call: RouteCall): Answer {
  const { core } = call;
  const channel = channelOf(call);
  if (channel.kind === 'dm') return ok(wireChannel(core, channel));
  require(core, channel, channel.thread ? 'MANAGE_THREADS' : 'MANAGE_CHANNELS');
  const answer = ok(wireChannel(core, channel));
  if (channel.thread) deleteThread(core, channel);
  else {
    core.state.channels.remove(channel.id);
    core.state.emit({ type: 'channel_removed', channel });
    channelEvent(core, 'CHANNEL_DELETE', channel);
  }
  return answer;
}

function threadOf(call: RouteCall): Channel & { thread: NonNullable<Channel['thread']> } {
  const channel = channelOf(call);
  const { thread } = channel;
  if (!thread) throw apiError('wrongChannelType');
  return { ...channel, thread };
}

function changeMembership(action: 'add' | 'remove') {
  return (call: RouteCall): Answer => {
    const { core } = call;
    const channel = threadOf(call);
    const userId = userIdOf(call);
    if (!core.state.users.has(userId)) throw apiError('unknownUser');
    if (channel.thread.archived) throw apiError('threadArchived');
    if (userId !== BOT_USER) require(core, channel, action === 'add' ? 'SEND_MESSAGES_IN_THREADS' : 'MANAGE_THREADS');
    if (action === 'add') joinThread(core, channel, userId);
    else leaveThread(core, channel, userId);
    return noContent;
  };
}

function getThreadMember(call: RouteCall): Answer {
  const channel = threadOf(call);
  const userId = userIdOf(call);
  if (!channel.thread.members.includes(userId)) throw apiError('unknownMember');
  const user = call.core.state.users.get(userId);
  const full = call.query.get('with_member') === 'true' && user ? { member: wireFullMember(user) } : {};
  return ok({ ...wireThreadMember(channel, userId), ...full });
}

function listThreadMembers(call: RouteCall): Answer {
  const channel = threadOf(call);
  return ok(channel.thread.members.map((id) => wireThreadMember(channel, id)));
}

function threadList(core: Core, threads: Channel[]): Record<string, unknown> {
  const shown = threads.filter((thread) => canSee(core, thread, BOT_USER));
  const joined = shown.filter((channel) => channel.thread?.members.includes(BOT_USER));
  return {
    threads: shown.map((thread) => wireChannel(core, thread)),
    members: joined.map((thread) => wireThreadMember(thread, BOT_USER)),
  };
}

function activeThreads(call: RouteCall): Answer {
  if (call.params.guild !== GUILD.id) throw apiError('unknownGuild');
  const active = call.core.state.channels.values().filter((channel) => channel.thread?.archived === false);
  return ok({ ...threadList(call.core, active), has_more: false });
}

function archivedThreads(isPrivate: boolean) {
  return (call: RouteCall): Answer => {
    const { core, query } = call;
    const parent = parentOf(call);
    require(core, parent, 'READ_MESSAGE_HISTORY');
    const before = Date.parse(query.get('before') ?? '') || Number.POSITIVE_INFINITY;
    const limit = Number(query.get('limit') ?? 50);
    const found = core.state.channels
      .values()
      .filter(({ thread }) => thread?.parent_id === parent.id && thread.archived && thread.private === isPrivate)
      .filter(({ thread }) => (thread?.archive_timestamp ?? 0) < before)
      .sort((a, b) => (b.thread?.archive_timestamp ?? 0) - (a.thread?.archive_timestamp ?? 0));
    return ok({ ...threadList(core, found.slice(0, limit)), has_more: found.length > limit });
  };
}

const channel = '/channels/:channel';
const members = `${channel}/thread-members`;
const asMe = (handle: (call: RouteCall) => Answer) => (call: RouteCall) =>
  handle({ ...call, params: { ...call.params, user: '@me' } });
const route = (
  method: string,
  verb: Route['verb'],
  path: string,
  handle: Route['handle'],
  bucket: Route['bucket'] = BUCKETS.other,
): Route => {
  return { method, verb, path, auth: 'bot', bucket, handle };
};

export const channelRoutes: Route[] = [
  route('get_channel', 'GET', channel, (call) => ok(wireChannel(call.core, channelOf(call)))),
  route('update_channel', 'PATCH', channel, updateChannel, BUCKETS.editChannel),
  route('delete_channel', 'DELETE', channel, deleteChannel),
  route('create_thread_from_message', 'POST', `${channel}/messages/:message/threads`, threadFromMessage, BUCKETS.threads),
  route('create_thread', 'POST', `${channel}/threads`, threadAlone, BUCKETS.threads),
  route('list_public_archived_threads', 'GET', `${channel}/threads/archived/public`, archivedThreads(false)),
  route('list_private_archived_threads', 'GET', `${channel}/threads/archived/private`, archivedThreads(true)),
  route('get_active_guild_threads', 'GET', '/guilds/:guild/threads/active', activeThreads),
  route('join_thread', 'PUT', `${members}/@me`, asMe(changeMembership('add'))),
  route('leave_thread', 'DELETE', `${members}/@me`, asMe(changeMembership('remove'))),
  route('get_thread_member', 'GET', `${members}/:user`, getThreadMember),
  route('add_thread_member', 'PUT', `${members}/:user`, changeMembership('add')),
  route('delete_thread_member', 'DELETE', `${members}/:user`, changeMembership('remove')),
  route('list_thread_members', 'GET', members, listThreadMembers),
];

/** Whether the body of a change renames a channel, which has a narrow limit of its own. */
export function renames(body: unknown): boolean {
  return isRecord(body) && (body.name !== undefined || body.topic !== undefined);
}
