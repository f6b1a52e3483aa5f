import { describe, expect, it } from 'vitest';
import { createDirectory } from '../../adapters/discord/directory.ts';
import { findMessage } from '../../adapters/discord/find.ts';
import type { Call, Rest } from '../../adapters/discord/rest.ts';
import { createRest } from '../../adapters/discord/rest.ts';
import { channelOfMessage, createMarks, sendMessage } from '../../adapters/discord/sending.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { words } from '../support/discord-adapter.ts';

const [application, guild, forum, post] = [
  '1100000000000000900',
  '1100000000000000001',
  '1100000000000000300',
  '1573640000000000000',
];
const to: Conversation = { platform: 'discord', tenant: application, channel: forum, kind: 'channel' };
const since = '2026-11-21T10:00:00.000Z';

/** A forum channel as the API describes it; what is posted there is kept. */
function forumServer() {
  const calls: string[] = [];
  const posts: { id: string; parent_id: string; owner_id: string; message: object }[] = [];
  function answer({ method, route, body }: Call): unknown {
    calls.push(`${method} ${route}`);
    if (method === 'get' && route === `/channels/${forum}`) return { id: forum, type: 15, name: 'tasks', guild_id: guild };
    if (method === 'post' && route === `/channels/${forum}/threads`) {
      const { message } = body as { message: object };
      posts.push({ id: post, parent_id: forum, owner_id: application, message });
      return { id: post, message: { id: post } };
    }
    if (route === `/guilds/${guild}/threads/active`) return { threads: posts };
    const one = posts.find(({ id }) => route === `/channels/${id}/messages/${id}`);
    if (one !== undefined) return { id: one.id, author: { id: one.owner_id }, ...one.message };
    throw new Error(`a forum has no ${method} ${route}`);
  }
  const rest: Rest = {
    ...createRest({ token: 'a.b.c' }),
    call: async (call, shape) => shape.parse(answer(call)),
    act: async (call) => void answer(call),
  };
  const directory = createDirectory({ rest, application, botUser: application });
  return { rest, directory, marks: createMarks(), botUser: application, calls, posts };
}

describe('a forum of Discord', () => {
  it('gets a post for each card, named as the task: the card is its first message', async () => {
    const server = forumServer();
    const ref = await sendMessage(server, to, words('the card'), 'the key', { title: '#1 x' });
    expect(ref).toEqual({ platform: 'discord', tenant: application, channel: forum, thread: post, message: post });
    expect(server.calls.at(-1)).toBe(`post /channels/${forum}/threads`);
    // The first message of a post is inside it, unlike the one that a thread was made from.
    expect(await channelOfMessage(server.directory, ref)).toBe(post);
  });

  it('promise 6: tells whether a post arrived whose answer was lost', async () => {
    const server = forumServer();
    expect(await findMessage(server, to, 'the key', since, { title: '#1 x' })).toBeUndefined();
    const ref = await sendMessage(server, to, words('the card'), 'the key', { title: '#1 x' });
    expect(await findMessage(server, to, 'the key', since, { title: '#1 x' })).toEqual(ref);
    expect(await findMessage(server, to, 'another key', since, undefined)).toBeUndefined();
  });

  it('is not searched for posts of others, in other channels, or from before', async () => {
    const server = forumServer();
    await sendMessage(server, to, words('the card'), 'the key', undefined);
    const [own] = server.posts;
    if (own === undefined) throw new Error('nothing was posted');
    const looked = () => server.calls.filter((call) => call.includes('/messages/')).length;
    for (const changed of [{ owner_id: '7' }, { parent_id: '8' }, { id: '1100000000000000999' }]) {
      server.posts[0] = { ...own, ...changed };
      expect(await findMessage(server, to, 'the key', since, undefined)).toBeUndefined();
    }
    expect(looked()).toBe(0);
  });
});
