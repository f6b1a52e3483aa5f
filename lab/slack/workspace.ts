import { randomUUID } from 'node:crypto';
import type { Core } from './core.ts';
import { compact, type Json } from './json.ts';
import { subscribes } from './manifest.ts';
import type { Channel, Message } from './model.ts';
import { wireMessage } from './payloads.ts';
import { APP_ID, BOT_ID, BOT_USER, TEAM } from './seed.ts';

/** What can happen to messages and channels, each with the events the app hears about it. */

export type NewMessage = Pick<Message, 'channel' | 'user' | 'text'> & Partial<Omit<Message, 'channel' | 'user' | 'text' | 'ts'>>;

/** Posts a message and tells the app, mentions included. */
export function postMessage(core: Core, draft: NewMessage): Message {
  const message: Message = {
    blocks: [],
    attachments: [],
    files: [],
    reactions: [],
    ...(draft.user === BOT_USER ? { bot_id: BOT_ID, app_id: APP_ID } : { client_msg_id: randomUUID() }),
    ...draft,
    ts: core.state.nextTs(),
  };
  core.state.putMessage(message);
  if (message.visible_to) return message;
  touchParent(core, message);
  if (message.user === BOT_USER && message.thread_ts) endStatus(core, message.channel, message.thread_ts);
  const event = messageEvent(core, message);
  const isMention = mentionsBot(message) && hears(core, message.channel) && channelOf(core, message).kind !== 'im';
  const publishMention = () => isMention && publishMentionEvent(core, message);
  if (core.settings.mentionOrder === 'app_mention_first') publishMention();
  publishMessageEvent(core, message.channel, event);
  if (core.settings.mentionOrder === 'message_first') publishMention();
  if (mentionsBot(message) && !hears(core, message.channel)) {
    core.state.emit({
      type: 'notice',
      user: message.user,
      channel: message.channel,
      tone: 'info',
      text: `${core.manifest.features.bot_user.display_name} is not in this channel. Invite it, then mention it again.`,
    });
  }
  return message;
}

/** Stores a changed message and tells the app (`message_changed`). A new mention of the bot in an edit is a mention. */
export function changeMessage(core: Core, previous: Message, patch: Partial<Message>): Message {
  const message: Message = { ...previous, ...patch };
  const before = wireMessage(core, previous);
  core.state.putMessage(message);
  if (message.visible_to) return message;
  publishMessageEvent(core, message.channel, {
    type: 'message',
    subtype: 'message_changed',
    hidden: true,
    message: wireMessage(core, message),
    previous_message: before,
    ts: core.state.nextTs(),
  });
  const isNewMention = mentionsBot(message) && !mentionsBot(previous);
  if (isNewMention && hears(core, message.channel) && channelOf(core, message).kind !== 'im') publishMentionEvent(core, message);
  return message;
}

/** Deletes a message. A parent with replies stays as a tombstone. */
export function deleteMessage(core: Core, message: Message): void {
  if (message.visible_to) {
    core.state.removeMessage(message);
    return;
  }
  if (core.state.replies(message.channel, message.ts).length > 0) {
    changeMessage(core, message, {
      subtype: 'tombstone',
      user: 'USLACKBOT',
      text: 'This message was deleted.',
      blocks: [],
      attachments: [],
      files: [],
      reactions: [],
      edited: undefined,
      bot_id: undefined,
      app_id: undefined,
      metadata: undefined,
      stream: undefined,
    });
    return;
  }
  const before = wireMessage(core, message);
  core.state.removeMessage(message);
  touchParent(core, message);
  publishMessageEvent(core, message.channel, {
    type: 'message',
    subtype: 'message_deleted',
    hidden: true,
    deleted_ts: message.ts,
    previous_message: before,
    ts: core.state.nextTs(),
  });
}

/** Adds or removes a reaction. Returns false when there was nothing to do. */
export function react(core: Core, message: Message, user: string, name: string, action: 'add' | 'remove'): boolean {
  const current = message.reactions.find((entry) => entry.name === name);
  const has = current?.users.includes(user) ?? false;
  if (has === (action === 'add')) return false;
  const users = action === 'add' ? [...(current?.users ?? []), user] : (current?.users ?? []).filter((entry) => entry !== user);
  const known = current ? message.reactions : [...message.reactions, { name, users }];
  const reactions = known
    .map((entry) => (entry.name === name ? { name, users } : entry))
    .filter((entry) => entry.users.length > 0);
  core.state.putMessage({ ...message, reactions });
  const event = action === 'add' ? 'reaction_added' : 'reaction_removed';
  if (hears(core, message.channel) && subscribes(core.manifest, event)) {
    core.publish({
      type: event,
      user,
      reaction: name,
      item: { type: 'message', channel: message.channel, ts: message.ts },
      item_user: message.user,
      event_ts: core.state.nextTs(),
    });
  }
  return true;
}

