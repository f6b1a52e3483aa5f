import { z } from 'zod';
import type { ThreadOpening } from '../../src/contracts/chat-adapter.ts';
import type { Conversation, MessageRef } from '../../src/contracts/platform.ts';
import { laterId, snowflakeAt } from './discord-text.ts';
import { componentMark, nonceOf } from './outbound.ts';
import { path, type Rest } from './rest.ts';
import { channelOf, openThread, refIn } from './sending.ts';

const pageSize = 100;
const maxPages = 10;
/** Clocks differ; a message cannot be older than the attempt to send it by more than this. */
const skewMs = 60_000;

const page = z.array(
  z.object({
    id: z.string().min(1),
    author: z.object({ id: z.string() }).nullish(),
    nonce: z.union([z.string(), z.number()]).nullish(),
    // Other bots may put anything here.
    components: z
      .array(z.looseObject({ id: z.number().nullish(), components: z.array(z.unknown()).nullish() }))
      .nullish()
      .catch(undefined),
    thread: z.object({ id: z.string() }).nullish().catch(undefined),
  }),
);
const inner = z.object({ id: z.number() });

/**
 * Looks for the message that was sent with `key`: by its nonce where Discord tells it, else by the ids of its first components, which
 * are made from the key and given back unchanged.
 */
export async function findMessage(
  deps: { rest: Rest; botUser: string },
  to: Conversation,
  key: string,
  since: string,
  opens: ThreadOpening | undefined,
): Promise<MessageRef | undefined> {
  const found = await searched(deps, channelOf(to), key, since);
  if (found === undefined || to.thread !== undefined || to.kind === 'direct') return found && refIn(to, found.id);
  if (found.thread == null && opens !== undefined) await openThread(deps.rest, to.channel, found.id, opens.title);
  const starts = found.thread != null || opens !== undefined;
  return refIn(starts ? { ...to, thread: found.id } : to, found.id);
}

type Found = z.infer<typeof page>[number];

async function searched(
  { rest, botUser }: { rest: Rest; botUser: string },
  channel: string,
  key: string,
  since: string,
): Promise<Found | undefined> {
  const nonce = nonceOf(key);
  const [outerId, innerId] = componentMark(key);
  let after = snowflakeAt(Date.parse(since) - skewMs);
  for (let read = 0; read < maxPages; read += 1) {
    const query = { limit: String(pageSize), after };
    const messages = await rest.call(
      { method: 'get', route: path`/channels/${channel}/messages`, what: 'look for a message', query },
      page,
    );
    const found = messages.find(({ author, nonce: said, components }) => {
      if (author?.id !== botUser) return false;
      const [outer] = components ?? [];
      return said === nonce || (outer?.id === outerId && inner.safeParse(outer.components?.[0]).data?.id === innerId);
    });
    if (found !== undefined || messages.length < pageSize) return found;
    after = messages.map(({ id }) => id).reduce(laterId);
  }
  return undefined;
}
