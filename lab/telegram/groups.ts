import { Refused } from '../refused.ts';
import { isIn, memberOf, rightsOf } from './access.ts';
import { BotApiError } from './api-error.ts';
import type { Core } from './core.ts';
import { storeFile } from './files.ts';
import { cleaned, MAX_CAPTION } from './formatted-text.ts';
import type { Chat, Member, Message, Rights, Topic, User } from './model.ts';
import { authorship, chatFor, openChat, placeOf, type Typed } from './people.ts';
import { changeMember, postMessage, postService } from './posting.ts';
import { ALL_RIGHTS, BOT_ID, group, NO_RIGHTS, OTHER_BOT_ID } from './seed.ts';
import { createTopic, deleteTopic, editTopic, setTopicState, topicName } from './topics.ts';

/** What people do in the Telegram client with files, topics, members and whole groups. Everything throws Refused as the client would. */

export interface SentFile extends Omit<Typed, 'text'> {
  name: string;
  content: Buffer;
  caption?: string | undefined;
  kind: 'document' | 'photo';
  media_group_id?: string | undefined;
}

export function sendFile(core: Core, user: User, given: SentFile): Message {
  const chat = openChat(core, user, given.chat);
  const { text, entities } = cleaned(given.caption ?? '', []);
  if (text.length > MAX_CAPTION) throw new Refused('msg_too_long', `A caption holds at most ${MAX_CAPTION} characters.`);
  const place = placeOf(core, chat, user, given);
  try {
    const file = storeFile(core, given);
    return postMessage(core, chat, {
      ...authorship(chat, user),
      ...place,
      caption: text === '' ? undefined : text,
      entities,
      media: { kind: given.kind, file: file.id },
      media_group_id: given.media_group_id,
    });
  } catch (error) {
    if (error instanceof BotApiError) throw new Refused('bad_file', error.message);
    throw error;
  }
}

function forumFor(core: Core, user: User, chatId: number): Chat {
  const chat = openChat(core, user, chatId);
  if (!chat.is_forum) throw new Refused('not_a_forum', 'This group has no topics.');
  return chat;
}

/** Any member may make topics; only managers and its maker may change one. */
export function makeTopic(core: Core, user: User, given: { chat: number; name: string }): Topic {
  const chat = forumFor(core, user, given.chat);
  return createTopic(core, chat, authorship(chat, user), { name: topicName(given.name) });
}

export function changeTopic(
  core: Core,
  user: User,
  given: { chat: number; topic: number; change: { name: string } | 'close' | 'reopen' | 'delete' },
): void {
  const chat = forumFor(core, user, given.chat);
  const topic = core.state.topic(chat.id, given.topic);
  if (!topic || topic.state === 'deleted') throw new Refused('topic_not_found', 'That topic is not there any more.');
  const rights = rightsOf(chat, user.id);
  const { change } = given;
  const isAllowed = topic.creator === user.id || (change === 'delete' ? rights.can_delete_messages : rights.can_manage_topics);
  if (!isAllowed) throw new Refused('not_allowed', 'Only administrators can change this topic.');
  const actor = authorship(chat, user);
  if (change === 'delete') deleteTopic(core, topic);
  else if (typeof change === 'object') editTopic(core, chat, actor, topic, { name: topicName(change.name) });
  else setTopicState(core, chat, actor, topic, change === 'close' ? 'closed' : 'open');
}

function administered(core: Core, user: User, chatId: number, right: keyof Rights): Chat {
  const chat = chatFor(core, user, chatId);
  if (chat.kind === 'private') throw new Refused('invalid_input', 'This is no group.');
  if (chat.migrated_to !== undefined) throw new Refused('chat_migrated', 'This group has become a supergroup.');
  if (!rightsOf(chat, user.id)[right]) throw new Refused('not_allowed', 'Only administrators can do that.');
  return chat;
}

/** Any member may add the bot. */
export function addBot(core: Core, user: User, chatId: number, bot = BOT_ID): void {
  const chat = chatFor(core, user, chatId);
  if (chat.kind === 'private') throw new Refused('invalid_input', 'A private chat has no members to add.');
  if (isIn(chat, bot)) throw new Refused('already_member', 'The bot is in this group already.');
  const changed = changeMember(core, chat.id, bot, { status: 'member' }, user.id) ?? chat;
  postService(core, changed, user.id, { field: 'new_chat_members', users: [bot] });
}

