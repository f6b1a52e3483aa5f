import { useRef, useState } from 'preact/hooks';
import type { InputValue, InputValues, LabFile, LabMessage, LabState } from '../page-api.ts';
import { api } from './api.ts';
import { Blocks } from './blocks.tsx';
import type { LabClient } from './client.ts';
import type { ElementHost } from './elements.tsx';
import { nameOf, type Place } from './model.ts';
import { decode, emojis, Mrkdwn } from './mrkdwn.tsx';

interface MessageProps {
  message: LabMessage;
  state: LabState;
  place: Place;
  client: LabClient;
  /** Same author shortly before: no avatar, no name. */
  compact: boolean;
  inThread: boolean;
}

export function Message({ message, state, place, client, compact, inThread }: MessageProps) {
  const [editing, setEditing] = useState(false);
  const author = state.people.find(({ id }) => id === message.user);
  const time = new Date(Number(message.ts) * 1000);
  const clock = time.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  const host = useMessageHost(message, place, client);
  const private_ = message.visible_to !== undefined;
  return (
    <article class={`message ${compact ? 'compact' : ''} ${private_ ? 'ephemeral' : ''}`} data-ts={message.ts}>
      {private_ ? <p class="only-you">Only visible to you</p> : null}
      <div class="gutter">
        {compact ? (
          <time class="clock" title={time.toLocaleString()}>
            {time.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hour12: false })}
          </time>
        ) : (
          <Avatar name={author?.real_name ?? message.user} color={author?.color ?? '#777777'} bot={message.is_bot} />
        )}
      </div>
      <div class="body">
        {compact ? null : (
          <p class="byline">
            <b>{nameOf(state, message.user)}</b>
            {message.is_bot ? <span class="app-badge">APP</span> : null}
            <time title={time.toLocaleString()}>{clock}</time>
          </p>
        )}
        {editing ? (
          <Editor message={message} place={place} client={client} onDone={() => setEditing(false)} />
        ) : message.blocks.length > 0 ? (
          <Blocks blocks={message.blocks} state={state} host={host} />
        ) : (
          <div class={`text ${message.subtype === 'channel_join' || message.subtype === 'tombstone' ? 'system' : ''}`}>
            <Mrkdwn text={message.text} state={state} />
            {message.edited === undefined ? null : <span class="edited"> (edited)</span>}
          </div>
        )}
        <Stream message={message} state={state} host={host} />
        {message.files.map((file) => (
          <FileCard key={file.id} file={file} />
        ))}
        <Reactions message={message} state={state} place={place} client={client} />
        {inThread || message.reply_count === 0 ? null : (
          <button type="button" class="replies" onClick={() => client.go({ thread: message.ts })}>
            {message.reply_count} {message.reply_count === 1 ? 'reply' : 'replies'} <span>View thread</span>
          </button>
        )}
      </div>
      {private_ ? null : (
        <Toolbar
          message={message}
          state={state}
          place={place}
          client={client}
          inThread={inThread}
          onEdit={() => setEditing(true)}
        />
      )}
    </article>
  );
}

export function Avatar({ name, color, bot }: { name: string; color: string; bot: boolean }) {
  const initials = bot
    ? '⚓'
    : name
        .split(/\s+/)
        .map(([first]) => first)
        .slice(0, 2)
        .join('');
  return (
    <span class="avatar" style={{ background: color }} aria-hidden="true">
      {initials}
    </span>
  );
}

function useMessageHost(message: LabMessage, place: Place, client: LabClient): ElementHost {
  const values = useRef<InputValues>({});
  const [, redraw] = useState(0);
  return {
    disabled: false,
    press: async (block, action, value) => {
      await client.attempt(() =>
        api.press({
          as: place.as,
          in: { channel: message.channel, ts: message.ts },
          block_id: block,
          action_id: action,
          value,
          values: values.current,
        }),
      );
    },
    enter: (block: string, action: string, value: InputValue) => {
      values.current = { ...values.current, [block]: { ...values.current[block], [action]: value } };
      redraw((count) => count + 1);
    },
    entered: (block, action) => values.current[block]?.[action],
  };
}

