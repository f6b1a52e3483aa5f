import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageChat } from '../telegram-page-api.ts';
import { api } from './api.ts';
import { type Choice, Choices, choicesFor, useCommands } from './choices.tsx';
import type { Snapshot, TelegramClient } from './client.ts';
import type { Focus } from './conversation.tsx';
import { Icon } from './icons.tsx';
import { gist } from './model.ts';

interface ComposerProps {
  chat: PageChat;
  snapshot: Snapshot;
  client: TelegramClient;
  focus: Focus | undefined;
  /** A text another part of the pane proposes; a new object each time. */
  proposal: { text: string } | undefined;
  /** The person no longer wants to reply or edit, or has done so. */
  onLeave(): void;
}

/** Where people type: messages, replies, edits, commands with completion, files. */
export function Composer({ chat, snapshot, client, focus, proposal, onLeave }: ComposerProps) {
  const { state, me, place } = snapshot;
  const key = `${me.id} ${chat.id} ${place.topic ?? ''}`;
  const [text, setText] = useState(client.typed.get(key) ?? '');
  const [chosen, setChosen] = useState(-1);
  const [closed, setClosed] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  const commands = useCommands(me.key, chat.id, snapshot.menus);
  const choices = closed ? [] : choicesFor(text, commands, state, me);
  const target = focus?.message.id;
  const placeholder = focus?.kind === 'reply' ? focus.message.asks?.placeholder : undefined;

  function type(next: string) {
    setText(next);
    setChosen(-1);
    setClosed(false);
    if (focus?.kind !== 'edit') client.typed.set(key, next);
  }

  useEffect(() => {
    if (proposal === undefined) return;
    type(proposal.text);
    box.current?.focus();
  }, [proposal]);
  useEffect(() => {
    if (target === undefined) return;
    box.current?.focus();
    if (focus?.kind === 'edit') setText(focus.message.text);
  }, [focus?.kind, target]);
  useEffect(() => {
    const area = box.current;
    if (area === null) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, 220)}px`;
  });

  function leave() {
    if (focus?.kind === 'edit') setText(client.typed.get(key) ?? '');
    onLeave();
  }

  function take({ value }: Choice) {
    type(value);
    box.current?.focus();
  }

  async function send() {
    const said = text.trim();
    if (said === '') return;
    const here = { as: me.key, chat: chat.id };
    if (focus?.kind === 'edit') {
      const { id, chat: where } = focus.message;
      if (await client.attempt(() => api.edit({ as: me.key, chat: where, id, text: said }))) leave();
      return;
    }
    type('');
    const sent = await client.attempt(() => api.say({ ...here, text: said, topic: place.topic, reply_to: target }));
    if (sent) onLeave();
    else setText((now) => (now === '' ? said : now));
  }

  async function upload(files: FileList | null) {
    for (const file of files ?? []) {
      const kind = /^image\/(png|jpeg)$/.test(file.type) ? 'photo' : 'document';
      const given = { as: me.key, chat: chat.id, kind, caption: text.trim(), topic: place.topic, reply_to: target } as const;
      if (await client.attempt(() => api.upload(file, given))) type('');
    }
    onLeave();
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.isComposing) return;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const choice = choices[Math.max(chosen, 0)];
    if (step !== 0 && choices.length > 0) {
      event.preventDefault();
      setChosen((Math.max(chosen, step < 0 ? 0 : -1) + step + choices.length) % choices.length);
    } else if (event.key === 'Tab' && choice !== undefined && !event.shiftKey) {
      event.preventDefault();
      take(choice);
    } else if (event.key === 'Escape') {
      if (choices.length > 0) setClosed(true);
      else leave();
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      if (chosen >= 0 && choice !== undefined) take(choice);
      else void send();
    }
  }

  const label = placeholder || 'Write a message…';
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Choices choices={choices} chosen={chosen} snapshot={snapshot} onTake={take} />
      {focus === undefined ? null : (
        <div class="about">
          <Icon name={focus.kind} />
          <span>
            <b>{focus.kind === 'edit' ? 'Edit message' : `Reply to ${focus.message.name}`}</b>
            <small>{gist(focus.message)}</small>
          </span>
          <button type="button" title="Cancel" onClick={leave}>
            <Icon name="close" />
          </button>
        </div>
      )}
      <div class="typing">
        {commands.length > 0 && text === '' ? (
          <button type="button" class="menu-button" title="Commands" onClick={() => take({ value: '/', label: '', hint: '' })}>
            {chat.kind === 'private' ? 'Menu' : '/'}
          </button>
        ) : null}
        <label class="attach" title="Attach a file">
          <Icon name="attach" />
          <input
            type="file"
            multiple
            onChange={async ({ currentTarget }) => {
              await upload(currentTarget.files);
              currentTarget.value = '';
            }}
          />
        </label>
        <textarea
          ref={box}
          rows={1}
          value={text}
          placeholder={label}
          aria-label={label}
          aria-autocomplete="list"
          onInput={(event) => type(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" class="send" disabled={text.trim() === ''} title={focus?.kind === 'edit' ? 'Save' : 'Send'}>
          <Icon name={focus?.kind === 'edit' ? 'done' : 'send'} />
        </button>
      </div>
    </form>
  );
}
