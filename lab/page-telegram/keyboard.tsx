import { useState } from 'preact/hooks';
import type { PageButton, PageMessage } from '../telegram-page-api.ts';
import { api } from './api.ts';
import type { Snapshot, TelegramClient } from './client.ts';
import { Icon } from './icons.tsx';

interface KeyboardProps {
  message: PageMessage;
  snapshot: Snapshot;
  client: TelegramClient;
}

/** The inline keyboard below a message. */
export function Keyboard({ message, snapshot, client }: KeyboardProps) {
  if (message.keyboard.length === 0) return null;
  return (
    <div class="keyboard">
      {message.keyboard.map((row, at) => (
        <div key={`${at}`} class="keys">
          {row.map((button, column) => (
            <Key key={`${column} ${button.callback_data}`} {...{ button, message, snapshot, client }} />
          ))}
        </div>
      ))}
    </div>
  );
}

export function RichButton(props: KeyboardProps & { button: PageButton }) {
  return (
    <span class="rich-key">
      <Key {...props} />
    </span>
  );
}

/** A press waits, with a spinner, until the bot has answered it: with a toast, an alert, or nothing to show. */
function Key({ button, message, snapshot, client }: KeyboardProps & { button: PageButton }) {
  const [waiting, setWaiting] = useState(false);
  const { url, copy, callback_data: data } = button;
  if (url !== undefined) {
    return (
      <a class={button.style ?? ''} href={url} target="_blank" rel="noreferrer">
        {button.text}
        <Icon name="link" />
      </a>
    );
  }
  async function press() {
    if (copy !== undefined) {
      await navigator.clipboard.writeText(copy);
      client.toast('Copied.');
    }
    if (data === undefined || waiting) return;
    setWaiting(true);
    await client.attempt(async () => {
      const answer = await api.press({ as: snapshot.me.key, chat: message.chat, id: message.id, data });
      if (answer.shown === 'alert') client.alert(answer.text);
      if (answer.shown === 'toast') client.toast(answer.text);
      if (answer.shown === 'spinner') client.toast('The bot did not answer.');
    });
    setWaiting(false);
  }
  return (
    <button type="button" class={`${button.style ?? ''} ${waiting ? 'waiting' : ''}`} aria-busy={waiting} onClick={press}>
      {button.text}
    </button>
  );
}
