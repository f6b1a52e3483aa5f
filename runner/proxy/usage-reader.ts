import { z } from 'zod';
import type { Usage } from '../../src/contracts/agent.ts';

export interface Counted extends Pick<Usage, 'input' | 'output' | 'cacheRead' | 'cacheWrite'> {
  /** Of `cacheWrite`, what is kept for an hour and costs more. */
  cacheWriteLong: number;
}

/** Reads what a request has used from a copy of its answer, as it passes. Never throws: what cannot be read is not counted. */
export interface UsageReader {
  push(bytes: Uint8Array): void;
  /**
   * What was told so far; undefined: nothing was answered. Of an answer that is broken off before the provider has said what it
   * used, an estimate of four characters a token: who leaves early pays nevertheless.
   */
  counted(): Counted | undefined;
}

const tokens = z.number().int().nonnegative().nullish().catch(undefined);
const messagesUsage = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  cache_read_input_tokens: tokens,
  cache_creation_input_tokens: tokens,
  cache_creation: z.object({ ephemeral_1h_input_tokens: tokens }).nullish().catch(undefined),
});
const responsesUsage = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  input_tokens_details: z.object({ cached_tokens: tokens, cache_write_tokens: tokens }).nullish().catch(undefined),
});

/** A longer line, or document, is not read to its end. Characters. */
const longest = 16 * 1024 * 1024;
const charactersPerToken = 4;

interface Protocol {
  /** Adds what one event, or the whole answer, says. */
  take(said: Record<string, unknown>): void;
  counted(): Counted | undefined;
}

/** `stream`: server-sent events, else one JSON document. `asked`: characters of the request. */
export function createUsageReader(dialect: 'anthropic' | 'openai', stream: boolean, asked: number): UsageReader {
  const decoder = new TextDecoder();
  const protocol = dialect === 'anthropic' ? readMessages() : readResponses(asked);
  let parts: string[] = [];
  let length = 0;
  const flush = () => {
    const text = parts.join('');
    parts = [];
    const fits = length <= longest;
    length = 0;
    return fits ? text : '';
  };
  const add = (text: string) => {
    length += text.length;
    if (length <= longest) parts.push(text);
    else parts = [];
  };
  const take = (json: string) => {
    const said = parsed(json);
    if (said !== undefined) protocol.take(said);
  };
  return {
    push(bytes) {
      const text = decoder.decode(bytes, { stream: true });
      if (!stream) return add(text);
      const lines = text.split('\n');
      for (const [at, line] of lines.entries()) {
        add(line);
        if (at === lines.length - 1) break;
        const whole = flush();
        if (whole.startsWith('data:')) take(whole.slice(5));
      }
    },
    counted() {
      if (!stream && parts.length > 0) take(flush());
      return protocol.counted();
    },
  };
}

/** `message_start` tells the input, each `message_delta` the output so far: the last one counts. */
function readMessages(): Protocol {
  let counted: Counted | undefined;
  let characters = 0;
  let isOver = false;
  return {
    take(said) {
      const { type } = said;
      if (type === 'content_block_delta') characters += deltaLength(object(said.delta));
      if (type === 'message' || type === 'message_delta') isOver = true;
      const usage = messagesUsage.safeParse(said.usage ?? object(said.message)?.usage).data;
      if (usage === undefined) return;
      counted = {
        input: usage.input_tokens ?? counted?.input ?? 0,
        output: usage.output_tokens ?? counted?.output ?? 0,
        cacheRead: usage.cache_read_input_tokens ?? counted?.cacheRead ?? 0,
        cacheWrite: usage.cache_creation_input_tokens ?? counted?.cacheWrite ?? 0,
        cacheWriteLong: usage.cache_creation?.ephemeral_1h_input_tokens ?? counted?.cacheWriteLong ?? 0,
      };
    },
    counted() {
      if (counted === undefined || isOver) return counted;
      return { ...counted, output: Math.max(counted.output, Math.ceil(characters / charactersPerToken)) };
    },
  };
}

/** `response.completed`, `.incomplete` and `.failed` carry it; cached tokens, read and written, are among the input ones. */
function readResponses(asked: number): Protocol {
  let counted: Counted | undefined;
  let characters = 0;
  let began = false;
  return {
    take(said) {
      if (typeof said.type === 'string' && said.type.startsWith('response.')) began = true;
      if (typeof said.delta === 'string') characters += said.delta.length;
      const usage = responsesUsage.safeParse(object(said.response)?.usage ?? said.usage).data;
      if (usage === undefined) return;
      const cacheRead = usage.input_tokens_details?.cached_tokens ?? 0;
      const cacheWrite = usage.input_tokens_details?.cache_write_tokens ?? 0;
      const input = Math.max(0, (usage.input_tokens ?? 0) - cacheRead - cacheWrite);
      counted = { input, output: usage.output_tokens ?? 0, cacheRead, cacheWrite, cacheWriteLong: 0 };
    },
    counted() {
      if (counted !== undefined || !began) return counted;
      const [input, output] = [asked, characters].map((length) => Math.ceil(length / charactersPerToken));
      return { input: input ?? 0, output: output ?? 0, cacheRead: 0, cacheWrite: 0, cacheWriteLong: 0 };
    },
  };
}

function deltaLength(delta: Record<string, unknown> | undefined): number {
  const texts = [delta?.text, delta?.thinking, delta?.partial_json];
  return texts.reduce<number>((sum, text) => sum + (typeof text === 'string' ? text.length : 0), 0);
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
