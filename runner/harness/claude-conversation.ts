import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';

/**
 * The conversation of the built-in loop, as it stands in the log of its runs: each entry once, in order. A run that continues a session
 * begins with the run it continues.
 */
const messageShape = z.object({ role: z.enum(['user', 'assistant']), content: z.array(z.looseObject({ type: z.string() })) });
const entrySchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('continues'), run: z.string() }),
  z.object({
    type: z.literal('message'),
    message: z.custom<Anthropic.MessageParam>((value) => messageShape.safeParse(value).success),
  }),
  /** What came before was too long; this stands for it. */
  z.object({ type: z.literal('summary'), text: z.string() }),
]);
export type Entry = z.infer<typeof entrySchema>;

const longestChain = 200;

/** The messages up to now. `read`: entries of a run, as JSON. */
export async function conversationOf(run: string, read: (run: string) => Promise<string[]>): Promise<Anthropic.MessageParam[]> {
  const chain: Entry[][] = [];
  for (let at: string | undefined = run; at !== undefined && chain.length < longestChain; ) {
    const entries: Entry[] = (await read(at)).map((text) => entrySchema.parse(JSON.parse(text)));
    chain.unshift(entries);
    const first: Entry | undefined = entries[0];
    at = first?.type === 'continues' ? first.run : undefined;
  }
  return messagesOf(chain.flat());
}

export function messagesOf(entries: readonly Entry[]): Anthropic.MessageParam[] {
  let messages: Anthropic.MessageParam[] = [];
  for (const entry of entries) {
    if (entry.type === 'message') messages.push(entry.message);
    if (entry.type === 'summary') messages = [user([text(`What has been done so far, in short:\n\n${entry.text}`)])];
  }
  return answered(messages);
}

/** A turn that was stopped in the middle may have left calls without a result, which the model server would refuse. */
function answered(messages: readonly Anthropic.MessageParam[]): Anthropic.MessageParam[] {
  return messages.flatMap((message, at) => {
    const open = callsOf(message).filter(({ id }) => !hasResult(messages[at + 1], id));
    const next = messages[at + 1];
    if (open.length === 0 || (next === undefined && at === messages.length - 1)) return [message];
    return [message, user(open.map(({ id }) => result(id, 'This call was not made: the run was stopped.', true)))];
  });
}

export function callsOf(message: Anthropic.MessageParam): Anthropic.ToolUseBlockParam[] {
  if (message.role !== 'assistant' || typeof message.content === 'string') return [];
  return message.content.filter((block): block is Anthropic.ToolUseBlockParam => block.type === 'tool_use');
}

function hasResult(message: Anthropic.MessageParam | undefined, id: string): boolean {
  if (message === undefined || typeof message.content === 'string') return false;
  return message.content.some((block) => block.type === 'tool_result' && block.tool_use_id === id);
}

export function user(content: Anthropic.ContentBlockParam[]): Anthropic.MessageParam {
  return { role: 'user', content };
}

export function text(words: string): Anthropic.TextBlockParam {
  return { type: 'text', text: words };
}

export function result(id: string, words: string, failed: boolean): Anthropic.ToolResultBlockParam {
  return { type: 'tool_result', tool_use_id: id, content: words === '' ? '(no output)' : words, is_error: failed };
}
