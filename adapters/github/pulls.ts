import { type CodeHost, CodeHostError, type PullFacts, type PullSpec } from '../../src/contracts/code-host.ts';
import type { At, Place } from './place.ts';
import { type PullAnswer, pullFacts } from './pull-facts.ts';
import { bounded, type Client, isForbidden, isRefusal } from './requests.ts';

const methods = ['squash', 'merge', 'rebase'] as const;

/** Opening, reading and ending pull requests. */
export function pullsOf(client: Client, at: At): Pick<CodeHost, 'openPull' | 'pull' | 'ready' | 'close' | 'merge'> {
  async function factsOf(place: Place, pull: PullAnswer): Promise<PullFacts> {
    const ofHead = { ...place, ref: pull.head.sha, per_page: 100 };
    const ofPull = { ...place, pull_number: pull.number, per_page: 100 };
    const [checkRuns, statuses, reviews] = await Promise.all([
      unlessForbidden(
        client.paginate('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', { ...ofHead, filter: 'latest' }, bounded()),
      ),
      unlessForbidden(client.request('GET /repos/{owner}/{repo}/commits/{ref}/status', ofHead).then(({ data }) => data.statuses)),
      client.paginate('GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews', ofPull, bounded()),
    ]);
    return pullFacts(pull, { checkRuns, statuses, reviews });
  }

  async function read(place: Place, number: number): Promise<PullAnswer> {
    const { data } = await client.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', { ...place, pull_number: number });
    return data;
  }

  /** GitHub has at most one open pull request of a head into a base. */
  async function openOne(place: Place, { head, base }: PullSpec): Promise<number | undefined> {
    const { data } = await client.request('GET /repos/{owner}/{repo}/pulls', {
      ...place,
      head: `${place.owner}:${head}`,
      base,
      state: 'open',
    });
    return data[0]?.number;
  }

  async function openPull(spec: PullSpec, signal?: AbortSignal): Promise<{ pull: PullFacts; made: boolean }> {
    return await at('open a pull request', spec.repository, 'pulls', signal, async (place) => {
      const there = await openOne(place, spec);
      if (there !== undefined) return { pull: await factsOf(place, await read(place, there)), made: false };
      const { head, base, title, body, draft } = spec;
      const { data } = await client.request('POST /repos/{owner}/{repo}/pulls', { ...place, head, base, title, body, draft });
      return { pull: await factsOf(place, data), made: true };
    });
  }

  /** By the first method that the repository allows: which those are is told to its administrators only. */
  async function mergeBy(place: Place, number: number, sha: string): Promise<string> {
    const path = 'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge';
    let refused: unknown;
    for (const merge_method of methods) {
      try {
        const { data } = await client.request(path, { ...place, pull_number: number, sha, merge_method });
        return data.sha;
      } catch (error) {
        if (!isNotAllowed(error)) throw error;
        refused = error;
      }
    }
    throw refused;
  }

  const merge: CodeHost['merge'] = async ({ repository, number, head }, signal) => {
    const merged = async (place: Place): Promise<string | undefined> => {
      const pull = await read(place, number);
      if (pull.merged_at === null) return undefined;
      if (pull.head.sha !== head) throw new CodeHostError('moved', `Pull request ${number} was merged with another commit.`);
      return pull.merge_commit_sha ?? head;
    };
    return await at('merge', repository, 'pulls', signal, async (place) => {
      const before = await merged(place);
      if (before !== undefined) return { commit: before };
      try {
        return { commit: await mergeBy(place, number, head) };
      } catch (error) {
        // Somebody has merged it meanwhile, perhaps we ourselves in an earlier try.
        const meanwhile = isRefusal(error) ? await merged(place) : undefined;
        if (meanwhile === undefined) throw error;
        return { commit: meanwhile };
      }
    });
  };

  return {
    async openPull(spec, signal) {
      try {
        return await openPull(spec, signal);
      } catch (error) {
        // Somebody was faster, or the answer to the first try was lost.
        if (!(error instanceof CodeHostError) || error.reason !== 'invalid' || !/already exists/i.test(error.message))
          throw error;
        return await openPull(spec, signal);
      }
    },
    pull: (repository, number, signal) =>
      at('read the pull request', repository, 'pulls', signal, async (place) => factsOf(place, await read(place, number))),
    ready: (repository, number, signal) =>
      at('take the pull request out of draft', repository, 'pulls', signal, async (place) => {
        const pull = await read(place, number);
        if (pull.draft !== true) return;
        const { headers, request } = place;
        await client.graphql(readyMutation, { pull: pull.node_id, headers, request });
      }),
    async close(repository, number, signal) {
      await at('close the pull request', repository, 'pulls', signal, (place) =>
        client.request('PATCH /repos/{owner}/{repo}/pulls/{pull_number}', { ...place, pull_number: number, state: 'closed' }),
      );
    },
    merge,
  };
}

const readyMutation = `mutation ($pull: ID!) {
  markPullRequestReadyForReview(input: { pullRequestId: $pull }) { pullRequest { isDraft } }
}`;

/** Checks are a right of their own, which fine-grained tokens of people cannot have: without it there are none to show. */
async function unlessForbidden<T>(list: Promise<T[]>): Promise<T[]> {
  try {
    return await list;
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
}

/** This way of merging is switched off in the repository. */
function isNotAllowed(error: unknown): boolean {
  return isRefusal(error) && error instanceof Error && /not allowed on this repository/i.test(error.message);
}
