import { z } from 'zod';

/** Name of a model. */
export const modelName = z
  .string()
  .refine((text) => /^[\w][\w.:/@[\]-]{0,99}$/.test(text), { error: ({ input }) => `\`${input}\` is not the name of a model.` });

/** The same, or `default`, which is null: the agent's own choice. */
export const modelWord = modelName.transform((text) => (text.toLowerCase() === 'default' ? null : text));

/** US dollars: `5`, `0.50`, `$5`; `none` is null: no limit. */
export const budgetWord = z
  .string()
  .toLowerCase()
  .refine((text) => text === 'none' || /^\$?\d{1,6}(\.\d{1,2})?$/.test(text), {
    error: ({ input }) => `\`${input}\` is not an amount of US dollars, such as \`5\` or \`0.50\`, nor \`none\`.`,
  })
  .transform((text) => (text === 'none' ? null : Number(text.replace('$', ''))));

/** `$0.50`, `no limit`. */
export function budgetText(usd: number | null): string {
  return usd === null ? 'no limit' : `$${usd.toFixed(2)}`;
}

/** What a person says to an agent: `now …` interrupts it, `btw …` asks beside. The word itself is not part of what is said. */
export function spoken(text: string): { when: 'next' | 'now' | 'btw'; text: string } {
  const found = /^(now|btw)(?:[,:]\s*|\s+)(?=\S)/i.exec(text);
  const word = found?.[1]?.toLowerCase();
  if (found === null || (word !== 'now' && word !== 'btw')) return { when: 'next', text };
  return { when: word, text: text.slice(found[0].length) };
}
