import { z } from 'zod';
import type { Usage } from '../../src/contracts/agent.ts';

export type Counted = Pick<Usage, 'input' | 'output' | 'cacheRead' | 'cacheWrite'>;

/** Reads what a request has used from a copy of its answer, as it passes. Never throws: what cannot be read is not counted. */
export interface UsageReader {
  push(bytes: Uint8Array): void;
  /** What was told so far; undefined: nothing. Also right in the middle of an answer that is broken off. */
  counted(): Counted | undefined;
}

const tokens = z.number().int().nonnegative().nullish();
const messagesUsage = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  cache_read_input_tokens: tokens,
  cache_creation_input_tokens: tokens,
});
const responsesUsage = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  input_tokens_details: z.object({ cached_tokens: tokens }).nullish(),
});

/** A longer answer without a line end is no stream of events. */
const longestBody = 8 * 1024 * 1024;

/** `stream`: server-sent events, else one JSON document. */
export function createUsageReader(dialect: 'anthropic' | 'openai', stream: boolean): UsageReader {
  const decoder = new TextDecoder();
  let text = '';
  let counted: Counted | undefined;
  const take = (json: string) => {
    const found = dialect === 'anthropic' ? ofMessages(json, counted) : ofResponses(json);
    if (found !== undefined) counted = found;
  };
  return {
    push(bytes) {
      if (text.length > longestBody) return;
      text += decoder.decode(bytes, { stream: true });
      if (!stream) return;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('data:') && line.includes('usage')) take(line.slice(5));
    },
    counted() {
      if (!stream && counted === undefined) take(text);
      return counted;
    },
  };
}

/** `message_start` tells the input, each `message_delta` the output so far: the last one counts. */
function ofMessages(json: string, before: Counted | undefined): Counted | undefined {
  const event = parsed(json);
  const usage = messagesUsage.safeParse(event?.usage ?? object(event?.message)?.usage).data;
  if (usage === undefined) return undefined;
  return {
    input: usage.input_tokens ?? before?.input ?? 0,
    output: usage.output_tokens ?? before?.output ?? 0,
    cacheRead: usage.cache_read_input_tokens ?? before?.cacheRead ?? 0,
    cacheWrite: usage.cache_creation_input_tokens ?? before?.cacheWrite ?? 0,
  };
}

/** `response.completed`, `.incomplete` and `.failed` carry it; cached tokens are among the input ones. */
function ofResponses(json: string): Counted | undefined {
  const event = parsed(json);
  const usage = responsesUsage.safeParse(object(event?.response)?.usage ?? event?.usage).data;
  if (usage === undefined) return undefined;
  const cacheRead = usage.input_tokens_details?.cached_tokens ?? 0;
  const input = Math.max(0, (usage.input_tokens ?? 0) - cacheRead);
  return { input, output: usage.output_tokens ?? 0, cacheRead, cacheWrite: 0 };
}

function parsed(json: string): Record<string, unknown> | undefined {
  try {
    return object(JSON.parse(json));
  } catch {
    return undefined;
  }
}

function object(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}
