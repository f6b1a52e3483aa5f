import type { Core } from './core.ts';
import { messageDeletedEvent, messageEvent, reactionEvent, threadMembersEvent } from './events.ts';
import { FLAGS } from './flags.ts';
import type { Channel, FileRecord, Message, User } from './model.ts';
import { GUILD } from './seed.ts';
import { changeThread } from './threads.ts';

/** Writing messages, whoever does it: every change is stored, shown and told to the gateway. */

export type NewMessage = Pick<Message, 'channel' | 'author'> & Partial<Omit<Message, 'id' | 'channel' | 'author'>>;

export function postMessage(core: Core, given: NewMessage): Message {
  const channel = core.state.channels.get(given.channel);
  if (!channel) throw new Error(`there is no channel ${given.channel}`);
  const message: Message = {
    id: core.state.nextId(),
    type: 0,
    content: '',
    embeds: [],
    components: [],
    attachments: [],
    flags: 0,
    mentions: [],
    mention_roles: [],
    mention_everyone: false,
    reactions: [],
    tts: false,
    pinned: false,
    ...given,
  };
  if (channel.thread && !message.visible_to) enterThread(core, channel, message);
  core.state.putMessage(message);
  messageEvent(core, 'MESSAGE_CREATE', message);
  return message;
}

/** A message wakes an archived thread, makes its author a member, and counts. */
function enterThread(core: Core, channel: Channel, message: Message): void {
  if (channel.thread?.archived) changeThread(core, channel, { archived: false });
  const current = core.state.channels.get(channel.id);
  if (!current?.thread) return;
  const isNewMember = message.type !== 21 && !message.webhook && !current.thread.members.includes(message.author);
  const thread = {
    ...current.thread,
    total_message_sent: current.thread.total_message_sent + (message.type === 21 ? 0 : 1),
    members: isNewMember ? [...current.thread.members, message.author] : current.thread.members,
  };
  const next = { ...current, thread };
  core.state.channels.put(next);
  core.state.emit({ type: 'channel', channel: next });
  if (isNewMember) threadMembersEvent(core, next, { added: message.author });
}

export function changeMessage(core: Core, message: Message, patch: Partial<Message>): Message {
  const next = { ...message, ...patch };
  core.state.putMessage(next);
  messageEvent(core, 'MESSAGE_UPDATE', next);
  return next;
}

export function deleteMessage(core: Core, message: Message): void {
  core.state.removeMessage(message);
  messageDeletedEvent(core, message);
  for (const id of message.attachments) {
    core.state.files.remove(id);
    core.state.removeContent(id);
  }
}

/** Returns whether anything changed. */
export function react(core: Core, message: Message, user: User, emoji: string, action: 'add' | 'remove'): boolean {
  const known = message.reactions.find((entry) => entry.emoji === emoji);
  if (action === 'add' ? known?.users.includes(user.id) : !known?.users.includes(user.id)) return false;
  const users = action === 'add' ? [...(known?.users ?? []), user.id] : (known?.users ?? []).filter((id) => id !== user.id);
  const reactions = known
    ? message.reactions.map((entry) => (entry === known ? { emoji, users } : entry)).filter((entry) => entry.users.length > 0)
    : [...message.reactions, { emoji, users }];
  core.state.putMessage({ ...message, reactions });
  reactionEvent(core, action === 'add' ? 'ADD' : 'REMOVE', message, user, emoji);
  return true;
}

/** The mentions that a text really makes. */
export interface AllowedMentions {
  parse: readonly string[];
  users: readonly string[];
  roles: readonly string[];
  repliedUser: boolean;
}

/** A person's client parses everything; a reply notifies the author of the message replied to. */
export const EVERY_MENTION: AllowedMentions = { parse: ['users', 'roles', 'everyone'], users: [], roles: [], repliedUser: true };

export function mentionsIn(
  core: Core,
  text: string,
  allowed: AllowedMentions,
  repliedTo: string | undefined,
): Pick<Message, 'mentions' | 'mention_roles' | 'mention_everyone'> {
  const named = (pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1] ?? '');
  const users = named(/<@!?(\d+)>/g).filter((id) => core.state.users.has(id));
  const roles = named(/<@&(\d+)>/g).filter((id) => core.state.roles.has(id) && id !== GUILD.id);
  const isUserAllowed = (id: string) => allowed.parse.includes('users') || allowed.users.includes(id);
  const isRoleAllowed = (id: string) => allowed.parse.includes('roles') || allowed.roles.includes(id);
  const notified = users.filter(isUserAllowed);
  if (repliedTo !== undefined && allowed.repliedUser && core.state.users.has(repliedTo)) notified.push(repliedTo);
  return {
    mentions: [...new Set(notified)],
    mention_roles: [...new Set(roles.filter(isRoleAllowed))],
    mention_everyone: allowed.parse.includes('everyone') && /@(everyone|here)\b/.test(text),
  };
}

export function newFile(
  core: Core,
  given: { filename: string; content: Buffer; content_type: string; description?: string | undefined; uploader: string },
): FileRecord {
  const { content, ...rest } = given;
  const file: FileRecord = { id: core.state.nextId(), size: content.length, ...rest };
  core.state.files.put(file);
  core.state.writeContent(file.id, content);
  core.state.emit({ type: 'file', file });
  return file;
}

/** The message with the mark that a thread hangs on it. */
export function markThread(core: Core, message: Message): void {
  changeMessage(core, message, { flags: message.flags | FLAGS.HAS_THREAD });
}
