import { z } from 'zod';
import type { MessageRef } from '../../src/contracts/platform.ts';
import type { At, Place } from './place.ts';
import type { Client } from './requests.ts';
import type { Me } from './talk-events.ts';
import { delivering } from './talk-failures.ts';
import { numberIn, repositoryIn, type Spot, spotOf } from './talk-places.ts';

/** Reactions that stand for a receipt: GitHub has eight. */
export const receiptReactions = { received: 'eyes', read: 'rocket', refused: 'confused' } as const;
type Content = (typeof receiptReactions)[keyof typeof receiptReactions];

const listed = z.array(z.object({ id: z.number(), content: z.string(), user: z.object({ login: z.string() }).nullish() }));

/** Adds or takes back a reaction. Twice is as good as once: GitHub has each one of an account only once. */
export async function react(
  { client, at, me }: { client: Client; at: At; me: Me },
  ref: MessageRef,
  mark: keyof typeof receiptReactions,
  on: boolean,
): Promise<void> {
  const spot = spotOf(ref);
  const content = receiptReactions[mark];
  await delivering(false, () =>
    at('react to a comment', repositoryIn(ref), 'pulls', undefined, async (place) => {
      if (spot.kind === 'v') return await onReview(client, place, { pull: numberIn(ref), review: spot.id }, content, on);
      const reactions = `/repos/{owner}/{repo}/${pathOf(spot)}/reactions`;
      if (on) {
        await client.request(`POST ${reactions}`, { ...place, content });
        return;
      }
      const { data } = await client.request(`GET ${reactions}`, { ...place, content, per_page: 100 });
      const own = listed.parse(data).filter(({ user }) => user?.login.toLowerCase() === me.login.toLowerCase());
      for (const { id } of own) await client.request(`DELETE ${reactions}/{reaction_id}`, { ...place, reaction_id: id });
    }),
  );
}

function pathOf({ kind, id }: Spot): string {
  if (kind === 'i') return `issues/${id}`;
  return kind === 'c' ? `issues/comments/${id}` : `pulls/comments/${id}`;
}

/** The names that GraphQL has for the same reactions. */
const names: Record<Content, string> = { eyes: 'EYES', rocket: 'ROCKET', confused: 'CONFUSED' };

const mutation = (name: 'addReaction' | 'removeReaction') =>
  `mutation ($on: ID!, $content: ReactionContent!) {
  ${name}(input: { subjectId: $on, content: $content }) { clientMutationId }
}`;

/** REST knows no reactions to the body of a review. */
async function onReview(
  client: Client,
  place: Place,
  { pull, review }: { pull: number; review: number },
  content: Content,
  on: boolean,
): Promise<void> {
  const path = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}';
  const { data } = await client.request(path, { ...place, pull_number: pull, review_id: review });
  const { headers, request } = place;
  await client.graphql(mutation(on ? 'addReaction' : 'removeReaction'), {
    on: data.node_id,
    content: names[content],
    headers,
    request,
  });
}
