import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { api } from './api.ts';
import type { MessageProps } from './message.tsx';
import { channelOf } from './model.ts';
import { offeredIn } from './slash.ts';

const QUICK = ['👍', '👀', '✅'];

interface ToolsProps extends MessageProps {
  onEdit(): void;
}

/** The bar that floats over a message, with the menu behind it. */
export function MessageTools(props: ToolsProps) {
  const { message, snapshot, client } = props;
  const [open, setOpen] = useState(false);
  if (message.visible_to !== undefined) return null;
  const isMine = message.author === snapshot.as && (message.type === 0 || message.type === 19);
  return (
    <div class={`tools ${open ? 'open' : ''}`}>
      {QUICK.map((emoji) => (
        <button
          key={emoji}
          type="button"
          title={`React with ${emoji}`}
          onClick={() => client.attempt(() => api.react({ as: snapshot.as, id: message.id, emoji, action: 'add' }))}
        >
          {emoji}
        </button>
      ))}
      {isMine ? (
        <button type="button" title="Edit" onClick={props.onEdit}>
          ✎
        </button>
      ) : (
        <button type="button" title="Reply" onClick={() => props.onReply(message)}>
          ↩
        </button>
      )}
      <button type="button" title="More" aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
        ⋯
      </button>
      {open ? <Menu {...props} isMine={isMine} onClose={() => setOpen(false)} /> : null}
    </div>
  );
}

function Menu({
  message,
  snapshot,
  client,
  isMine,
  onReply,
  onEdit,
  onClose,
}: ToolsProps & { isMine: boolean; onClose(): void }) {
  const { state, as } = snapshot;
  const [naming, setNaming] = useState<string | undefined>(undefined);
  const menu = useRef<HTMLDivElement>(null);
  const [isUp, setUp] = useState(false);
  useLayoutEffect(() => {
    const room = menu.current?.closest('.messages')?.getBoundingClientRect();
    const own = menu.current?.getBoundingClientRect();
    // Below the last messages there is no room; the list would cut the menu off.
    if (room !== undefined && own !== undefined) setUp(own.bottom > room.bottom && own.top - own.height > room.top);
  }, []);
  useEffect(() => {
    const away = (event: MouseEvent) => {
      if (event.target instanceof Node && !menu.current?.contains(event.target)) onClose();
    };
    document.addEventListener('mousedown', away);
    return () => document.removeEventListener('mousedown', away);
  });
  const channel = channelOf(state, message.channel);
  const apps = channel === undefined ? [] : offeredIn(state, channel, as, 3);
  const item = (label: string, run: () => void, kind = '') => (
    <button
      key={label}
      type="button"
      role="menuitem"
      class={kind}
      onClick={() => {
        onClose();
        run();
      }}
    >
      {label}
    </button>
  );
  if (naming !== undefined) {
    return (
      <div class={`menu ${isUp ? 'up' : ''}`} ref={menu}>
        <form
          onSubmit={async (event) => {
            event.preventDefault();
            const name = naming.trim();
            await client.attempt(async () => {
              const answer = await api.thread({ as, channel: message.channel, name, message: message.id });
              client.go({ thread: answer.channel.id });
            });
            onClose();
          }}
        >
          <input
            type="text"
            required
            maxLength={100}
            placeholder="Thread name"
            value={naming}
            onInput={(event) => setNaming(event.currentTarget.value)}
          />
          <button type="submit" class="button primary">
            Create
          </button>
        </form>
      </div>
    );
  }
  return (
    <div class={`menu ${isUp ? 'up' : ''}`} role="menu" ref={menu}>
      {item('Reply', () => onReply(message))}
      {isMine ? item('Edit Message', onEdit) : null}
      {channel?.kind === 'text' && !message.has_thread ? (
        <button type="button" role="menuitem" onClick={() => setNaming(message.content.slice(0, 40))}>
          Create Thread
        </button>
      ) : null}
      {apps.length === 0 ? null : (
        <div class="apps">
          <p>Apps</p>
          {apps.map(({ name }) =>
            item(name, () => {
              const send = () => api.messageCommand({ as, id: message.id, name });
              void client.command({ channel: message.channel, command: name }, send);
            }),
          )}
        </div>
      )}
      {isMine ? item('Delete Message', () => void client.attempt(() => api.remove({ as, id: message.id })), 'danger') : null}
    </div>
  );
}
