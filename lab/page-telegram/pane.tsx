import { render } from 'preact';
import type { PersonKey } from '../page-person.ts';
import { ChatList } from './chat-list.tsx';
import { TelegramClient, useSnapshot } from './client.ts';
import { Conversation } from './conversation.tsx';

function Pane({ client }: { client: TelegramClient }) {
  const snapshot = useSnapshot(client);
  if (snapshot === undefined) return <p class="loading">Connecting…</p>;
  const { toast, alert, online, place } = snapshot;
  return (
    <div class="window">
      <ChatList snapshot={snapshot} client={client} />
      <Conversation key={`${place.chat} ${place.topic ?? ''} ${snapshot.me.id}`} snapshot={snapshot} client={client} />
      {toast === undefined ? null : (
        <p class="toast" role="status">
          {toast}
        </p>
      )}
      {online ? null : (
        <p class="toast" role="status">
          Connecting to Deckhand…
        </p>
      )}
      {alert === undefined ? null : (
        <div class="shade">
          <div class="alert" role="alertdialog" aria-label="Alert">
            <p>{alert}</p>
            <button type="button" ref={(element) => element?.focus()} onClick={() => client.alert(undefined)}>
              OK
            </button>
          </div>
        </div>
      )}
    </div>
  );
}

/** Shows Telegram in `root`, which it fills, as one person sees it. */
export function mount(root: HTMLElement, person: PersonKey): { setPerson(person: PersonKey): void; unmount(): void } {
  const client = new TelegramClient(person);
  root.classList.add('telegram');
  render(<Pane client={client} />, root);
  void client.start();
  return {
    setPerson: (next) => client.setPerson(next),
    unmount() {
      client.close();
      render(null, root);
    },
  };
}
