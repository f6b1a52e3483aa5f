import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Calls, unanswered } from '../calls.ts';
import { canSee, holds, may, roleOf } from './access.ts';
import { basicPassword, type Caller, tokenCaller } from './caller.ts';
import type { ApiCall } from './calls.ts';
import { type Core, fullName, repositoryOf } from './core.ts';
import type { Faults } from './faults.ts';
import { gitRequest, serveGit } from './git-backend.ts';
import type { Repository } from './model.ts';
import type { PushRules } from './push-rules.ts';
import { takeOverRefs } from './refs.ts';

/** Git over HTTPS as github.com serves it: tokens as passwords, and its answers to those who may not. */
export interface GitAccess {
  /** Answers requests of git; false when it is none. */
  handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean>;
}

interface Refusal {
  status: number;
  text: string;
}

export function createGitAccess(deps: { core: Core; calls: Calls<ApiCall>; faults: Faults }): GitAccess {
  const { core, calls, faults } = deps;

  return {
    async handle(request, response, url) {
      const asked = gitRequest(url);
      if (!asked) return false;
      const { service, path } = asked;
      const moved = core.renamed.get(asked.name.toLowerCase());
      const repository = repositoryOf(core, asked.name) ?? moved;
      const record = calls.begin({
        ...unanswered,
        method: service,
        verb: request.method ?? 'GET',
        path: url.pathname,
        args: {},
        repository: asked.name,
        at: core.now(),
      });
      await faults.waitBefore(record);
      const fault = faults.take(record);
      const finish = (status: number, error?: string) => {
        Object.assign(record, { status, ok: status < 400, error, finishedAt: core.now() });
      };
      if (fault?.dropConnectionBeforeEffect) {
        finish(0, 'connection dropped');
        request.socket.destroy();
        return true;
      }
      const login = loginOf(core, request.headers.authorization);
      const caller = login === 'bad' ? undefined : login;
      record.as =
        caller === undefined || caller.kind === 'anonymous' || caller.kind === 'app' ? 'anonymous' : caller.account.login;
      const status = core.settings.outage ? 503 : fault?.status;
      const refusal =
        status === undefined
          ? refusalOf(login, repository, asked.name, service === 'git-receive-pack')
          : { status, text: 'lab fault' };
      if (refusal || !repository || !caller) {
        const { status: code, text } = refusal ?? { status: 404, text: 'Repository not found.' };
        refuse(response, code, text);
        finish(code, text);
        return true;
      }
      if (repository === moved) {
        const location = `${core.baseUrl}/${fullName(repository)}.git${path}${url.search}`;
        response.writeHead(301, { location }).end();
        finish(301);
        return true;
      }
      const target = { service, directory: repository.directory, path, query: url.search.slice(1) };
      if (path !== '/git-receive-pack') {
        finish(await serveGit(request, response, target, async () => undefined));
        return true;
      }
      const { serving } = await core.exclusive(repository, async () => {
        const effect = Promise.withResolvers<void>();
        const whole = serveGit(request, response, { ...target, rules: rulesFor(caller, repository) }, async () => {
          if (caller.kind === 'user' || caller.kind === 'installation') await takeOverRefs(core, repository, caller.account);
          effect.resolve();
          await faults.waitAfter(record);
          if (fault?.dropConnectionAfterEffect) request.socket.destroy();
        });
        // An answer that a test holds back must not hold up others: the repository is free as soon as the refs are moved.
        await Promise.race([effect.promise, whole]);
        return { serving: whole };
      });
      const served = await serving;
      finish(fault?.dropConnectionAfterEffect ? 0 : served);
      return true;
    },
  };
}

function loginOf(core: Core, header: string | undefined): Caller | 'bad' {
  if (header === undefined) return { kind: 'anonymous' };
  const [scheme = '', encoded = ''] = header.split(' ');
  if (!/^(basic|bearer)$/i.test(scheme)) return 'bad';
  return tokenCaller(core, /^basic$/i.test(scheme) ? basicPassword(encoded) : encoded) ?? 'bad';
}

/** What git is told; undefined when it may go on. Whether a repository exists is only told to those who may know. */
function refusalOf(
  login: Caller | 'bad',
  repository: Repository | undefined,
  name: string,
  isPush: boolean,
): Refusal | undefined {
  if (login === 'bad')
    return { status: 401, text: 'Invalid username or token. Password authentication is not supported for Git operations.' };
  if (login.kind === 'anonymous')
    return repository && !repository.private && !isPush ? undefined : { status: 401, text: 'No anonymous write access.' };
  // Whose token reaches less far than its owner hears of the repository; an installation does not.
  const isKnown = repository !== undefined && login.kind === 'user' && roleOf(repository, login.account.login) !== undefined;
  if (isKnown && !canSee(login, repository)) return { status: 403, text: 'Write access to repository not granted.' };
  if (!repository || !canSee(login, repository)) return { status: 404, text: 'Repository not found.' };
  if (login.kind === 'app') return { status: 404, text: 'Repository not found.' };
  const mayRead = !repository.private || may(login, repository, { needs: ['contents:read'], role: 'read' });
  if (!mayRead) return { status: 403, text: 'Write access to repository not granted.' };
  if (!isPush || may(login, repository, { needs: ['contents:write'], role: 'write' }))
    return isPush && repository.archived ? { status: 403, text: 'This repository was archived so it is read-only.' } : undefined;
  return login.token.permissions
    ? { status: 403, text: 'Write access to repository not granted.' }
    : { status: 403, text: `Permission to ${name}.git denied to ${login.account.login}.` };
}

function refuse(response: ServerResponse, status: number, text: string): void {
  const headers: Record<string, string> = { 'content-type': 'text/plain; charset=utf-8' };
  if (status === 401) headers['www-authenticate'] = 'Basic realm="GitHub"';
  response.writeHead(status, headers).end(text);
}

/** Protected branches, and workflow files for tokens that may not write those. */
export function rulesFor(caller: Caller, repository: Repository): PushRules {
  return {
    protected: [...repository.protections.keys()].map((branch) => `refs/heads/${branch}`),
    withoutWorkflows: workflowRefusal(caller),
  };
}

function workflowRefusal(caller: Caller): PushRules['withoutWorkflows'] {
  if (caller.kind === 'installation')
    return holds(caller.token.permissions ?? {}, ['workflows:write'])
      ? undefined
      : { who: 'a GitHub App', missing: '`workflows` permission' };
  if (caller.kind !== 'user') return undefined;
  const { scopes, permissions } = caller.token;
  const isAllowed = scopes ? scopes.includes('workflow') : holds(permissions ?? {}, ['workflows:write']);
  return isAllowed
    ? undefined
    : { who: 'a Personal Access Token', missing: scopes ? '`workflow` scope' : '`workflows` permission' };
}
