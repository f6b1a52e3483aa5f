import { apiError, invalidForm } from './api-error.ts';
import type { Core } from './core.ts';
import { FLAGS, INTENTS } from './flags.ts';
import { compareIds, timeOf } from './ids.ts';
import { type BodyContext, messageFields } from './message-body.ts';
import { changeMessage, deleteMessage, postMessage, react } from './messages.ts';
import type { Channel, Message } from './model.ts';
import { may } from './permissions.ts';
import { BUCKETS } from './rate-limits.ts';
import {
  type Answer,
  bodyOf,
  channelOf,
  messageOf,
  noContent,
  ok,
  type Route,
  type RouteCall,
  require,
  snowflakeParam,
  userIdOf,
} from './route.ts';
import { BOT_USER, GUILD } from './seed.ts';
import { wireMessage, wireUser } from './wire.ts';

const SETTABLE = FLAGS.SUPPRESS_NOTIFICATIONS | FLAGS.IS_COMPONENTS_V2;

/** REST leaves content out where the application has no MESSAGE_CONTENT intent, as the gateway does. */
export function restMessage(core: Core, message: Message): Record<string, unknown> {
  return wireMessage(core, message, { bare: (core.settings.grantedIntents & INTENTS.MESSAGE_CONTENT) === 0 });
}

function createMessage(call: RouteCall): Answer {
  const { core } = call;
  const channel = channelOf(call);
  const body = bodyOf(call);
  checkMaySend(core, channel, call.body.files.length > 0);
  const known = sameNonce(core, body.nonce, body.enforce_nonce);
  if (known) return ok({ ...restMessage(core, known), nonce: body.nonce });
  const reply = referenceOf(core, channel, body.message_reference);
  const fields = messageFields(contextOf(core, channel, { repliedTo: reply?.author }), call.body);
  const message = postMessage(core, {
    channel: channel.id,
    author: BOT_USER,
    ...fields,
    type: reply ? 19 : 0,
    tts: body.tts === true,
    nonce: body.nonce === undefined || body.nonce === null ? undefined : String(body.nonce),
    reference: reply && {
      message_id: reply.id,
      channel_id: channel.id,
      guild_id: channel.kind === 'dm' ? undefined : GUILD.id,
    },
  });
  return ok({ ...restMessage(core, message), ...(message.nonce === undefined ? {} : { nonce: body.nonce }) });
}

function contextOf(core: Core, channel: Channel, more: Partial<BodyContext> = {}): BodyContext {
  return {
    core,
    channel: channel.id,
    author: BOT_USER,
    settable: SETTABLE,
    parseByDefault: ['users', 'roles', 'everyone'],
    ...more,
  };
}

export function checkMaySend(core: Core, channel: Channel, hasFiles: boolean): void {
  if (channel.dm?.closed) throw apiError('cannotSendToUser');
  require(core, channel, channel.thread ? 'SEND_MESSAGES_IN_THREADS' : 'SEND_MESSAGES');
  if (hasFiles) require(core, channel, 'ATTACH_FILES');
  if (channel.thread?.locked && !may(core, channel, BOT_USER, 'MANAGE_THREADS')) throw apiError('threadLocked');
}

/** With `enforce_nonce`, the message the bot sent with this nonce a short while ago. */
function sameNonce(core: Core, nonce: unknown, enforce: unknown): Message | undefined {
  if (enforce !== true || nonce === undefined || nonce === null || nonce === '') return undefined;
  const known = core.state.withNonce(BOT_USER, String(nonce));
  return known && timeOf(known.id) >= core.now() - core.timing.nonce ? known : undefined;
}

function referenceOf(core: Core, channel: Channel, reference: unknown): Message | undefined {
  if (typeof reference !== 'object' || reference === null || !('message_id' in reference)) return undefined;
  if (!may(core, channel, BOT_USER, 'READ_MESSAGE_HISTORY')) throw apiError('noHistoryForReply');
  const target = core.state.message(String(reference.message_id));
  if (target && target.channel === channel.id && !target.visible_to) return target;
  if ('fail_if_not_exists' in reference && reference.fail_if_not_exists === false) return undefined;
  throw invalidForm([{ path: ['message_reference'], code: 'REPLIES_UNKNOWN_MESSAGE', message: 'Unknown message' }]);
}

function updateMessage(call: RouteCall): Answer {
  const { core } = call;
  const channel = channelOf(call);
  const message = messageOf(call, channel);
  if (message.author !== BOT_USER || message.webhook) throw apiError('notAuthor');
  if (message.type === 18 || message.type === 21) throw apiError('systemMessage');
  if (channel.thread?.archived) throw apiError('threadArchived');
  if (call.body.files.length > 0) require(core, channel, 'ATTACH_FILES');
  const fields = messageFields(contextOf(core, channel, { previous: message }), call.body);
  return ok(restMessage(core, changeMessage(core, message, { ...fields, edited_at: core.now() })));
}

function removeMessage(call: RouteCall): Answer {
  const channel = channelOf(call);
  const message = messageOf(call, channel);
  if (message.author !== BOT_USER) {
    if (channel.kind === 'dm') throw apiError('notOnDm');
    require(call.core, channel, 'MANAGE_MESSAGES');
  }
  if (channel.thread?.archived) throw apiError('threadArchived');
  deleteMessage(call.core, message);
  return noContent;
}

