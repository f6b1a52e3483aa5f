import { Refused } from '../refused.ts';
import { storedBlocks } from './blocks.ts';
import type { Core } from './core.ts';
import { compact } from './json.ts';
import { subscribes } from './manifest.ts';
import { newFile, recordShares, storeContent } from './methods-files.ts';
import type { Channel, FileRecord, Message, User } from './model.ts';
import { wireView } from './payloads.ts';
import { BOT_USER } from './seed.ts';
import { toMrkdwn, toRichText } from './typed-text.ts';
import { homeOf } from './views.ts';
import { addMember, changeMessage, deleteMessage, postMessage, react, removeMember } from './workspace.ts';

/** What people do in the Slack client, apart from interactions with the app. Everything throws Refused as the client would. */

const MAX_TYPED = 12_000;

export function personById(core: Core, id: string): User {
  const user = core.state.users.get(id);
  if (!user || user.is_bot) throw new Refused('unknown_person', `There is no person ${id}.`);
  return user;
}

/** A channel the person can see. */
export function channelFor(core: Core, user: User, id: string): Channel {
  const channel = core.state.channels.get(id);
  if (!channel || (channel.kind !== 'public' && !channel.members.includes(user.id))) {
    throw new Refused('channel_not_found', 'That channel does not exist.');
  }
  return channel;
}

export interface Typed {
  channel: string;
  text: string;
  thread_ts?: string | undefined;
  broadcast?: boolean | undefined;
  files?: string[] | undefined;
}

export function say(core: Core, user: User, typed: Typed): Message {
  const channel = channelFor(core, user, typed.channel);
  if (!channel.members.includes(user.id)) throw new Refused('not_in_channel', `Join #${channel.name} first.`);
  if (channel.kind === 'im') refuseClosedMessagesTab(core);
  const files = (typed.files ?? []).map((id) => ownFile(core, user, id));
  checkTyped(typed.text, files.length > 0);
  const threadTs = typed.thread_ts === undefined ? undefined : threadRoot(core, channel, typed.thread_ts);
  const message = postMessage(core, {
    channel: channel.id,
    user: user.id,
    text: toMrkdwn(core.state, typed.text),
    blocks: typed.text.trim() === '' ? [] : storedBlocks([toRichText(core.state, typed.text)]),
    files: files.map((file) => file.id),
    thread_ts: threadTs,
    broadcast: threadTs !== undefined && typed.broadcast ? true : undefined,
  });
  recordShares(core, message.files, { channel: channel.id, ts: message.ts, thread_ts: threadTs });
  return message;
}

export function edit(core: Core, user: User, given: { channel: string; ts: string; text: string }): Message {
  const message = ownMessage(core, user, given.channel, given.ts);
  checkTyped(given.text, message.files.length > 0);
  return changeMessage(core, message, {
    text: toMrkdwn(core.state, given.text),
    blocks: storedBlocks([toRichText(core.state, given.text)]),
    edited: { user: user.id, ts: core.state.nextTs() },
  });
}

/** Deletes an own message; dismisses an ephemeral one. */
export function remove(core: Core, user: User, given: { channel: string; ts: string }): void {
  const shownToPerson = core.state.ephemeral(given.channel, given.ts);
  if (shownToPerson?.visible_to === user.id) core.state.removeMessage(shownToPerson);
  else deleteMessage(core, ownMessage(core, user, given.channel, given.ts));
}

export function reactAs(
  core: Core,
  user: User,
  given: { channel: string; ts: string; name: string; action: 'add' | 'remove' },
): void {
  const message = visibleMessage(core, user, given.channel, given.ts);
  const changed = react(core, message, user.id, given.name.replaceAll(':', ''), given.action);
  if (!changed) throw new Refused(given.action === 'add' ? 'already_reacted' : 'no_reaction', 'Nothing to change.');
}

/** Tells the app that one of the tabs of its conversation was opened. */
export function openHome(core: Core, user: User, tab: 'home' | 'messages'): void {
  const dm = core.state.channels.values().find((channel) => channel.im_user === user.id);
  if (!dm) throw new Refused('channel_not_found', 'There is no conversation with the app.');
  if (!subscribes(core.manifest, 'app_home_opened')) return;
  const home = homeOf(core, user.id);
  core.publish(
    compact({
      type: 'app_home_opened',
      user: user.id,
      channel: dm.id,
      tab,
      view: tab === 'home' && home ? wireView(home) : undefined,
      event_ts: core.state.nextTs(),
    }),
  );
}

export function inviteBot(core: Core, user: User, channelId: string): void {
  const channel = channelFor(core, user, channelId);
  if (channel.kind === 'im') throw new Refused('invalid_input', 'A direct message has no members to invite.');
  if (!addMember(core, channel, BOT_USER, user.id))
    throw new Refused('already_in_channel', 'The app is already in this channel.');
}

export function kickBot(core: Core, user: User, channelId: string): void {
  const channel = channelFor(core, user, channelId);
  if (channel.kind === 'im' || !removeMember(core, channel, BOT_USER))
    throw new Refused('not_in_channel', 'The app is not in this channel.');
}

/** Stores a file of a person; a message that names it shares it. */
export function upload(core: Core, user: User, given: { name: string; content: Buffer }): FileRecord {
  if (given.content.length === 0) throw new Refused('invalid_input', 'The file is empty.');
  const file = newFile(core, { name: given.name, size: given.content.length, user: user.id });
  core.state.files.put(file);
  return storeContent(core, file, given.content, 'ready');
}

/** A message or ephemeral message the person can see. */
export function visibleMessage(core: Core, user: User, channelId: string, ts: string): Message {
  const channel = channelFor(core, user, channelId);
  const shownToPerson = core.state.ephemeral(channel.id, ts);
  const message = shownToPerson?.visible_to === user.id ? shownToPerson : core.state.message(channel.id, ts);
  if (!message) throw new Refused('message_not_found', 'That message is not there any more.');
  return message;
}

function ownMessage(core: Core, user: User, channelId: string, ts: string): Message {
  const message = visibleMessage(core, user, channelId, ts);
  if (message.user !== user.id || message.subtype !== undefined)
    throw new Refused('not_own_message', 'Only own messages can be changed.');
  return message;
}

function ownFile(core: Core, user: User, id: string): FileRecord {
  const file = core.state.files.get(id);
  if (file?.state !== 'ready' || file.user !== user.id) throw new Refused('file_not_found', `There is no uploaded file ${id}.`);
  return file;
}

function threadRoot(core: Core, channel: Channel, ts: string): string {
  const message = core.state.message(channel.id, ts);
  if (!message) throw new Refused('message_not_found', 'That thread is not there any more.');
  return message.thread_ts ?? message.ts;
}

function checkTyped(text: string, hasFiles: boolean): void {
  if (text.trim() === '' && !hasFiles) throw new Refused('no_text', 'Type something first.');
  if (text.length > MAX_TYPED) throw new Refused('msg_too_long', `A message holds at most ${MAX_TYPED} characters.`);
}

function refuseClosedMessagesTab(core: Core): void {
  const home = core.manifest.features.app_home;
  if (home?.messages_tab_enabled === false || home?.messages_tab_read_only_enabled === true) {
    throw new Refused('messages_tab_disabled', 'Sending messages to this app has been turned off.');
  }
}
