import type { Method } from './method.ts';
import { botMethods } from './methods-bot.ts';
import { messageMethods } from './methods-messages.ts';
import { updateMethods } from './methods-updates.ts';

/** Every Bot API method the emulator knows, by its name in small letters: the server does not mind the case. */
export const methods: ReadonlyMap<string, Method> = new Map(
  Object.entries({
    ...botMethods,
    ...messageMethods,
    ...updateMethods,
  }).map(([name, method]) => [name.toLowerCase(), method]),
);
