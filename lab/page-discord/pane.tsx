import { render } from 'preact';
import { useState } from 'preact/hooks';
import type { PersonKey } from '../page-person.ts';
import { DiscordClient, useSnapshot } from './client.ts';
import { Channel, Thread } from './conversation.tsx';
import { Modal } from './modal.tsx';
import { Sidebar } from './sidebar.tsx';

/** Shows Discord in `root`, which it fills. */
export function mount(root: HTMLElement, person: PersonKey): { setPerson(person: PersonKey): void; unmount(): void } {
  const client = new DiscordClient(person);
  render(<Pane client={client} />, root);
  void client.start();
  return {
    setPerson: (next) => client.setPerson(next),
    unmount() {
      client.stop();
      render(null, root);
    },
  };
}

function Pane({ client }: { client: DiscordClient }) {
  const snapshot = useSnapshot(client);
  const [bars, setBars] = useState(false);
  if (snapshot === undefined) {
    return (
      <div class="discord">
        <p class="loading">Connecting to Deckhand…</p>
      </div>
    );
  }
  return (
    <div class="discord">
      <div class={`window ${snapshot.place.thread === undefined ? '' : 'has-thread'}`}>
        <Sidebar snapshot={snapshot} client={client} open={bars} onDone={() => setBars(false)} />
        {bars ? <button type="button" class="veil" title="Close" onClick={() => setBars(false)} /> : null}
        <Channel snapshot={snapshot} client={client} onMenu={() => setBars(true)} />
        <Thread snapshot={snapshot} client={client} />
      </div>
      <Modal snapshot={snapshot} client={client} />
      {snapshot.online ? null : (
        <p class="offline" role="status">
          Deckhand does not answer. Start it again: this page goes on where it was.
        </p>
      )}
      <div class="notices" role="status">
        {snapshot.notices.map(({ id, text }) => (
          <p key={id}>
            {text}
            <button type="button" title="Dismiss" onClick={() => client.dismiss(id)}>
              ✕
            </button>
          </p>
        ))}
      </div>
    </div>
  );
}