/** Adds someone to a channel, with the join message and `member_joined_channel`. Returns false when already there. */
export function addMember(core: Core, channel: Channel, user: string, inviter?: string): boolean {
  if (channel.members.includes(user)) return false;
  const joined: Channel = { ...channel, members: [...channel.members, user] };
  core.state.channels.put(joined);
  core.state.emit({ type: 'channel', channel: joined });
  postMessage(core, {
    channel: channel.id,
    user,
    text: `<@${user}> has joined the channel`,
    subtype: 'channel_join',
    client_msg_id: undefined,
  });
  if (hears(core, channel.id) && subscribes(core.manifest, 'member_joined_channel')) {
    core.publish(
      compact({
        type: 'member_joined_channel',
        user,
        channel: channel.id,
        channel_type: 'C',
        team: TEAM.id,
        inviter,
        event_ts: core.state.nextTs(),
      }),
    );
  }
  return true;
}

export function removeMember(core: Core, channel: Channel, user: string): boolean {
  if (!channel.members.includes(user)) return false;
  const left: Channel = { ...channel, members: channel.members.filter((member) => member !== user) };
  core.state.channels.put(left);
  core.state.emit({ type: 'channel', channel: left });
  return true;
}

/** "Deckhand is …" below a thread ends with the app's next message there. */
export function endStatus(core: Core, channel: string, threadTs: string): void {
  if (!core.state.statuses.delete(`${channel}/${threadTs}`)) return;
  core.state.emit({ type: 'status', status: { channel, thread_ts: threadTs, status: '', loading_messages: [] } });
}

/** Readers of the parent show its reply count, which has just changed. */
function touchParent(core: Core, message: Message): void {
  if (message.thread_ts === undefined || message.thread_ts === message.ts) return;
  const parent = core.state.message(message.channel, message.thread_ts);
  if (parent) core.state.emit({ type: 'message', message: parent, previous: parent });
}

function channelOf(core: Core, message: Message): Channel {
  const channel = core.state.channels.get(message.channel);
  if (!channel) throw new Error(`message ${message.ts} lies in the unknown channel ${message.channel}`);
  return channel;
}

/** The app receives events of conversations its bot is a member of. */
function hears(core: Core, channelId: string): boolean {
  return core.state.channels.get(channelId)?.members.includes(BOT_USER) ?? false;
}

function mentionsBot(message: Message): boolean {
  return message.user !== BOT_USER && message.text.includes(`<@${BOT_USER}>`);
}

const SUBSCRIPTION = { public: 'message.channels', private: 'message.groups', im: 'message.im' } as const;
const CHANNEL_TYPE = { public: 'channel', private: 'group', im: 'im' } as const;

function messageEvent(core: Core, message: Message): Json {
  const event = wireMessage(core, message);
  if (message.files.length > 0) event.subtype = 'file_share';
  if (message.broadcast && message.thread_ts) {
    event.subtype = 'thread_broadcast';
    const root = core.state.message(message.channel, message.thread_ts);
    if (root) event.root = wireMessage(core, root);
  }
  return event;
}

function publishMessageEvent(core: Core, channelId: string, event: Json): void {
  const channel = core.state.channels.get(channelId);
  if (!channel || !hears(core, channelId) || !subscribes(core.manifest, SUBSCRIPTION[channel.kind])) return;
  core.publish({ ...event, channel: channelId, event_ts: event.ts, channel_type: CHANNEL_TYPE[channel.kind] });
}

function publishMentionEvent(core: Core, message: Message): void {
  if (!subscribes(core.manifest, 'app_mention')) return;
  const { user, text, ts, team, blocks, thread_ts, parent_user_id, client_msg_id, files, edited, ...wire } = wireMessage(
    core,
    message,
  );
  const { user_team, source_team, user_profile } = wire;
  core.publish(
    compact({
      type: 'app_mention',
      user,
      text,
      ts,
      team,
      user_team,
      source_team,
      user_profile,
      blocks,
      thread_ts,
      parent_user_id,
      client_msg_id,
      files,
      edited,
      channel: message.channel,
      event_ts: ts,
    }),
  );
}
