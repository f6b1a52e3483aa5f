import { useEffect, useRef, useState } from 'preact/hooks';
import type { LabFile, LabState } from '../page-api.ts';
import { api } from './api.ts';
import type { LabClient } from './client.ts';
import type { Place } from './model.ts';

interface ComposerProps {
  state: LabState;
  place: Place;
  client: LabClient;
  /** Set in a thread pane. */
  thread?: string | undefined;
  placeholder: string;
  /** A text another part of the page proposes; a new object each time. */
  proposal?: { text: string } | undefined;
}

interface Choice {
  /** Replaces the whole text. */
  value: string;
  label: string;
  hint: string;
}

/** Where people type. Completes slash commands (with the app's own completions) and mentions. */
export function Composer({ state, place, client, thread, placeholder, proposal }: ComposerProps) {
  const [text, setText] = useState('');
  const [files, setFiles] = useState<LabFile[]>([]);
  const [broadcast, setBroadcast] = useState(false);
  const [choices, setChoices] = useState<Choice[]>([]);
  const [chosen, setChosen] = useState(-1);
  const box = useRef<HTMLTextAreaElement>(null);
  const sent = useRef<string[]>([]);

  useEffect(() => {
    if (proposal === undefined) return;
    setText(proposal.text);
    box.current?.focus();
  }, [proposal]);

  useEffect(() => {
    setChosen(-1);
    const local = localChoices(state, text);
    setChoices(local);
    const command = state.commands.find(({ command: name }) => text.startsWith(`${name} `));
    if (command === undefined || thread !== undefined) return;
    let late = false;
    const timer = setTimeout(async () => {
      const args = text.slice(command.command.length + 1);
      const answer = await api.complete(place.as, place.channel, command.command, args).catch(() => undefined);
      if (late || answer === undefined) return;
      setChoices(
        answer.completions.slice(0, 8).map(({ value, hint }) => ({ value: `${command.command} ${value}`, label: value, hint })),
      );
    }, 90);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [text, state.commands, state.people, place.as, place.channel, thread]);

  useEffect(() => {
    const area = box.current;
    if (area === null) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, 220)}px`;
  });

  function take(choice: Choice) {
    setText(choice.value.endsWith(' ') ? choice.value : `${choice.value} `);
    setChosen(-1);
    box.current?.focus();
  }

  async function send() {
    const typed = text.trim();
    if (typed === '' && files.length === 0) return;
    sent.current.push(typed);
    setText('');
    setChoices([]);
    const [word = ''] = typed.split(/\s/, 1);
    const isCommand = state.commands.some(({ command }) => command === word);
    const ok = await client.attempt(() =>
      isCommand
        ? api.slash({
            as: place.as,
            channel: place.channel,
            thread_ts: thread,
            command: word,
            text: typed.slice(word.length).trim(),
          })
        : api.post({
            as: place.as,
            channel: place.channel,
            text: typed,
            thread_ts: thread,
            broadcast,
            files: files.map(({ id }) => id),
          }),
    );
    if (ok) setFiles([]);
    else setText((now) => (now === '' ? typed : now));
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.isComposing) return;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && choices.length > 0) {
      event.preventDefault();
      setChosen((chosen + step + choices.length + (chosen < 0 && step < 0 ? 1 : 0)) % choices.length);
    } else if (step < 0 && text === '' && sent.current.length > 0) {
      event.preventDefault();
      setText(sent.current.at(-1) ?? '');
    } else if (event.key === 'Tab' && choices.length > 0 && !event.shiftKey) {
      event.preventDefault();
      const choice = choices[Math.max(chosen, 0)];
      if (choice !== undefined) take(choice);
    } else if (event.key === 'Escape') {
      setChoices([]);
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      const choice = choices[chosen];
      if (choice === undefined) void send();
      else take(choice);
    }
  }

  const listId = thread === undefined ? 'choices' : 'choices-thread';
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {choices.length === 0 ? null : (
        <div class="choices-list" id={listId} role="listbox">
          {choices.map((choice, at) => (
            <div
              key={choice.value}
              role="option"
              tabIndex={-1}
              aria-selected={at === chosen}
              class={at === chosen ? 'chosen' : ''}
              onMouseDown={(event) => {
                event.preventDefault();
                take(choice);
              }}
            >
              <code>{choice.label}</code>
              <span>{choice.hint}</span>
            </div>
          ))}
          <p class="choices-help">Tab to complete · ↑↓ to choose · Enter to send</p>
        </div>
      )}
      {files.length === 0 ? null : (
        <div class="attached">
          {files.map(({ id, name }) => (
            <span key={id}>
              {name}
              <button type="button" title="Remove" onClick={() => setFiles(files.filter((file) => file.id !== id))}>
                ×
              </button>
            </span>
          ))}
        </div>
      )}
      <textarea
        ref={box}
        rows={1}
        value={text}
        placeholder={placeholder}
        aria-label={placeholder}
        aria-autocomplete="list"
        aria-controls={listId}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <div class="composer-bar">
        <label class="attach" title="Attach a file">
          +
          <input
            type="file"
            multiple
            onChange={async (event) => {
              const { currentTarget } = event;
              for (const file of currentTarget.files ?? []) {
                await client.attempt(async () => {
                  const answer = await api.upload(place.as, file);
                  setFiles((now) => [...now, answer.file]);
                });
              }
              currentTarget.value = '';
            }}
          />
        </label>
        {thread === undefined ? null : (
          <label class="broadcast">
            <input type="checkbox" checked={broadcast} onChange={(event) => setBroadcast(event.currentTarget.checked)} /> Also
            send to the channel
          </label>
        )}
        <button type="submit" class="send" disabled={text.trim() === '' && files.length === 0} title="Send">
          ➤
        </button>
      </div>
    </form>
  );
}

function localChoices(state: LabState, text: string): Choice[] {
  if (/^\/\S*$/.test(text)) {
    return state.commands
      .filter(({ command }) => command.startsWith(text))
      .map(({ command, usage_hint, description }) => ({ value: command, label: `${command} ${usage_hint}`, hint: description }));
  }
  const mention = /(^|\s)@(\w*)$/.exec(text);
  if (mention === null) return [];
  const typed = (mention[2] ?? '').toLowerCase();
  return state.people
    .filter(({ name, real_name }) => name.toLowerCase().startsWith(typed) || real_name.toLowerCase().startsWith(typed))
    .map(({ name, real_name, is_bot }) => ({
      value: `${text.slice(0, text.length - typed.length)}${is_bot ? real_name : name}`,
      label: `@${is_bot ? real_name : name}`,
      hint: is_bot ? 'App' : real_name,
    }));
}
