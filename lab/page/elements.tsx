import { useState } from 'preact/hooks';
import type { InputValue } from '../page-api.ts';
import { type Json, list, record, text } from './json.ts';
import { decode } from './mrkdwn.tsx';

/** What an interactive element needs of the message or view it is in. */
export interface ElementHost {
  /** Sends the press; resolves when the app has acknowledged it. */
  press(block: string, action: string, value?: InputValue): Promise<void>;
  /** Remembers what was entered, for `state.values`. */
  enter(block: string, action: string, value: InputValue): void;
  entered(block: string, action: string): InputValue | undefined;
  disabled: boolean;
}

interface ElementProps {
  element: Json;
  block: string;
  host: ElementHost;
  /** Inside an input block, values are collected and only pressed when the block says so. */
  input: boolean;
  id?: string | undefined;
}

export function Element(props: ElementProps) {
  switch (props.element.type) {
    case 'button':
      return <ButtonElement {...props} />;
    case 'static_select':
    case 'multi_static_select':
    case 'radio_buttons':
    case 'checkboxes':
    case 'overflow':
      return <ChoiceElement {...props} />;
    case 'plain_text_input':
    case 'email_text_input':
    case 'url_text_input':
    case 'number_input':
      return <TextElement {...props} />;
    case 'image':
      return <img class="accessory" src={text(props.element.image_url)} alt={text(props.element.alt_text)} />;
    default:
      return <span class="unknown">{text(props.element.type)}</span>;
  }
}

function ButtonElement({ element, block, host }: ElementProps) {
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const style = text(element.style);
  const confirm = element.confirm === undefined ? undefined : record(element.confirm);
  async function press() {
    setAsking(false);
    setBusy(true);
    await host.press(block, text(element.action_id));
    setBusy(false);
  }
  const url = text(element.url);
  return (
    <>
      <button
        type="button"
        class={`button ${style}`}
        disabled={busy || host.disabled}
        aria-label={text(element.accessibility_label) || undefined}
        onClick={() => {
          if (url !== '') window.open(url, '_blank', 'noopener,noreferrer');
          if (confirm === undefined) void press();
          else setAsking(true);
        }}
      >
        {busy ? <span class="spinner" /> : null}
        {textOf(element.text)}
      </button>
      {asking && confirm !== undefined ? <Confirm confirm={confirm} onYes={press} onNo={() => setAsking(false)} /> : null}
    </>
  );
}

function Confirm({ confirm, onYes, onNo }: { confirm: Json; onYes(): void; onNo(): void }) {
  return (
    <div class="overlay" role="alertdialog" aria-label={textOf(confirm.title)}>
      <div class="dialog small">
        <header>
          <h2>{textOf(confirm.title)}</h2>
        </header>
        <div class="dialog-body">{textOf(confirm.text)}</div>
        <footer>
          <button type="button" class="button" onClick={onNo}>
            {textOf(confirm.deny) || 'Cancel'}
          </button>
          <button type="button" class={`button ${confirm.style === 'danger' ? 'danger' : 'primary'}`} onClick={onYes}>
            {textOf(confirm.confirm) || 'Yes'}
          </button>
        </footer>
      </div>
    </div>
  );
}

function ChoiceElement({ element, block, host, input, id }: ElementProps) {
  const action = text(element.action_id);
  const groups = list(element.option_groups);
  const options = groups.length > 0 ? groups.flatMap((group) => list(group.options)) : list(element.options);
  const multiple = element.type === 'multi_static_select' || element.type === 'checkboxes';
  const initial = multiple
    ? list(element.initial_options).map(({ value }) => text(value))
    : text(record(element.initial_option).value);
  const entered = host.entered(block, action);
  const current = entered === undefined ? initial : entered;

  async function choose(value: InputValue) {
    host.enter(block, action, value);
    if (!input) await host.press(block, action, value);
  }

  if (element.type === 'radio_buttons' || element.type === 'checkboxes') {
    const chosen = Array.isArray(current) ? current : current === null ? [] : [current];
    return (
      <div class="choices">
        {options.map((option) => {
          const value = text(option.value);
          const toggle = (on: boolean) =>
            multiple ? (on ? [...chosen, value] : chosen.filter((other) => other !== value)) : value;
          return (
            <label key={value}>
              <input
                type={multiple ? 'checkbox' : 'radio'}
                checked={chosen.includes(value)}
                disabled={host.disabled}
                onChange={(event) => void choose(toggle(event.currentTarget.checked))}
              />
              {textOf(option.text)}
            </label>
          );
        })}
      </div>
    );
  }
  return (
    <select
      id={id}
      class="select"
      multiple={element.type === 'multi_static_select'}
      disabled={host.disabled}
      value={Array.isArray(current) ? undefined : (current ?? '')}
      aria-label={textOf(element.placeholder) || 'Choose'}
      onChange={(event) => {
        const target = event.currentTarget;
        const values = [...target.selectedOptions].map((option) => option.value);
        void choose(multiple ? values : (values[0] ?? null));
        if (element.type === 'overflow') target.value = '';
      }}
    >
      {multiple ? null : (
        <option value="" disabled={element.type !== 'overflow'}>
          {element.type === 'overflow' ? '⋯' : textOf(element.placeholder) || 'Choose an option'}
        </option>
      )}
      {options.map((option) => (
        <option
          key={text(option.value)}
          value={text(option.value)}
          selected={Array.isArray(current) && current.includes(text(option.value))}
        >
          {textOf(option.text)}
        </option>
      ))}
    </select>
  );
}

function TextElement({ element, block, host, id }: ElementProps) {
  const action = text(element.action_id);
  const entered = host.entered(block, action);
  const value = typeof entered === 'string' ? entered : text(element.initial_value);
  const common = {
    id,
    class: 'text-input',
    value,
    placeholder: textOf(element.placeholder),
    disabled: host.disabled,
    ...(typeof element.max_length === 'number' ? { maxLength: element.max_length } : {}),
    onInput: (event: { currentTarget: { value: string } }) => host.enter(block, action, event.currentTarget.value),
  };
  if (element.multiline === true) return <textarea rows={5} {...common} />;
  switch (element.type) {
    case 'email_text_input':
      return <input type="email" {...common} />;
    case 'url_text_input':
      return <input type="url" {...common} />;
    case 'number_input':
      return <input type="number" {...common} />;
    default:
      return <input type="text" {...common} />;
  }
}

/** The text of a text object. */
export function textOf(object: unknown): string {
  return decode(text(record(object).text));
}
