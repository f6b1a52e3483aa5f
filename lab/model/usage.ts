import type { Conversation, Reply } from './conversation.ts';

/** Tokens of a request and its answer: about four characters each, so that numbers grow as they do with a real model. */
export interface Tokens {
  /** Neither read from the cache nor written to it. */
  input: number;
  cacheRead: number;
  cacheWrite: number;
  output: number;
  /** Part of `output`. */
  thinking: number;
}

const CHARACTERS_PER_TOKEN = 4;
const tokens = (characters: number) => Math.ceil(characters / CHARACTERS_PER_TOKEN);

export function tokensOf({ length }: Conversation, reply: Reply): Tokens {
  const thinking = tokens(reply.thinking?.length ?? 0);
  const calls = reply.calls.reduce((sum, call) => sum + tokens(call.input.length + call.tool.name.length) + 10, 0);
  const output = Math.max(1, thinking + tokens(reply.text.length) + calls);
  const before = tokens(length.before);
  const after = tokens(length.after);
  if (!length.cacheable) return { input: before + after, cacheRead: 0, cacheWrite: 0, output, thinking };
  return { input: 3, cacheRead: before, cacheWrite: after, output, thinking };
}

export const inputTokens = ({ length }: Conversation) => tokens(length.before) + tokens(length.after);
