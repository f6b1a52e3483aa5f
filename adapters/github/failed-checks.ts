import { CodeHostError, type FailedCheck, type Repository } from '../../src/contracts/code-host.ts';
import { endOfLog } from './job-log.ts';
import type { At, Place } from './place.ts';
import { type CheckRun, hasFailed } from './pull-facts.ts';
import { bounded, type Client, limited } from './requests.ts';

/** More failures of one commit than anybody reads. */
const mostChecks = 10;
const summaryLength = 2_000;

/** What has failed at a commit: check runs with the log of their job where GitHub Actions ran it, and commit statuses. */
export async function failedChecks(
  client: Client,
  at: At,
  repository: Repository,
  commit: string,
  signal: AbortSignal | undefined,
): Promise<FailedCheck[]> {
  return await at('read the checks', repository, 'pulls', signal, async (place) => {
    const of = { ...place, ref: commit, per_page: 100 };
    const [runs, status] = await Promise.all([
      client.paginate('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', { ...of, filter: 'latest' }, bounded()),
      client.request('GET /repos/{owner}/{repo}/commits/{ref}/status', of),
    ]);
    const failed = runs.filter(({ conclusion }) => hasFailed(conclusion)).slice(0, mostChecks);
    const checks = await Promise.all(failed.map((run) => failedRun(client, place, run, signal)));
    const statuses = status.data.statuses
      .filter(({ state }) => state === 'failure' || state === 'error')
      .slice(0, mostChecks)
      .map(({ context, target_url, description }) => ({
        name: context,
        url: target_url ?? undefined,
        summary: description ?? undefined,
        log: undefined,
      }));
    return [...checks, ...statuses];
  });
}

async function failedRun(
  client: Client,
  place: Place,
  { id, name, html_url, app, output }: CheckRun,
  signal: AbortSignal | undefined,
): Promise<FailedCheck> {
  const said = [output.title, output.summary].filter((text) => text !== null && text.trim() !== '').join('\n');
  return {
    name,
    url: html_url ?? undefined,
    summary: said === '' ? undefined : said.slice(0, summaryLength),
    log: app?.slug === 'github-actions' ? await jobLog(client, place, Number(id), signal) : undefined,
  };
}

/** The id of a check run of GitHub Actions is that of its job. The log is kept elsewhere, and may be gone, or not ours to read. */
async function jobLog(client: Client, place: Place, job: number, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    const { data } = await client.request('GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs', {
      ...place,
      job_id: job,
      request: { signal: limited(signal), parseSuccessResponseBody: false },
    });
    if (!(data instanceof ReadableStream)) throw new CodeHostError('invalid', 'GitHub answered a log that is none.');
    return await endOfLog(data);
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
