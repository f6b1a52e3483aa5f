import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { PageChat, PageMessage } from '../telegram-page-api.ts';
import { Bubble, DraftBubble } from './bubble.tsx';
import type { Snapshot, TelegramClient } from './client.ts';
import type { Focus } from './conversation.tsx';
import { Icon } from './icons.tsx';

interface MessagesProps {
  chat: PageChat;
  messages: PageMessage[];
  snapshot: Snapshot;
  client: TelegramClient;
  onFocus(focus: Focus): void;
  onCommand(command: string): void;
}

/** How many messages are drawn at first, and how many more each time. */
const STEP = 150;
/** Messages of one author closer together than this stand as one group. Seconds. */
const TOGETHER = 300;

/** The list, kept at the bottom while the person is there. */
export function Messages({ chat, messages, snapshot, client, onFocus, onCommand }: MessagesProps) {
  const [count, setCount] = useState(STEP);
  const list = useRef<HTMLDivElement>(null);
  const atBottom = useRef(true);
  const [below, setBelow] = useState(false);
  const { state, me, place } = snapshot;
  const draft = state.drafts.find((one) => one.chat === chat.id && one.topic === place.topic);

  useLayoutEffect(() => {
    const element = list.current;
    if (element !== null && atBottom.current) element.scrollTop = element.scrollHeight;
  });
  useEffect(() => {
    if (!atBottom.current) setBelow(true);
  }, [messages.length]);

  function jump(id: number) {
    const element = list.current?.querySelector(`[data-id="${id}"]`);
    element?.scrollIntoView({ block: 'center', behavior: 'smooth' });
    element?.classList.remove('flash');
    requestAnimationFrame(() => element?.classList.add('flash'));
  }

  const groups = albumsOf(messages.slice(-count));
  return (
    <div class="frame">
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
        {messages.length > count ? (
          <button type="button" class="service" onClick={() => setCount(count + STEP)}>
            Show earlier messages
          </button>
        ) : null}
        {messages.length === 0 && draft === undefined ? <Empty chat={chat} snapshot={snapshot} /> : null}
        {groups.map((album, at) => {
          const [message] = album;
          if (message === undefined) return null;
          const before = groups[at - 1]?.[0];
          const isNewDay = before === undefined || dayOf(before) !== dayOf(message);
          return (
            <div key={`${message.chat} ${message.id}`}>
              {isNewDay ? <p class="service day">{dayOf(message)}</p> : null}
              {message.service !== undefined ? (
                <p class="service" data-id={message.id}>
                  {message.service}
                </p>
              ) : (
                <Bubble
                  album={album}
                  chat={chat}
                  snapshot={snapshot}
                  client={client}
                  isFirst={isNewDay || !isTogether(before, message)}
                  isLast={!isTogether(message, groups[at + 1]?.[0])}
                  isMine={message.from === me.id}
                  onFocus={onFocus}
                  onCommand={onCommand}
                  onJump={jump}
                />
              )}
            </div>
          );
        })}
        {draft === undefined ? null : <DraftBubble draft={draft} snapshot={snapshot} client={client} />}
      </div>
      {below ? (
        <button
          type="button"
          class="to-bottom"
          title="Newest messages"
          onClick={() => {
            atBottom.current = true;
            setBelow(false);
          }}
        >
          <Icon name="down" />
        </button>
      ) : null}
    </div>
  );
}

function Empty({ chat, snapshot }: { chat: PageChat; snapshot: Snapshot }) {
  const { bot } = snapshot.state;
  return (
    <div class="empty">
      <b>{chat.kind === 'private' ? 'What can this bot do?' : `This is ${chat.title}`}</b>
      <p>
        {chat.kind === 'private'
          ? bot.description ||
            `${bot.name} hands coding and ops work to agents and commands. Press Start, or type / for its commands.`
          : chat.bot_is === 'absent'
            ? `${bot.name} is not in this group. Add it from the menu above.`
            : `Type / for commands, or write @${bot.username} and what you want.`}
      </p>
    </div>
  );
}

/** Messages of one album as one, everything else alone. */
function albumsOf(messages: readonly PageMessage[]): PageMessage[][] {
  const groups: PageMessage[][] = [];
  for (const message of messages) {
    const last = groups.at(-1);
    if (last !== undefined && message.album !== undefined && last[0]?.album === message.album) last.push(message);
    else groups.push([message]);
  }
  return groups;
}

function isTogether(one: PageMessage | undefined, next: PageMessage | undefined): boolean {
  if (one === undefined || next === undefined || one.service !== undefined || next.service !== undefined) return false;
  return one.from === next.from && one.as_group === next.as_group && next.date - one.date < TOGETHER;
}

function dayOf({ date }: PageMessage): string {
  return new Date(date * 1000).toLocaleDateString(undefined, { month: 'long', day: 'numeric' });
}
