import { isRecord, type Json } from '../slack/json.ts';
import { forbidden, GithubApiError, notFound } from './api-error.ts';
import { checkVerdict, latestChecks, latestStatuses } from './check-verdict.ts';
import { addCheck, addStatus, changeCheck } from './checks.ts';
import type { App, CheckRun, CheckState, CheckSuite, CommitStatus, Conclusion } from './model.ts';
import { created, ok, onRepository, page, pageOf, type RepositoryCall, type Route, recordOf, textOf } from './route.ts';
import { commitNamed } from './routes-repositories.ts';
import { wireCheck, wireStatus, wireSuite } from './wire-checks.ts';
import { apiAddress, wireRepository } from './wire-repository.ts';

/** Statuses, checks and check suites. */

const STATUSES = { needs: 'statuses:read' } as const;
const CHECKS = { needs: 'checks:read' } as const;

/** Checks are reported by apps alone. */
function appOf({ core, caller }: RepositoryCall): App {
  const app = caller.kind === 'installation' ? core.apps.get(caller.installation.app) : undefined;
  if (!app) throw forbidden('You must authenticate via a GitHub App.');
  return app;
}

function checkIn({ repository, params }: RepositoryCall): CheckRun {
  const check = repository.checks.get(Number(params.check_run_id));
  if (!check) throw notFound();
  return check;
}

function suiteIn({ repository, params }: RepositoryCall): CheckSuite {
  const suite = repository.suites.get(Number(params.check_suite_id));
  if (!suite) throw notFound();
  return suite;
}

function reported(body: Json): {
  status: CheckState | undefined;
  conclusion: Conclusion | undefined;
  output: Partial<CheckRun['output']> | undefined;
} {
  const output = recordOf(body, 'output');
  const { annotations } = output;
  return {
    status: body.status === 'queued' || body.status === 'in_progress' || body.status === 'completed' ? body.status : undefined,
    // The description of the operation lists what may stand here.
    conclusion: textOf(body, 'conclusion') as Conclusion | undefined,
    output: isRecord(body.output)
      ? {
          title: textOf(output, 'title') ?? null,
          summary: textOf(output, 'summary') ?? null,
          text: textOf(output, 'text') ?? null,
          ...(Array.isArray(annotations) ? { annotations: annotations.filter(isRecord) } : {}),
        }
      : undefined,
  };
}

function filtered(call: RepositoryCall, all: readonly CheckRun[]) {
  const name = call.query.get('check_name');
  const status = call.query.get('status');
  const app = call.query.get('app_id');
  const found = all.filter(
    (check) =>
      (name === null || check.name === name) &&
      (status === null || check.status === status) &&
      (app === null || String(call.core.apps.get(call.repository.suites.get(check.suite)?.app ?? '')?.id) === app),
  );
  const { items, headers } = page(call, found);
  return ok(
    { total_count: found.length, check_runs: items.map((check) => wireCheck(call.core, call.repository, check)) },
    headers,
  );
}

const STATES: readonly CommitStatus['state'][] = ['error', 'failure', 'pending', 'success'];

