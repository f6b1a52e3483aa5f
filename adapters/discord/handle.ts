import { z } from 'zod';

/**
 * What it takes to answer one act: the id and the token of an interaction. The token lets anybody answer as the bot for fifteen
 * minutes, so that it is sealed wherever it leaves this process. Any process of the installation can use it.
 *
 * `kind`: what the person sees while nothing has come yet. `thinking`: a placeholder that only they see (commands). `quiet`: nothing.
 * `opens`: nothing, and a form may still be the first answer (presses). `asks`: the same, and a placeholder when no form has come in time
 * (message commands).
 */
export interface Handle {
  kind: 'thinking' | 'quiet' | 'opens' | 'asks';
  id: string;
  token: string;
  /** When it arrived here, milliseconds. */
  at: number;
}

/** The first answer must come within three seconds, all others within fifteen minutes. Both with a margin for the way. */
export const firstAnswerMs = 2_700;
export const lifetimeMs = 14.5 * 60_000;

const schema = z.object({
  kind: z.enum(['thinking', 'quiet', 'opens', 'asks']),
  id: z.string().regex(/^\d+$/),
  token: z.string().min(1),
  at: z.number(),
});

export function mayOpenForm({ kind }: Pick<Handle, 'kind'>): boolean {
  return kind === 'opens' || kind === 'asks';
}

export function sealHandle(handle: Handle, seal: (text: string) => string): string {
  const { kind, id, token, at } = handle;
  return seal(JSON.stringify({ kind, id, token, at }));
}

/** `undefined` when the handle is not ours, altered, or too old to be worth a try. */
export function openHandle(sealed: string, open: (token: string) => string | undefined, now: Date): Handle | undefined {
  const text = open(sealed);
  if (text === undefined) return undefined;
  try {
    const handle = schema.safeParse(JSON.parse(text)).data;
    return handle !== undefined && handle.at + lifetimeMs > now.getTime() ? handle : undefined;
  } catch {
    return undefined;
  }
}
