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

const message = z.looseObject({
  ts: z.string(),
  user: z.string().nullish(),
  bot_id: z.string().nullish(),
  // Other apps may put anything here.
  metadata: z
    .object({ event_type: z.string().optional(), event_payload: z.looseObject({}).optional() })
    .nullish()
    .catch(undefined),
  files: z
    .array(z.looseObject({ name: z.string().nullish() }))
    .nullish()
    .catch(undefined),
});
type Message = z.infer<typeof message>;

const page = z.object({
  messages: z.array(message),
  response_metadata: z.object({ next_cursor: z.string().optional() }).optional(),
});

/** Looks through the thread, or the top level of the channel, for the message that was sent with `key`. */
export async function findMessage(web: Web, to: Conversation, key: string, since: string): Promise<MessageRef | undefined> {
  const channel = await conversationId(web, to.channel);
  const found = await lookThrough(
    web,
    { ...to, channel },
    oldest(since),
    ({ bot_id: bot, metadata }) => bot != null && metadata?.event_type === metadataType && metadata.event_payload?.key === key,
  );
  if (found === undefined) return undefined;
  const thread = to.thread === undefined ? {} : { thread: to.thread };
  return { platform: 'slack', tenant: to.tenant, channel, ...thread, message: found.ts };
}

/**
 * Looks for a message of the bot that carries files of these names. Slack stores no metadata with files; their names, and that they
 * stand behind the message they belong to, must do.
 */
export async function findFiles(
  web: Web,
  to: Conversation,
  botUser: string,
  names: readonly string[],
  range: { since: string; after: string | undefined },
): Promise<boolean> {
  const wanted = names.toSorted().join('\n');
  const found = await lookThrough(
    web,
    { ...to, channel: await conversationId(web, to.channel) },
    range.after ?? oldest(range.since),
    ({ user, files }) =>
      user === botUser &&
      (files ?? [])
        .map(({ name }) => name ?? '')
        .sort()
        .join('\n') === wanted,
  );
  return found !== undefined;
}

function oldest(since: string): string {
  return ((Date.parse(since) - skewMs) / 1000).toFixed(6);
}

async function lookThrough(
  web: Web,
  { channel, thread }: Conversation,
  oldest: string,
  matches: (message: Message) => boolean,
): Promise<Message | undefined> {
  let cursor: string | undefined;
  for (let read = 0; read < maxPages; read += 1) {
    const args = {
      channel,
      oldest,
      limit: pageSize,
      include_all_metadata: true,
      ...(thread === undefined ? {} : { ts: thread }),
      ...(cursor === undefined ? {} : { cursor }),
    };
    const answer = await web.read(thread === undefined ? 'conversations.history' : 'conversations.replies', args, page);
    const found = answer.messages.find(matches);
    if (found !== undefined) return found;
    cursor = answer.response_metadata?.next_cursor;
    if (cursor === undefined || cursor === '') return undefined;
  }
  return undefined;
}
