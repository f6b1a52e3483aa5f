import { z } from 'zod';
import type { PastMessage } from '../../src/contracts/chat-adapter.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { decodeText, laterId, snowflakeTime } from './discord-text.ts';
import { type DiscordMessage, messageSchema } from './payloads.ts';
import { type InboundContext, nameOf } from './reading.ts';
import { path, type Rest } from './rest.ts';
import { channelOf } from './sending.ts';

const page = z.array(z.unknown());
/** Most that Discord gives at once. */
const maxPage = 100;
/** `DEFAULT` and `REPLY`; other types are notes of Discord's own. */
const said = new Set([undefined, null, 0, 19]);

/** What was said in a thread or a channel before a message: `GET /channels/{id}/messages?before=`. */
export async function readHistory(
  rest: Rest,
  { botUser }: Pick<InboundContext, 'botUser'>,
  to: Conversation,
  before: string,
  limit: number,
): Promise<PastMessage[]> {
  const query = { limit: String(Math.min(limit, maxPage)), before };
  const route = path`/channels/${channelOf(to)}/messages`;
  const answer = await rest.call({ method: 'get', route, what: 'look up what was said before', query }, page);
  return answer
    .flatMap((one) => messageSchema.safeParse(one).data ?? [])
    .filter(({ type }) => said.has(type))
    .sort((one, other) => (laterId(one.id, other.id) === one.id ? 1 : -1))
    .map((one) => past(one, botUser));
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
    attachments: (attachments ?? []).map(({ id: file, filename }) => ({ name: filename ?? file })),
  };
}
