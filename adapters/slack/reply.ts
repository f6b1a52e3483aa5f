import { z } from 'zod';
import type { InboundContext } from './reading.ts';

/**
 * The handle by which one act can be answered: its `response_url`, which works five times within thirty minutes and needs no
 * token, so that it is a secret of the person who acted.
 */
const lifetimeMs = 30 * 60_000;
const replySchema = z.object({ url: z.url(), until: z.number() });

export function sealReply(url: string, context: Pick<InboundContext, 'seal' | 'now'>): string {
  return context.seal(JSON.stringify({ url, until: context.now().getTime() + lifetimeMs }));
}

/** The address, or `undefined` when the handle is not ours, altered, or too old to be worth a try. */
export function openReply(sealed: string, open: (token: string) => string | undefined, now: Date): string | undefined {
  const text = open(sealed);
  if (text === undefined) return undefined;
  try {
    const reply = replySchema.safeParse(JSON.parse(text));
    return reply.success && reply.data.until > now.getTime() ? reply.data.url : undefined;
  } catch {
    return undefined;
  }
}
