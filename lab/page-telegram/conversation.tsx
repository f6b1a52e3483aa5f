import { useState } from 'preact/hooks';
import type { PageChat, PageMessage } from '../telegram-page-api.ts';
import { api } from './api.ts';
import { ChatAvatar } from './avatar.tsx';
import { ChatMenu } from './chat-menu.tsx';
import type { Snapshot, TelegramClient } from './client.ts';
import { Composer } from './composer.tsx';
import { Icon } from './icons.tsx';
import { Messages } from './messages.tsx';
import { historyOf, pendingAsk } from './model.ts';

/** What the person's next message is about. */
export type Focus = { kind: 'reply' | 'edit'; message: PageMessage };

interface ConversationProps {
  snapshot: Snapshot;
  client: TelegramClient;
}

/** One chat or topic: what was said, and where to type. */
export function Conversation({ snapshot, client }: ConversationProps) {
  const { state, me, place } = snapshot;
  const [focus, setFocus] = useState<Focus | undefined>(undefined);
  const [dismissed, setDismissed] = useState<ReadonlySet<number>>(new Set());
  const [proposal, setProposal] = useState<{ text: string } | undefined>(undefined);
  const chat = state.chats.find(({ id }) => id === place.chat);
  if (chat === undefined) return <section class="main" />;
  const messages = historyOf(state, chat, place.topic);
  const ask = pendingAsk(messages, me, dismissed);
  const shown = focus ?? (ask === undefined ? undefined : { kind: 'reply' as const, message: ask });
  const leave = () => {
    setFocus(undefined);
    if (ask !== undefined && focus === undefined) setDismissed(new Set([...dismissed, ask.id]));
  };
  const suggestions = state.suggestions.filter((one) => one.chat === undefined || one.chat === chat.id);
  return (
    <section class="main" aria-label={chat.title}>
      <Head chat={chat} snapshot={snapshot} client={client} />
      {chat.is_forum ? <Topics chat={chat} snapshot={snapshot} client={client} /> : null}
      <Messages
        chat={chat}
        messages={messages}
        snapshot={snapshot}
        client={client}
        onFocus={setFocus}
        onCommand={(text) => setProposal({ text })}
      />
      {suggestions.length === 0 || chat.state === 'blocked' ? null : (
        <div class="suggestions">
          {suggestions.map(({ text, hint }) => (
            <button key={text} type="button" title={hint} onClick={() => setProposal({ text })}>
              {text}
            </button>
          ))}
        </div>
      )}
      <Bottom chat={chat} snapshot={snapshot} client={client} focus={shown} proposal={proposal} onLeave={leave} />
    </section>
  );
}

function Head({ chat, snapshot, client }: ConversationProps & { chat: PageChat }) {
  const { state, place, doing } = snapshot;
  const action = doing[`${chat.id} ${place.topic ?? ''}`];
  const standing = { administrator: 'the bot is an administrator', member: 'the bot is a member', absent: 'the bot is not here' };
  return (
    <header class="head">
      <ChatAvatar chat={chat} state={state} />
      <div class="who">
        <h1>{chat.title}</h1>
        <small class={action === undefined ? '' : 'doing'}>
          {action !== undefined
            ? `${state.bot.name} is ${action.replaceAll('_', ' ')}…`
            : chat.kind === 'private'
              ? 'bot'
              : `${chat.members.length} members, ${standing[chat.bot_is]}`}
        </small>
      </div>
      <ChatMenu key={chat.id} chat={chat} snapshot={snapshot} client={client} />
    </header>
  );
}

function Topics({ chat, snapshot, client }: ConversationProps & { chat: PageChat }) {
  const { state, me, place } = snapshot;
  const topics = state.topics.filter((topic) => topic.chat === chat.id && topic.state !== 'deleted');
  const add = async () => {
    const name = prompt('Name of the new topic');
    if (name === null) return;
    await client.attempt(async () => {
      const { topic } = await api.topic({ as: me.key, chat: chat.id, name });
      client.go({ chat: chat.id, topic: topic.id });
    });
  };
  const tab = (topic: number | undefined, name: string, color: string, closed = false) => (
    <button
      key={topic ?? 'general'}
      type="button"
      role="tab"
      aria-selected={place.topic === topic}
      onClick={() => client.go({ chat: chat.id, topic })}
    >
      <span class="bubble-mark" style={{ background: color }} />
      {name}
      {closed ? ' (closed)' : ''}
    </button>
  );
  return (
    <div class="topics" role="tablist" aria-label="Topics">
      {tab(undefined, chat.general ?? 'General', '#a8b5c0')}
      {topics.map(({ id, name, color, state: now }) => tab(id, name, color, now === 'closed'))}
      <button type="button" title="New topic" onClick={add}>
        <Icon name="plus" />
      </button>
    </div>
  );
}

interface BottomProps extends ConversationProps {
  chat: PageChat;
  focus: Focus | undefined;
  proposal: { text: string } | undefined;
  onLeave(): void;
}

/** Where people type, or the one button that comes before. */
function Bottom({ chat, snapshot, client, focus, proposal, onLeave }: BottomProps) {
  const as = snapshot.me.key;
  if (chat.state === 'blocked') {
    return (
      <button type="button" class="whole" onClick={() => client.attempt(() => api.block({ as, on: false }))}>
        Unblock
      </button>
    );
  }
  if (chat.state === 'new' && proposal === undefined) {
    return (
      <button type="button" class="whole" onClick={() => client.attempt(() => api.start({ as }))}>
        Start
      </button>
    );
  }
  return <Composer chat={chat} snapshot={snapshot} client={client} focus={focus} proposal={proposal} onLeave={onLeave} />;
}
