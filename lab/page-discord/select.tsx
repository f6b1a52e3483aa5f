import { useEffect, useRef, useState } from 'preact/hooks';
import type { DiscordPart, DiscordState } from '../discord-page-api.ts';
import { list, record, text } from '../page/json.ts';

interface Option {
  value: string;
  label: string;
  description: string;
  emoji: string;
}

interface SelectProps {
  part: DiscordPart;
  state: DiscordState;
  /** What is chosen now, where the caller keeps it (forms); else what the app marked as default. */
  chosen?: string[] | undefined;
  onChosen(values: string[]): void | Promise<void>;
}

/** A select menu: one choice is sent at once, several when the menu closes. */
export function Select({ part, state, chosen, onChosen }: SelectProps) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [picked, setPicked] = useState<string[] | undefined>(undefined);
  const box = useRef<HTMLDivElement>(null);
  const options = optionsOf(part, state);
  const max = typeof part.max_values === 'number' ? part.max_values : 1;
  const min = typeof part.min_values === 'number' ? part.min_values : 1;
  const initial = chosen ?? defaultsOf(part);
  const current = picked ?? initial;

  async function send(values: string[]) {
    setOpen(false);
    setBusy(true);
    await onChosen(values);
    setPicked(undefined);
    setBusy(false);
  }

  function close() {
    setOpen(false);
    const isChanged = picked !== undefined && picked.join('\n') !== initial.join('\n');
    if (max > 1 && isChanged && picked.length >= min) void send(picked);
    else setPicked(undefined);
  }

  useEffect(() => {
    if (!open) return;
    const away = (event: MouseEvent) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) close();
    };
    document.addEventListener('mousedown', away);
    return () => document.removeEventListener('mousedown', away);
  });

  function toggle(value: string) {
    if (max === 1) {
      void send(current.includes(value) && min === 0 ? [] : [value]);
      return;
    }
    const next = current.includes(value) ? current.filter((one) => one !== value) : [...current, value];
    if (next.length <= max) setPicked(next);
  }

  const shown = options.filter(({ value }) => current.includes(value)).map(({ label }) => label);
  return (
    <div class="select" ref={box}>
      <button
        type="button"
        class={`select-box ${shown.length === 0 ? 'empty' : ''}`}
        disabled={busy || part.disabled === true}
        aria-haspopup="listbox"
        aria-expanded={open}
        onClick={() => (open ? close() : setOpen(true))}
        onKeyDown={(event) => {
          if (event.key === 'Escape') close();
        }}
      >
        <span>{shown.join(', ') || text(part.placeholder) || 'Make a selection'}</span>
        <span class="chevron">{open ? '⌃' : '⌄'}</span>
      </button>
      {open ? (
        <div class="select-list" role="listbox" aria-multiselectable={max > 1}>
          {options.map((option) => {
            const isOn = current.includes(option.value);
            return (
              <button
                key={option.value}
                type="button"
                role="option"
                aria-selected={isOn}
                class={isOn ? 'on' : ''}
                onClick={() => toggle(option.value)}
              >
                {option.emoji === '' ? null : <span class="emoji">{option.emoji}</span>}
                <span>
                  {option.label}
                  {option.description === '' ? null : <small>{option.description}</small>}
                </span>
                {max > 1 || isOn ? <span class="tick">{isOn ? '☑' : '☐'}</span> : null}
              </button>
            );
          })}
        </div>
      ) : null}
    </div>
  );
}

function defaultsOf(part: DiscordPart): string[] {
  const marked = list(part.options).filter((option) => option.default === true);
  return [...marked.map(({ value }) => text(value)), ...list(part.default_values).map(({ id }) => text(id))];
}

/** Options of the app, or the people, roles and channels of the guild. */
function optionsOf(part: DiscordPart, state: DiscordState): Option[] {
  const people = state.people.map(({ id, name, title }) => ({ value: id, label: name, description: title, emoji: '' }));
  const roles = state.roles.map(({ id, name }) => ({ value: id, label: `@${name}`, description: '', emoji: '' }));
  switch (part.type) {
    case 5:
      return people;
    case 6:
      return roles;
    case 7:
      return [...people, ...roles];
    case 8:
      return state.channels
        .filter(({ kind }) => kind === 'text')
        .map(({ id, name }) => ({ value: id, label: `#${name}`, description: '', emoji: '' }));
    default:
      return list(part.options).map((option) => ({
        value: text(option.value),
        label: text(option.label),
        description: text(option.description),
        emoji: text(record(option.emoji).name),
      }));
  }
}
