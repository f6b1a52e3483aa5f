import type { Json } from '../slack/json.ts';
import { commitOf } from './commits.ts';
import type { Core } from './core.ts';
import { iso, isoOrNull, nodeId } from './ids.ts';
import type { CheckRun, CheckSuite, CommitStatus, Conclusion, Job, Repository, WorkflowRun } from './model.ts';
import { wireApp, wireLogin } from './wire-accounts.ts';
import { wirePullsAt } from './wire-pulls.ts';
import { apiAddress, pageAddress, wireRepository } from './wire-repository.ts';

/** Statuses, checks, workflow runs and jobs as GitHub shows them. */

/** Worst first: what a suite, or a run, ends with. */
const CONCLUSIONS: readonly Conclusion[] = [
  'failure',
  'timed_out',
  'cancelled',
  'action_required',
  'success',
  'neutral',
  'skipped',
];

export function together(
  all: readonly { status: string; conclusion: Conclusion | null }[],
): Pick<CheckRun, 'status' | 'conclusion'> {
  if (all.some(({ status }) => status !== 'completed')) {
    const isStarted = all.some(({ status }) => status !== 'queued');
    return { status: isStarted ? 'in_progress' : 'queued', conclusion: null };
  }
  return {
    status: 'completed',
    conclusion: CONCLUSIONS.find((entry) => all.some(({ conclusion }) => conclusion === entry)) ?? 'success',
  };
}

function appJson(core: Core, slug: string): Json {
  const app = core.apps.get(slug);
  if (!app) throw new Error(`there is no app ${slug}`);
  return wireApp(core, app);
}