function Stream({ message, state, host }: { message: LabMessage; state: LabState; host: ElementHost }) {
  if (message.stream === undefined) return null;
  const marks = { pending: '○', in_progress: '▸', complete: '✔', error: '✖' };
  return (
    <div class="stream">
      {message.stream.parts.map((part, at) => {
        const key = `${at}`;
        if (part.type === 'markdown') return <Mrkdwn key={key} text={part.text} state={state} />;
        if (part.type === 'plan') return <h3 key={key}>{part.title}</h3>;
        if (part.type === 'blocks') return <Blocks key={key} blocks={part.blocks} state={state} host={host} />;
        return (
          <p key={key} class={`task ${part.status}`}>
            {marks[part.status]} {part.title} {part.output}
          </p>
        );
      })}
      {message.stream.state === 'in_progress' ? <span class="cursor" /> : null}
    </div>
  );
}

function FileCard({ file }: { file: LabFile }) {
  const [open, setOpen] = useState(false);
  const size =
    file.size < 1024
      ? `${file.size} B`
      : file.size < 1048576
        ? `${(file.size / 1024).toFixed(1)} KB`
        : `${(file.size / 1048576).toFixed(1)} MB`;
  if (file.mimetype.startsWith('image/')) {
    return (
      <a class="file-image" href={file.url} target="_blank" rel="noreferrer">
        <img src={file.url} alt={file.alt_text ?? file.title} />
      </a>
    );
  }
  return (
    <div class="file">
      <div class="file-head">
        <span class="file-icon">{file.filetype.slice(0, 4)}</span>
        <span class="file-name">
          <a href={file.url} target="_blank" rel="noreferrer">
            {file.title || file.name}
          </a>
          <small>
            {file.pretty_type} · {size}
          </small>
        </span>
        {file.preview === undefined ? null : (
          <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Collapse' : 'Preview'}
          </button>
        )}
        <a class="link" href={`${file.url}?download=1`}>
          Download
        </a>
      </div>
      {open && file.preview !== undefined ? (
        <pre class={file.filetype === 'diff' ? 'diff' : ''}>
          {file.filetype === 'diff'
            ? file.preview.split('\n').map((line, at) => (
                <span key={at} class={line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : ''}>
                  {`${line}\n`}
                </span>
              ))
            : file.preview}
        </pre>
      ) : null}
    </div>
  );
}

function Reactions({ message, state, place, client }: Omit<MessageProps, 'compact' | 'inThread'>) {
  if (message.reactions.length === 0) return null;
  return (
    <div class="reactions">
      {message.reactions.map(({ name, users }) => {
        const mine = users.includes(place.as);
        return (
          <button
            key={name}
            type="button"
            class={mine ? 'mine' : ''}
            title={`${users.map((user) => nameOf(state, user)).join(', ')} reacted with :${name}:`}
            onClick={() =>
              client.attempt(() =>
                api.react({ as: place.as, channel: message.channel, ts: message.ts, name, action: mine ? 'remove' : 'add' }),
              )
            }
          >
            {emojis[name] ?? `:${name}:`} {users.length}
          </button>
        );
      })}
    </div>
  );
}

interface ToolbarProps extends Omit<MessageProps, 'compact'> {
  onEdit(): void;
}

function Toolbar({ message, state, place, client, inThread, onEdit }: ToolbarProps) {
  const at = { as: place.as, channel: message.channel, ts: message.ts };
  return (
    <div class="toolbar">
      {inThread ? null : (
        <button type="button" title="Reply in thread" onClick={() => client.go({ thread: message.thread_ts ?? message.ts })}>
          Reply
        </button>
      )}
      {state.shortcuts
        .filter(({ type }) => type === 'message')
        .map(({ name, callback_id }) => (
          <button
            key={callback_id}
            type="button"
            title={`Message shortcut: ${name}`}
            onClick={() => client.attempt(() => api.shortcut({ ...at, callback_id }))}
          >
            {name}
          </button>
        ))}
      {message.user === place.as ? (
        <>
          <button type="button" title="Edit message" onClick={onEdit}>
            Edit
          </button>
          <button type="button" title="Delete message" onClick={() => client.attempt(() => api.remove(at))}>
            Delete
          </button>
        </>
      ) : null}
    </div>
  );
}

function Editor({ message, place, client, onDone }: { message: LabMessage; place: Place; client: LabClient; onDone(): void }) {
  const [text, setText] = useState(decode(message.text));
  return (
    <form
      class="editor"
      onSubmit={async (event) => {
        event.preventDefault();
        if (await client.attempt(() => api.edit({ as: place.as, channel: message.channel, ts: message.ts, text }))) onDone();
      }}
    >
      <textarea class="text-input" rows={3} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      <button type="button" class="button" onClick={onDone}>
        Cancel
      </button>
      <button type="submit" class="button primary">
        Save
      </button>
    </form>
  );
}
