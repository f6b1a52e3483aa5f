import { Refused } from '../refused.ts';
import type { Core } from './core.ts';
import { typingEvent } from './events.ts';
import { changeMessage, deleteMessage, EVERY_MENTION, markThread, mentionsIn, newFile, postMessage, react } from './messages.ts';
import type { Channel, FileRecord, Message, User } from './model.ts';
import { canSee, may } from './permissions.ts';
import { contentTypeOf, MAX_FILE } from './request-body.ts';
import { GUILD } from './seed.ts';
import { changeThread, openThread } from './threads.ts';

/** What people do in the Discord client, apart from interactions with the app. Everything throws Refused as the client would. */

const MAX_TYPED = 2_000;

export function personById(core: Core, id: string): User {
  const user = core.state.users.get(id);
  if (!user || user.bot) throw new Refused('unknown_person', `There is no person ${id}.`);
  return user;
}

/** A channel, thread or DM the person can see. */
export function channelFor(core: Core, user: User, id: string): Channel {
  const channel = core.state.channels.get(id);
  if (!channel || !canSee(core, channel, user.id)) throw new Refused('channel_not_found', 'That channel does not exist.');
  return channel;
}

export interface Typed {
  channel: string;
  text: string;
  /** The message it replies to. */
  reply_to?: string | undefined;
  /** Whether the author of that message is notified, as the client does unless one switches it off. Default true. */
  ping?: boolean | undefined;
  /** Ids from `upload`. */
  files?: readonly string[] | undefined;
}

export function say(core: Core, user: User, typed: Typed): Message {
  const channel = channelFor(core, user, typed.channel);
  if (!may(core, channel, user.id, channel.thread ? 'SEND_MESSAGES_IN_THREADS' : 'SEND_MESSAGES'))
    throw new Refused('missing_permission', 'You do not have permission to send messages in this channel.');
  if (channel.thread?.locked) throw new Refused('thread_locked', 'This thread is locked.');
  const files = (typed.files ?? []).map((id) => ownFile(core, user, id));
  checkTyped(typed.text, files.length > 0);
  const target = typed.reply_to === undefined ? undefined : visibleMessage(core, user, typed.reply_to);
  if (target?.visible_to) throw new Refused('ephemeral_message', 'Messages that only you see cannot be replied to.');
  const content = toContent(core, typed.text.trim());
  for (const file of files) core.state.files.put({ ...file, channel: channel.id });
  return postMessage(core, {
    channel: channel.id,
    author: user.id,
    content,
    type: target ? 19 : 0,
    attachments: files.map((file) => file.id),
    reference: target && {
      message_id: target.id,
      channel_id: target.channel,
      guild_id: channel.kind === 'dm' ? undefined : GUILD.id,
    },
    ...mentionsIn(core, content, { ...EVERY_MENTION, repliedUser: typed.ping ?? true }, target?.author),
  });
}

export function edit(core: Core, user: User, given: { id: string; text: string }): Message {
  const message = ownMessage(core, user, given.id);
  checkTyped(given.text, message.attachments.length > 0);
  const content = toContent(core, given.text.trim());
  const target = core.state.message(message.reference?.message_id ?? '');
  const mentions = mentionsIn(core, content, EVERY_MENTION, target?.author);
  return changeMessage(core, message, { content, ...mentions, edited_at: core.now() });
}

/** Deletes an own message; dismisses an ephemeral one. */
export function remove(core: Core, user: User, id: string): void {
  const message = visibleMessage(core, user, id);
  if (message.visible_to) core.state.removeMessage(message);
  else deleteMessage(core, ownMessage(core, user, id));
}

export function reactAs(core: Core, user: User, given: { id: string; emoji: string; action: 'add' | 'remove' }): void {
  const message = visibleMessage(core, user, given.id);
  const changed = react(core, message, user, given.emoji, given.action);
  if (!changed) throw new Refused(given.action === 'add' ? 'already_reacted' : 'no_reaction', 'Nothing to change.');
}

export function startTyping(core: Core, user: User, channelId: string): void {
  const channel = channelFor(core, user, channelId);
  core.state.emit({ type: 'typing', channel: channel.id, user: user.id, at: core.now() });
  typingEvent(core, channel, user);
}

