/**
 * A GitHub on loopback: REST, GraphQL's two mutations for drafts, webhooks, and git over smart HTTP on real repositories.
 *
 *   const github = await createGithubEmulator();
 *   const repository = await github.repository({ name: 'shop', files: { 'README.md': 'hello\n' }, protect: true });
 *
 *   // REST: github.apiUrl is what Octokit takes as baseUrl; git: repository.cloneUrl with any user name and a token as password
 *   new Octokit({ baseUrl: github.apiUrl, auth: github.token('ada') });
 *   // git clone http://x-access-token:ghp_…@127.0.0.1:port/acme/shop.git
 *
 *   // As an app: a JWT signed with github.app.privateKey and iss github.app.id gets installation tokens
 *   const installation = github.app.install('acme');
 *
 *   // Webhooks: of a repository, or of the app (secret: github.app.webhookSecret)
 *   repository.hook({ url: 'http://127.0.0.1:3000/hooks', secret: 's' });
 *   github.app.webhook('http://127.0.0.1:3000/hooks');
 *
 *   // What goes wrong: github.controls.failNext('pulls/create', { status: 502 }), …
 *   // What was called: github.callsOf('pulls/create')
 *   await github.close();
 *
 * People: Ada is an administrator of every repository, Ben may write, Gus has no role. Every answer and every webhook is checked against
 * GitHub's own OpenAPI description; one that does not fit is an HTTP 500 and stands in `github.controls.errors`, which tests must find empty.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCalls } from '../calls.ts';
import { createFaults } from '../faults.ts';
import type { ApiCall } from './calls.ts';
import { type Controls, createControls } from './controls.ts';
import { accountOf, type Core, createCore, repositoryOf } from './core.ts';
import { createPerson, type Person } from './driver.ts';
import type { Faults } from './faults.ts';
import { createGitAccess } from './git-access.ts';
import { prepareGit } from './git-backend.ts';
import { createGraphql } from './graphql.ts';
import { createHooks } from './hooks.ts';
import { createHourlyLimits } from './hourly-limits.ts';
import { secret } from './ids.ts';
import { startJobLogs } from './job-logs.ts';
import { keep } from './keep.ts';
import { createLabApp, type LabApp } from './lab-app.ts';
import type { Permissions } from './model.ts';
import { createOauth, type OauthApp } from './oauth.ts';
import { createPages } from './pages.ts';
import { createRepository, handleOf, type LabRepository, type NewRepository } from './repositories.ts';
import { createRest } from './rest.ts';
import { actionRoutes } from './routes-actions.ts';
import { appRoutes } from './routes-apps.ts';
import { checkRoutes } from './routes-checks.ts';
import { hookRoutes } from './routes-hooks.ts';
import { issueRoutes } from './routes-issues.ts';
import { limitRoutes } from './routes-limits.ts';
import { pullRoutes } from './routes-pulls.ts';
import { repositoryRoutes } from './routes-repositories.ts';
import { reviewRoutes } from './routes-reviews.ts';
import { seedAccounts } from './seed.ts';
import { startServer } from './server.ts';

export interface GithubEmulatorOptions {
  /** Default `127.0.0.1`. */
  host?: string;
  /** Default: any free port. */
  port?: number;
  /** What the app may do, and which events it gets. Default: what an app like Deckhand needs. */
  app?: { permissions?: Permissions; events?: readonly string[] };
  /** Milliseconds since 1970; the system clock by default. Tokens, JWTs and limits end by it. */
  now?: () => number;
  /** How many calls `calls` keeps. Default 10,000. */
  keepCalls?: number;
  /** A directory in which repositories, pull requests and logins outlive the emulator. Default: all of it ends with `close`. */
  persistPath?: string;
}

