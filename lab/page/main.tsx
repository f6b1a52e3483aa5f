import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { mount as mountDiscord } from '../page-discord/pane.tsx';
import { type PersonKey, people } from '../page-person.ts';
import { mount as mountTelegram } from '../page-telegram/pane.tsx';
import { Channel, Thread } from './channel.tsx';
import { LabClient, type Snapshot, useSnapshot } from './client.ts';
import { People, Sidebar } from './sidebar.tsx';
import { Home, Modal } from './views.tsx';

const tabs = [
  ['slack', 'Slack'],
  ['telegram', 'Telegram'],
  ['discord', 'Discord'],
  ['all', 'Side by side'],
] as const;
type Tab = (typeof tabs)[number][0];

const client = new LabClient();

function Lab() {
  const snapshot = useSnapshot(client);
  const [tab, setTab] = useState(rememberedTab);
  if (snapshot === undefined) return <p class="loading">Connecting to Deckhand…</p>;
  const { notices, online } = snapshot;
  const person = personOf(snapshot);
  const show = (next: Tab) => {
    localStorage.setItem('tab', next);
    setTab(next);
  };
  return (
    <div class="lab">
      <header class="top">
        <span class="brand" title="Platforms that run on this machine. Nothing here leaves it.">
          <b>Deckhand</b> lab
        </span>
        <div class="tabs" role="tablist">
          {tabs.map(([key, name]) => (
            <button key={key} type="button" role="tab" aria-selected={tab === key} onClick={() => show(key)}>
              {name}
            </button>
          ))}
        </div>
        <a
          class="elsewhere"
          href={`/lab/github?as=${person}`}
          target="_blank"
          rel="noopener"
          title="Pull requests of the demo project, in a tab of their own"
        >
          GitHub ↗
        </a>
        <People snapshot={snapshot} client={client} />
      </header>
      <div class="panes">
        <section class="slack" hidden={tab !== 'slack' && tab !== 'all'}>
          <Slack snapshot={snapshot} />
        </section>
        <Foreign mount={mountTelegram} person={person} shown={tab === 'telegram' || tab === 'all'} />
        <Foreign mount={mountDiscord} person={person} shown={tab === 'discord' || tab === 'all'} />
      </div>
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

function Slack({ snapshot }: { snapshot: Snapshot }) {
  const { state, place } = snapshot;
  const parts = { state, place, client };
  return (
    <div class={`page ${place.thread === undefined ? '' : 'with-thread'}`}>
      <Sidebar snapshot={snapshot} client={client} />
      {place.channel === 'home' ? <Home key={place.as} {...parts} /> : <Channel {...parts} />}
      <Thread key={place.thread} {...parts} />
      <Modal {...parts} />
    </div>
  );
}

interface ForeignProps {
  mount: typeof mountTelegram;
  person: PersonKey;
  shown: boolean;
}

/** A platform whose pane is an application of its own. It starts when it is first shown, and goes on unseen. */
function Foreign({ mount, person, shown }: ForeignProps) {
  const root = useRef<HTMLElement>(null);
  const pane = useRef<ReturnType<typeof mount>>(undefined);
  useEffect(() => {
    if (shown && root.current !== null) pane.current ??= mount(root.current, person);
  }, [shown]);
  useEffect(() => pane.current?.setPerson(person), [person]);
  useEffect(() => () => pane.current?.unmount(), []);
  return <section ref={root} hidden={!shown} />;
}

function personOf({ state, place }: Snapshot): PersonKey {
  const name = state.people.find(({ id }) => id === place.as)?.name;
  return people.find((one) => one === name) ?? people[0];
}

function rememberedTab(): Tab {
  const remembered = localStorage.getItem('tab');
  return tabs.find(([key]) => key === remembered)?.[0] ?? 'slack';
}

const root = document.getElementById('lab');
if (root === null) throw new Error('the page has no #lab');
render(<Lab />, root);
void client.start();
