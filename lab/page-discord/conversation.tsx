import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { DiscordChannel, DiscordMessage } from '../discord-page-api.ts';
import { api } from './api.ts';
import { Avatar } from './avatar.tsx';
import { Dots } from './button.tsx';
import type { DiscordClient, Sending, Snapshot } from './client.ts';
import { Composer } from './composer.tsx';
import { Message } from './message.tsx';
import { channelOf, dayOf, isContinued, messagesIn, nameOf, threadsOf } from './model.ts';
import { Scroller } from './scroller.tsx';

interface Props {
  snapshot: Snapshot;
  client: DiscordClient;
}

/** The text channel or DM. */
export function Channel({ snapshot, client, onMenu }: Props & { onMenu(): void }) {
  const { state, as, place } = snapshot;
  const [proposal, setProposal] = useState<{ text: string } | undefined>(undefined);
  const channel = channelOf(state, place.channel);
  if (channel === undefined) return <section class="chat" />;
  const isDirect = channel.kind === 'dm';
  const title = isDirect ? state.app.name : channel.name;
  const fitting = state.suggestions.filter((one) => one.channel === undefined || one.channel === channel.id);
  const threads = threadsOf(state, channel.id, as).filter((thread) => thread.thread?.archived !== true);
  return (
    <section class="chat" aria-label={isDirect ? title : `#${title}`}>
      <header>
        <button type="button" class="burger" title="Channels" onClick={onMenu}>
          ☰
        </button>
        <span class="hash">{isDirect ? '@' : '#'}</span>
        <h2>{title}</h2>
        {channel.topic === '' ? null : <span class="topic">{channel.topic}</span>}
        {threads.length === 0 ? null : (
          <span class="soft right">{threads.length === 1 ? '1 thread' : `${threads.length} threads`}</span>
        )}
      </header>
      <Talk
        key={`${channel.id} ${as}`}
        channel={channel}
        snapshot={snapshot}
        client={client}
        placeholder={`Message ${isDirect ? '@' : '#'}${title}`}
        proposal={proposal}
        welcome={<Welcome channel={channel} snapshot={snapshot} />}
      >
        {fitting.length === 0 ? null : (
          <div class="suggestions">
            {fitting.map(({ text, hint }) => (
              <button key={text} type="button" title={hint} onClick={() => setProposal({ text })}>
                {text}
              </button>
            ))}
          </div>
        )}
      </Talk>
    </section>
  );
}

function Welcome({ channel, snapshot }: { channel: DiscordChannel; snapshot: Snapshot }) {
  const { app } = snapshot.state;
  if (channel.kind === 'dm') {
    return (
      <div class="welcome">
        <span class="welcome-mark">⚓</span>
        <h1>{app.name}</h1>
        <p>This is the beginning of your direct message history with {app.name}.</p>
      </div>
    );
  }
  return (
    <div class="welcome">
      <span class="welcome-mark">#</span>
      <h1>Welcome to #{channel.name}!</h1>
      <p>
        This is the start of the #{channel.name} channel. {channel.bot_sees ? '' : `${app.name} cannot see this channel.`}
      </p>
    </div>
  );
}

/** A thread, beside its channel. */
export function Thread({ snapshot, client }: Props) {
  const { state, as, place } = snapshot;
  const channel = place.thread === undefined ? undefined : channelOf(state, place.thread);
  if (channel?.thread === undefined) return null;
  const { archived, locked } = channel.thread;
  return (
    <section class="chat thread" aria-label={`Thread ${channel.name}`}>
      <header>
        <span class="hash">≡</span>
        <h2>{channel.name}</h2>
        {archived ? <span class="soft">{locked ? 'locked' : 'archived'}</span> : null}
        <button
          type="button"
          class="right"
          title={archived ? 'Open the thread again' : 'Close (archive) the thread'}
          onClick={() => client.attempt(() => api.setThread({ as, id: channel.id, archived: !archived }))}
        >
          {archived ? '↺' : '▣'}
        </button>
        <button type="button" title="Close" onClick={() => client.go({ thread: undefined })}>
          ✕
        </button>
      </header>
      <Talk
        key={`${channel.id} ${as}`}
        channel={channel}
        snapshot={snapshot}
        client={client}
        placeholder={`Message "${channel.name}"`}
        proposal={undefined}
        welcome={
          <div class="welcome small">
            <span class="welcome-mark">≡</span>
            <h1>{channel.name}</h1>
            <p>
              Started by <b>{nameOf(state, channel.thread.owner)}</b>
            </p>
          </div>
        }
      />
    </section>
  );
}

