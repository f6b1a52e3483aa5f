import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Calls, unanswered } from '../calls.ts';
import { canSee, requireRights } from './access.ts';
import { forbidden, GithubApiError, notFound, requiresAuthentication } from './api-error.ts';
import { actorOf, type Caller, callerOf } from './caller.ts';
import type { ApiCall } from './calls.ts';
import { type Core, fullName, repositoryOf } from './core.ts';
import type { Fault, Faults } from './faults.ts';
import { type Counted, type HourlyLimits, limitHeaders } from './hourly-limits.ts';
import { checkHeaders, checkInput, DEFAULT_VERSION, mistakesOf, parseBody, readText } from './request.ts';
import type { Answer, Call, Route } from './route.ts';
import type { Operation } from './schema.ts';

/** The REST API: logins, limits, checks and faults around the routes. */
export interface Rest {
  /** `path` below the API's base. */
  handle(request: IncomingMessage, response: ServerResponse, path: string): Promise<void>;
}

const REST_DOCS = 'https://docs.github.com/rest';
const NO_AGENT =
  'Request forbidden by administrative rules. Please make sure your request has a User-Agent header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). Check https://developer.github.com for other possible causes.\n';

interface Found {
  route: Route;
  operation: Operation;
  params: Record<string, string>;
}

export function createRest(deps: {
  core: Core;
  calls: Calls<ApiCall>;
  faults: Faults;
  limits: HourlyLimits;
  routes: readonly Route[];
}): Rest {
  const { core, calls, faults, limits } = deps;
  const patterns = deps.routes.map((route) => {
    const operation = core.schema.operations.get(route.operation);
    if (!operation) throw new Error(`there is no operation ${route.operation}`);
    return { route, operation, pattern: patternOf(operation.path) };
  });
  // `…/commits/{ref}` would take `…/commits/main/status` too: whatever ends with a fixed word is tried first.
  patterns.sort((a, b) => Number(a.operation.path.endsWith('}')) - Number(b.operation.path.endsWith('}')));

  function match(verb: string, path: string): Found {
    for (const { route, operation, pattern } of patterns) {
      const fits = operation.verb === verb ? pattern.exec(path) : null;
      if (fits) return { route, operation, params: decodedGroups(fits.groups ?? {}) };
    }
    throw new GithubApiError(404, 'Not Found', { docs: REST_DOCS });
  }

  /** GitHub's own links name repositories by number. */
  function named(path: string): string {
    return path.replace(/^\/repositories\/(\d+)/, (whole, id: string) => {
      const repository = [...core.repositories.values()].find((entry) => entry.id === Number(id));
      return repository ? `/repos/${fullName(repository)}` : whole;
    });
  }

  async function run(found: Found, caller: Caller, call: Omit<Call, 'operation' | 'params'>): Promise<Answer> {
    const { route, operation, params } = found;
    const whole: Call = { ...call, operation, params };
    if (route.on === 'account') {
      requireCaller(route.as, caller);
      checkInput(core.schema, operation, params, call.query, call.body);
      return await route.handle(whole);
    }
    const name = `${params.owner}/${params.repo}`;
    const repository = repositoryOf(core, name);
    const moved = core.renamed.get(name.toLowerCase());
    if (!repository && moved && canSee(caller, moved)) return movedTo(call, moved.id, operation.verb);
    if (!repository) throw notFound();
    requireRights(caller, repository, route.rights);
    checkInput(core.schema, operation, params, call.query, call.body);
    if (repository.archived && operation.verb !== 'GET') throw forbidden('Repository was archived so is read-only.');
    return await route.handle({
      ...whole,
      repository,
      linkPath: call.linkPath.replace(/^\/repos\/[^/]+\/[^/]+/, `/repositories/${repository.id}`),
      actor: () => actorOf(caller),
    });
  }

  async function answerTo(given: Given): Promise<{ answer: Answer; counted: Counted; caller: Caller }> {
    const { found, record, fault } = given;
    let caller: Caller = { kind: 'anonymous' };
    let counted = limits.look(caller, core.now());
    try {
      if (core.settings.outage) throw new GithubApiError(503, 'Service unavailable', { docs: REST_DOCS });
      if (given.problem) throw given.problem;
      if (!found) throw notFound();
      const { accept } = checkHeaders(given.request);
      caller = callerOf(core, given.request.headers.authorization);
      record.as = caller.kind === 'user' || caller.kind === 'installation' ? caller.account.login : caller.kind;
      if (fault?.limit === 'primary') limits.exhaust(caller, core.now());
      const isFree = found.operation.name === 'rate-limit/get';
      counted = isFree ? limits.look(caller, core.now()) : limits.count(caller, core.now());
      if (counted.isOver && !isFree) throw primaryLimit(caller);
      refuseForFault(fault);
      const answer = await run(found, caller, {
        core,
        caller,
        query: given.url.searchParams,
        linkPath: given.path,
        body: parseBody(given.text),
        accept,
        record,
      });
      const mistakes = answer.text ? [] : mistakesOf(core.schema, found.operation, answer.status, answer.body);
      if (mistakes.length > 0) throw new Error(`the emulator answers what GitHub would not:\n${mistakes.join('\n')}`);
      return { answer, counted, caller };
    } catch (error) {
      if (!(error instanceof GithubApiError)) throw error;
      return { answer: errorAnswer(error, found?.operation), counted, caller };
    }
  }

  return {
    async handle(request, response, path) {
      if ((request.headers['user-agent'] ?? '').trim() === '') {
        response.writeHead(403, { 'content-type': 'text/html; charset=utf-8' }).end(NO_AGENT);
        return;
      }
      const url = new URL(request.url ?? '/', 'http://lab');
      const verb = request.method ?? 'GET';
      let found: Found | undefined;
      let problem: GithubApiError | undefined;
      let text = '';
      try {
        text = await readText(request);
        found = match(verb, named(path));
      } catch (error) {
        if (!(error instanceof GithubApiError)) throw error;
        problem = error;
      }
      const record = calls.begin({
        ...unanswered,
        method: found?.operation.name ?? 'unknown',
        verb,
        path,
        args: argsOf(text, url),
        repository: found?.params.owner === undefined ? undefined : `${found.params.owner}/${found.params.repo}`,
        at: core.now(),
      });
      await faults.waitBefore(record);
      const fault = faults.take(record);
      if (fault?.dropConnectionBeforeEffect) return drop(request, record, core.now());
      const { answer, counted, caller } = await answerTo({ request, url, path, text, found, problem, record, fault });
      await faults.waitAfter(record);
      if (core.settings.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, core.settings.latencyMs));
      if (fault?.dropConnectionAfterEffect) return drop(request, record, core.now());
      const sent = send({ request, response, answer, counted, caller, found });
      record.status = sent;
      record.ok = sent < 400;
      if (!record.ok) record.error = messageOf(answer.body);
      record.finishedAt = core.now();
    },
  };
}

