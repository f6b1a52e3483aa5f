import type { Conversation, MessageRef } from '../../src/contracts/platform.ts';
import type { View } from '../../src/contracts/view.ts';
import type { At } from './place.ts';
import type { Client } from './requests.ts';
import { isOwn, type Me } from './talk-events.ts';
import { delivering, gone } from './talk-failures.ts';
import { commentBody, keyOf, mentioned } from './talk-markdown.ts';
import { commentSchema } from './talk-payloads.ts';
import type { People } from './talk-people.ts';
import { numberIn, repositoryIn, spotOf } from './talk-places.ts';
import { commentSaid } from './talk-said.ts';

const perPage = 100;
const mostPages = 10;
/** Clocks differ; a comment cannot be older than the attempt to write it by more than this. */
const skewMs = 60_000;
const rememberedKeys = 1_000;

/** Own comments: writing, replacing and finding them. */
export interface Comments {
  send(to: Conversation, view: View, key: string): Promise<MessageRef>;
  edit(ref: MessageRef, view: View): Promise<void>;
  find(me: Me, to: Conversation, key: string, since: string): Promise<MessageRef | undefined>;
}

export function createComments({ client, at, people }: { client: Client; at: At; people: People }): Comments {
  /** Of comments written by this process; others are asked for. A comment keeps its key, so that it is found whatever becomes of it. */
  const keys = new Map<string, string>();

  function remember(message: string, key: string): void {
    keys.delete(message);
    keys.set(message, key);
    const oldest = keys.keys().next().value;
    if (keys.size > rememberedKeys && oldest !== undefined) keys.delete(oldest);
  }

  const refOf = ({ tenant, channel }: Conversation, number: number, id: number | bigint): MessageRef => ({
    platform: 'github',
    tenant,
    channel,
    thread: String(number),
    message: `c${id}`,
  });

  return {
    async send(to, view, key) {
      const [repository, number] = [repositoryIn(to), numberIn(to)];
      const body = commentBody(view, key, await people.logins(repository, mentioned(view)));
      const { data } = await delivering(true, () =>
        at('write a comment', repository, 'pulls', undefined, (place) =>
          client.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', { ...place, issue_number: number, body }),
        ),
      );
      const ref = refOf(to, number, data.id);
      remember(ref.message, key);
      return ref;
    },
    async edit(ref, view) {
      const { kind, id } = spotOf(ref);
      if (kind !== 'c') throw gone(`${ref.message} is no comment of ours`);
      const repository = repositoryIn(ref);
      const logins = await people.logins(repository, mentioned(view));
      await delivering(false, () =>
        at('change a comment', repository, 'pulls', undefined, async (place) => {
          const path = '/repos/{owner}/{repo}/issues/comments/{comment_id}';
          const key =
            keys.get(ref.message) ?? keyOf((await client.request(`GET ${path}`, { ...place, comment_id: id })).data.body ?? '');
          await client.request(`PATCH ${path}`, { ...place, comment_id: id, body: commentBody(view, key, logins) });
        }),
      );
    },
    async find(me, to, key, since) {
      const [repository, number] = [repositoryIn(to), numberIn(to)];
      const path = 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments';
      const from = new Date(Date.parse(since) - skewMs).toISOString();
      return await delivering(false, () =>
        at('look for a comment', repository, 'pulls', undefined, async (place) => {
          for (let page = 1; page <= mostPages; page += 1) {
            const options = { ...place, issue_number: number, since: from, per_page: perPage, page };
            const { data } = await client.request(path, options);
            const found = data.find((given) => {
              const comment = commentSchema.safeParse(given).data;
              const said = comment && commentSaid(comment, number, 'issue');
              return said !== undefined && isOwn(said, me) && keyOf(said.body) === key;
            });
            if (found !== undefined) return refOf(to, number, found.id);
            if (data.length < perPage) return undefined;
          }
          return undefined;
        }),
      );
    },
  };
}