interface TalkProps extends Props {
  channel: DiscordChannel;
  placeholder: string;
  proposal: { text: string } | undefined;
  welcome: ComponentChildren;
  children?: ComponentChildren;
}

/** Messages, what is being sent and typed, and the place to write. */
function Talk({ channel, snapshot, client, placeholder, proposal, welcome, children }: TalkProps) {
  const [reply, setReply] = useState<DiscordMessage | undefined>(undefined);
  const messages = messagesIn(snapshot.state, channel.id, snapshot.as);
  const sending = snapshot.sending.filter((one) => one.channel === channel.id && one.user === snapshot.as);
  const now = Date.now();
  const typing = Object.entries(snapshot.typing).flatMap(([key, until]) => {
    const [where, who = ''] = key.split(' ');
    return where === channel.id && who !== snapshot.as && until > now ? [nameOf(snapshot.state, who)] : [];
  });
  return (
    <>
      <Scroller count={messages.length + sending.length}>
        {welcome}
        {messages.map((message, at) => {
          const before = messages[at - 1];
          const isNewDay = before === undefined || dayOf(before.at) !== dayOf(message.at);
          return (
            <div key={message.id}>
              {isNewDay ? (
                <p class="day">
                  <span>{dayOf(message.at)}</span>
                </p>
              ) : null}
              <Message
                message={message}
                snapshot={snapshot}
                client={client}
                continued={isContinued(before, message)}
                onReply={setReply}
              />
            </div>
          );
        })}
        {sending.map((one) => (
          <OnItsWay key={one.id} sending={one} snapshot={snapshot} client={client} />
        ))}
      </Scroller>
      {children}
      <Composer
        channel={channel}
        snapshot={snapshot}
        client={client}
        placeholder={placeholder}
        reply={reply}
        onReplyDone={() => setReply(undefined)}
        proposal={proposal}
      />
      <p class="typing" role="status">
        {typing.length === 0 ? null : (
          <>
            <Dots /> <b>{typing.join(', ')}</b> {typing.length === 1 ? 'is' : 'are'} typing…
          </>
        )}
      </p>
    </>
  );
}

/** A command between sending and the app's first answer, or what the client says when none came. */
function OnItsWay({ sending, snapshot, client }: Props & { sending: Sending }) {
  const { people, app } = snapshot.state;
  return (
    <article class={`message local ${sending.failed === undefined ? '' : 'ephemeral'}`}>
      <p class="above">
        <Avatar person={people.find(({ id }) => id === sending.user)} size={16} />
        <b>{nameOf(snapshot.state, sending.user)}</b> used <span class="mention">{sending.command}</span>
      </p>
      <div class="gutter">
        <Avatar person={people.find(({ id }) => id === app.id)} />
      </div>
      <div class="body">
        <p class="byline">
          <b class="bot">{app.name}</b>
          <span class="app-badge">APP</span>
        </p>
        {sending.failed === undefined ? (
          <p class="thinking">
            <Dots /> Sending command…
          </p>
        ) : (
          <>
            <p class="failed" role="alert">
              {sending.failed}
            </p>
            <p class="only-you">
              👁 Only you can see this •{' '}
              <button type="button" onClick={() => client.dismissSending(sending.id)}>
                Dismiss message
              </button>
            </p>
          </>
        )}
      </div>
    </article>
  );
}
