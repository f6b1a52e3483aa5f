import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { DiscordChoice, DiscordOption } from '../discord-page-api.ts';
import { api } from './api.ts';
import type { DiscordClient, Snapshot } from './client.ts';
import { choicesFor, type Leaf, lineOf, missing, optionsToSend, type Values } from './slash.ts';

interface SlashBarProps {
  leaf: Leaf;
  /** What was typed after the command: goes into the first option. */
  rest: string;
  channel: string;
  snapshot: Snapshot;
  client: DiscordClient;
  /** Back to text. */
  onLeave(text: string): void;
  onSent(): void;
}

const ASK_MS = 120;

/** A chosen slash command with a field for each option, as the client shows it. */
export function SlashBar({ leaf, rest, channel, snapshot, client, onLeave, onSent }: SlashBarProps) {
  const [values, setValues] = useState<Values>(() => firstValues(leaf, rest));
  const [open, setOpen] = useState<string[]>(() => firstOpen(leaf));
  const [active, setActive] = useState<string | undefined>(open[0]);
  const [choices, setChoices] = useState<DiscordChoice[]>([]);
  const [chosen, setChosen] = useState(-1);
  const bar = useRef<HTMLDivElement>(null);
  const option = leaf.options.find(({ name }) => name === active);
  const typed = (active === undefined ? undefined : values[active]?.shown) ?? '';
  const hidden = leaf.options.filter(({ name }) => !open.includes(name));
  const { state, as } = snapshot;

  // Before the next key comes: what is typed on at once must not get lost.
  useLayoutEffect(() => {
    const field = bar.current?.querySelector<HTMLElement>(active === undefined ? '.slash-end' : `[data-option="${active}"]`);
    field?.focus();
  }, [active]);

  useEffect(() => {
    setChosen(-1);
    setChoices([]);
    if (option === undefined) return;
    const fixed = choicesFor(option, state);
    if (fixed !== undefined) {
      const lower = typed.toLowerCase();
      setChoices(fixed.filter(({ name }) => name.toLowerCase().includes(lower)).slice(0, 25));
      return;
    }
    if (option.autocomplete !== true) return;
    let late = false;
    const timer = setTimeout(async () => {
      const others = optionsToSend(leaf, { ...values, [option.name]: { shown: '', value: '' } });
      const options = typed === '' ? others : { ...others, [option.name]: typed };
      const answer = await api.complete({ as, channel, path: leaf.path, options, focused: option.name }).catch(() => undefined);
      if (!late && answer !== undefined) setChoices(answer.choices);
    }, ASK_MS);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [option, typed, as, channel]);

  const fill = (name: string, shown: string, value: string | number | boolean = shown) =>
    setValues((now) => ({ ...now, [name]: { shown, value } }));

  function take(choice: DiscordChoice) {
    if (option === undefined) return;
    fill(option.name, choice.name, choice.value);
    next();
  }

  function next() {
    const at = open.indexOf(active ?? '');
    const following = open[at + 1];
    if (following === undefined && hidden[0] !== undefined && active !== undefined && hidden[0].required !== true)
      setActive(undefined);
    else setActive(following);
  }

  function show(name: string) {
    setOpen([...open, name]);
    setActive(name);
  }

  async function send() {
    const lacking = missing(leaf, values);
    if (lacking !== undefined) {
      client.say(`${lacking.name}: this option is required. Specify a value.`);
      setActive(lacking.name);
      return;
    }
    onSent();
    const options = optionsToSend(leaf, values);
    await client.command({ channel, command: lineOf(leaf) }, () => api.slash({ as, channel, path: leaf.path, options }));
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.isComposing) return;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const choice = choices[chosen];
    if (step !== 0 && choices.length > 0) {
      event.preventDefault();
      setChosen((chosen + step + choices.length + (chosen < 0 && step < 0 ? 1 : 0)) % choices.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      const isFixed = option !== undefined && choicesFor(option, state) !== undefined;
      if (choice !== undefined) take(choice);
      else if (isFixed && typed !== '' && choices[0] !== undefined && choices[0].name !== typed) take(choices[0]);
      else void send();
    } else if (event.key === 'Tab' && !event.shiftKey) {
      event.preventDefault();
      if (choice !== undefined) take(choice);
      else if (choices[0] !== undefined && typed !== '' && choices[0].name !== typed) take(choices[0]);
      else if (open.indexOf(active ?? '') === open.length - 1 && hidden[0] !== undefined) show(hidden[0].name);
      else next();
    } else if (event.key === 'Escape' || (event.key === 'Backspace' && typed === '')) {
      event.preventDefault();
      onLeave(lineOf(leaf));
    }
  }

  return (
    <div class="slash" ref={bar}>
      <div class="popover" role="listbox">
        {option === undefined ? null : (
          <p class="popover-head">
            <b>{option.name}</b> {option.description}
            {option.required === true ? null : <em>optional</em>}
          </p>
        )}
        {choices.map((choice, at) => (
          <button
            key={`${choice.value}`}
            type="button"
            role="option"
            aria-selected={at === chosen}
            class={at === chosen ? 'on' : ''}
            onMouseDown={(event) => {
              event.preventDefault();
              take(choice);
            }}
          >
            {choice.name}
          </button>
        ))}
        {hidden.map((more) => (
          <button
            key={more.name}
            type="button"
            class="more-option"
            onMouseDown={(event) => {
              event.preventDefault();
              show(more.name);
            }}
          >
            <span class="pill">{more.name}</span> {more.description}
          </button>
        ))}
      </div>
      <div class="slash-line">
        <span class="slash-name">{lineOf(leaf)}</span>
        {open.map((name) => {
          const own = leaf.options.find((entry) => entry.name === name);
          return own === undefined ? null : (
            <Field
              key={name}
              option={own}
              shown={values[name]?.shown ?? ''}
              here={name === active}
              onFocus={() => setActive(name)}
              onKeyDown={onKeyDown}
              onText={(text) => fill(name, text)}
              onFile={async (file) => {
                await client.attempt(async () => {
                  const answer = await api.upload(as, file);
                  fill(name, answer.file.name, answer.file.id);
                });
              }}
            />
          );
        })}
        <button
          type="button"
          class="slash-end"
          onKeyDown={onKeyDown}
          onClick={() => hidden[0] !== undefined && show(hidden[0].name)}
        >
          {hidden.length === 0 ? '' : `+${hidden.length} optional`}
        </button>
        <button type="button" class="send" title="Send" onClick={() => void send()}>
          ➤
        </button>
      </div>
    </div>
  );
}

interface FieldProps {
  option: DiscordOption;
  shown: string;
  here: boolean;
  onFocus(): void;
  onKeyDown(event: KeyboardEvent): void;
  onText(text: string): void;
  onFile(file: File): void;
}

function Field({ option, shown, here, onFocus, onKeyDown, onText, onFile }: FieldProps) {
  if (option.type === 11) {
    return (
      <label class={`field ${here ? 'here' : ''}`}>
        <span>{option.name}</span>
        {shown === '' ? 'Choose a file' : shown}
        <input
          type="file"
          data-option={option.name}
          onFocus={onFocus}
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            if (file !== undefined) onFile(file);
          }}
        />
      </label>
    );
  }
  return (
    <label class={`field ${here ? 'here' : ''}`}>
      <span>{option.name}</span>
      <input
        type="text"
        data-option={option.name}
        value={shown}
        size={Math.max(4, Math.min(60, shown.length + 1))}
        autocomplete="off"
        onFocus={onFocus}
        onKeyDown={onKeyDown}
        onInput={(event) => onText(event.currentTarget.value)}
      />
    </label>
  );
}

function firstOpen(leaf: Leaf): string[] {
  const required = leaf.options.filter((option) => option.required === true);
  return (required.length > 0 ? required : leaf.options.slice(0, 1)).map(({ name }) => name);
}

function firstValues(leaf: Leaf, rest: string): Values {
  const [first] = firstOpen(leaf);
  return first === undefined || rest === '' ? {} : { [first]: { shown: rest, value: rest } };
}
