import { useEffect, useRef, useState } from 'preact/hooks';
import type { DiscordChannel, DiscordMessage, DiscordState } from '../discord-page-api.ts';
import { api } from './api.ts';
import { Avatar } from './avatar.tsx';
import { Dots } from './button.tsx';
import type { DiscordClient, Snapshot } from './client.ts';
import { Components, Embeds, isShown } from './components.tsx';
import { Attachment } from './files.tsx';
import { Markdown } from './markdown.tsx';
import { MessageTools } from './message-tools.tsx';
import { channelOf, clockOf, momentOf, nameOf, repliesIn } from './model.ts';

export interface MessageProps {
  message: DiscordMessage;
  snapshot: Snapshot;
  client: DiscordClient;
  /** By the same author shortly after: no avatar, no name. */
  continued: boolean;
  onReply(message: DiscordMessage): void;
}

export function Message(props: MessageProps) {
  const { message, snapshot, client } = props;
  const { state } = snapshot;
  const [editing, setEditing] = useState(false);
  const thread = message.has_thread ? channelOf(state, message.id) : undefined;
  if (message.type === 18) return <ThreadCreated {...props} />;
  if (message.type === 21) return <Starter {...props} />;
  const isMine = message.author === snapshot.as;
  const isPing = message.mentions.includes(snapshot.as) && !isMine;
  const kind = [
    props.continued ? 'continued' : '',
    message.visible_to === undefined ? '' : 'ephemeral',
    isPing ? 'pinged' : '',
    thread === undefined ? '' : 'with-thread',
  ];
  return (
    <article class={`message ${kind.join(' ')}`} data-id={message.id}>
      <Above message={message} state={state} />
      <div class="gutter">
        {props.continued ? <time class="clock">{clockOf(message.at)}</time> : <Avatar person={authorOf(message, state)} />}
      </div>
      <div class="body">
        {props.continued ? null : <Byline message={message} state={state} />}
        {editing ? (
          <Editor message={message} snapshot={snapshot} client={client} onDone={() => setEditing(false)} />
        ) : (
          <Content message={message} snapshot={snapshot} client={client} />
        )}
        <Reactions message={message} snapshot={snapshot} client={client} />
        {thread === undefined ? null : <ThreadBelow thread={thread} state={state} client={client} />}
        {message.visible_to === undefined ? null : (
          <p class="only-you">
            👁 Only you can see this •{' '}
            <button type="button" onClick={() => client.attempt(() => api.remove({ as: snapshot.as, id: message.id }))}>
              Dismiss message
            </button>
          </p>
        )}
      </div>
      {message.thinking || editing ? null : <MessageTools {...props} onEdit={() => setEditing(true)} />}
    </article>
  );
}

export function authorOf(message: DiscordMessage, state: DiscordState) {
  return state.people.find(({ id }) => id === message.author);
}

function Byline({ message, state }: { message: DiscordMessage; state: DiscordState }) {
  const author = authorOf(message, state);
  return (
    <p class="byline">
      <b class={author?.bot === true ? 'bot' : ''}>{message.author_name ?? author?.name ?? 'Unknown user'}</b>
      {author?.bot === true || message.author_name !== undefined ? <span class="app-badge">APP</span> : null}
      <time title={new Date(message.at).toLocaleString()}>{momentOf(message.at)}</time>
    </p>
  );
}

/** The line above a message: what it replies to, or the command it answers. */
function Above({ message, state }: { message: DiscordMessage; state: DiscordState }) {
  const { answers } = message;
  if (answers !== undefined && answers.name !== undefined && message.reply_to === undefined) {
    const person = state.people.find(({ id }) => id === answers.user);
    return (
      <p class="above">
        <Avatar person={person} size={16} />
        <b>{person?.name}</b>
        <span>used</span>
        <span class="mention">{message.type === 23 ? answers.name : `/${answers.name}`}</span>
      </p>
    );
  }
  if (message.reply_to === undefined) return null;
  const target = state.messages.find(({ id }) => id === message.reply_to);
  if (target === undefined) return <p class="above gone">Original message was deleted</p>;
  return (
    <p class="above">
      <Avatar person={authorOf(target, state)} size={16} />
      <b>
        {message.mentions.includes(target.author) ? '@' : ''}
        {nameOf(state, target.author)}
      </b>
      <button
        type="button"
        class="snippet"
        onClick={() => document.querySelector(`.discord [data-id="${target.id}"]`)?.scrollIntoView({ block: 'center' })}
      >
        {target.content === '' ? <em>Click to see attachment</em> : <Markdown text={target.content} state={state} inline />}
      </button>
    </p>
  );
}

