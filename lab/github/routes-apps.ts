import type { Json } from '../slack/json.ts';
import { holds, type Need, reaches } from './access.ts';
import { GithubApiError, notFound } from './api-error.ts';
import { type Core, fullName, installationFor, repositoryOf } from './core.ts';
import { iso, secret } from './ids.ts';
import type { App, Installation, Level, Permissions, Repository, Token } from './model.ts';
import { type Call, created, listOf, noContent, ok, onAccount, page, pageOf, type Route, recordOf } from './route.ts';
import { wireApp, wireInstallation, wireOwnProfile, wireProfile } from './wire-accounts.ts';
import { wireRepository } from './wire-repository.ts';

/** Who am I, apps, installations and their tokens. */

const TOKEN_LIFE = 3_600_000;

function appOf({ caller }: Call): App {
  if (caller.kind !== 'app') throw new Error('only apps get here');
  return caller.app;
}

function installationOf(call: Call): Installation {
  const installation = call.core.installations.get(Number(call.params.installation_id));
  if (installation?.app !== appOf(call).slug) throw notFound();
  return installation;
}

function repositoriesOf(core: Core, installation: Installation): Repository[] {
  return [...core.repositories.values()].filter((repository) => reaches(installation, repository));
}

/** The repositories a token is asked for, by name or by id. */
function narrowed(core: Core, installation: Installation, body: Json): Repository[] | undefined {
  const names = listOf(body, 'repositories');
  const ids = Array.isArray(body.repository_ids) ? body.repository_ids : undefined;
  if (names === undefined && ids === undefined) return undefined;
  const reachable = repositoriesOf(core, installation);
  const chosen = [
    ...(names ?? []).map((name) => reachable.find((entry) => entry.name.toLowerCase() === name.toLowerCase())),
    ...(ids ?? []).map((id) => reachable.find((entry) => entry.id === id)),
  ];
  if (chosen.length > 500) throw new GithubApiError(422, 'There are too many repositories requested.');
  return chosen.map((repository) => {
    if (!repository)
      throw new GithubApiError(
        422,
        'There is at least one repository that does not exist or is not accessible to the parent installation.',
      );
    return repository;
  });
}

function grantedPermissions(installation: Installation, asked: Json): Permissions {
  const wanted = Object.entries(asked).flatMap(([name, level]) =>
    level === 'read' || level === 'write' || level === 'admin' ? [[name, level] satisfies [string, Level]] : [],
  );
  if (wanted.length === 0) return installation.permissions;
  if (!wanted.every(([name, level]) => holds(installation.permissions, [`${name}:${level}` satisfies Need])))
    throw new GithubApiError(422, 'The permissions requested are not granted to this installation.');
  return { metadata: 'read', ...Object.fromEntries(wanted) };
}

function newToken(call: Call): { token: Token; repositories: Repository[] | undefined } {
  const { core, body } = call;
  const installation = installationOf(call);
  if (installation.suspendedAt !== null) throw new GithubApiError(403, 'This installation has been suspended');
  const repositories = narrowed(core, installation, body);
  const token: Token = {
    token: `ghs_${secret(36)}`,
    login: appOf(call).bot,
    permissions: grantedPermissions(installation, recordOf(body, 'permissions')),
    repositories: repositories && new Set(repositories.map((entry) => fullName(entry).toLowerCase())),
    installation: installation.id,
    expiresAt: core.now() + TOKEN_LIFE,
  };
  core.tokens.set(token.token, token);
  return { token, repositories };
}

function foundInstallation(core: Core, app: App, found: Installation | undefined): Json {
  if (found?.app !== app.slug) throw notFound();
  return wireInstallation(core, found);
}

function byAccount(core: Core, login: string | undefined): Installation | undefined {
  return [...core.installations.values()].find((entry) => entry.account.toLowerCase() === (login ?? '').toLowerCase());
}

export const appRoutes: Route[] = [
  onAccount('users/get-authenticated', 'token', ({ core, caller }) => {
    if (caller.kind === 'installation') throw new GithubApiError(403, 'Resource not accessible by integration');
    if (caller.kind !== 'user') throw notFound();
    return ok(wireOwnProfile(core, caller.account));
  }),
  onAccount('users/get-by-username', 'anybody', ({ core, params }) => {
    const account = core.accounts.get((params.username ?? '').toLowerCase());
    if (!account) throw notFound();
    return ok(wireProfile(core, account));
  }),
  onAccount('users/get-by-id', 'anybody', ({ core, params }) => {
    const account = [...core.accounts.values()].find(({ id }) => id === Number(params.account_id));
    if (!account) throw notFound();
    return ok(wireProfile(core, account));
  }),
  onAccount('apps/get-authenticated', 'app', (call) => ok(wireApp(call.core, appOf(call)))),
  onAccount('apps/list-installations', 'app', (call) => {
    const own = [...call.core.installations.values()].filter(({ app }) => app === appOf(call).slug);
    return pageOf(call, own, (entry) => wireInstallation(call.core, entry));
  }),
  onAccount('apps/get-installation', 'app', (call) => ok(wireInstallation(call.core, installationOf(call)))),
  onAccount('apps/get-repo-installation', 'app', (call) => {
    const repository = repositoryOf(call.core, `${call.params.owner}/${call.params.repo}`);
    return ok(foundInstallation(call.core, appOf(call), repository && installationFor(call.core, repository)));
  }),
  onAccount('apps/get-org-installation', 'app', (call) =>
    ok(foundInstallation(call.core, appOf(call), byAccount(call.core, call.params.org))),
  ),
  onAccount('apps/get-user-installation', 'app', (call) =>
    ok(foundInstallation(call.core, appOf(call), byAccount(call.core, call.params.username))),
  ),
  onAccount('apps/create-installation-access-token', 'app', (call) => {
    const { token, repositories } = newToken(call);
    return created({
      token: token.token,
      expires_at: iso(token.expiresAt ?? 0),
      permissions: token.permissions,
      repository_selection: repositories || installationOf(call).repositories !== 'all' ? 'selected' : 'all',
      ...(repositories ? { repositories: repositories.map((entry) => wireRepository(call.core, entry)) } : {}),
    });
  }),
  onAccount('apps/list-repos-accessible-to-installation', 'installation', (call) => {
    const { core, caller } = call;
    if (caller.kind !== 'installation') throw notFound();
    const { repositories } = caller.token;
    const all = repositoriesOf(core, caller.installation).filter(
      (entry) => repositories?.has(fullName(entry).toLowerCase()) ?? true,
    );
    const { items, headers } = page(call, all);
    const repository_selection = caller.installation.repositories === 'all' ? 'all' : 'selected';
    return ok(
      { total_count: all.length, repository_selection, repositories: items.map((entry) => wireRepository(core, entry)) },
      headers,
    );
  }),
  onAccount('apps/revoke-installation-access-token', 'installation', ({ core, caller }) => {
    if (caller.kind === 'installation') core.tokens.delete(caller.token.token);
    return noContent;
  }),
];
