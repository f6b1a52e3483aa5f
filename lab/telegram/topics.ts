import { Refused } from '../refused.ts';
import type { Core } from './core.ts';
import type { Chat, Topic } from './model.ts';
import { type NewMessage, postService } from './posting.ts';

/** Forum topics: what happens to them, whoever does it. */

export const ICON_COLORS = [0x6fb9f0, 0xffd67e, 0xcb86db, 0x8eee98, 0xff93b2, 0xfb6f5f];

/** Who acts, as the service message shows it. */
export type Actor = Pick<NewMessage, 'from' | 'sender_chat' | 'author'>;

export function createTopic(
  core: Core,
  chat: Chat,
  actor: Actor,
  given: { name: string; icon_color?: number | undefined; icon_custom_emoji_id?: string | undefined },
): Topic {
  const icon_color = given.icon_color ?? ICON_COLORS[0] ?? 0;
  const value = {
    name: given.name,
    icon_color,
    ...(given.icon_custom_emoji_id === undefined ? {} : { icon_custom_emoji_id: given.icon_custom_emoji_id }),
  };
  // The topic's id is that of the message that announces it, so the topic is stored before the message is seen.
  const service = { field: 'forum_topic_created', value };
  const message = postService(core, chat, actor.from, service, { ...actor, is_topic_message: true });
  const topic: Topic = {
    chat: chat.id,
    id: message.id,
    name: given.name,
    icon_color,
    icon_custom_emoji_id: given.icon_custom_emoji_id,
    creator: actor.author ?? actor.from,
    state: 'open',
  };
  core.state.putTopic(topic);
  return topic;
}

export function editTopic(
  core: Core,
  chat: Chat,
  actor: Actor,
  topic: Topic,
  patch: { name?: string | undefined; icon_custom_emoji_id?: string | undefined },
): void {
  const changed: Topic = { ...topic, ...(patch.name === undefined ? {} : { name: patch.name }) };
  if (patch.icon_custom_emoji_id !== undefined) {
    changed.icon_custom_emoji_id = patch.icon_custom_emoji_id === '' ? undefined : patch.icon_custom_emoji_id;
  }
  core.state.putTopic(changed);
  const value = Object.fromEntries(Object.entries(patch).filter(([, entry]) => entry !== undefined));
  announce(core, chat, actor, topic, 'forum_topic_edited', value);
}

/** Closes or reopens. */
export function setTopicState(core: Core, chat: Chat, actor: Actor, topic: Topic, state: 'open' | 'closed'): void {
  core.state.putTopic({ ...topic, state });
  announce(core, chat, actor, topic, state === 'open' ? 'forum_topic_reopened' : 'forum_topic_closed', {});
}

/** The topic goes, with everything in it. Nobody is told. */
export function deleteTopic(core: Core, topic: Topic): void {
  core.state.putTopic({ ...topic, state: 'deleted' });
  for (const message of core.state.messagesOf(topic.chat)) {
    if (message.is_topic_message && message.message_thread_id === topic.id) core.state.removeMessage(message);
  }
}

function announce(core: Core, chat: Chat, actor: Actor, topic: Topic, field: string, value: unknown): void {
  postService(core, chat, actor.from, { field, value }, { ...actor, message_thread_id: topic.id, is_topic_message: true });
}

export function topicName(name: string): string {
  const trimmed = name.trim();
  if (trimmed === '' || trimmed.length > 128) throw new Refused('invalid_input', 'A topic has a name of 1 to 128 characters.');
  return trimmed;
}
