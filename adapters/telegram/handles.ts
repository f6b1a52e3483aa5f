import { z } from 'zod';
import type { InboundContext } from './reading.ts';

/**
 * The handle by which one press can be answered: its id, which is good for some seconds. Whoever has it could answer in the bot's name,
 * so it is sealed like every other.
 */
const handleSchema = z.object({ press: z.string().min(1), at: z.number() });
export type Handle = z.infer<typeof handleSchema>;

export function sealPress(press: string, context: Pick<InboundContext, 'seal' | 'now'>): string {
  return context.seal(JSON.stringify({ press, at: context.now().getTime() } satisfies Handle));
}

/** `undefined` when the handle is not ours or was altered. */
export function openPress(sealed: string, open: (token: string) => string | undefined): Handle | undefined {
  const text = open(sealed);
  if (text === undefined) return undefined;
  try {
    return handleSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
