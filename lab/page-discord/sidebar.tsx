import { useState } from 'preact/hooks';
import type { DiscordChannel } from '../discord-page-api.ts';
import { api } from './api.ts';
import { Avatar } from './avatar.tsx';
import type { DiscordClient, Snapshot } from './client.ts';
import { channelOf, directChannel, textChannels, threadsOf } from './model.ts';

interface SidebarProps {
  snapshot: Snapshot;
  client: DiscordClient;
  /** In a narrow pane the bars lie over the chat while they are open. */
  open: boolean;
  onDone(): void;
}

export function Sidebar({ snapshot, client, open, onDone }: SidebarProps) {
  const { state, as, place, unread } = snapshot;
  const direct = directChannel(state, as);
  const isDirect = place.channel === direct?.id;
  const count = (channel: string | undefined) => unread[`${as} ${channel}`] ?? 0;
  const go = (change: { channel?: string; thread: string | undefined }) => {
    client.go(change);
    onDone();
  };
  const channels = textChannels(state, as);
  const news = state.channels.some(({ id, kind }) => kind !== 'dm' && count(id) > 0);
  return (
    <div class={`bars ${open ? 'open' : ''}`}>
      <nav class="rail" aria-label="Servers">
        <button
          type="button"
          class={isDirect ? 'here' : ''}
          title="Direct Messages"
          onClick={() => direct !== undefined && go({ channel: direct.id, thread: undefined })}
        >
          <span class="tile">@</span>
          {count(direct?.id) > 0 ? <span class="badge">{count(direct?.id)}</span> : null}
        </button>
        <hr />
        <button
          type="button"
          class={`${isDirect ? '' : 'here'} ${news ? 'news' : ''}`}
          title={state.guild.name}
          onClick={() => go({ channel: channels[0]?.id ?? '', thread: undefined })}
        >
          <span class="tile">{initials(state.guild.name)}</span>
        </button>
      </nav>
      <nav class="sidebar" aria-label="Channels">
        <header>
          <b>{isDirect ? 'Direct Messages' : state.guild.name}</b>
        </header>
        <div class="rows">
          {isDirect ? (
            <button type="button" class="row here">
              <Avatar person={state.people.find(({ id }) => id === state.app.id)} size={32} />
              {state.app.name}
            </button>
          ) : (
            <>
              <p class="category">⌄ Text Channels</p>
              {channels.map((channel) => (
                <ChannelRows key={channel.id} channel={channel} snapshot={snapshot} count={count} go={go} />
              ))}
            </>
          )}
        </div>
        <UserPanel snapshot={snapshot} client={client} />
      </nav>
    </div>
  );
}

interface RowsProps {
  channel: DiscordChannel;
  snapshot: Snapshot;
  count(channel: string): number;
  go(change: { channel: string; thread: string | undefined }): void;
}

/** A channel, and below it its active threads. */
function ChannelRows({ channel, snapshot, count, go }: RowsProps) {
  const { state, as, place } = snapshot;
  const isHere = (entry: DiscordChannel) =>
    entry.thread ? place.thread === entry.id : place.channel === entry.id && !place.thread;
  const threads = threadsOf(state, channel.id, as).filter(({ thread, id }) => thread?.archived === false || place.thread === id);
  const row = (entry: DiscordChannel, kind: string) => (
    <button
      key={entry.id}
      type="button"
      class={`row ${kind} ${isHere(entry) ? 'here' : ''} ${count(entry.id) > 0 ? 'unread' : ''}`}
      aria-current={isHere(entry)}
      onClick={() => go({ channel: channel.id, thread: entry.thread ? entry.id : undefined })}
    >
      {entry.thread ? null : <span class="hash">#</span>}
      <span class="row-name">{entry.name}</span>
      {count(entry.id) > 0 ? <span class="badge">{count(entry.id)}</span> : null}
    </button>
  );
  return (
    <>
      {row(channel, '')}
      {threads.length === 0 ? null : <div class="threads">{threads.map((thread) => row(thread, 'of-thread'))}</div>}
    </>
  );
}

/** Who one is, whether the bot is there, and what can be set in the lab. */
function UserPanel({ snapshot, client }: { snapshot: Snapshot; client: DiscordClient }) {
  const { state, as, online } = snapshot;
  const [open, setOpen] = useState(false);
  const person = state.people.find(({ id }) => id === as);
  const direct = directChannel(state, as);
  const connected = online && state.app.connected;
  return (
    <footer class="user-panel">
      {open ? (
        <div class="menu">
          <label>
            <input
              type="checkbox"
              checked={state.settings.rate_limiting}
              onChange={(event) => client.attempt(() => api.settings({ rate_limiting: event.currentTarget.checked }))}
            />
            Rate limits as published
          </label>
          <label>
            <input
              type="checkbox"
              checked={channelOf(state, direct?.id ?? '')?.dm_open === true}
              onChange={(event) => client.attempt(() => api.dms({ as, open: event.currentTarget.checked }))}
            />
            Messages from {state.app.name} allowed
          </label>
          <button
            type="button"
            class="danger"
            onClick={() => {
              if (confirm('Forget every message, thread and file of the Discord lab? Tasks stay.'))
                void client.attempt(() => api.reset({}));
            }}
          >
            Clear the lab
          </button>
        </div>
      ) : null}
      <Avatar person={person} size={32} />
      <span class="who">
        <b>{person?.name}</b>
        <small>
          <i class={`dot ${connected ? 'on' : ''}`} />
          {!online ? 'reconnecting…' : connected ? 'bot connected' : 'bot not connected'}
        </small>
      </span>
      <button type="button" title="Lab settings" aria-expanded={open} onClick={() => setOpen(!open)}>
        ⚙
      </button>
    </footer>
  );
}

function initials(name: string): string {
  return name
    .split(/\s+/)
    .map((word) => word.charAt(0))
    .join('');
}
