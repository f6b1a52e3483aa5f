import { useState } from 'preact/hooks';
import type { PageChat } from '../telegram-page-api.ts';
import { api } from './api.ts';
import type { Snapshot, TelegramClient } from './client.ts';
import { Icon } from './icons.tsx';

interface MenuProps {
  chat: PageChat;
  snapshot: Snapshot;
  client: TelegramClient;
}

/** What a person can do with the chat itself. */
export function ChatMenu({ chat, snapshot, client }: MenuProps) {
  const [open, setOpen] = useState(false);
  const { me } = snapshot;
  const { name } = snapshot.state.bot;
  const item = (label: string, run: () => Promise<unknown>) => (
    <button
      key={label}
      type="button"
      role="menuitem"
      onClick={() => {
        setOpen(false);
        void client.attempt(run);
      }}
    >
      {label}
    </button>
  );
  const isThere = chat.bot_is !== 'absent';
  const items =
    chat.kind === 'private'
      ? chat.state === 'open'
        ? [item('Block bot', () => api.block({ as: me.key, on: true }))]
        : []
      : [
          item(isThere ? `Remove ${name} from the group` : `Add ${name} to the group`, () =>
            api.bot({ as: me.key, chat: chat.id, on: !isThere }),
          ),
          ...(chat.kind === 'group'
            ? [
                item('Upgrade to a supergroup', async () => {
                  const to = await api.migrate({ as: me.key, chat: chat.id });
                  client.go({ chat: to.chat, topic: undefined });
                }),
              ]
            : []),
        ];
  if (items.length === 0) return null;
  return (
    <div class="menu">
      <button type="button" class="round" title="Menu" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="more" />
      </button>
      {open ? (
        <div class="menu-items" role="menu">
          {items}
        </div>
      ) : null}
    </div>
  );
}
