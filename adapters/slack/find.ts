import { z } from 'zod';
import type { Conversation, MessageRef } from '../../src/contracts/platform.ts';
import { conversationId } from './direct.ts';
import type { Web } from './web.ts';

/** Metadata that carries the outbox key. Members and apps of the workspace can read it: it holds nothing else. */
export const metadataType = 'deckhand_message';

export function messageMetadata(key: string) {
  return { event_type: metadataType, event_payload: { key } };
}

const pageSize = 200;
const maxPages = 10;
/** Clocks differ; a message cannot be older than the attempt to send it by more than this. */
const skewMs = 60_000;

const page = z.object({
  messages: z.array(
    z.looseObject({
      ts: z.string(),
      bot_id: z.string().nullish(),
      // Other apps may put anything here.
      metadata: z
        .object({ event_type: z.string().optional(), event_payload: z.looseObject({}).optional() })
        .nullish()
        .catch(undefined),
    }),
  ),
  response_metadata: z.object({ next_cursor: z.string().optional() }).optional(),
});

/** Looks through the thread, or the top level of the channel, for the message that was sent with `key`. */
export async function findMessage(web: Web, to: Conversation, key: string, since: string): Promise<MessageRef | undefined> {
  const oldest = ((Date.parse(since) - skewMs) / 1000).toFixed(6);
  const channel = await conversationId(web, to.channel);
  let cursor: string | undefined;
  for (let read = 0; read < maxPages; read += 1) {
    const args = {
      channel,
      oldest,
      limit: pageSize,
      include_all_metadata: true,
      ...(to.thread === undefined ? {} : { ts: to.thread }),
      ...(cursor === undefined ? {} : { cursor }),
    };
    const answer = await web.read(to.thread === undefined ? 'conversations.history' : 'conversations.replies', args, page);
    const found = answer.messages.find(
      ({ bot_id: bot, metadata }) => bot != null && metadata?.event_type === metadataType && metadata.event_payload?.key === key,
    );
    if (found !== undefined) {
      const thread = to.thread === undefined ? {} : { thread: to.thread };
      return { platform: 'slack', tenant: to.tenant, channel, ...thread, message: found.ts };
    }
    cursor = answer.response_metadata?.next_cursor;
    if (cursor === undefined || cursor === '') return undefined;
  }
  return undefined;
}