/** Newest first, as Discord lists them. */
function listMessages(call: RouteCall): Answer {
  const { core, query } = call;
  const channel = channelOf(call);
  if (!may(core, channel, BOT_USER, 'READ_MESSAGE_HISTORY')) return ok([]);
  const limit = Number(query.get('limit') ?? 50);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100)
    throw invalidForm([{ path: ['limit'], code: 'NUMBER_TYPE_MAX', message: 'int value should be between 1 and 100.' }]);
  const all = core.state.messagesOf(channel.id);
  const [before, after, around] = ['before', 'after', 'around'].map((name) => snowflakeParam(query, name));
  let chosen = all.slice(-limit);
  if (around !== undefined) {
    const earlier = all.filter((message) => compareIds(message.id, around) < 0).slice(-Math.floor(limit / 2));
    chosen = [...earlier, ...all.filter((message) => compareIds(message.id, around) >= 0)].slice(0, limit);
  } else if (before !== undefined) chosen = all.filter((message) => compareIds(message.id, before) < 0).slice(-limit);
  else if (after !== undefined) chosen = all.filter((message) => compareIds(message.id, after) > 0).slice(0, limit);
  return ok(chosen.reverse().map((message) => restMessage(core, message)));
}

function getMessage(call: RouteCall): Answer {
  const channel = channelOf(call);
  if (!may(call.core, channel, BOT_USER, 'READ_MESSAGE_HISTORY')) throw apiError('missingPermissions');
  return ok(restMessage(call.core, messageOf(call, channel)));
}

function emojiOf({ params }: RouteCall): string {
  const emoji = params.emoji ?? '';
  if (!/\p{Extended_Pictographic}|\p{Regional_Indicator}|^[#*\d]\uFE0F?\u20E3$/u.test(emoji)) throw apiError('unknownEmoji');
  return emoji;
}

function changeReaction(action: 'add' | 'remove') {
  return (call: RouteCall): Answer => {
    const { core } = call;
    const channel = channelOf(call);
    const message = messageOf(call, channel);
    const emoji = emojiOf(call);
    const user = core.state.users.get(userIdOf(call));
    if (!user) throw apiError('unknownUser');
    if (channel.thread?.archived) throw apiError('threadArchived');
    if (user.id !== BOT_USER) require(core, channel, 'MANAGE_MESSAGES');
    if (action === 'add') {
      require(core, channel, 'READ_MESSAGE_HISTORY');
      const isNew = !message.reactions.some((entry) => entry.emoji === emoji);
      if (isNew) require(core, channel, 'ADD_REACTIONS');
      if (isNew && message.reactions.length >= 20) throw apiError('tooManyReactions');
    }
    react(core, message, user, emoji, action);
    return noContent;
  };
}

function listReactions(call: RouteCall): Answer {
  const message = messageOf(call, channelOf(call));
  const emoji = emojiOf(call);
  const users = message.reactions.find((entry) => entry.emoji === emoji)?.users ?? [];
  return ok(users.flatMap((id) => call.core.state.users.get(id) ?? []).map(wireUser));
}

function startTyping(call: RouteCall): Answer {
  const { core } = call;
  const channel = channelOf(call);
  checkMaySend(core, channel, false);
  core.state.emit({ type: 'typing', channel: channel.id, user: BOT_USER, at: core.now() });
  return noContent;
}

const messages = '/channels/:channel/messages';
const own = `${messages}/:message/reactions/:emoji`;

export const messageRoutes: Route[] = [
  { method: 'create_message', verb: 'POST', path: messages, auth: 'bot', bucket: BUCKETS.createMessage, handle: createMessage },
  { method: 'list_messages', verb: 'GET', path: messages, auth: 'bot', bucket: BUCKETS.readMessages, handle: listMessages },
  {
    method: 'get_message',
    verb: 'GET',
    path: `${messages}/:message`,
    auth: 'bot',
    bucket: BUCKETS.readMessages,
    handle: getMessage,
  },
  {
    method: 'update_message',
    verb: 'PATCH',
    path: `${messages}/:message`,
    auth: 'bot',
    bucket: BUCKETS.editMessage,
    handle: updateMessage,
  },
  {
    method: 'delete_message',
    verb: 'DELETE',
    path: `${messages}/:message`,
    auth: 'bot',
    bucket: BUCKETS.deleteMessage,
    handle: removeMessage,
  },
  {
    method: 'add_my_message_reaction',
    verb: 'PUT',
    path: `${own}/@me`,
    auth: 'bot',
    bucket: BUCKETS.reactions,
    handle: withMe(changeReaction('add')),
  },
  {
    method: 'delete_my_message_reaction',
    verb: 'DELETE',
    path: `${own}/@me`,
    auth: 'bot',
    bucket: BUCKETS.reactions,
    handle: withMe(changeReaction('remove')),
  },
  {
    method: 'delete_user_message_reaction',
    verb: 'DELETE',
    path: `${own}/:user`,
    auth: 'bot',
    bucket: BUCKETS.reactions,
    handle: changeReaction('remove'),
  },
  {
    method: 'list_message_reactions_by_emoji',
    verb: 'GET',
    path: own,
    auth: 'bot',
    bucket: BUCKETS.reactions,
    handle: listReactions,
  },
  {
    method: 'trigger_typing_indicator',
    verb: 'POST',
    path: '/channels/:channel/typing',
    auth: 'bot',
    bucket: BUCKETS.typing,
    handle: startTyping,
  },
];

function withMe(handle: (call: RouteCall) => Answer) {
  return (call: RouteCall) => handle({ ...call, params: { ...call.params, user: '@me' } });
}
