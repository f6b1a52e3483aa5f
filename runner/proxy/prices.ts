import type { Counted } from './usage-reader.ts';

/** US dollars for a million tokens. */
interface Price {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

function anthropic(input: number, output: number): Price {
  return { input, output, cacheRead: input / 10, cacheWrite: input * 1.25 };
}

function openai(input: number, output: number): Price {
  return { input, output, cacheRead: input / 10, cacheWrite: input };
}

/** List prices of the providers, by the beginning of a model's name; the longest that fits counts. */
const prices: readonly (readonly [beginning: string, price: Price])[] = [
  ['claude-opus-4-5', anthropic(5, 25)],
  ['claude-opus-4', anthropic(15, 75)],
  ['claude-sonnet-4', anthropic(3, 15)],
  ['claude-haiku-4', anthropic(1, 5)],
  ['claude-3-5-haiku', anthropic(0.8, 4)],
  ['gpt-5', openai(1.25, 10)],
  ['gpt-5-mini', openai(0.25, 2)],
  ['gpt-5-nano', openai(0.05, 0.4)],
];

/** What a request cost; null where nobody has told the price of the model. */
export function costOf(model: string, counted: Counted): number | null {
  const [found] = prices.filter(([beginning]) => model.startsWith(beginning)).sort(([a], [b]) => b.length - a.length);
  if (found === undefined) return null;
  const [, price] = found;
  const kinds = ['input', 'output', 'cacheRead', 'cacheWrite'] as const;
  return kinds.reduce((sum, kind) => sum + (counted[kind] * price[kind]) / 1_000_000, 0);
}
