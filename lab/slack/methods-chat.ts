import { SlackApiError } from './api-error.ts';
import type { Core } from './core.ts';
import type { Json } from './json.ts';
import { type Content, hasContent, readContent } from './message-args.ts';
import { channelById, destination, type Method, type MethodCall, requireScope, threadOf } from './method.ts';
import type { Message } from './model.ts';
import { wireMessage } from './payloads.ts';
import { BOT_USER, TEAM } from './seed.ts';
import { changeMessage, deleteMessage, postMessage } from './workspace.ts';

/** `chat.*` without streams. */

const WRITE = ['chat:write'];
/** `chat.update` refuses longer texts, where `chat.postMessage` only advises against them. */
const MAX_UPDATE_TEXT = 4_000;

export const chatMethods: Record<string, Method> = {
  'chat.postMessage': { tier: 'special', scopes: WRITE, token: 'bot', handle: post },
  'chat.update': { tier: 't3', scopes: WRITE, token: 'bot', handle: update },
  'chat.delete': { tier: 't3', scopes: WRITE, token: 'bot', handle: remove },
  'chat.postEphemeral': { tier: 't4', scopes: WRITE, token: 'bot', handle: postEphemeral },
  'chat.getPermalink': { tier: 'special', scopes: [], token: 'bot', handle: permalink },
};

function post({ core, args }: MethodCall): Json {
  const channel = destination(core, args.required('channel'));
  refuseCostume(core, args.raw);
  const content = readContent(core, args);
  if (!hasContent(content)) throw new SlackApiError('no_text');
  const threadTs = threadOf(core, channel, args);
  const message = postMessage(core, {
    channel: channel.id,
    user: BOT_USER,
    text: content.text ?? '',
    blocks: content.blocks ?? [],
    attachments: content.attachments ?? [],
    metadata: content.metadata ?? undefined,
    thread_ts: threadTs,
    broadcast: threadTs !== undefined && args.flag('reply_broadcast') ? true : undefined,
    username: args.text('username'),
  });
  return {
    ok: true,
    channel: channel.id,
    ts: message.ts,
    message: wireMessage(core, message, { metadata: true }),
    ...warningsOf(content),
  };
}

function update({ core, args }: MethodCall): Json {
  const channel = channelById(core, args.required('channel'));
  const ts = args.required('ts');
  const message = ownMessage(core, channel.id, ts, 'cant_update_message');
  if (message.stream?.state === 'in_progress') throw new SlackApiError('streaming_state_conflict');
  if ((args.text('text') ?? '').length > MAX_UPDATE_TEXT) throw new SlackApiError('msg_too_long');
  const content = readContent(core, args);
  const keepsText = !hasContent(content);
  if (keepsText && content.metadata === undefined && !args.has('file_ids')) throw new SlackApiError('no_text');
  const blocks = content.blocks ?? (content.text !== undefined ? [] : message.blocks);
  const updated = changeMessage(core, message, {
    text: content.text ?? message.text,
    blocks,
    attachments: content.attachments ?? message.attachments,
    metadata: content.metadata === undefined ? message.metadata : (content.metadata ?? undefined),
    // A new text replaces what was streamed; "(edited)" is not shown for messages with blocks.
    stream: keepsText ? message.stream : undefined,
    edited: keepsText || blocks.length > 0 ? message.edited : { user: BOT_USER, ts: core.state.nextTs() },
  });
  return {
    ok: true,
    channel: channel.id,
    ts,
    text: updated.text,
    message: wireMessage(core, updated, { metadata: true }),
    ...warningsOf(content),
  };
}

function remove({ core, args }: MethodCall): Json {
  const channel = channelById(core, args.required('channel'));
  const ts = args.required('ts');
  deleteMessage(core, ownMessage(core, channel.id, ts, 'cant_delete_message'));
  return { ok: true, channel: channel.id, ts };
}

function postEphemeral({ core, args, record }: MethodCall): Json {
  const channel = destination(core, args.required('channel'));
  const user = args.required('user');
  refuseCostume(core, args.raw);
  if (!channel.members.includes(user)) throw new SlackApiError('user_not_in_channel');
  const content = readContent(core, args);
  if (!hasContent(content)) throw new SlackApiError('no_text');
  const threadTs = threadOf(core, channel, args);
  if (threadTs !== undefined && core.state.replies(channel.id, threadTs).length === 0) {
    record.note = 'the thread has no replies yet: Slack accepts this ephemeral message and never shows it';
    return { ok: true, message_ts: core.state.nextTs() };
  }
  const message = postMessage(core, {
    channel: channel.id,
    user: BOT_USER,
    text: content.text ?? '',
    blocks: content.blocks ?? [],
    attachments: content.attachments ?? [],
    thread_ts: threadTs,
    visible_to: user,
  });
  return { ok: true, message_ts: message.ts, ...warningsOf(content) };
}

function permalink({ core, args }: MethodCall): Json {
  const channel = channelById(core, args.required('channel'));
  const message = core.state.message(channel.id, args.required('message_ts'));
  if (!message) throw new SlackApiError('message_not_found');
  const thread = message.thread_ts && message.thread_ts !== message.ts ? `?thread_ts=${message.thread_ts}&cid=${channel.id}` : '';
  const link = `https://${TEAM.domain}.slack.com/archives/${channel.id}/p${message.ts.replace('.', '')}${thread}`;
  return { ok: true, channel: channel.id, permalink: link };
}

/** A message of this app; ephemeral ones cannot be addressed. `code` is the error for those of others. */
function ownMessage(core: Core, channel: string, ts: string, code: string): Message {
  const message = core.state.message(channel, ts);
  if (!message || message.subtype === 'tombstone') throw new SlackApiError('message_not_found');
  if (message.user !== BOT_USER || message.subtype === 'channel_join') throw new SlackApiError(code);
  return message;
}

/** Posting under another name needs a scope of its own. */
export function refuseCostume(core: Core, raw: Json): void {
  if (raw.as_user !== undefined) throw new SlackApiError('as_user_not_supported');
  if ([raw.username, raw.icon_emoji, raw.icon_url].some((value) => value !== undefined && value !== '')) {
    requireScope(core, 'chat:write.customize');
  }
}

function warningsOf(content: Content): Json {
  if (content.warnings.length === 0) return {};
  return { warning: content.warnings.join(','), response_metadata: { warnings: content.warnings } };
}
