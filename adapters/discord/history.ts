import { z } from 'zod';
import { DeliveryError, type PastMessage } from '../../src/contracts/chat-adapter.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { decodeText, laterId, snowflakeTime } from './discord-text.ts';
import { type DiscordMessage, messageSchema, starterSchema } from './payloads.ts';
import { type InboundContext, nameOf } from './reading.ts';
import { path, type Rest } from './rest.ts';
import { channelOf } from './sending.ts';

const page = z.array(z.unknown());
/** Most that Discord gives at once. */
const maxPage = 100;
/** `DEFAULT` and `REPLY`; other types are notes of Discord's own. */
const said = new Set([undefined, null, 0, 19]);

/**
 * What was said in a thread or a channel before a message, or up to now: `GET /channels/{id}/messages?before=`. With the message that a
 * thread was opened on: it stands in the channel above, under the id of the thread, and the thread's first message holds it.
 */
export async function readHistory(
  rest: Rest,
  { botUser }: Pick<InboundContext, 'botUser'>,
  to: Conversation,
  before: string | undefined,
  limit: number,
): Promise<PastMessage[]> {
  const most = Math.min(limit, maxPage);
  const query = { limit: String(most), ...(before === undefined ? {} : { before }) };
  const route = path`/channels/${channelOf(to)}/messages`;
  const answer = await rest.call({ method: 'get', route, what: 'look up what was said before', query }, page);
  const begun = answer.flatMap((one) => starterSchema.safeParse(one).data?.referenced_message ?? [])[0];
  const starter = begun ?? (answer.length < most ? undefined : await starterOf(rest, to));
  return [...(starter === undefined ? [] : [starter]), ...answer.flatMap((one) => messageSchema.safeParse(one).data ?? [])]
    .filter(({ type }) => said.has(type))
    .sort((one, other) => (laterId(one.id, other.id) === one.id ? 1 : -1))
    .map((one) => past(one, botUser));
}

/** Of a thread whose beginning is further back than what was read. Not every thread has one: a post of a forum begins with its own message. */
async function starterOf(rest: Rest, { kind, channel, thread }: Conversation): Promise<DiscordMessage | undefined> {
  if (thread === undefined || kind === 'direct') return undefined;
  const route = path`/channels/${channel}/messages/${thread}`;
  try {
    return await rest.call({ method: 'get', route, what: 'look up what a thread was opened on' }, messageSchema);
  } catch (error) {
    if (error instanceof DeliveryError && error.failure.kind === 'gone') return undefined;
    throw error;
  }
}

function past(found: DiscordMessage, botUser: string): PastMessage {
  const { id, author, member, content, webhook_id: webhook, attachments } = found;
  return {
    message: id,
    at: snowflakeTime(id).toISOString(),
    author: {
      user: author?.id ?? '',
      ...nameOf(member, author),
      bot: author?.bot === true || webhook != null,
      own: author?.id === botUser,
    },
    text: decodeText(content ?? '').trim(),
    attachments: (attachments ?? []).map(({ id: file, filename, content_type: mime, size: bytes }) => ({
      name: filename ?? file,
      id: file,
      mime: mime?.replace(/;.*$/s, '').trim(),
      bytes: bytes ?? undefined,
    })),
  };
}
