import { useState } from 'preact/hooks';
import type { LabChannel, LabState } from '../page-api.ts';
import { api } from './api.ts';
import type { LabClient, Snapshot } from './client.ts';
import { Avatar } from './message.tsx';
import { channelsOf } from './model.ts';

export function Sidebar({ snapshot, client }: { snapshot: Snapshot; client: LabClient }) {
  const { state, place, online, unread } = snapshot;
  const channels = channelsOf(state, place.as);
  const row = (channel: LabChannel) => {
    const count = unread[`${place.as} ${channel.id}`] ?? 0;
    const direct = channel.kind === 'im';
    return (
      <button
        key={channel.id}
        type="button"
        class={`row ${place.channel === channel.id ? 'here' : ''} ${count > 0 ? 'unread' : ''}`}
        aria-current={place.channel === channel.id}
        onClick={() => client.go({ channel: channel.id, thread: undefined })}
      >
        <span class="hash">{direct ? '●' : channel.kind === 'private' ? '🔒' : '#'}</span>
        {direct ? state.app.name : channel.name}
        {count > 0 ? <span class="badge">{count}</span> : null}
      </button>
    );
  };
  return (
    <nav class="sidebar" aria-label="Channels">
      <header>
        <b>{state.team.name}</b>
        <span class={`dot ${online && state.app.connected ? 'on' : 'off'}`} />
        <small>{!online ? 'reconnecting…' : state.app.connected ? 'bot connected' : 'bot not connected'}</small>
      </header>
      <h2>Channels</h2>
      {channels.filter(({ kind }) => kind !== 'im').map(row)}
      <h2>Direct messages</h2>
      {channels.filter(({ kind }) => kind === 'im').map(row)}
      {state.app.home_tab ? (
        <>
          <h2>Apps</h2>
          <button
            type="button"
            class={`row ${place.channel === 'home' ? 'here' : ''}`}
            onClick={() => client.go({ channel: 'home', thread: undefined })}
          >
            <span class="hash">⌂</span>
            {state.app.name} home
          </button>
        </>
      ) : null}
      <Settings state={state} client={client} />
    </nav>
  );
}

/** Who is typing: the lab's people, one click apart. */
export function People({ snapshot, client }: { snapshot: Snapshot; client: LabClient }) {
  const { state, place, unread } = snapshot;
  return (
    <div class="people">
      <span class="people-label">Act as</span>
      {state.people
        .filter(({ is_bot }) => !is_bot)
        .map((person) => {
          const waiting = Object.entries(unread).some(([key, count]) => key.startsWith(`${person.id} `) && count > 0);
          return (
            <button
              key={person.id}
              type="button"
              aria-pressed={person.id === place.as}
              class={person.id === place.as ? 'here' : ''}
              title={`${person.real_name}: ${person.title}`}
              onClick={() => client.go({ as: person.id })}
            >
              <Avatar name={person.real_name} color={person.color} bot={false} />
              <span class="who">
                <b>{person.display_name}</b>
                <small>{person.title}</small>
              </span>
              {waiting && person.id !== place.as ? <span class="dot on" /> : null}
            </button>
          );
        })}
    </div>
  );
}

function Settings({ state, client }: { state: LabState; client: LabClient }) {
  const [open, setOpen] = useState(false);
  const { settings } = state;
  const change = (patch: Partial<typeof settings>) => client.attempt(() => api.settings(patch));
  return (
    <footer class="settings">
      <button type="button" class="row" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="hash">⚙</span>Lab settings
      </button>
      {open ? (
        <div class="settings-body">
          <label>
            <input
              type="checkbox"
              checked={settings.rate_limiting}
              onChange={(event) => change({ rate_limiting: event.currentTarget.checked })}
            />
            Rate limits as published
          </label>
          {settings.delivery_modes.length > 1 ? (
            <label>
              Delivery
              <select
                value={settings.delivery}
                onChange={(event) => change({ delivery: event.currentTarget.value as typeof settings.delivery })}
              >
                {settings.delivery_modes.map((mode) => (
                  <option key={mode} value={mode}>
                    {mode === 'socket' ? 'Socket Mode' : 'HTTP'}
                  </option>
                ))}
              </select>
            </label>
          ) : null}
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
            class="button"
            onClick={() => {
              if (confirm('Forget every message, file and form of the lab? Tasks stay.'))
                void client.attempt(() => api.reset({}));
            }}
          >
            Clear the lab
          </button>
        </div>
      ) : null}
    </footer>
  );
}
