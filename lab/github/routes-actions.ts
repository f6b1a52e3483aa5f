import { forbidden, notFound } from './api-error.ts';
import { fullName } from './core.ts';
import type { JobLogs } from './job-logs.ts';
import type { Job, WorkflowRun } from './model.ts';
import { created, ok, onRepository, page, type RepositoryCall, type Route } from './route.ts';
import { wireJob, wireRun } from './wire-checks.ts';
import { latestJobs, rerun } from './workflows.ts';

/** Workflow runs, their jobs and logs. */

const READ = { needs: 'actions:read' } as const;
const RERUN = { needs: 'actions:write', role: 'write' } as const;

function runIn({ repository, params }: RepositoryCall): WorkflowRun {
  const run = repository.runs.get(Number(params.run_id));
  if (!run) throw notFound();
  return run;
}

function jobIn({ repository, params }: RepositoryCall): Job {
  const job = repository.jobs.get(Number(params.job_id));
  if (!job) throw notFound();
  return job;
}

async function startAgain(call: RepositoryCall, which: 'failed' | 'all') {
  const run = runIn(call);
  if (run.status !== 'completed') throw forbidden('This workflow is already running');
  if (which === 'failed' && run.conclusion === 'success') throw forbidden('This workflow run cannot be retried');
  await rerun(call.core, call.repository, call.actor(), run, which);
  return created({});
}

export function actionRoutes(logs: JobLogs): Route[] {
  return [
    onRepository('actions/list-workflow-runs-for-repo', READ, async (call) => {
      const { core, repository, query } = call;
      const is = (name: string, value: string | number | null) => query.get(name) === null || query.get(name) === String(value);
      const found = [...repository.runs.values()]
        .filter(
          (run) =>
            is('head_sha', run.sha) &&
            is('branch', run.branch) &&
            is('event', run.event) &&
            is('actor', run.actor) &&
            is('check_suite_id', run.suite) &&
            (is('status', run.status) || is('status', run.conclusion)),
        )
        .reverse();
      const { items, headers } = page(call, found);
      return ok(
        { total_count: found.length, workflow_runs: await Promise.all(items.map((run) => wireRun(core, repository, run))) },
        headers,
      );
    }),
    onRepository('actions/get-workflow-run', READ, async (call) => ok(await wireRun(call.core, call.repository, runIn(call)))),
    onRepository('actions/list-jobs-for-workflow-run', READ, (call) => {
      const run = runIn(call);
      const isLatest = (call.query.get('filter') ?? 'latest') === 'latest';
      const all = isLatest
        ? latestJobs(call.repository, run)
        : [...call.repository.jobs.values()].filter((job) => job.run === run.id);
      const { items, headers } = page(call, all);
      return ok({ total_count: all.length, jobs: items.map((job) => wireJob(call.core, call.repository, job)) }, headers);
    }),
    onRepository('actions/get-job-for-workflow-run', READ, (call) => ok(wireJob(call.core, call.repository, jobIn(call)))),
    onRepository('actions/download-job-logs-for-workflow-run', READ, (call) => {
      const job = jobIn(call);
      // Logs of public repositories can be read by people who are logged in, not by everybody.
      if (call.caller.kind === 'anonymous') throw forbidden('Must have admin rights to Repository.');
      if (job.status === 'queued') throw notFound();
      return { status: 302, headers: { location: logs.address(fullName(call.repository), job.id) } };
    }),
    onRepository('actions/re-run-workflow-failed-jobs', RERUN, (call) => startAgain(call, 'failed')),
    onRepository('actions/re-run-workflow', RERUN, (call) => startAgain(call, 'all')),
  ];
}
