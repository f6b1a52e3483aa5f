import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { LabMessage, LabState } from '../page-api.ts';
import { api } from './api.ts';
import type { LabClient } from './client.ts';
import { Composer } from './composer.tsx';
import { Message } from './message.tsx';
import { type Place, threadOf, topLevel } from './model.ts';

interface PaneProps {
  state: LabState;
  place: Place;
  client: LabClient;
}

export function Channel({ state, place, client }: PaneProps) {
  const channel = state.channels.find(({ id }) => id === place.channel);
  const [hidden, setHidden] = useState(localStorage.getItem('suggestions') === 'hidden');
  const [proposal, setProposal] = useState<{ text: string } | undefined>(undefined);
  if (channel === undefined) return null;
  const direct = channel.kind === 'im';
  const title = direct ? state.app.name : `${channel.kind === 'private' ? '🔒 ' : '#'}${channel.name}`;
  const messages = topLevel(state, channel.id, place.as);
  const suggestions = state.suggestions.filter(
    (suggestion) => suggestion.channel === undefined || suggestion.channel === channel.id,
  );
  return (
    <section class="pane main" aria-label={title}>
      <header class="pane-head">
        <h1>{title}</h1>
        <span class="topic">{direct ? state.app.description : channel.topic}</span>
        {direct ? null : channel.bot_is_member ? (
          <span class="members">{channel.members.length} members</span>
        ) : (
          <button
            type="button"
            class="button"
            onClick={() => client.attempt(() => api.invite({ as: place.as, channel: channel.id }))}
          >
            Invite {state.app.name}
          </button>
        )}
      </header>
      <Messages
        key={`${channel.id} ${place.as}`}
        messages={messages}
        state={state}
        place={place}
        client={client}
        inThread={false}
      >
        {messages.length === 0 ? (
          <div class="empty">
            <h2>{direct ? `Talk to ${state.app.name}` : `This is ${title}`}</h2>
            <p>
              {direct
                ? 'What you type here only you and the bot can see.'
                : channel.bot_is_member
                  ? `${state.app.name} listens here.`
                  : `${state.app.name} is not in this channel yet.`}
            </p>
          </div>
        ) : null}
      </Messages>
      {suggestions.length > 0 && !hidden ? (
        <div class="suggestions">
          <span>Try</span>
          {suggestions.map(({ text, hint }) => (
            <button key={text} type="button" title={hint} onClick={() => setProposal({ text })}>
              <code>{text}</code>
              <small>{hint}</small>
            </button>
          ))}
          <button
            type="button"
            class="hide"
            title="Hide suggestions"
            onClick={() => {
              localStorage.setItem('suggestions', 'hidden');
              setHidden(true);
            }}
          >
            ×
          </button>
        </div>
      ) : null}
      <Composer state={state} place={place} client={client} placeholder={`Message ${title}`} proposal={proposal} />
    </section>
  );
}

export function Thread({ state, place, client }: PaneProps) {
  if (place.thread === undefined) return null;
  const messages = threadOf(state, place.channel, place.thread, place.as);
  const status = state.statuses.find(({ channel, thread_ts }) => channel === place.channel && thread_ts === place.thread);
  return (
    <section class="pane thread" aria-label="Thread">
      <header class="pane-head">
        <h1>Thread</h1>
        <button type="button" class="close" title="Close thread" onClick={() => client.go({ thread: undefined })}>
          ×
        </button>
      </header>
      <Messages key={place.thread} messages={messages} state={state} place={place} client={client} inThread>
        {messages.length === 0 ? <p class="empty">This thread is gone.</p> : null}
      </Messages>
      {status === undefined ? null : (
        <p class="thread-status">
          {state.app.name} {status.status}
        </p>
      )}
      <Composer state={state} place={place} client={client} thread={place.thread} placeholder="Reply…" />
    </section>
  );
}

interface MessagesProps extends PaneProps {
  messages: LabMessage[];
  inThread: boolean;
  children: preact.ComponentChildren;
}

/** The list, kept at the bottom while the person is there. */
function Messages({ messages, state, place, client, inThread, children }: MessagesProps) {
  const list = useRef<HTMLDivElement>(null);
  const atBottom = useRef(true);
  const [below, setBelow] = useState(false);
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    if (atBottom.current) element.scrollTop = element.scrollHeight;
  });
  useEffect(() => {
    if (!atBottom.current) setBelow(true);
  }, [messages.length]);
  return (
    <div class="messages-frame">
      <div
        ref={list}
        class="messages"
        role="log"
        aria-live="polite"
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          atBottom.current = scrollHeight - scrollTop - clientHeight < 60;
          if (atBottom.current) setBelow(false);
        }}
      >
        {children}
        {messages.map((message, at) => {
          const before = messages[at - 1];
          const newDay = before === undefined || dayOf(before.ts) !== dayOf(message.ts);
          const compact =
            !newDay &&
            before.user === message.user &&
            before.visible_to === message.visible_to &&
            message.visible_to === undefined &&
            Number(message.ts) - Number(before.ts) < 180 &&
            message.blocks.length === 0 &&
            before.reply_count === 0;
          return (
            <div key={`${message.ts} ${message.visible_to ?? ''}`}>
              {newDay && !inThread ? (
                <p class="day">
                  <span>{dayOf(message.ts)}</span>
                </p>
              ) : null}
              <Message message={message} state={state} place={place} client={client} compact={compact} inThread={inThread} />
              {inThread && at === 0 && messages.length > 1 ? (
                <p class="reply-count">
                  <span>
                    {messages.length - 1} {messages.length === 2 ? 'reply' : 'replies'}
                  </span>
                </p>
              ) : null}
            </div>
          );
        })}
      </div>
      {below ? (
        <button
          type="button"
          class="new-below"
          onClick={() => {
            atBottom.current = true;
            setBelow(false);
          }}
        >
          New messages ↓
        </button>
      ) : null}
    </div>
  );
}

function dayOf(ts: string): string {
  return new Date(Number(ts) * 1000).toLocaleDateString(undefined, { weekday: 'long', month: 'long', day: 'numeric' });
}
