import { z } from 'zod';
import type { RunEvent } from '../src/contracts/run-event.ts';
import type { ModelAccess } from './harness/port.ts';

/** What a side question is answered from: the newest part of what was said and done. Characters. */
const longestDigest = 40_000;
const maxTokens = 1500;

export interface Aside {
  question: string;
  by: string;
  /** What the run is to do. */
  prompt: string;
  events: readonly RunEvent[];
  models: ModelAccess;
  /** Of the agent, where its protocol is the one that is asked. */
  model: string;
}

/**
 * Answers a question about a turn without disturbing it: a request of its own that sees what was said and done so far and can do nothing.
 * Rejects as the model server does.
 */
export async function answerAside(aside: Aside, signal: AbortSignal): Promise<string> {
  const system =
    'An agent is at work on a task; you are asked a side question about it. Answer briefly, only from the record you are given. Say so when the record does not tell. You can do nothing yourself.';
  const text = `<record>\nThe task: ${aside.prompt}\n\n${digestOf(aside.events)}\n</record>\n\n${aside.by} asks: ${aside.question}`;
  const { anthropic, openai } = aside.models;
  if (anthropic !== undefined) {
    // Loaded by whoever needs it first: it is many files, and most programs never ask one.
    const { default: Anthropic } = await import('@anthropic-ai/sdk');
    const client = new Anthropic({ baseURL: anthropic.baseUrl, apiKey: anthropic.token, maxRetries: 3 });
    const messages = [{ role: 'user' as const, content: text }];
    const answer = await client.messages.create({ model: aside.model, max_tokens: maxTokens, system, messages }, { signal });
    return answer.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  }
  if (openai === undefined) throw new Error('no model server is configured');
  const response = await fetch(`${openai.baseUrl}/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${openai.token}` },
    body: JSON.stringify({ model: aside.model, instructions: system, input: text, max_output_tokens: maxTokens }),
    signal,
  });
  if (!response.ok) throw new Error(`the model server answered ${response.status}`);
  return outputText(await response.json());
}

const outputSchema = z.object({
  output: z.array(z.looseObject({ content: z.array(z.looseObject({ text: z.string().optional() })).optional() })),
});

function outputText(body: unknown): string {
  return outputSchema
    .parse(body)
    .output.flatMap(({ content }) => content ?? [])
    .map(({ text }) => text ?? '')
    .join('');
}

/** The record of a turn in words, its newest part. */
export function digestOf(events: readonly RunEvent[]): string {
  const lines = events.map(({ data }): string => {
    switch (data.type) {
      case 'assistant':
        return data.parent === undefined ? data.text : '';
      case 'tool':
        return `\n[does: ${data.title}]\n`;
      case 'tool_ended':
        return `\n[${data.ok ? 'done' : 'failed'}: ${data.summary}]\n`;
      case 'checklist':
        return `\n[steps: ${data.items.map(({ state, text }) => `${text} (${state})`).join('; ')}]\n`;
      case 'message':
        return `\n[${data.by} says: ${data.text}]\n`;
      case 'interaction_decided':
        return `\n[a request was ${data.state}${data.reason === undefined ? '' : `: ${data.reason}`}]\n`;
      case 'note':
        return `\n[note: ${data.text}]\n`;
      default:
        return '';
    }
  });
  return lines.join('').slice(-longestDigest);
}
