import { render } from 'preact';
import { Channel, Thread } from './channel.tsx';
import { LabClient, useSnapshot } from './client.ts';
import { People, Sidebar } from './sidebar.tsx';
import { Home, Modal } from './views.tsx';

const client = new LabClient();

function Page() {
  const snapshot = useSnapshot(client);
  if (snapshot === undefined) return <p class="loading">Connecting to Deckhand…</p>;
  const { state, place, notices, online } = snapshot;
  const parts = { state, place, client };
  return (
    <div class={`page ${place.thread === undefined ? '' : 'with-thread'}`}>
      <header class="top">
        <span class="brand">
          <b>Deckhand</b> lab
        </span>
        <span class="what">A Slack that runs on this machine. Nothing here leaves it.</span>
        <People snapshot={snapshot} client={client} />
      </header>
      <Sidebar snapshot={snapshot} client={client} />
      {place.channel === 'home' ? <Home key={place.as} {...parts} /> : <Channel {...parts} />}
      <Thread key={place.thread} {...parts} />
      <Modal {...parts} />
      {online ? null : (
        <p class="offline" role="status">
          Deckhand does not answer. Start it again: this page goes on where it was.
        </p>
      )}
      <div class="notices" role="status">
        {notices.map(({ id, tone, text }) => (
          <p key={id} class={tone}>
            {text}
            <button type="button" title="Dismiss" onClick={() => client.dismiss(id)}>
              ×
            </button>
          </p>
        ))}
      </div>
    </div>
  );
}

const root = document.getElementById('lab');
if (root === null) throw new Error('the page has no #lab');
render(<Page />, root);
void client.start();
