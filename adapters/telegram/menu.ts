import type { BotCommand, BotCommandScope } from 'grammy/types';
import type { CommandMenu } from '../../src/contracts/command-menu.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { TelegramApi } from './api.ts';
import { commandWord } from './commands.ts';
import { printable, shorten } from './telegram-text.ts';

/** core.telegram.org/bots/api#setmycommands */
const maxCommands = 100;
const maxDescription = 256;

/** Scopes whose menus are ours. The narrowest wins entirely, so that other scopes stay what BotFather was told. */
export const menuScopes = ['all_private_chats', 'all_group_chats'] as const;

/** `project_add` -> `project add`, for reading what is typed. */
export function commandWords(menu: CommandMenu): Map<string, string> {
  return new Map(
    menu.commands.flatMap(({ name }): [string, string][] => {
      const word = commandWord(name);
      return word === undefined ? [] : [[word, name]];
    }),
  );
}

/** The menu of one kind of chat. */
export function menuOf(menu: CommandMenu, scope: (typeof menuScopes)[number]): BotCommand[] {
  return menu.commands
    .filter(({ direct }) => direct || scope === 'all_group_chats')
    .flatMap(({ name, summary }) => {
      const command = commandWord(name);
      const description = shorten(printable(summary).trim(), maxDescription);
      return command === undefined || description === '' ? [] : [{ command, description }];
    })
    .slice(0, maxCommands);
}

/** Puts the commands into the menus of Telegram where they differ. A menu is a convenience: that it could not be set is only logged. */
export async function setMenus(api: TelegramApi, menu: CommandMenu, logger: Logger): Promise<void> {
  for (const type of menuScopes) {
    const scope: BotCommandScope = { type };
    const commands = menuOf(menu, type);
    try {
      const known = await api.read('getMyCommands', (raw, signal) => raw.getMyCommands({ scope }, signal));
      if (isSame(known, commands)) continue;
      if (commands.length === 0) await api.call('deleteMyCommands', (raw, signal) => raw.deleteMyCommands({ scope }, signal));
      else await api.call('setMyCommands', (raw, signal) => raw.setMyCommands({ commands, scope }, signal));
    } catch (error) {
      logger.warn({ err: error, scope: type }, 'the command menu of telegram was not set');
    }
  }
}

function isSame(one: readonly BotCommand[], other: readonly BotCommand[]): boolean {
  const text = (list: readonly BotCommand[]) => JSON.stringify(list.map(({ command, description }) => [command, description]));
  return text(one) === text(other);
}