interface Given {
  request: IncomingMessage;
  url: URL;
  path: string;
  text: string;
  found: Found | undefined;
  problem: GithubApiError | undefined;
  record: ApiCall;
  fault: Fault | undefined;
}

/** `{ref}` and `{path}` may hold slashes where they end the path or stand before a fixed word. */
function patternOf(path: string): RegExp {
  const source = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    ['ref', 'path', 'branch', 'basehead'].includes(name) ? `(?<${name}>.+)` : `(?<${name}>[^/]+)`,
  );
  return new RegExp(`^${source}$`);
}

function decodedGroups(groups: Record<string, string>): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    throw new GithubApiError(404, 'Not Found', { docs: REST_DOCS });
  }
}

function requireCaller(as: 'anybody' | 'token' | 'app' | 'installation', caller: Caller): void {
  if (as === 'anybody') return;
  if (as === 'app') {
    if (caller.kind !== 'app') throw new GithubApiError(401, 'A JSON web token could not be decoded');
    return;
  }
  if (caller.kind === 'anonymous') throw requiresAuthentication();
  if (caller.kind === 'app') throw forbidden('Resource not accessible by integration');
  if (as === 'installation' && caller.kind !== 'installation')
    throw forbidden('You must authenticate with an installation access token in order to list repositories for an installation.');
}