function Content({ message, snapshot, client }: { message: DiscordMessage; snapshot: Snapshot; client: DiscordClient }) {
  const { state } = snapshot;
  const press = (customId: string, values?: string[]) => client.press(message.id, customId, values);
  const failure = snapshot.failures[message.id];
  if (message.thinking) {
    return (
      <p class="thinking">
        <Dots /> {nameOf(state, message.author)} is thinking…
      </p>
    );
  }
  const files = message.files.filter((file) => (message.v2 ? false : !isShown(file, message.embeds)));
  return (
    <>
      {message.content === '' ? null : <Markdown text={message.content} state={state} />}
      {message.edited && !message.v2 ? <span class="edited">(edited)</span> : null}
      <Embeds message={message} state={state} />
      {files.map((file) => (
        <Attachment key={file.id} file={file} />
      ))}
      {message.components.length === 0 ? null : (
        <div class="components">
          <Components parts={message.components} host={{ state, files: message.files, press }} />
          {message.edited && message.v2 ? <span class="edited">(edited)</span> : null}
        </div>
      )}
      {failure === undefined ? null : (
        <p class="failed" role="alert">
          {failure}
        </p>
      )}
    </>
  );
}

function Reactions({ message, snapshot, client }: { message: DiscordMessage; snapshot: Snapshot; client: DiscordClient }) {
  if (message.reactions.length === 0) return null;
  return (
    <div class="reactions">
      {message.reactions.map(({ emoji, users }) => {
        const mine = users.includes(snapshot.as);
        const action = mine ? 'remove' : 'add';
        return (
          <button
            key={emoji}
            type="button"
            class={mine ? 'mine' : ''}
            title={users.map((user) => nameOf(snapshot.state, user)).join(', ')}
            onClick={() => client.attempt(() => api.react({ as: snapshot.as, id: message.id, emoji, action }))}
          >
            {emoji} <b>{users.length}</b>
          </button>
        );
      })}
    </div>
  );
}

/** The thread that hangs on a message, with its newest message. */
function ThreadBelow({ thread, state, client }: { thread: DiscordChannel; state: DiscordState; client: DiscordClient }) {
  const replies = repliesIn(state, thread.id);
  const last = replies.at(-1);
  const author = last && authorOf(last, state);
  return (
    <button type="button" class="thread-below" onClick={() => client.go({ thread: thread.id })}>
      <span class="thread-name">
        <b>{thread.name}</b>
        <span class="link">{replies.length === 1 ? '1 Message' : `${replies.length} Messages`} ›</span>
      </span>
      {last === undefined ? (
        <span class="soft">There are no recent messages in this thread.</span>
      ) : (
        <span class="thread-last">
          <Avatar person={author} size={16} />
          <b>{author?.name}</b>
          <span class="soft">{thread.thread?.archived ? 'Thread is archived' : momentOf(last.at)}</span>
        </span>
      )}
    </button>
  );
}

function ThreadCreated({ message, snapshot, client }: MessageProps) {
  const { state } = snapshot;
  const thread = channelOf(state, message.opened_thread ?? '');
  return (
    <article class="message system" data-id={message.id}>
      <div class="gutter">≡</div>
      <div class="body">
        <b>{nameOf(state, message.author)}</b> started a thread: <b>{message.content}</b> <time>{momentOf(message.at)}</time>
        {thread === undefined ? null : <ThreadBelow thread={thread} state={state} client={client} />}
      </div>
    </article>
  );
}

/** The first entry of a thread: the message in the channel that it hangs on. */
function Starter(props: MessageProps) {
  const { state } = props.snapshot;
  const origin = state.messages.find(({ id }) => id === props.message.channel);
  if (origin === undefined) return <p class="starter-gone">Sorry, we couldn't load the first message in this thread</p>;
  return <Message {...props} message={{ ...origin, has_thread: false }} continued={false} />;
}

function Editor({
  message,
  snapshot,
  client,
  onDone,
}: {
  message: DiscordMessage;
  snapshot: Snapshot;
  client: DiscordClient;
  onDone(): void;
}) {
  const [text, setText] = useState(
    message.content.replace(
      /<@!?(\d+)>/g,
      (whole, id: string) => `@${snapshot.state.people.find((one) => one.id === id)?.username ?? whole}`,
    ),
  );
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => area.current?.focus(), []);
  const save = async () => {
    if (await client.attempt(() => api.edit({ as: snapshot.as, id: message.id, text }))) onDone();
  };
  return (
    <div class="editor">
      <textarea
        ref={area}
        rows={2}
        value={text}
        aria-label="Edit message"
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onDone();
          if (event.key !== 'Enter' || event.shiftKey) return;
          event.preventDefault();
          void save();
        }}
      />
      <p>
        escape to{' '}
        <button type="button" onClick={onDone}>
          cancel
        </button>{' '}
        • enter to{' '}
        <button type="button" onClick={save}>
          save
        </button>
      </p>
    </div>
  );
}
