import { useEffect, useState } from 'preact/hooks';
import type { PersonKey } from '../page-person.ts';
import type { PageCommand, PageUser, TelegramPageState } from '../telegram-page-api.ts';
import { api } from './api.ts';
import { UserAvatar } from './avatar.tsx';
import type { Snapshot } from './client.ts';

export interface Choice {
  /** Replaces the whole text. */
  value: string;
  label: string;
  hint: string;
}

/** The menu that the bot has put into this chat for this person. `version` grows when menus change. */
export function useCommands(as: PersonKey, chat: number, version: number): PageCommand[] {
  const [commands, setCommands] = useState<PageCommand[]>([]);
  useEffect(() => {
    let late = false;
    api
      .commands(as, chat)
      .then((answer) => late || setCommands(answer.commands))
      // Without a menu people can type all the same; the pane says by itself when the server is away.
      .catch(() => undefined);
    return () => {
      late = true;
    };
  }, [as, chat, version]);
  return commands;
}

/** What could be meant: commands at the beginning, people and the bot after an `@`. */
export function choicesFor(text: string, commands: readonly PageCommand[], state: TelegramPageState, me: PageUser): Choice[] {
  const command = /^\/(\w*)$/.exec(text)?.[1]?.toLowerCase();
  if (command !== undefined) {
    return commands
      .filter((one) => one.command.startsWith(command))
      .map((one) => ({ value: `/${one.command} `, label: `/${one.command}`, hint: one.description }));
  }
  const typed = /(?:^|\s)@(\w*)$/.exec(text)?.[1]?.toLowerCase();
  if (typed === undefined) return [];
  return state.users
    .filter(({ id, username, is_bot }) => id !== me.id && username !== undefined && (!is_bot || id === state.bot.id))
    .filter(({ username = '', name }) => username.toLowerCase().startsWith(typed) || name.toLowerCase().startsWith(typed))
    .map(({ username = '', name }) => ({
      value: `${text.slice(0, text.length - typed.length)}${username} `,
      label: name,
      hint: `@${username}`,
    }));
}

interface ChoicesProps {
  choices: readonly Choice[];
  chosen: number;
  snapshot: Snapshot;
  onTake(choice: Choice): void;
}

export function Choices({ choices, chosen, snapshot, onTake }: ChoicesProps) {
  const { users, bot } = snapshot.state;
  if (choices.length === 0) return null;
  return (
    <div class="choices" role="listbox">
      {choices.map((choice, at) => (
        <div
          key={choice.value}
          ref={(element) => (at === chosen ? element?.scrollIntoView({ block: 'nearest' }) : undefined)}
          role="option"
          tabIndex={-1}
          aria-selected={at === chosen}
          class={at === chosen ? 'chosen' : ''}
          onMouseDown={(event) => {
            event.preventDefault();
            onTake(choice);
          }}
        >
          <UserAvatar
            user={
              choice.label.startsWith('/')
                ? users.find(({ id }) => id === bot.id)
                : users.find(({ name }) => name === choice.label)
            }
          />
          <b>{choice.label}</b>
          <span>{choice.hint}</span>
        </div>
      ))}
    </div>
  );
}
