import { useEffect, useRef, useState } from 'preact/hooks';
import type { DiscordChannel, DiscordFile, DiscordMessage } from '../discord-page-api.ts';
import { api } from './api.ts';
import type { DiscordClient, Snapshot } from './client.ts';
import { nameOf } from './model.ts';
import { type Leaf, leavesIn, lineOf, matching, typedCommand } from './slash.ts';
import { SlashBar } from './slash-bar.tsx';

interface ComposerProps {
  channel: DiscordChannel;
  snapshot: Snapshot;
  client: DiscordClient;
  placeholder: string;
  reply: DiscordMessage | undefined;
  onReplyDone(): void;
  /** A text another part of the pane proposes; a new object each time. */
  proposal: { text: string } | undefined;
}

/** Where people type: messages with mentions and files, or a slash command. */
export function Composer({ channel, snapshot, client, placeholder, reply, onReplyDone, proposal }: ComposerProps) {
  const { state, as } = snapshot;
  const [text, setText] = useState('');
  const [command, setCommand] = useState<{ leaf: Leaf; rest: string } | undefined>(undefined);
  const [files, setFiles] = useState<DiscordFile[]>([]);
  const [ping, setPing] = useState(true);
  const [chosen, setChosen] = useState(0);
  const box = useRef<HTMLTextAreaElement>(null);
  const leaves = leavesIn(state, channel, as);
  const offers = offersFor(text, leaves, snapshot);

  function enter(next: string) {
    setChosen(0);
    const typed = typedCommand(leaves, next);
    setCommand(typed);
    setText(typed === undefined ? next : '');
  }

  useEffect(() => {
    if (proposal !== undefined) enter(proposal.text);
    box.current?.focus();
  }, [proposal]);
  useEffect(() => {
    if (reply !== undefined) box.current?.focus();
  }, [reply]);
  useEffect(() => {
    const area = box.current;
    if (area === null) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, 240)}px`;
  });

  async function send() {
    const typed = text.trim();
    if (typed === '' && files.length === 0) return;
    setText('');
    const body = { as, channel: channel.id, text: typed, files: files.map(({ id }) => id) };
    const whole = reply === undefined ? body : { ...body, reply_to: reply.id, ping };
    if (await client.attempt(() => api.post(whole))) {
      setFiles([]);
      onReplyDone();
    } else setText((now) => (now === '' ? typed : now));
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.isComposing) return;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const offer = offers[chosen];
    if (step !== 0 && offers.length > 0) {
      event.preventDefault();
      setChosen((chosen + step + offers.length) % offers.length);
    } else if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey && offer !== undefined) {
      event.preventDefault();
      enter(offer.becomes);
    } else if (event.key === 'Escape') {
      onReplyDone();
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      void send();
    }
  }

  if (!channel.writers.includes(as))
    return <p class="composer no-right">You do not have permission to send messages in this channel.</p>;
  if (channel.thread?.locked === true) return <p class="composer no-right">This thread is locked.</p>;
  if (command !== undefined) {
    return (
      <div class="composer">
        <SlashBar
          key={lineOf(command.leaf)}
          {...command}
          channel={channel.id}
          snapshot={snapshot}
          client={client}
          onLeave={(line) => {
            setCommand(undefined);
            setText(line);
          }}
          onSent={() => setCommand(undefined)}
        />
      </div>
    );
  }
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {offers.length === 0 ? null : (
        <div class="popover" role="listbox">
          <p class="popover-head">{text.startsWith('/') ? `Commands matching ${text}` : 'Members'}</p>
          {offers.map((offer, at) => (
            <button
              key={offer.becomes}
              type="button"
              role="option"
              aria-selected={at === chosen}
              class={at === chosen ? 'on' : ''}
              ref={(element) => {
                if (at === chosen) element?.scrollIntoView({ block: 'nearest' });
              }}
              onMouseDown={(event) => {
                event.preventDefault();
                enter(offer.becomes);
                box.current?.focus();
              }}
            >
              <span>
                <b>{offer.name}</b> {offer.options}
                <small>{offer.about}</small>
              </span>
              <span class="soft">{offer.from}</span>
            </button>
          ))}
        </div>
      )}
      {reply === undefined ? null : (
        <p class="replying">
          <span>
            Replying to <b>{nameOf(state, reply.author)}</b>
          </span>
          <button type="button" class={ping ? 'on' : ''} title="Notify the author" onClick={() => setPing(!ping)}>
            @ {ping ? 'ON' : 'OFF'}
          </button>
          <button type="button" title="Do not reply" onClick={onReplyDone}>
            ✕
          </button>
        </p>
      )}
      {files.length === 0 ? null : (
        <div class="attached">
          {files.map(({ id, name }) => (
            <span key={id}>
              {name}
              <button type="button" title="Remove" onClick={() => setFiles(files.filter((file) => file.id !== id))}>
                ✕
              </button>
            </span>
          ))}
        </div>
      )}
      <div class="composer-line">
        <label class="attach" title="Upload a file">
          +
          <input
            type="file"
            multiple
            onChange={async (event) => {
              const { currentTarget } = event;
              for (const file of currentTarget.files ?? [])
                await client.attempt(async () => {
                  const answer = await api.upload(as, file);
                  setFiles((now) => [...now, answer.file]);
                });
              currentTarget.value = '';
            }}
          />
        </label>
        <textarea
          ref={box}
          rows={1}
          value={text}
          placeholder={placeholder}
          aria-label={placeholder}
          onInput={(event) => enter(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" class="send" disabled={text.trim() === '' && files.length === 0} title="Send">
          ➤
        </button>
      </div>
    </form>
  );
}

interface Offer {
  becomes: string;
  name: string;
  options: string;
  about: string;
  from: string;
}

const SHOWN = 30;

/** Commands while one types `/…`, people while one types `@…`. */
function offersFor(text: string, leaves: Leaf[], { state }: Snapshot): Offer[] {
  if (/^\/[^\n]*$/.test(text)) {
    return matching(leaves, text)
      .slice(0, SHOWN)
      .map((leaf) => ({
        becomes: `${lineOf(leaf)} `,
        name: lineOf(leaf),
        options: leaf.options.map(({ name, required }) => (required === true ? name : `[${name}]`)).join(' '),
        about: leaf.description,
        from: state.app.name,
      }));
  }
  const mention = /(^|\s)@(\w*)$/.exec(text);
  if (mention === null) return [];
  const typed = (mention[2] ?? '').toLowerCase();
  return state.people
    .filter(({ name, username }) => username.startsWith(typed) || name.toLowerCase().startsWith(typed))
    .map(({ name, username, bot }) => ({
      becomes: `${text.slice(0, text.length - typed.length)}${username} `,
      name,
      options: '',
      about: '',
      from: bot ? 'APP' : username,
    }));
}
