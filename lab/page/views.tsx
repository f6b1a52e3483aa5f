import { useEffect, useRef, useState } from 'preact/hooks';
import type { InputValue, InputValues, LabState, LabView } from '../page-api.ts';
import { api } from './api.ts';
import { Blocks } from './blocks.tsx';
import type { LabClient } from './client.ts';
import type { ElementHost } from './elements.tsx';
import { list, record, text } from './json.ts';
import type { Place } from './model.ts';

interface ViewsProps {
  state: LabState;
  place: Place;
  client: LabClient;
}

/** The top modal of the person's stack. */
export function Modal({ state, place, client }: ViewsProps) {
  const view = state.views.filter(({ user }) => user === place.as).toSorted((a, b) => b.depth - a.depth)[0];
  return view === undefined ? null : <ModalView key={view.id} view={view} state={state} place={place} client={client} />;
}

function ModalView({ view, state, place, client }: ViewsProps & { view: LabView }) {
  const [busy, setBusy] = useState(false);
  const { host, values } = useViewHost(view.id, place, client, busy);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('input, textarea, select')?.focus();
  }, []);
  const close = () => client.attempt(() => api.close({ as: place.as, view_id: view.id }));
  return (
    <div class="overlay" role="dialog" aria-modal="true" aria-label={view.title}>
      <form
        ref={form}
        class="dialog"
        onKeyDown={(event) => {
          if (event.key === 'Escape') void close();
        }}
        onSubmit={async (event) => {
          event.preventDefault();
          setBusy(true);
          await client.attempt(() =>
            api.submit({ as: place.as, view_id: view.id, values: { ...initialValues(view), ...values() } }),
          );
          setBusy(false);
        }}
      >
        <header>
          <h2>{view.title}</h2>
          <button type="button" class="close" title="Close" onClick={close}>
            ×
          </button>
        </header>
        <div class="dialog-body">
          <Blocks blocks={view.blocks} state={state} host={host} errors={view.errors} />
        </div>
        <footer>
          <button type="button" class="button" onClick={close}>
            {view.close ?? 'Cancel'}
          </button>
          {view.submit === undefined ? null : (
            <button type="submit" class="button primary" disabled={busy}>
              {busy ? <span class="spinner" /> : null}
              {view.submit}
            </button>
          )}
        </footer>
      </form>
    </div>
  );
}

/** What the elements hold before anybody touched them. */
function initialValues(view: LabView): InputValues {
  const values: InputValues = {};
  for (const block of view.blocks) {
    if (block.type !== 'input') continue;
    const element = record(block.element);
    const option = text(record(element.initial_option).value);
    const options = list(element.initial_options).map(({ value }) => text(value));
    const initial = element.initial_options === undefined ? text(element.initial_value) || option || null : options;
    values[block.block_id] = { [text(element.action_id)]: initial };
  }
  return values;
}

export function Home({ state, place, client }: ViewsProps) {
  const home = state.homes.find(({ user }) => user === place.as);
  const { host } = useViewHost(home?.view_id ?? '', place, client, false);
  return (
    <section class="pane main" aria-label={`${state.app.name} home`}>
      <header class="pane-head">
        <h1>{state.app.name}</h1>
        <span class="topic">{state.app.description}</span>
      </header>
      <div class="home">
        {home === undefined ? (
          <p class="empty">The app has not published a home for you yet.</p>
        ) : (
          <Blocks blocks={home.blocks} state={state} host={host} />
        )}
      </div>
    </section>
  );
}

function useViewHost(
  viewId: string,
  place: Place,
  client: LabClient,
  disabled: boolean,
): { host: ElementHost; values(): InputValues } {
  const values = useRef<InputValues>({});
  const [, redraw] = useState(0);
  return {
    values: () => values.current,
    host: {
      disabled,
      press: async (block: string, action: string, value?: InputValue) => {
        await client.attempt(() =>
          api.press({ as: place.as, in: { view_id: viewId }, block_id: block, action_id: action, value, values: values.current }),
        );
      },
      enter: (block: string, action: string, value: InputValue) => {
        values.current = { ...values.current, [block]: { ...values.current[block], [action]: value } };
        redraw((count) => count + 1);
      },
      entered: (block: string, action: string) => values.current[block]?.[action],
    },
  };
}