/** Stores a file of a person; a message, command or form that names it shares it. */
export function upload(core: Core, user: User, given: { name: string; content: Buffer }): FileRecord {
  if (given.content.length > MAX_FILE) throw new Refused('file_too_large', 'Your files are too powerful. Max file size: 10 MB.');
  const { name: filename, content } = given;
  return newFile(core, { filename, content, content_type: contentTypeOf(filename), uploader: user.id });
}

/** Opens a thread: from a message, or in a channel. */
export function startThread(
  core: Core,
  user: User,
  given: { channel: string; name: string; message?: string | undefined },
): Channel {
  const parent = channelFor(core, user, given.channel);
  if (parent.kind !== 'text') throw new Refused('wrong_channel', 'Threads can be opened in channels only.');
  const starter = given.message === undefined ? undefined : visibleMessage(core, user, given.message);
  if (starter && core.state.channels.get(starter.id)) throw new Refused('thread_exists', 'The message has a thread already.');
  const thread = openThread(core, { parent, name: given.name, owner: user, starter });
  if (starter) {
    markThread(core, starter);
    const reference = { message_id: starter.id, channel_id: parent.id, guild_id: GUILD.id };
    postMessage(core, { channel: thread.id, author: user.id, type: 21, reference });
  } else {
    const reference = { channel_id: thread.id, guild_id: GUILD.id };
    postMessage(core, { channel: parent.id, author: user.id, type: 18, content: given.name, reference });
  }
  return thread;
}

/** Archives, opens, locks or unlocks a thread. Ada owns the guild and may do all of it; others what Discord lets members do. */
export function setThread(core: Core, user: User, id: string, change: { archived?: boolean; locked?: boolean }): Channel {
  const channel = channelFor(core, user, id);
  if (!channel.thread) throw new Refused('wrong_channel', 'That is no thread.');
  const manages = user.id === GUILD.owner || may(core, channel, user.id, 'MANAGE_THREADS');
  if (!manages && (change.locked !== undefined || channel.thread.locked))
    throw new Refused('missing_permission', 'You may not do that.');
  return changeThread(core, channel, change);
}

/** Lets the app write to the person, or not any more. */
export function setDms(core: Core, user: User, open: boolean): void {
  const channel = core.state.channels.values().find((entry) => entry.dm?.user === user.id);
  if (!channel) throw new Refused('channel_not_found', 'There is no conversation with the app.');
  const next = { ...channel, dm: { user: user.id, closed: !open } };
  core.state.channels.put(next);
  core.state.emit({ type: 'channel', channel: next });
}

/** A message or ephemeral message the person can see. */
export function visibleMessage(core: Core, user: User, id: string): Message {
  const message = core.state.message(id);
  if (message && (message.visible_to === undefined || message.visible_to === user.id)) {
    channelFor(core, user, message.channel);
    return message;
  }
  throw new Refused('message_not_found', 'That message is not there any more.');
}

/** `@ada` and `#demo` as the client writes them into a message: `<@id>` and `<#id>`. */
export function toContent(core: Core, text: string): string {
  const users = [...core.state.users.values()];
  const channels = core.state.channels.values().filter((channel) => channel.kind === 'text');
  return text
    .replace(/(^|[\s(])@([\p{L}\p{N}_]+(?:\.[\p{L}\p{N}_]+)*)/gu, (whole, before: string, name: string) => {
      const lower = name.toLowerCase();
      const user = users.find((entry) => entry.username === lower || entry.global_name.toLowerCase() === lower);
      return user ? `${before}<@${user.id}>` : whole;
    })
    .replace(/(^|[\s(])#([\p{L}\p{N}_-]+)/gu, (whole, before: string, name: string) => {
      const channel = channels.find((entry) => entry.name === name);
      return channel ? `${before}<#${channel.id}>` : whole;
    });
}

function ownMessage(core: Core, user: User, id: string): Message {
  const message = visibleMessage(core, user, id);
  if (message.author !== user.id || message.webhook || (message.type !== 0 && message.type !== 19))
    throw new Refused('not_own_message', 'Only own messages can be changed.');
  return message;
}

function ownFile(core: Core, user: User, id: string): FileRecord {
  const file = core.state.files.get(id);
  if (file?.uploader !== user.id) throw new Refused('file_not_found', `There is no uploaded file ${id}.`);
  return file;
}

function checkTyped(text: string, hasFiles: boolean): void {
  if (text.trim() === '' && !hasFiles) throw new Refused('no_text', 'Type something first.');
  if (text.length > MAX_TYPED) throw new Refused('msg_too_long', `A message holds at most ${MAX_TYPED} characters.`);
}
