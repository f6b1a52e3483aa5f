import type { Method } from './method.ts';
import { botMethods } from './methods-bot.ts';
import { chatMethods } from './methods-chats.ts';
import { commandMethods } from './methods-commands.ts';
import { draftMethods } from './methods-drafts.ts';
import { fileMethods } from './methods-files.ts';
import { messageMethods } from './methods-messages.ts';
import { topicMethods } from './methods-topics.ts';
import { updateMethods } from './methods-updates.ts';

/** Every Bot API method the emulator knows, by its name in small letters: the server does not mind the case. */
export const methods: ReadonlyMap<string, Method> = new Map(
  Object.entries({
    ...botMethods,
    ...chatMethods,
    ...commandMethods,
    ...draftMethods,
    ...fileMethods,
    ...messageMethods,
    ...topicMethods,
    ...updateMethods,
  }).map(([name, method]) => [name.toLowerCase(), method]),
);
