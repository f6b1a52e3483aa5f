import type { RequestSize } from './request-size.ts';
import type { Counted } from './usage-reader.ts';

/** US dollars for a million tokens, at the usual tier and speed: others do not pass the gateway. */
interface Price {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  /** Written to be kept for an hour. */
  cacheWriteLong: number;
  /** Requests with more input than this, cached tokens included, cost a multiple: all of it, not only what is above. */
  long?: { above: number; input: number; output: number } | undefined;
}

/** `platform.claude.com/docs/en/about-claude/pricing`: a write costs 1.25 times the input, for an hour 2 times; no surcharge for length. */
function claude(input: number, output: number, cacheRead = input / 10, long?: Price['long']): Price {
  return { input, output, cacheRead, cacheWrite: input * 1.25, cacheWriteLong: input * 2, long };
}

/** `developers.openai.com/api/docs/models/…`: above 272,000 tokens twice the input and 1.5 times the output. */
const gptLong = { above: 272_000, input: 2, output: 1.5 };

/** Older models do not charge for writing to the cache. */
function gpt(input: number, output: number, cacheRead = input / 10, long?: Price['long']): Price {
  return { input, output, cacheRead, cacheWrite: input, cacheWriteLong: input, long };
}

/** A write costs 1.25 times the input. */
function gptWriting(input: number, output: number, cacheRead = input / 10): Price {
  return { ...gpt(input, output, cacheRead, gptLong), cacheWrite: input * 1.25, cacheWriteLong: input * 2.5 };
}

/**
 * List prices, by the name of a model without its date. Anthropic: the page named above with the pages of the models, and for Haiku 5.5,
 * the cut of 7 October for Sonnet 5.5, and Fable 5.2 (9 November) what trackers of that page wrote down. OpenAI: the pages of the
 * models (GPT-6.2 since 17 November). Looked up on 21 November 2026. A model that is not here has no price: nothing is guessed
 * from a name that is alike.
 */
const prices: Readonly<Record<string, Price>> = {
  'claude-fable-5-2': claude(8, 40, 0.2),
  'claude-fable-5-1': claude(10, 50, 0.25),
  'claude-mythos-5-1': claude(10, 50, 0.25),
  'claude-fable-5': claude(10, 50),
  'claude-mythos-5': claude(10, 50),
  'claude-opus-5-5': claude(4, 20, 0.2),
  'claude-opus-5': claude(5, 25),
  'claude-opus-4-8': claude(5, 25),
  'claude-opus-4-7': claude(5, 25),
  'claude-opus-4-6': claude(5, 25),
  'claude-opus-4-5': claude(5, 25),
  'claude-opus-4-1': claude(15, 75),
  'claude-sonnet-5-5': claude(2, 10, 0.1),
  'claude-sonnet-5': claude(2, 10),
  'claude-sonnet-4-6': claude(3, 15),
  'claude-sonnet-4-5': claude(3, 15),
  'claude-haiku-5-5': claude(0.1, 0.5, 0.01, { above: 100_000, input: 5, output: 5 }),
  'claude-haiku-4-5': claude(1, 5),
  'gpt-6.2-astra': gptWriting(8, 40, 0.4),
  'gpt-6.2-sol': gptWriting(2, 10, 0.1),
  'gpt-6.1-sol': gptWriting(2, 10, 0.1),
  'gpt-6.1-terra': gptWriting(1, 5, 0.05),
  'gpt-6-astra': gptWriting(10, 50),
  'gpt-6-sol': gptWriting(2, 10),
  'gpt-6-luna': gptWriting(0.1, 0.5),
  'gpt-5.6': gptWriting(4, 20),
  'gpt-5.6-sol': gptWriting(4, 20),
  'gpt-5.6-terra': gptWriting(2, 12),
  'gpt-5.6-luna': gptWriting(0.2, 1.2),
  'gpt-5.5': gpt(5, 30, 0.5, gptLong),
  'gpt-5.4': gpt(2.5, 15, 0.25, gptLong),
  'gpt-5.4-mini': gpt(0.75, 4.5),
  'gpt-5.3-codex': gpt(1.75, 14),
  'gpt-5.2-codex': gpt(1.75, 14),
  'gpt-5.2': gpt(1.75, 14),
  'gpt-5.1': gpt(1.25, 10),
  'gpt-5.1-codex': gpt(1.25, 10),
  'gpt-5.1-codex-mini': gpt(0.25, 2),
  'gpt-5': gpt(1.25, 10),
  'gpt-5-codex': gpt(1.25, 10),
  'gpt-5-mini': gpt(0.25, 2),
};

function priceOf(model: string): Price | undefined {
  const name = model.replace(/\[1m\]$/, '').replace(/-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$/, '');
  return Object.hasOwn(prices, name) ? prices[name] : undefined;
}

/** Names of all models with a known price. */
export const pricedModels: readonly string[] = Object.keys(prices);

/**
 * What a request costs at most in US dollars: nothing of its input is found in a cache, all of it is written to one, and the answer is
 * as long as it may be. Null where the price of the model is not known.
 */
export function mostOf(model: string, { input, output, keepsLong }: RequestSize): number | null {
  return costOf(model, { input: 0, output, cacheRead: 0, cacheWrite: input, cacheWriteLong: keepsLong ? input : 0 });
}

/** What a request cost in US dollars; null where the price of the model is not known. */
export function costOf(model: string, counted: Counted): number | null {
  const price = priceOf(model);
  if (price === undefined) return null;
  const { input, output, cacheRead, cacheWrite, cacheWriteLong } = counted;
  const isLong = price.long !== undefined && input + cacheRead + cacheWrite > price.long.above;
  const read =
    input * price.input +
    cacheRead * price.cacheRead +
    (cacheWrite - cacheWriteLong) * price.cacheWrite +
    cacheWriteLong * price.cacheWriteLong;
  const written = output * price.output;
  return ((isLong ? (price.long?.input ?? 1) : 1) * read + (isLong ? (price.long?.output ?? 1) : 1) * written) / 1_000_000;
}
