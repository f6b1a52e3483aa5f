import { z } from 'zod';
import type { ThreadOpening } from '../../src/contracts/chat-adapter.ts';
import type { Conversation, MessageRef } from '../../src/contracts/platform.ts';
import type { Directory } from './directory.ts';
import { laterId, snowflakeAt } from './discord-text.ts';
import { componentMark, nonceOf } from './outbound.ts';
import { isForum } from './reading.ts';
import { path, type Rest } from './rest.ts';
import { channelOf, openThread, refIn } from './sending.ts';

const pageSize = 100;
const maxPages = 10;
/** Clocks differ; a message cannot be older than the attempt to send it by more than this. */
const skewMs = 60_000;

/** Posts of the bot in a forum that are looked into, newest first. */
const maxPosts = 25;

const message = z.object({
  id: z.string().min(1),
  author: z.object({ id: z.string() }).nullish(),
  nonce: z.union([z.string(), z.number()]).nullish(),
  // Other bots may put anything here.
  components: z
    .array(z.looseObject({ id: z.number().nullish(), components: z.array(z.unknown()).nullish() }))
    .nullish()
    .catch(undefined),
  thread: z.object({ id: z.string() }).nullish().catch(undefined),
});
const page = z.array(message);
const inner = z.object({ id: z.number() });
const activeThreads = z.object({
  threads: z.array(z.object({ id: z.string().min(1), parent_id: z.string().nullish(), owner_id: z.string().nullish() })),
});

interface FindDeps {
  rest: Rest;
  directory: Directory;
  botUser: string;
}

/**
 * Looks for the message that was sent with `key`: by its nonce where Discord tells it, else by the ids of its first components, which
 * are made from the key and given back unchanged.
 */
export async function findMessage(
  deps: FindDeps,
  to: Conversation,
  key: string,
  since: string,
  opens: ThreadOpening | undefined,
): Promise<MessageRef | undefined> {
  const isTop = to.thread === undefined && to.kind !== 'direct';
  const guild = isTop ? await guildOfForum(deps.directory, to.channel) : undefined;
  if (guild !== undefined) {
    const post = await searchedPosts(deps, { guild, forum: to.channel }, key, since);
    return post === undefined ? undefined : refIn({ ...to, thread: post }, post);
  }
  const found = await searched(deps, channelOf(to), key, since);
  if (found === undefined || !isTop) return found && refIn(to, found.id);
  if (found.thread == null && opens !== undefined) await openThread(deps.rest, to.channel, found.id, opens.title);
  const starts = found.thread != null || opens !== undefined;
  return refIn(starts ? { ...to, thread: found.id } : to, found.id);
}

type Found = z.infer<typeof message>;

async function searched({ rest, botUser }: FindDeps, channel: string, key: string, since: string): Promise<Found | undefined> {
  const isSent = sentWith(key, botUser);
  let after = beginning(since);
  for (let read = 0; read < maxPages; read += 1) {
    const query = { limit: String(pageSize), after };
    const messages = await rest.call(
      { method: 'get', route: path`/channels/${channel}/messages`, what: 'look for a message', query },
      page,
    );
    const found = messages.find(isSent);
    if (found !== undefined || messages.length < pageSize) return found;
    after = messages.map(({ id }) => id).reduce(laterId);
  }
  return undefined;
}

/** A forum has no messages of its own: each post is a thread, whose first message has its id. */
async function searchedPosts(
  { rest, botUser }: FindDeps,
  { guild, forum }: { guild: string; forum: string },
  key: string,
  since: string,
): Promise<string | undefined> {
  const isSent = sentWith(key, botUser);
  const route = path`/guilds/${guild}/threads/active`;
  const { threads } = await rest.call({ method: 'get', route, what: 'list the posts of a forum' }, activeThreads);
  const from = beginning(since);
  const posts = threads
    .filter((one) => one.parent_id === forum && one.owner_id === botUser && laterId(one.id, from) === one.id)
    .sort((one, other) => (laterId(one.id, other.id) === one.id ? -1 : 1))
    .slice(0, maxPosts);
  for (const { id } of posts) {
    const first = await rest.call(
      { method: 'get', route: path`/channels/${id}/messages/${id}`, what: 'look at a post' },
      message,
    );
    if (isSent(first)) return id;
  }
  return undefined;
}

function sentWith(key: string, botUser: string): (message: Found) => boolean {
  const nonce = nonceOf(key);
  const [outerId, innerId] = componentMark(key);
  return ({ author, nonce: said, components }) => {
    if (author?.id !== botUser) return false;
    const [outer] = components ?? [];
    return said === nonce || (outer?.id === outerId && inner.safeParse(outer.components?.[0]).data?.id === innerId);
  };
}

function beginning(since: string): string {
  return snowflakeAt(Date.parse(since) - skewMs);
}

async function guildOfForum(directory: Directory, id: string): Promise<string | undefined> {
  const channel = await directory.channel(id);
  return channel !== undefined && isForum(channel.type) ? (channel.guild_id ?? undefined) : undefined;
}
