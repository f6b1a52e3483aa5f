import type { Json } from '../slack/json.ts';
import { commitOf, wireCommit } from './commits.ts';
import { type Core, fullName, installationFor } from './core.ts';
import { iso } from './ids.ts';
import type { Account, CheckRun, CheckState, CheckSuite, CommitStatus, Conclusion, Repository } from './model.ts';
import { wireCheck, wireSuite } from './wire-checks.ts';
import { apiAddress } from './wire-repository.ts';

/** Statuses and checks of commits, and the webhooks about them. */

export const ACTIONS_APP = 'github-actions';

export interface NewCheck {
  /** Slug of the app that reports it. */
  app: string;
  name: string;
  sha: string;
  status?: CheckState | undefined;
  conclusion?: Conclusion | undefined;
  externalId?: string | undefined;
  detailsUrl?: string | undefined;
  output?: Partial<CheckRun['output']> | undefined;
  /** Of workflow runs, which make their own suite. */
  suite?: number | undefined;
}

function branchOf(repository: Repository, sha: string): string | null {
  const [ref] = [...repository.refs].find(([name, at]) => at === sha && name.startsWith('refs/heads/')) ?? [];
  return ref?.slice('refs/heads/'.length) ?? null;
}

export function addSuite(core: Core, repository: Repository, app: string, sha: string): CheckSuite {
  const now = core.now();
  const suite: CheckSuite = { id: core.ids.next(), sha, branch: branchOf(repository, sha), app, createdAt: now, updatedAt: now };
  repository.suites.set(suite.id, suite);
  return suite;
}

function suiteFor(core: Core, repository: Repository, given: NewCheck): CheckSuite {
  const known = [...repository.suites.values()].find(({ id, app, sha }) =>
    given.suite === undefined ? app === given.app && sha === given.sha : id === given.suite,
  );
  return known ?? addSuite(core, repository, given.app, given.sha);
}

export async function addCheck(core: Core, repository: Repository, actor: Account, given: NewCheck): Promise<CheckRun> {
  const now = core.now();
  const status = given.conclusion === undefined ? (given.status ?? 'queued') : 'completed';
  const check: CheckRun = {
    id: core.ids.next(),
    suite: suiteFor(core, repository, given).id,
    name: given.name,
    sha: given.sha,
    externalId: given.externalId ?? '',
    detailsUrl: given.detailsUrl ?? null,
    status,
    conclusion: given.conclusion ?? null,
    startedAt: now,
    completedAt: status === 'completed' ? now : null,
    output: { title: null, summary: null, text: null, annotations: [], ...given.output },
  };
  repository.checks.set(check.id, check);
  tellOfCheck(core, repository, actor, check, 'created');
  if (status === 'completed') await tellOfEnd(core, repository, actor, check);
  core.changed({ repository: fullName(repository), what: 'check' });
  return check;
}

export async function changeCheck(
  core: Core,
  repository: Repository,
  actor: Account,
  check: CheckRun,
  change: Partial<Pick<CheckRun, 'name' | 'status' | 'conclusion' | 'detailsUrl' | 'externalId'>> & {
    output?: Partial<CheckRun['output']> | undefined;
  },
): Promise<void> {
  const { output, ...fields } = change;
  const wasDone = check.status === 'completed';
  Object.assign(check, fields);
  if (output) Object.assign(check.output, output);
  if (change.conclusion) check.status = 'completed';
  else if (check.status !== 'completed') check.conclusion = null;
  check.completedAt = check.status === 'completed' ? core.now() : null;
  if (check.status === 'completed' && !wasDone) await tellOfEnd(core, repository, actor, check);
  core.changed({ repository: fullName(repository), what: 'check' });
}

function tellOfCheck(
  core: Core,
  repository: Repository,
  sender: Account,
  check: CheckRun,
  action: 'created' | 'completed',
): void {
  core.send({
    event: 'check_run',
    action,
    repository,
    installation: installationFor(core, repository),
    sender,
    payload: { check_run: wireCheck(core, repository, check, 'webhook') },
  });
}

async function tellOfEnd(core: Core, repository: Repository, sender: Account, check: CheckRun): Promise<void> {
  const suite = repository.suites.get(check.suite);
  tellOfCheck(core, repository, sender, check, 'completed');
  const all = [...repository.checks.values()].filter((entry) => entry.suite === check.suite);
  if (!suite || all.some(({ status }) => status !== 'completed')) return;
  suite.updatedAt = core.now();
  core.send({
    event: 'check_suite',
    action: 'completed',
    repository,
    installation: installationFor(core, repository),
    sender,
    payload: { check_suite: await wireSuite(core, repository, suite) },
  });
}

export async function addStatus(
  core: Core,
  repository: Repository,
  actor: Account,
  given: Pick<CommitStatus, 'sha' | 'state' | 'context' | 'description' | 'targetUrl'>,
): Promise<CommitStatus> {
  const status: CommitStatus = { ...given, id: core.ids.next(), creator: actor.login, createdAt: core.now() };
  repository.statuses.push(status);
  const branches = [...repository.refs].flatMap(([ref, sha]): Json[] => {
    if (!ref.startsWith('refs/heads/') || sha !== status.sha) return [];
    const name = ref.slice('refs/heads/'.length);
    const commit = { sha, url: `${apiAddress(core, repository)}/commits/${sha}` };
    return [{ name, commit, protected: repository.protections.has(name) }];
  });
  core.send({
    event: 'status',
    action: undefined,
    repository,
    installation: installationFor(core, repository),
    sender: actor,
    payload: {
      id: status.id,
      sha: status.sha,
      name: fullName(repository),
      target_url: status.targetUrl,
      avatar_url: null,
      context: status.context,
      description: status.description,
      state: status.state,
      commit: wireCommit(core, repository, await commitOf(repository, status.sha)),
      branches,
      created_at: iso(status.createdAt),
      updated_at: iso(status.createdAt),
    },
  });
  core.changed({ repository: fullName(repository), what: 'status' });
  return status;
}