export interface GithubEmulator {
  /** `http://127.0.0.1:port`: pages and git. */
  url: string;
  /** Base of the REST API: `http://127.0.0.1:port/api/v3`. GraphQL is at `/api/graphql`, where Octokit looks for it then. */
  apiUrl: string;
  app: LabApp;
  /** The OAuth app with which people sign in elsewhere as who they are here. */
  oauthApp: OauthApp;
  repository(given: NewRepository): Promise<LabRepository>;
  /** One that is there already, `acme/shop`. */
  repositoryNamed(fullName: string): LabRepository | undefined;
  /** Act as Ada, Ben or Gus, and wait for what others do. */
  person(login: string): Person;
  /** A classic personal access token. Default scopes: `repo` and `workflow`. */
  token(login: string, options?: { scopes?: readonly string[]; expiresAt?: number }): string;
  /** A fine-grained personal access token: permissions, and repositories as `owner/name` (default: all of the person's). */
  fineGrainedToken(
    login: string,
    permissions: Permissions,
    options?: { repositories?: readonly string[]; expiresAt?: number },
  ): string;
  /** Makes a token invalid. */
  revoke(token: string): void;
  controls: Controls;
  /** Every REST call and every request of git so far, oldest first. */
  calls: ApiCall[];
  /** By operation of the OpenAPI document (`pulls/create`), `graphql`, `git-upload-pack`, `git-receive-pack`. */
  callsOf(method: string): ApiCall[];
  core: Core;
  close(): Promise<void>;
}

export async function createGithubEmulator(options: GithubEmulatorOptions = {}): Promise<GithubEmulator> {
  const errors: unknown[] = [];
  const { persistPath } = options;
  const root = persistPath === undefined ? await mkdtemp(join(tmpdir(), 'deckhand-github-')) : join(persistPath, 'repositories');
  const core = createCore({ root, now: options.now ?? Date.now, onError: (error) => errors.push(error) });
  const calls = createCalls<ApiCall>(options.keepCalls ?? 10_000);
  const faults: Faults = createFaults();
  const limits = createHourlyLimits(() => core.settings.hourlyLimit);
  const hooks = createHooks(core);
  core.send = hooks.send;
  seedAccounts(core);
  await prepareGit(root);
  const keeper = persistPath === undefined ? undefined : await keep(core, persistPath);
  const logs = await startJobLogs(core, options.host ?? '127.0.0.1');
  const routes = [
    ...appRoutes,
    ...repositoryRoutes,
    ...pullRoutes,
    ...issueRoutes,
    ...reviewRoutes,
    ...checkRoutes,
    ...actionRoutes(logs),
    ...hookRoutes(core, hooks),
    ...limitRoutes(limits),
  ];
  const pages = createPages(core);
  const oauth = createOauth(core);
  const server = await startServer({
    core,
    rest: createRest({ core, calls, faults, limits, routes }),
    git: createGitAccess({ core, calls, faults }),
    others: [createGraphql({ core, calls, faults }), oauth.handle],
    pages: pages.handle,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
  });
  const app = createLabApp(core, { permissions: options.app?.permissions, events: options.app?.events });
  core.appHookTarget = () => app.id;

  return {
    url: core.baseUrl,
    apiUrl: core.apiUrl,
    app,
    oauthApp: oauth.app,
    repository: (given) => createRepository(core, given),
    repositoryNamed(fullName) {
      const known = repositoryOf(core, fullName);
      return known && handleOf(core, known);
    },
    person: (login) => createPerson(core, login),
    token(login, { scopes = ['repo', 'workflow'], expiresAt } = {}) {
      const token = `ghp_${secret(36)}`;
      core.tokens.set(token, { token, login: accountOf(core, login).login, scopes, expiresAt });
      return token;
    },
    fineGrainedToken(login, permissions, { repositories, expiresAt } = {}) {
      const token = `github_pat_${secret(22)}_${secret(59)}`;
      const chosen = repositories && new Set(repositories.map((name) => name.toLowerCase()));
      core.tokens.set(token, { token, login: accountOf(core, login).login, permissions, repositories: chosen, expiresAt });
      return token;
    },
    revoke(token) {
      core.tokens.delete(token);
    },
    controls: createControls({ core, faults, limits, hooks, errors }),
    calls: calls.list,
    callsOf: (method) => calls.of(method),
    core,
    async close() {
      hooks.close();
      pages.close();
      await server.close();
      await logs.close();
      await keeper?.close();
      if (persistPath === undefined) await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