export const checkRoutes: Route[] = [
  onRepository('repos/create-commit-status', { needs: 'statuses:write', role: 'write' }, async (call) => {
    const { core, repository, body } = call;
    const sha = await commitNamed(call, call.params.sha ?? '');
    const state = STATES.find((entry) => entry === body.state) ?? 'pending';
    const status = await addStatus(core, repository, call.actor(), {
      sha,
      state,
      context: textOf(body, 'context') ?? 'default',
      description: textOf(body, 'description') ?? null,
      targetUrl: textOf(body, 'target_url') ?? null,
    });
    return created(wireStatus(core, repository, status));
  }),

  onRepository('repos/list-commit-statuses-for-ref', STATUSES, async (call) => {
    const sha = await commitNamed(call, call.params.ref ?? '');
    const all = call.repository.statuses.filter((status) => status.sha === sha).toReversed();
    return pageOf(call, all, (status) => wireStatus(call.core, call.repository, status));
  }),

  onRepository('repos/get-combined-status-for-ref', STATUSES, async (call) => {
    const { core, repository } = call;
    const sha = await commitNamed(call, call.params.ref ?? '');
    const all = latestStatuses(repository, sha);
    const { items, headers } = page(call, all);
    const { all: outcome } = checkVerdict({ ...repository, checks: new Map() }, sha);
    const url = `${apiAddress(core, repository)}/commits/${sha}`;
    return ok(
      {
        state: outcome === 'none' ? 'pending' : outcome,
        statuses: items.map((status) => wireStatus(core, repository, status)),
        sha,
        total_count: all.length,
        repository: wireRepository(core, repository),
        commit_url: url,
        url: `${url}/status`,
      },
      headers,
    );
  }),

  onRepository('checks/create', { needs: 'checks:write' }, async (call) => {
    const { core, repository, body } = call;
    const app = appOf(call);
    const sha = await commitNamed(call, textOf(body, 'head_sha') ?? '');
    const { status, conclusion, output } = reported(body);
    if (status === 'completed' && conclusion === undefined)
      throw new GithubApiError(422, 'Invalid request.\n\nMissing required key conclusion');
    const check = await addCheck(core, repository, call.actor(), {
      app: app.slug,
      name: textOf(body, 'name') ?? '',
      sha,
      status,
      conclusion,
      output,
      externalId: textOf(body, 'external_id'),
      detailsUrl: textOf(body, 'details_url'),
    });
    return created(wireCheck(core, repository, check));
  }),

  onRepository('checks/get', CHECKS, (call) => ok(wireCheck(call.core, call.repository, checkIn(call)))),

  onRepository('checks/update', { needs: 'checks:write' }, async (call) => {
    const { core, repository, body } = call;
    const check = checkIn(call);
    if (repository.suites.get(check.suite)?.app !== appOf(call).slug) throw forbidden('Resource not accessible by integration');
    const { status, conclusion, output } = reported(body);
    const [name, detailsUrl, externalId] = [textOf(body, 'name'), textOf(body, 'details_url'), textOf(body, 'external_id')];
    await changeCheck(core, repository, call.actor(), check, {
      output,
      ...(status === undefined ? {} : { status }),
      ...(conclusion === undefined ? {} : { conclusion }),
      ...(name === undefined ? {} : { name }),
      ...(detailsUrl === undefined ? {} : { detailsUrl }),
      ...(externalId === undefined ? {} : { externalId }),
    });
    return ok(wireCheck(core, repository, check));
  }),

  onRepository('checks/list-annotations', CHECKS, (call) => {
    const check = checkIn(call);
    const all = check.output.annotations.map((entry) => ({
      start_column: null,
      end_column: null,
      title: null,
      raw_details: null,
      ...entry,
      blob_href: `${apiAddress(call.core, call.repository)}/git/blobs/${check.sha}`,
    }));
    return pageOf(call, all, (entry) => entry);
  }),

  onRepository('checks/list-for-ref', CHECKS, async (call) => {
    const sha = await commitNamed(call, call.params.ref ?? '');
    const isLatest = (call.query.get('filter') ?? 'latest') === 'latest';
    const all = isLatest
      ? latestChecks(call.repository, sha)
      : [...call.repository.checks.values()].filter((check) => check.sha === sha);
    return filtered(call, all);
  }),

  onRepository('checks/list-for-suite', CHECKS, (call) => {
    const { id } = suiteIn(call);
    return filtered(
      call,
      [...call.repository.checks.values()].filter(({ suite }) => suite === id),
    );
  }),

  onRepository('checks/list-suites-for-ref', CHECKS, async (call) => {
    const sha = await commitNamed(call, call.params.ref ?? '');
    const all = [...call.repository.suites.values()].filter((suite) => suite.sha === sha);
    const { items, headers } = page(call, all);
    const check_suites = await Promise.all(items.map((suite) => wireSuite(call.core, call.repository, suite)));
    return ok({ total_count: all.length, check_suites }, headers);
  }),

  onRepository('checks/get-suite', CHECKS, async (call) => ok(await wireSuite(call.core, call.repository, suiteIn(call)))),
];
