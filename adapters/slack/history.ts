import { z } from 'zod';
import type { PastMessage } from '../../src/contracts/chat-adapter.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { conversationId } from './direct.ts';
import { timeOf } from './messages.ts';
import { decodeText } from './slack-text.ts';
import type { Web } from './web.ts';

const message = z.looseObject({
  ts: z.string().regex(/^\d+\.\d+$/),
  subtype: z.string().nullish(),
  user: z.string().nullish(),
  user_team: z.string().nullish(),
  team: z.string().nullish(),
  username: z.string().nullish(),
  bot_id: z.string().nullish(),
  text: z.string().nullish(),
  files: z
    .array(
      z.looseObject({
        id: z.string().nullish(),
        name: z.string().nullish(),
        mimetype: z.string().nullish(),
        size: z.number().int().nonnegative().nullish().catch(undefined),
      }),
    )
    .nullish()
    .catch(undefined),
});
const page = z.object({ messages: z.array(z.unknown()) });

/** Slack gives threads from their beginning: this much of one is read. */
const threadPage = 1000;
/** What people and apps say; the rest are notes of Slack's, such as that somebody joined. */
const said = new Set([undefined, null, 'bot_message', 'file_share', 'me_message', 'thread_broadcast']);

/** What was said in a thread, or at the top level of a channel, before a message or up to now. `conversations.replies` and `.history`. */
export async function readHistory(
  web: Web,
  own: { botUser: string; team: string },
  to: Conversation,
  before: string | undefined,
  limit: number,
): Promise<PastMessage[]> {
  const channel = await conversationId(web, to.channel);
  const range = { channel, ...(before === undefined ? {} : { latest: before, inclusive: false }) };
  const answer =
    to.thread === undefined
      ? await web.read('conversations.history', { ...range, limit }, page)
      : await web.read('conversations.replies', { ...range, ts: to.thread, limit: threadPage }, page);
  return answer.messages
    .flatMap((one) => message.safeParse(one).data ?? [])
    .filter(({ ts, subtype }) => (before === undefined || Number(ts) < Number(before)) && said.has(subtype))
    .sort((one, other) => Number(one.ts) - Number(other.ts))
    .slice(-limit)
    .map((one) => past(one, own));
}

function past(found: z.infer<typeof message>, own: { botUser: string; team: string }): PastMessage {
  const { ts, user, bot_id: bot, username, text, files } = found;
  const team = found.user_team ?? found.team;
  return {
    message: ts,
    at: timeOf(ts),
    author: {
      user: user ?? bot ?? '',
      name: username ?? undefined,
      bot: (bot ?? '') !== '',
      own: user === own.botUser,
      outside: team != null && team !== own.team,
    },
    text: decodeText(text ?? '').trim(),
    attachments: (files ?? []).map(({ id, name, mimetype, size }) => ({
      name: name ?? id ?? 'file',
      id: id ?? undefined,
      mime: mimetype ?? undefined,
      bytes: size ?? undefined,
    })),
  };
}
