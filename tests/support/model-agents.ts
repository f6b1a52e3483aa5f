import Anthropic from '@anthropic-ai/sdk';

/** What a tool of a toy agent gives back: `failed` as an agent marks an error. */
export interface ToolAnswer {
  text: string;
  failed?: boolean;
  /** Said by a person before the model is asked again. */
  said?: string;
}

export type ToolCalls = (tool: string, input: Record<string, unknown>) => ToolAnswer;

export interface Talk {
  /** Every text of the model, in order. */
  texts: string[];
  calls: { tool: string; input: Record<string, unknown> }[];
}

const property = { type: 'string' } as const;
const tool = (name: string, ...fields: string[]): Anthropic.Tool => ({
  name,
  input_schema: { type: 'object', properties: Object.fromEntries(fields.map((field) => [field, property])), required: fields },
});

/** Tools as a small loop of its own offers them. */
export const loopTools: readonly Anthropic.Tool[] = [
  tool('bash', 'command'),
  tool('read', 'path'),
  tool('edit', 'path', 'old', 'new'),
  tool('write', 'path', 'content'),
];

/** Talks to the Messages API until the model has nothing to call any more, over `messages`, which grows. */
export async function talkAnthropic(
  client: Anthropic,
  messages: Anthropic.MessageParam[],
  answer: ToolCalls,
  tools: readonly Anthropic.Tool[] = loopTools,
): Promise<Talk> {
  const talk: Talk = { texts: [], calls: [] };
  for (;;) {
    const stream = client.messages.stream({ model: 'claude-sonnet-5', max_tokens: 4096, tools: [...tools], messages });
    const message = await stream.finalMessage();
    messages.push({ role: 'assistant', content: message.content });
    const results: (Anthropic.ToolResultBlockParam | Anthropic.TextBlockParam)[] = [];
    for (const block of message.content) {
      if (block.type === 'text') talk.texts.push(block.text);
      if (block.type !== 'tool_use') continue;
      const input = block.input as Record<string, unknown>;
      talk.calls.push({ tool: block.name, input });
      const { text, failed = false, said } = answer(block.name, input);
      results.push({ type: 'tool_result', tool_use_id: block.id, content: text, is_error: failed });
      if (said !== undefined) results.push({ type: 'text', text: said });
    }
    if (message.stop_reason !== 'tool_use') return talk;
    results.sort((a, b) => Number(a.type === 'text') - Number(b.type === 'text'));
    messages.push({ role: 'user', content: results });
  }
}

/** A client that does not try again by itself. */
export const anthropicClient = (baseURL: string, apiKey = 'sk-ant-test') => new Anthropic({ baseURL, apiKey, maxRetries: 0 });