/** In webhooks a check comes with its suite. */
export function wireCheck(core: Core, repository: Repository, check: CheckRun, place: 'rest' | 'webhook' = 'rest'): Json {
  const url = `${apiAddress(core, repository)}/check-runs/${check.id}`;
  const page = `${pageAddress(core, repository)}/runs/${check.id}`;
  const suite = repository.suites.get(check.suite);
  if (!suite) throw new Error(`there is no suite ${check.suite}`);
  return {
    id: check.id,
    name: check.name,
    node_id: nodeId('CR', check.id),
    head_sha: check.sha,
    external_id: check.externalId,
    url,
    html_url: page,
    details_url: check.detailsUrl ?? page,
    status: check.status,
    conclusion: check.conclusion,
    started_at: isoOrNull(check.startedAt),
    completed_at: isoOrNull(check.completedAt),
    output: {
      title: check.output.title,
      summary: check.output.summary,
      text: check.output.text,
      annotations_count: check.output.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: place === 'rest' ? { id: check.suite } : suiteFacts(core, repository, suite),
    app: appJson(core, suite.app),
    pull_requests: wirePullsAt(core, repository, check.sha),
  };
}

function suiteFacts(core: Core, repository: Repository, suite: CheckSuite): Json {
  const checks = [...repository.checks.values()].filter((check) => check.suite === suite.id);
  const { status, conclusion } = checks.length === 0 ? { status: 'queued', conclusion: null } : together(checks);
  return {
    id: suite.id,
    node_id: nodeId('CS', suite.id),
    head_branch: suite.branch,
    head_sha: suite.sha,
    status,
    conclusion,
    url: `${apiAddress(core, repository)}/check-suites/${suite.id}`,
    before: '0'.repeat(40),
    after: suite.sha,
    pull_requests: wirePullsAt(core, repository, suite.sha),
    app: appJson(core, suite.app),
    created_at: iso(suite.createdAt),
    updated_at: iso(suite.updatedAt),
  };
}

export async function wireHeadCommit(repository: Repository, sha: string): Promise<Json> {
  const commit = await commitOf(repository, sha);
  const person = ({ name, email }: { name: string; email: string }) => ({ name, email });
  return {
    id: commit.sha,
    tree_id: commit.tree,
    message: commit.message,
    timestamp: iso(commit.committer.at),
    author: person(commit.author),
    committer: person(commit.committer),
  };
}

export async function wireSuite(core: Core, repository: Repository, suite: CheckSuite): Promise<Json> {
  const url = `${apiAddress(core, repository)}/check-suites/${suite.id}`;
  return {
    ...suiteFacts(core, repository, suite),
    repository: wireRepository(core, repository),
    latest_check_runs_count: [...repository.checks.values()].filter((check) => check.suite === suite.id).length,
    check_runs_url: `${url}/check-runs`,
    head_commit: await wireHeadCommit(repository, suite.sha),
    rerequestable: true,
    runs_rerequestable: true,
  };
}

export function wireStatus(core: Core, repository: Repository, status: CommitStatus): Json {
  return {
    url: `${apiAddress(core, repository)}/statuses/${status.sha}`,
    avatar_url: `${core.baseUrl}/avatars/oa/1?v=4`,
    id: status.id,
    node_id: nodeId('SC', status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: iso(status.createdAt),
    updated_at: iso(status.createdAt),
    creator: wireLogin(core, status.creator),
  };
}

export const workflowId = (run: WorkflowRun) =>
  [...run.path].reduce((sum, sign) => (sum * 31 + (sign.codePointAt(0) ?? 0)) % 900_001, 7) + 1_000;

export async function wireRun(core: Core, repository: Repository, run: WorkflowRun): Promise<Json> {
  const url = `${apiAddress(core, repository)}/actions/runs/${run.id}`;
  const wired = wireRepository(core, repository);
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId('WFR', run.id),
    head_branch: run.branch,
    head_sha: run.sha,
    path: run.path,
    display_title: (await commitOf(repository, run.sha)).message.split('\n')[0] ?? '',
    run_number: run.number,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    workflow_id: workflowId(run),
    check_suite_id: run.suite,
    check_suite_node_id: nodeId('CS', run.suite),
    url,
    html_url: `${pageAddress(core, repository)}/actions/runs/${run.id}`,
    pull_requests: wirePullsAt(core, repository, run.sha),
    created_at: iso(run.createdAt),
    updated_at: iso(run.updatedAt),
    actor: wireLogin(core, run.actor),
    triggering_actor: wireLogin(core, run.actor),
    run_attempt: run.attempt,
    referenced_workflows: [],
    run_started_at: iso(run.startedAt),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: `${apiAddress(core, repository)}/check-suites/${run.suite}`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    previous_attempt_url: run.attempt > 1 ? `${url}/attempts/${run.attempt - 1}` : null,
    workflow_url: `${apiAddress(core, repository)}/actions/workflows/${workflowId(run)}`,
    head_commit: await wireHeadCommit(repository, run.sha),
    repository: wired,
    head_repository: wired,
  };
}

export function wireWorkflow(core: Core, repository: Repository, run: WorkflowRun): Json {
  const id = workflowId(run);
  return {
    id,
    node_id: nodeId('W', id),
    name: run.name,
    path: run.path,
    state: 'active',
    created_at: iso(repository.createdAt),
    updated_at: iso(repository.createdAt),
    url: `${apiAddress(core, repository)}/actions/workflows/${id}`,
    html_url: `${pageAddress(core, repository)}/blob/${repository.defaultBranch}/${run.path}`,
    badge_url: `${pageAddress(core, repository)}/workflows/${encodeURIComponent(run.name)}/badge.svg`,
  };
}

export function wireJob(core: Core, repository: Repository, job: Job): Json {
  const run = repository.runs.get(job.run);
  if (!run) throw new Error(`there is no run ${job.run}`);
  const api = apiAddress(core, repository);
  const state = { status: job.status, conclusion: job.conclusion };
  const times = { started_at: iso(job.startedAt), completed_at: isoOrNull(job.completedAt) };
  return {
    id: job.id,
    run_id: job.run,
    workflow_name: run.name,
    head_branch: run.branch,
    run_url: `${api}/actions/runs/${job.run}`,
    run_attempt: job.attempt,
    node_id: nodeId('CR', job.id),
    head_sha: run.sha,
    url: `${api}/actions/jobs/${job.id}`,
    html_url: `${pageAddress(core, repository)}/actions/runs/${job.run}/job/${job.id}`,
    ...state,
    created_at: iso(job.createdAt),
    ...times,
    name: job.name,
    steps: job.status === 'queued' ? [] : [{ name: 'Run', number: 1, ...state, ...times }],
    check_run_url: `${api}/check-runs/${job.check}`,
    labels: ['ubuntu-latest'],
    runner_id: job.status === 'queued' ? null : 1,
    runner_name: job.status === 'queued' ? null : 'GitHub Actions 1',
    runner_group_id: job.status === 'queued' ? null : 0,
    runner_group_name: job.status === 'queued' ? null : 'GitHub Actions',
  };
}
