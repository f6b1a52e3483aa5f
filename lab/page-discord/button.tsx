import { useState } from 'preact/hooks';
import type { DiscordPart } from '../discord-page-api.ts';
import { record, text } from '../page/json.ts';

const STYLES = ['', 'primary', 'secondary', 'success', 'danger', 'link', 'primary'];

interface ButtonProps {
  part: DiscordPart;
  press(customId: string): Promise<void>;
}

/** A button; while the app has not answered it shows dots, as in the client. */
export function ButtonPart({ part, press }: ButtonProps) {
  const [busy, setBusy] = useState(false);
  const label = (
    <>
      {part.emoji === undefined ? null : <span class="emoji">{text(record(part.emoji).name)}</span>}
      {text(part.label)}
    </>
  );
  const look = `button ${STYLES[Number(part.style)] ?? 'secondary'}`;
  if (part.style === 5) {
    return (
      <a class={look} href={text(part.url)} target="_blank" rel="noreferrer">
        {label} <span class="out">↗</span>
      </a>
    );
  }
  return (
    <button
      type="button"
      class={`${look} ${busy ? 'busy' : ''}`}
      disabled={busy || part.disabled === true}
      onClick={async () => {
        setBusy(true);
        await press(text(part.custom_id));
        setBusy(false);
      }}
    >
      <span class="label">{label}</span>
      {busy ? <Dots /> : null}
    </button>
  );
}

export function Dots() {
  return (
    <span class="dots" aria-hidden="true">
      <i />
      <i />
      <i />
    </span>
  );
}
