import { useEffect, useRef, useState } from 'preact/hooks';
import type { DiscordModal, DiscordPart, DiscordState } from '../discord-page-api.ts';
import { list, record, text } from '../page/json.ts';
import { api } from './api.ts';
import { Avatar } from './avatar.tsx';
import { Dots } from './button.tsx';
import type { DiscordClient, Snapshot } from './client.ts';
import { Markdown } from './markdown.tsx';
import { ModalField, type ModalValue } from './modal-field.tsx';

/** The form that is open in front of the person. */
export function Modal({ snapshot, client }: { snapshot: Snapshot; client: DiscordClient }) {
  const modal = snapshot.state.modals.find(({ user }) => user === snapshot.as);
  return modal === undefined ? null : <Form key={modal.id} modal={modal} snapshot={snapshot} client={client} />;
}

function Form({ modal, snapshot, client }: { modal: DiscordModal; snapshot: Snapshot; client: DiscordClient }) {
  const { state, as } = snapshot;
  const [busy, setBusy] = useState(false);
  const [values, setValues] = useState<Record<string, ModalValue>>({});
  const [refused, setRefused] = useState<string | undefined>(undefined);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>('input, textarea, .select-box')?.focus(), []);
  const close = () => void client.attempt(() => api.closeModal({ as, id: modal.id }));
  async function submit() {
    setBusy(true);
    setRefused(undefined);
    await api.submit({ as, id: modal.id, values }).catch((error: Error) => setRefused(error.message));
    setBusy(false);
  }
  const told = refused ?? modal.error;
  return (
    <div class="overlay" role="dialog" aria-modal="true" aria-label={modal.title}>
      <form
        ref={form}
        class="modal"
        onKeyDown={(event) => {
          if (event.key === 'Escape') close();
        }}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <header>
          <Avatar person={state.people.find(({ id }) => id === state.app.id)} size={24} />
          <h2>{modal.title}</h2>
          <button type="button" title="Close" onClick={close}>
            ✕
          </button>
        </header>
        <div class="modal-body">
          <p class="warning">
            This form will be submitted to <b>{state.app.name}</b>. Do not share passwords or other sensitive information.
          </p>
          {modal.components.map((part, at) => (
            <Entry
              key={`${at}`}
              part={part}
              state={state}
              values={values}
              client={client}
              as={as}
              onValue={(id, value) => setValues((now) => ({ ...now, [id]: value }))}
            />
          ))}
          {told === undefined ? null : (
            <p class="failed" role="alert">
              {told}
            </p>
          )}
        </div>
        <footer>
          <button type="button" class="button link" onClick={close}>
            Cancel
          </button>
          <button type="submit" class={`button primary ${busy ? 'busy' : ''}`} disabled={busy}>
            <span class="label">Submit</span>
            {busy ? <Dots /> : null}
          </button>
        </footer>
      </form>
    </div>
  );
}

interface EntryProps {
  part: DiscordPart;
  state: DiscordState;
  values: Record<string, ModalValue>;
  client: DiscordClient;
  as: string;
  onValue(id: string, value: ModalValue): void;
}

/** A label with its field, an old row with a text input, or a text. */
function Entry({ part, state, values, client, as, onValue }: EntryProps) {
  if (part.type === 10) return <Markdown text={text(part.content)} state={state} />;
  const field = part.type === 1 ? (list(part.components)[0] ?? {}) : record(part.component);
  const id = text(field.custom_id);
  const label = text(part.label) || text(field.label);
  return (
    <div class="modal-entry">
      <p class="modal-label">
        {label}
        {field.required === false || field.type === 23 ? null : <span class="required">*</span>}
      </p>
      {part.description === undefined ? null : <p class="subtext">{text(part.description)}</p>}
      <ModalField
        field={field}
        label={label}
        state={state}
        value={values[id]}
        onValue={(value) => onValue(id, value)}
        upload={async (files) => {
          const ids: string[] = [];
          for (const file of files)
            await client.attempt(async () => {
              const answer = await api.upload(as, file);
              ids.push(answer.file.id);
            });
          return ids;
        }}
      />
    </div>
  );
}