export function kickBot(core: Core, user: User, chatId: number, bot = BOT_ID): void {
  const chat = administered(core, user, chatId, 'can_restrict_members');
  if (!isIn(chat, bot)) throw new Refused('not_member', 'The bot is not in this group.');
  // The bot still hears that it was taken out.
  postService(core, chat, user.id, { field: 'left_chat_member', users: [bot] });
  changeMember(core, chat.id, bot, { status: 'kicked' }, user.id);
}

/** Makes somebody, usually the bot, an administrator with these rights, or a plain member again. */
export function setStanding(
  core: Core,
  user: User,
  given: { chat: number; member: number; rights: Partial<Rights> | undefined },
): void {
  const chat = administered(core, user, given.chat, 'can_restrict_members');
  if (!isIn(chat, given.member)) throw new Refused('not_member', 'They are not in this group.');
  if (memberOf(chat, given.member).status === 'creator') throw new Refused('not_allowed', 'The owner stays the owner.');
  const member: Member =
    given.rights === undefined ? { status: 'member' } : { status: 'administrator', rights: { ...NO_RIGHTS, ...given.rights } };
  changeMember(core, chat.id, given.member, member, user.id);
}

/** From now on the person writes as the group. Administrators only. */
export function setAnonymous(core: Core, user: User, chatId: number, isAnonymous: boolean): void {
  const chat = administered(core, user, chatId, 'can_change_info');
  if (chat.kind !== 'supergroup') throw new Refused('invalid_input', 'Only supergroups have anonymous administrators.');
  changeMember(core, chat.id, user.id, { ...memberOf(chat, user.id), is_anonymous: isAnonymous }, user.id);
}

/** Turns a basic group into a supergroup with a new id; message ids start anew and old messages stay behind. */
export function migrate(core: Core, user: User, chatId: number): Chat {
  const chat = administered(core, user, chatId, 'can_change_info');
  if (chat.kind !== 'group') throw new Refused('invalid_input', 'Only a basic group can become a supergroup.');
  const id = -1_001_000_000_000 - core.state.next('supergroups', 100);
  const { pinned: _pinned, migrated_from: _from, ...kept } = chat;
  const fresh: Chat = { ...group({ ...kept, id, kind: 'supergroup' }), can_send: chat.can_send, migrated_from: chat.id };
  core.state.putChat(fresh);
  postService(core, chat, user.id, { field: 'migrate_to_chat_id', value: id });
  postService(core, fresh, user.id, { field: 'migrate_from_chat_id', value: chat.id });
  core.state.putChat({ ...chat, migrated_to: id });
  return fresh;
}

/** A new group of the person's, with everybody in it. */
export function makeGroup(
  core: Core,
  user: User,
  given: {
    name: string;
    title: string;
    kind: 'group' | 'supergroup';
    is_forum?: boolean;
    bot?: Member | undefined;
    linked_channel?: number;
  },
): Chat {
  const isTaken = core.state.chats.values().some((chat) => chat.name === given.name && chat.migrated_to === undefined);
  if (isTaken) throw new Refused('name_taken', `There is a chat ${given.name} already.`);
  const number = core.state.next('supergroups', 100);
  const people = [...core.state.users.values()].filter((entry) => !entry.is_bot && entry.id !== user.id);
  const chat = group({
    id: given.kind === 'group' ? -4_000_000 - number : -1_001_000_000_000 - number,
    kind: given.kind,
    name: given.name,
    title: given.title,
    is_forum: given.is_forum ?? false,
    members: {
      [user.id]: { status: 'creator', rights: ALL_RIGHTS },
      ...Object.fromEntries(people.map((entry) => [entry.id, { status: 'member' as const }])),
    },
  });
  core.state.putChat({ ...chat, linked_channel: given.linked_channel });
  if (given.bot) {
    const changed = changeMember(core, chat.id, BOT_ID, given.bot, user.id) ?? chat;
    const field = given.kind === 'group' ? 'group_chat_created' : 'supergroup_chat_created';
    postService(core, changed, user.id, { field });
  }
  return core.state.chat(chat.id) ?? chat;
}

/** The other bot of the chat writes; bots never hear of each other. */
export function otherBotSays(core: Core, chatId: number, text: string, topic?: number): Message {
  const chat = core.state.chat(chatId);
  if (!chat || !isIn(chat, OTHER_BOT_ID)) throw new Refused('not_member', 'The other bot is not in this chat.');
  const place = topic === undefined ? {} : { message_thread_id: topic, is_topic_message: true };
  return postMessage(core, chat, { ...place, ...cleaned(text, []), from: OTHER_BOT_ID });
}
