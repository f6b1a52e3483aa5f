import type { Method } from './method.ts';
import { assistantMethods } from './methods-assistant.ts';
import { chatMethods } from './methods-chat.ts';
import { conversationMethods } from './methods-conversations.ts';
import { fileMethods } from './methods-files.ts';
import { reactionMethods } from './methods-reactions.ts';
import { streamMethods } from './methods-stream.ts';
import { userMethods } from './methods-users.ts';
import { viewMethods } from './methods-views.ts';

/** Every Web API method the emulator knows. All others answer `unknown_method`. */
export const methods: ReadonlyMap<string, Method> = new Map(
  Object.entries({
    ...assistantMethods,
    ...chatMethods,
    ...conversationMethods,
    ...fileMethods,
    ...reactionMethods,
    ...streamMethods,
    ...userMethods,
    ...viewMethods,
  }),
);
