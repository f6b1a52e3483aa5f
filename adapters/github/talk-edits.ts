import { z } from 'zod';
import type { Place } from './place.ts';
import type { Client } from './requests.ts';

/** Who changed a text last, and when. */
export interface LastEdit {
  /** Login; of an app without `[bot]`. Undefined: the account is gone. */
  by: string | undefined;
  at: string;
}

const answer = z.object({
  nodes: z.array(
    z
      .object({ id: z.string(), lastEditedAt: z.string().nullish(), editor: z.object({ login: z.string() }).nullish() })
      .partial()
      .nullable(),
  ),
});

const query = `query ($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Comment { id lastEditedAt editor { login } } }
}`;
/** As many as GitHub takes at once. */
const atOnce = 100;

/**
 * Who changed these texts, by their node ids; undefined: nobody has. A text that is gone, or that the login may not see by GraphQL, is not in it.
 * REST does not tell: whoever may write in a repository may change what others have said there.
 */
export async function lastEdits(
  client: Client,
  { headers, request }: Place,
  nodes: readonly string[],
): Promise<Map<string, LastEdit | undefined>> {
  const found = new Map<string, LastEdit | undefined>();
  for (let from = 0; from < nodes.length; from += atOnce) {
    const ids = nodes.slice(from, from + atOnce);
    const data = await client.graphql(query, { ids, headers, request }).catch(whatThereIs);
    for (const node of answer.parse(data).nodes) {
      if (node?.id === undefined) continue;
      found.set(node.id, node.lastEditedAt ? { by: node.editor?.login, at: node.lastEditedAt } : undefined);
    }
  }
  return found;
}

/** One text that is not there is an error beside the answer about the others. */
function whatThereIs(error: unknown): unknown {
  if (
    error instanceof Error &&
    error.name === 'GraphqlResponseError' &&
    'data' in error &&
    answer.safeParse(error.data).success
  ) {
    return error.data;
  }
  throw error;
}