/** Where a renamed repository is now. Everything but reading must be sent there again as it was. */
function movedTo({ core, linkPath, query }: Pick<Call, 'core' | 'linkPath' | 'query'>, id: number, verb: string): Answer {
  const rest = linkPath.replace(/^\/repos\/[^/]+\/[^/]+/, '');
  const url = `${core.apiUrl}/repositories/${id}${rest}${query.size > 0 ? `?${query}` : ''}`;
  const isRead = verb === 'GET';
  return {
    status: isRead ? 301 : 307,
    headers: { location: url },
    body: { message: isRead ? 'Moved Permanently' : 'Temporary Redirect', url, documentation_url: REST_DOCS },
  };
}

function primaryLimit(caller: Caller): GithubApiError {
  const who =
    caller.kind === 'user'
      ? `user ID ${caller.account.id}`
      : caller.kind === 'installation'
        ? `installation ID ${caller.installation.id}`
        : '127.0.0.1';
  return new GithubApiError(403, `API rate limit exceeded for ${who}.`, {
    docs: 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api',
  });
}

function refuseForFault(fault: Fault | undefined): void {
  if (fault?.limit === 'secondary')
    throw new GithubApiError(
      fault.status ?? 403,
      'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
      {
        docs: 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits',
        headers: { 'retry-after': String(fault.retryAfter ?? 60) },
      },
    );
  if (fault?.status === undefined) return;
  const headers: Record<string, string> = fault.status === 429 ? { 'retry-after': String(fault.retryAfter ?? 1) } : {};
  throw new GithubApiError(fault.status, fault.message ?? (fault.status >= 500 ? 'Server Error' : 'lab fault'), { headers });
}

function errorAnswer(error: GithubApiError, operation: Operation | undefined): Answer {
  const errors = error.errors === undefined ? {} : { errors: error.errors };
  const documentation_url = error.docs ?? operation?.docs ?? REST_DOCS;
  return {
    status: error.status,
    body: { message: error.message, ...errors, documentation_url, status: String(error.status) },
    headers: error.headers,
  };
}

/** Sends the answer, or 304 when the caller has it already; returns the status. */
function send(given: {
  request: IncomingMessage;
  response: ServerResponse;
  answer: Answer;
  counted: Counted;
  caller: Caller;
  found: Found | undefined;
}): number {
  const { request, response, answer, counted, caller, found } = given;
  const headers: Record<string, string> = {
    'x-github-request-id': randomUUID().slice(0, 8).toUpperCase(),
    'x-github-media-type': 'github.v3; format=json',
    'x-github-api-version-selected': String(request.headers['x-github-api-version'] ?? DEFAULT_VERSION),
    ...(found?.route.on === 'repository'
      ? { 'x-accepted-github-permissions': found.route.rights.needs.join('; ').replaceAll(':', '=') }
      : {}),
    ...(caller.kind === 'user' && caller.token.scopes ? { 'x-oauth-scopes': caller.token.scopes.join(', ') } : {}),
    ...answer.headers,
  };
  const isText = answer.text !== undefined;
  const content = isText ? answer.text?.content : answer.body === undefined ? undefined : JSON.stringify(answer.body);
  if (request.method === 'GET' && answer.status === 200 && content !== undefined) {
    const etag = `W/"${createHash('sha256').update(content).digest('hex')}"`;
    headers.etag = etag;
    headers['cache-control'] = 'private, max-age=60, s-maxage=60';
    if (request.headers['if-none-match'] === etag) {
      counted.undo();
      response.writeHead(304, { ...headers, ...limitHeaders({ ...counted, used: counted.used - 1 }) }).end();
      return 304;
    }
  }
  Object.assign(headers, limitHeaders(counted));
  if (content === undefined) response.writeHead(answer.status, headers).end();
  else {
    const type = answer.text?.type ?? 'application/json; charset=utf-8';
    response
      .writeHead(answer.status, { 'content-type': type, 'content-length': Buffer.byteLength(content), ...headers })
      .end(content);
  }
  return answer.status;
}

function argsOf(text: string, url: URL): ApiCall['args'] {
  try {
    return { ...Object.fromEntries(url.searchParams), ...parseBody(text) };
  } catch {
    return Object.fromEntries(url.searchParams);
  }
}

function messageOf(body: unknown): string | undefined {
  return typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : undefined;
}

function drop(request: IncomingMessage, record: ApiCall, now: number): void {
  record.error = 'connection dropped';
  record.finishedAt = now;
  request.socket.destroy();
}
