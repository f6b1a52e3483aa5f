import { useState } from 'preact/hooks';
import type { PageChat, PageDraft, PageMessage } from '../telegram-page-api.ts';
import { api } from './api.ts';
import { UserAvatar } from './avatar.tsx';
import type { Snapshot, TelegramClient } from './client.ts';
import type { Focus } from './conversation.tsx';
import { FormattedText } from './entities.tsx';
import { Files } from './files.tsx';
import { Icon } from './icons.tsx';
import { Keyboard, RichButton } from './keyboard.tsx';
import { gist, messageAt } from './model.ts';
import { RichBlocks } from './rich-blocks.tsx';

interface BubbleProps {
  /** One message, or those of an album. */
  album: PageMessage[];
  chat: PageChat;
  snapshot: Snapshot;
  client: TelegramClient;
  /** Of a group of messages by one author. */
  isFirst: boolean;
  isLast: boolean;
  isMine: boolean;
  onFocus(focus: Focus): void;
  onCommand(command: string): void;
  onJump(id: number): void;
}

export function Bubble(props: BubbleProps) {
  const { album, chat, snapshot, client, isFirst, isLast, isMine, onFocus, onCommand, onJump } = props;
  const { state, me } = snapshot;
  const [first] = album;
  if (first === undefined) return null;
  const worded = album.find(({ text }) => text !== '') ?? first;
  const author = state.users.find(({ id }) => id === first.from);
  const files = album.flatMap(({ file }) => file ?? []);
  const isGroup = chat.kind !== 'private';
  const time = new Date(first.date * 1000);
  return (
    <article
      class={`message ${isMine ? 'out' : 'in'} ${isFirst ? 'first' : ''} ${isLast ? 'last' : ''}`}
      data-id={first.id}
      onDblClick={() => onFocus({ kind: 'reply', message: first })}
    >
      {isGroup && !isMine ? <div class="side">{isLast ? <UserAvatar user={author} /> : null}</div> : null}
      <div class="column">
        <div class="bubble">
          {isGroup && !isMine && isFirst ? (
            <p class="author" style={{ color: author?.color }}>
              {first.as_group ? first.name : (author?.name ?? first.name)}
              {author?.is_bot ? <small>bot</small> : null}
            </p>
          ) : null}
          <Reply message={first} snapshot={snapshot} onJump={onJump} />
          <Files files={files} />
          {first.blocks === undefined ? null : (
            <RichBlocks
              blocks={first.blocks}
              button={(button) => (
                <RichButton key={button.text} button={button} message={first} snapshot={snapshot} client={client} />
              )}
            />
          )}
          {worded.text === '' ? null : (
            <span class="words">
              <FormattedText text={worded.text} entities={worded.entities} onCommand={onCommand} />
            </span>
          )}
          <span class="stamp" title={time.toLocaleString()}>
            {album.some(({ edited }) => edited) ? 'edited ' : ''}
            {time.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })}
            {isMine ? <Icon name="read" /> : null}
          </span>
          <Reactions message={first} snapshot={snapshot} client={client} />
        </div>
        <Keyboard message={first} snapshot={snapshot} client={client} />
      </div>
      <Actions message={first} isMine={isMine} client={client} as={me.key} onFocus={onFocus} />
    </article>
  );
}

/** What the message answers, as it reads now. */
function Reply({ message, snapshot, onJump }: { message: PageMessage; snapshot: Snapshot; onJump(id: number): void }) {
  const { reply } = message;
  if (reply === undefined) return null;
  const now = messageAt(snapshot.state, message.chat, reply.id);
  const author = snapshot.state.users.find(({ id }) => id === now?.from);
  const text = now !== undefined && !reply.quoted ? gist(now) : reply.text;
  return (
    <button
      type="button"
      class={`reply ${reply.quoted ? 'quoted' : ''}`}
      style={{ '--color': author?.color ?? '#8a9aa5' }}
      onClick={() => onJump(reply.id)}
    >
      <b>{now?.name ?? (reply.name || 'Deleted message')}</b>
      <span>{text}</span>
    </button>
  );
}

const EMOJI = ['👍', '👎', '👀', '🔥', '🎉', '🤔'];

interface ActionsProps {
  message: PageMessage;
  isMine: boolean;
  client: TelegramClient;
  as: Snapshot['me']['key'];
  onFocus(focus: Focus): void;
}

/** What can be done with a message; beside it while the pointer is there. */
function Actions({ message, isMine, client, as, onFocus }: ActionsProps) {
  const [picking, setPicking] = useState(false);
  const at = { as, chat: message.chat, id: message.id };
  return (
    <div class="actions">
      {picking ? (
        <span class="picker">
          {EMOJI.map((emoji) => (
            <button
              key={emoji}
              type="button"
              onClick={() => {
                setPicking(false);
                void client.attempt(() => api.react({ ...at, emoji }));
              }}
            >
              {emoji}
            </button>
          ))}
        </span>
      ) : null}
      <button type="button" title="Reply" onClick={() => onFocus({ kind: 'reply', message })}>
        <Icon name="reply" />
      </button>
      <button type="button" title="React" aria-expanded={picking} onClick={() => setPicking(!picking)}>
        <Icon name="smile" />
      </button>
      {isMine ? (
        <>
          <button type="button" title="Edit" onClick={() => onFocus({ kind: 'edit', message })}>
            <Icon name="edit" />
          </button>
          <button type="button" title="Delete" onClick={() => client.attempt(() => api.remove(at))}>
            <Icon name="remove" />
          </button>
        </>
      ) : null}
    </div>
  );
}

function Reactions({ message, snapshot, client }: { message: PageMessage; snapshot: Snapshot; client: TelegramClient }) {
  const { me, state } = snapshot;
  if (message.reactions.length === 0) return null;
  const emojis = [...new Set(message.reactions.map(({ emoji }) => emoji))];
  return (
    <span class="reactions">
      {emojis.map((emoji) => {
        const users = message.reactions.filter((one) => one.emoji === emoji).map(({ user }) => user);
        const mine = users.includes(me.id);
        const names = users.map((user) => state.users.find(({ id }) => id === user)?.name ?? '');
        const at = { as: me.key, chat: message.chat, id: message.id };
        return (
          <button
            key={emoji}
            type="button"
            class={mine ? 'mine' : ''}
            title={names.join(', ')}
            onClick={() => client.attempt(() => api.react({ ...at, emoji: mine ? null : emoji }))}
          >
            {emoji} {users.length}
          </button>
        );
      })}
    </span>
  );
}

/** What the bot is writing at this moment. */
export function DraftBubble({ draft, snapshot, client }: { draft: PageDraft; snapshot: Snapshot; client: TelegramClient }) {
  const isThinking = draft.text === '' && draft.blocks === undefined;
  return (
    <article class="message in first last draft">
      <div class="column">
        <div class="bubble">
          {isThinking ? <span class="thinking">Thinking…</span> : null}
          {draft.blocks === undefined ? null : (
            <RichBlocks blocks={draft.blocks} button={({ text }) => <b key={text}>{text}</b>} />
          )}
          <span class="words">
            <FormattedText text={draft.text} entities={draft.entities} />
          </span>
          <span class="cursor" />
        </div>
        {draft.can_stop ? (
          <div class="keyboard">
            <div class="keys">
              <button
                type="button"
                onClick={() => client.attempt(() => api.stopDraft({ as: snapshot.me.key, draft_id: draft.draft_id }))}
              >
                Stop
              </button>
            </div>
          </div>
        ) : null}
      </div>
    </article>
  );
}
