import { useState } from 'preact/hooks';
import type { PageChat, PageMessage } from '../telegram-page-api.ts';
import { api } from './api.ts';
import { ChatAvatar, UserAvatar } from './avatar.tsx';
import type { Snapshot, TelegramClient } from './client.ts';
import { Icon } from './icons.tsx';
import { chatsOf, gist, lastOf } from './model.ts';

interface ListProps {
  snapshot: Snapshot;
  client: TelegramClient;
}

export function ChatList({ snapshot, client }: ListProps) {
  const { state, me, connected } = snapshot;
  return (
    <nav class="chats" aria-label="Chats">
      <header>
        <UserAvatar user={me} />
        <span class="who">
          <b>{me.name}</b>
          <small>
            <span class={`dot ${connected ? 'on' : ''}`} />
            {connected ? `@${state.bot.username} is listening` : 'the bot is not connected'}
          </small>
        </span>
      </header>
      <div class="rows">
        {chatsOf(state, me).map((chat) => (
          <Row key={chat.id} chat={chat} snapshot={snapshot} client={client} />
        ))}
      </div>
      <Settings snapshot={snapshot} client={client} />
    </nav>
  );
}

function Row({ chat, snapshot, client }: ListProps & { chat: PageChat }) {
  const { state, me, place, unread } = snapshot;
  const last = lastOf(state, chat);
  const count = unread[`${me.id} ${chat.id}`] ?? 0;
  const draft = state.drafts.find((entry) => entry.chat === chat.id);
  return (
    <button
      type="button"
      class={`row ${place.chat === chat.id ? 'here' : ''}`}
      aria-current={place.chat === chat.id}
      title={chat.title}
      onClick={() => client.go({ chat: chat.id, topic: undefined })}
    >
      <ChatAvatar chat={chat} state={state} />
      <span class="line">
        <b>
          {chat.title}
          {chat.kind === 'private' ? <small class="tag">bot</small> : chat.is_forum ? <small class="tag">topics</small> : null}
        </b>
        {last === undefined ? null : <time>{shortTime(last.date)}</time>}
      </span>
      <span class="line">
        <span class="gist">
          {draft !== undefined ? (
            <i>{state.bot.name} is writing…</i>
          ) : last === undefined ? (
            <i>{chat.kind === 'private' ? 'Press Start to talk' : 'No messages yet'}</i>
          ) : (
            <Gist message={last} chat={chat} mine={last.from === me.id} />
          )}
        </span>
        {count > 0 ? <span class="badge">{count}</span> : null}
      </span>
    </button>
  );
}

function Gist({ message, chat, mine }: { message: PageMessage; chat: PageChat; mine: boolean }) {
  if (message.service !== undefined) return <i>{message.service}</i>;
  const author = mine ? 'You' : message.name;
  return (
    <>
      {chat.kind === 'private' && !mine ? null : <em>{author}: </em>}
      {gist(message)}
    </>
  );
}

function shortTime(date: number): string {
  const time = new Date(date * 1000);
  const isToday = time.toDateString() === new Date().toDateString();
  return isToday
    ? time.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
    : time.toLocaleDateString(undefined, { day: '2-digit', month: '2-digit' });
}

function Settings({ snapshot, client }: ListProps) {
  const [open, setOpen] = useState(false);
  const { settings } = snapshot.state;
  const change = (patch: Partial<typeof settings>) => client.attempt(() => api.settings(patch));
  const box = (name: 'rate_limiting' | 'privacy_mode', label: string) => (
    <label>
      <input type="checkbox" checked={settings[name]} onChange={(event) => change({ [name]: event.currentTarget.checked })} />
      {label}
    </label>
  );
  return (
    <footer class="settings">
      <button type="button" class="toggle" title="Lab settings" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="gear" />
        <span>Lab settings</span>
      </button>
      {open ? (
        <div class="settings-body">
          {box('rate_limiting', 'Rate limits as published')}
          {box('privacy_mode', 'Privacy mode of the bot')}
          <label>
            Answer delay
            <input
              type="number"
              min={0}
              max={5000}
              step={100}
              value={settings.latency_ms}
              onChange={(event) => change({ latency_ms: Number(event.currentTarget.value) })}
            />
            ms
          </label>
          <button
            type="button"
            class="plain"
            onClick={() => {
              if (confirm('Forget every message and file of this Telegram? Tasks stay.'))
                void client.attempt(() => api.reset({}));
            }}
          >
            Clear this Telegram
          </button>
        </div>
      ) : null}
    </footer>
  );
}
