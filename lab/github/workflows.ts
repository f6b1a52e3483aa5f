import type { Json } from '../slack/json.ts';
import { ACTIONS_APP, addCheck, addSuite, changeCheck } from './checks.ts';
import { accountOf, type Core, fullName, installationFor } from './core.ts';
import type { Account, Conclusion, Job, Repository, WorkflowRun } from './model.ts';
import { together, wireJob, wireRun, wireWorkflow } from './wire-checks.ts';

/** Runs of GitHub Actions: nothing is executed, a test says how jobs end. Every job is a check of the same id. */

export interface NewRun {
  name: string;
  sha: string;
  branch: string;
  event: string;
  jobs: readonly string[];
}

async function tellOfRun(
  core: Core,
  repository: Repository,
  sender: Account,
  run: WorkflowRun,
  action: 'requested' | 'in_progress' | 'completed',
) {
  const payload: Json = { workflow: wireWorkflow(core, repository, run), workflow_run: await wireRun(core, repository, run) };
  core.send({ event: 'workflow_run', action, repository, installation: installationFor(core, repository), sender, payload });
}

function tellOfJob(
  core: Core,
  repository: Repository,
  sender: Account,
  job: Job,
  action: 'queued' | 'in_progress' | 'completed',
): void {
  const payload: Json = { workflow_job: wireJob(core, repository, job) };
  core.send({ event: 'workflow_job', action, repository, installation: installationFor(core, repository), sender, payload });
}

export async function startRun(core: Core, repository: Repository, actor: Account, given: NewRun): Promise<WorkflowRun> {
  const now = core.now();
  const run: WorkflowRun = {
    id: core.ids.next(),
    name: given.name,
    path: `.github/workflows/${given.name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.yml`,
    sha: given.sha,
    branch: given.branch,
    event: given.event,
    suite: addSuite(core, repository, ACTIONS_APP, given.sha).id,
    number: [...repository.runs.values()].filter(({ name }) => name === given.name).length + 1,
    attempt: 1,
    status: 'queued',
    conclusion: null,
    actor: actor.login,
    createdAt: now,
    updatedAt: now,
    startedAt: now,
  };
  repository.runs.set(run.id, run);
  await tellOfRun(core, repository, actor, run, 'requested');
  for (const name of given.jobs) await addJob(core, repository, run, name);
  return run;
}

async function addJob(core: Core, repository: Repository, run: WorkflowRun, name: string): Promise<Job> {
  const bot = accountOf(core, `${ACTIONS_APP}[bot]`);
  const check = await addCheck(core, repository, bot, {
    app: ACTIONS_APP,
    name,
    sha: run.sha,
    suite: run.suite,
    status: 'queued',
  });
  const now = core.now();
  const job: Job = {
    id: check.id,
    run: run.id,
    attempt: run.attempt,
    check: check.id,
    name,
    status: 'queued',
    conclusion: null,
    createdAt: now,
    startedAt: now,
    completedAt: null,
    log: '',
  };
  repository.jobs.set(job.id, job);
  tellOfJob(core, repository, bot, job, 'queued');
  return job;
}

/** Jobs of the newest attempt; those of earlier ones that were not run again count as well. */
export function latestJobs(repository: Repository, run: WorkflowRun): Job[] {
  const latest = new Map<string, Job>();
  for (const job of repository.jobs.values()) if (job.run === run.id) latest.set(job.name, job);
  return [...latest.values()];
}

/** Begins a job (`in_progress`), or ends it with a conclusion; the run and its check suite follow. */
export async function moveJob(
  core: Core,
  repository: Repository,
  job: Job,
  to: { conclusion?: Conclusion | undefined; log?: string | undefined },
): Promise<void> {
  const run = repository.runs.get(job.run);
  const check = repository.checks.get(job.check);
  if (!run || !check) throw new Error(`the run of job ${job.id} is gone`);
  const bot = accountOf(core, `${ACTIONS_APP}[bot]`);
  if (to.log !== undefined) job.log += stamped(to.log, core.now());
  if (job.status === 'queued') {
    job.status = 'in_progress';
    job.startedAt = core.now();
    await changeCheck(core, repository, bot, check, { status: 'in_progress' });
    tellOfJob(core, repository, bot, job, 'in_progress');
    if (run.status === 'queued') {
      run.status = 'in_progress';
      await tellOfRun(core, repository, accountOf(core, run.actor), run, 'in_progress');
    }
  }
  if (to.conclusion !== undefined && job.status !== 'completed') {
    Object.assign(job, { status: 'completed', conclusion: to.conclusion, completedAt: core.now() });
    await changeCheck(core, repository, bot, check, { conclusion: to.conclusion });
    tellOfJob(core, repository, bot, job, 'completed');
  }
  const before = run.status;
  Object.assign(run, together(latestJobs(repository, run)), { updatedAt: core.now() });
  if (run.status === 'completed' && before !== 'completed')
    await tellOfRun(core, repository, accountOf(core, run.actor), run, 'completed');
  core.changed({ repository: fullName(repository), what: 'job' });
}

/** A new attempt with the failed jobs, or with all of them, which wait to be moved on. */
export async function rerun(
  core: Core,
  repository: Repository,
  actor: Account,
  run: WorkflowRun,
  which: 'failed' | 'all',
): Promise<void> {
  const jobs = latestJobs(repository, run).filter(
    ({ conclusion }) => which === 'all' || (conclusion !== 'success' && conclusion !== 'skipped'),
  );
  Object.assign(run, {
    attempt: run.attempt + 1,
    status: 'queued',
    conclusion: null,
    actor: actor.login,
    startedAt: core.now(),
    updatedAt: core.now(),
  });
  await tellOfRun(core, repository, actor, run, 'requested');
  for (const { name } of jobs) await addJob(core, repository, run, name);
  core.changed({ repository: fullName(repository), what: 'run' });
}

/** Every line of a log begins with its time. */
function stamped(text: string, at: number): string {
  const time = new Date(at).toISOString().replace('Z', '0000Z');
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `${time} ${line}\n`)
    .join('');
}
