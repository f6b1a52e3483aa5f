import { isIn, memberOf } from './telegram/access.ts';
import type { TelegramEmulator } from './telegram/emulator.ts';
import type { Change, Chat, Draft, Topic, User } from './telegram/model.ts';
import type {
  PageBot,
  PageChat,
  PageDraft,
  PageSettings,
  PageTopic,
  PageUser,
  TelegramPageEvent,
  TelegramPageState,
} from './telegram-page-api.ts';
import { pageBlocks, pageMessage } from './telegram-page-messages.ts';

/** The emulator's records as the Telegram pane sees them (see telegram-page-api.ts). */

const PER_CHAT = 1_000;

export function telegramState(
  telegram: TelegramEmulator,
  version: number,
  suggestions: TelegramPageState['suggestions'],
): TelegramPageState {
  const { core } = telegram;
  const { state } = core;
  const chats = state.chats.values();
  return {
    version,
    bot: pageBot(telegram),
    users: [...state.users.values()].map(pageUser),
    chats: chats.map((chat) => pageChat(telegram, chat)),
    topics: state.topics.values().map(pageTopic),
    messages: chats.flatMap(({ id }) =>
      state
        .messagesOf(id)
        .slice(-PER_CHAT)
        .map((message) => pageMessage(core, message)),
    ),
    drafts: chats.flatMap(({ id }) => core.drafts.of(id)).map(pageDraft),
    settings: pageSettings(telegram),
    suggestions,
  };
}

/** What the pane must hear about a change; nothing for changes that show nowhere. */
export function telegramEvents(telegram: TelegramEmulator, change: Change): TelegramPageEvent[] {
  switch (change.type) {
    case 'message':
      return [{ type: 'message', message: pageMessage(telegram.core, change.message) }];
    case 'message_removed': {
      const { chat, id } = change.message;
      // Replies quote it no more.
      const replies = telegram.core.state.messagesOf(chat).filter(({ reply_to }) => reply_to === id);
      return [
        { type: 'message_removed', chat, id },
        ...replies.map((reply) => ({ type: 'message' as const, message: pageMessage(telegram.core, reply) })),
      ];
    }
    case 'chat':
      return [{ type: 'chat', chat: pageChat(telegram, change.chat) }];
    case 'topic':
      return [{ type: 'topic', topic: pageTopic(change.topic) }];
    case 'draft':
      return [{ type: 'draft', draft: pageDraft(change.draft) }];
    case 'draft_removed': {
      const { chat, message_thread_id: topic, draft_id } = change.draft;
      return [{ type: 'draft_removed', chat, topic, draft_id }];
    }
    case 'action':
      return [{ type: 'action', chat: change.chat, topic: change.message_thread_id, action: change.action }];
    case 'settings':
      return [{ type: 'settings', settings: pageSettings(telegram) }];
    case 'bot':
      return [{ type: 'bot', bot: pageBot(telegram) }];
    case 'commands':
    case 'reset':
      return [{ type: change.type }];
    // Answers to presses and refusals reach the page as the answer of the action.
    case 'query':
    case 'notice':
      return [];
  }
}

export function pageSettings({ core }: TelegramEmulator): PageSettings {
  const { rateLimiting, privacyMode, latencyMs } = core.settings;
  return { rate_limiting: rateLimiting, privacy_mode: privacyMode, latency_ms: latencyMs };
}

function pageBot({ core }: TelegramEmulator): PageBot {
  const { texts, webhook } = core.state.profile();
  return {
    id: core.bot.id,
    name: texts['name '] ?? core.bot.first_name,
    username: core.bot.username ?? '',
    description: texts['description '] ?? '',
    connected: webhook !== undefined || core.updates.isPolled(),
  };
}

function pageUser({ id, name, first_name, last_name, username, title, color, is_bot }: User): PageUser {
  const full = last_name === undefined ? first_name : `${first_name} ${last_name}`;
  return { id, key: name, name: full, username, title, color, is_bot };
}

function pageChat({ core }: TelegramEmulator, chat: Chat): PageChat {
  const { status } = memberOf(chat, core.bot.id);
  const standing = status === 'administrator' || status === 'creator' ? 'administrator' : 'member';
  const isPrivate = chat.kind === 'private';
  return {
    id: chat.id,
    kind: chat.kind,
    title: isPrivate ? core.bot.first_name : (chat.title ?? chat.name),
    is_forum: chat.is_forum,
    general: chat.general?.name,
    members: [...core.state.users.keys()].filter((user) => isIn(chat, user)),
    bot_is: isIn(chat, core.bot.id) ? standing : 'absent',
    state: chat.state,
    migrated_to: chat.migrated_to,
    migrated_from: chat.migrated_from,
  };
}

export function pageTopic({ chat, id, name, icon_color, state }: Topic): PageTopic {
  return { chat, id, name, color: `#${icon_color.toString(16).padStart(6, '0')}`, state };
}

function pageDraft(draft: Draft): PageDraft {
  const { chat, message_thread_id: topic, draft_id, text, entities, rich, can_stop } = draft;
  return { chat, topic, draft_id, text, entities, blocks: rich && pageBlocks(rich), can_stop };
}
