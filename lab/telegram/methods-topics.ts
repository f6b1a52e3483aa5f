import type { Json } from '../slack/json.ts';
import { chatOf, requireReach, rightsOf } from './access.ts';
import { badRequest } from './api-error.ts';
import { answering, type Method, type MethodCall } from './method.ts';
import type { Chat, Topic } from './model.ts';
import { createTopic, deleteTopic, editTopic, ICON_COLORS, setTopicState } from './topics.ts';
import { wireTopic } from './wire.ts';

/** Forum topics as the bot manages them. */

function forumOf({ core, args }: MethodCall): Chat {
  const chat = requireReach(core, chatOf(core, args));
  if (!chat.is_forum) throw badRequest('the chat is not a forum');
  return chat;
}

function requireManager(call: MethodCall, chat: Chat, topic?: Topic): void {
  const { core } = call;
  if (topic?.creator === core.bot.id || rightsOf(chat, core.bot.id).can_manage_topics) return;
  throw badRequest('not enough rights to manage topics');
}

function topicOf(call: MethodCall, chat: Chat): Topic {
  const { core, args } = call;
  if (!args.has('message_thread_id')) throw badRequest('invalid message_thread_id specified');
  const topic = core.state.topic(chat.id, args.integer('message_thread_id', 0));
  if (!topic || topic.state === 'deleted') throw badRequest('TOPIC_ID_INVALID');
  return topic;
}

function nameOf(call: MethodCall, isRequired: boolean): string | undefined {
  const { args } = call;
  const name = args.text('name').trim();
  if (name === '') {
    if (isRequired || args.raw.name !== undefined) throw badRequest('TOPIC_TITLE_EMPTY');
    return undefined;
  }
  return [...name].slice(0, 128).join('');
}

function create(call: MethodCall): Json {
  const { core, args } = call;
  const chat = forumOf(call);
  if (!rightsOf(chat, core.bot.id).can_manage_topics) throw badRequest('not enough rights to create a topic');
  const name = nameOf(call, true) ?? '';
  const icon_color = args.has('icon_color') ? args.integer('icon_color', 0) : undefined;
  if (icon_color !== undefined && !ICON_COLORS.includes(icon_color)) throw badRequest('TOPIC_ICON_COLOR_INVALID');
  const icon_custom_emoji_id = args.has('icon_custom_emoji_id') ? args.text('icon_custom_emoji_id') : undefined;
  return wireTopic(createTopic(core, chat, { from: core.bot.id }, { name, icon_color, icon_custom_emoji_id }));
}

function edit(call: MethodCall): true {
  const { core, args } = call;
  const chat = forumOf(call);
  const topic = topicOf(call, chat);
  requireManager(call, chat, topic);
  const name = nameOf(call, false);
  const icon = args.raw.icon_custom_emoji_id === undefined ? undefined : args.text('icon_custom_emoji_id');
  const isSame =
    (name ?? topic.name) === topic.name && (icon ?? topic.icon_custom_emoji_id ?? '') === (topic.icon_custom_emoji_id ?? '');
  if (isSame) throw badRequest('TOPIC_NOT_MODIFIED');
  editTopic(core, chat, { from: core.bot.id }, topic, { name, icon_custom_emoji_id: icon });
  return true;
}

function setState(call: MethodCall, state: 'open' | 'closed'): true {
  const { core } = call;
  const chat = forumOf(call);
  const topic = topicOf(call, chat);
  requireManager(call, chat, topic);
  if (topic.state === state) throw badRequest('TOPIC_NOT_MODIFIED');
  setTopicState(core, chat, { from: core.bot.id }, topic, state);
  return true;
}

/** Deleting takes the right to delete messages, unless the topic is the bot's own. */
function remove(call: MethodCall): true {
  const { core } = call;
  const chat = forumOf(call);
  const topic = topicOf(call, chat);
  if (topic.creator !== core.bot.id && !rightsOf(chat, core.bot.id).can_delete_messages) {
    throw badRequest('not enough rights to delete the topic');
  }
  deleteTopic(core, topic);
  return true;
}

function editGeneral(call: MethodCall): true {
  const chat = forumOf(call);
  requireManager(call, chat);
  const name = nameOf(call, true) ?? '';
  call.core.state.putChat({ ...chat, general: { is_closed: false, ...chat.general, name } });
  return true;
}

function setGeneralState(call: MethodCall, is_closed: boolean): true {
  const chat = forumOf(call);
  requireManager(call, chat);
  if (chat.general?.is_closed === is_closed) throw badRequest('TOPIC_NOT_MODIFIED');
  call.core.state.putChat({ ...chat, general: { name: 'General', ...chat.general, is_closed } });
  return true;
}

export const topicMethods: Record<string, Method> = {
  createForumTopic: answering(create),
  editForumTopic: answering(edit),
  closeForumTopic: answering((call) => setState(call, 'closed')),
  reopenForumTopic: answering((call) => setState(call, 'open')),
  deleteForumTopic: answering(remove),
  editGeneralForumTopic: answering(editGeneral),
  closeGeneralForumTopic: answering((call) => setGeneralState(call, true)),
  reopenGeneralForumTopic: answering((call) => setGeneralState(call, false)),
  getForumTopicIconStickers: answering(() => []),
};
