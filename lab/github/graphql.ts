import { type Calls, unanswered } from '../calls.ts';
import { isRecord, type Json } from '../slack/json.ts';
import { requireRights } from './access.ts';
import { GithubApiError } from './api-error.ts';
import { type Caller, callerOf } from './caller.ts';
import type { ApiCall } from './calls.ts';
import { type Core, fullName } from './core.ts';
import { setDraft } from './drafts.ts';
import type { Faults } from './faults.ts';
import { GraphqlError } from './graphql-error.ts';
import { type Field, GraphqlSyntaxError, parseQuery, type Query, resolveValue } from './graphql-query.ts';
import { changeReaction, queryTexts } from './graphql-texts.ts';
import { idOfNode } from './ids.ts';
import type { Issue, Repository } from './model.ts';
import { parseBody, readText } from './request.ts';
import type { Handler } from './server.ts';
import { pullOf, wirePullSimple } from './wire-pulls.ts';

/**
 * What GitHub's REST API cannot do: marking a pull request as ready for review and as a draft again, reactions to the body of a review, and who
 * has changed a text.
 */

const MUTATIONS: Readonly<Record<string, boolean>> = { convertPullRequestToDraft: true, markPullRequestReadyForReview: false };

export function createGraphql(deps: { core: Core; calls: Calls<ApiCall>; faults: Faults }): Handler {
  const { core, calls, faults } = deps;

  async function answerTo(
    kind: Query['kind'],
    field: Field,
    variables: Json,
    caller: Caller,
    missed: (error: GraphqlError, at: number) => void,
  ): Promise<unknown> {
    if (kind === 'query') return queryTexts(core, field, variables, caller, missed);
    if (field.name === 'addReaction' || field.name === 'removeReaction') return changeReaction(core, field, variables, caller);
    return await mutate(field, variables, caller);
  }

  async function mutate(field: Field, variables: Json, caller: Caller): Promise<unknown> {
    const isDraft = MUTATIONS[field.name];
    if (isDraft === undefined) throw new GraphqlError(`Field '${field.name}' doesn't exist on type 'Mutation'`);
    const input = resolveValue(field.args.input, variables);
    const id = isRecord(input) ? input.pullRequestId : undefined;
    if (!isRecord(input) || typeof id !== 'string')
      throw new GraphqlError(`Argument 'pullRequestId' on InputObject '${field.name}Input' is required. Expected type ID!`);
    const found = findPull(core, id);
    const missing = new GraphqlError(`Could not resolve to a node with the global id of '${id}'.`, 'NOT_FOUND');
    if (!found) throw missing;
    const actor = caller.kind === 'user' || caller.kind === 'installation' ? caller.account : undefined;
    if (!actor) throw missing;
    try {
      requireRights(caller, found.repository, { needs: ['pull_requests:write'], role: 'write' });
      await setDraft(core, found.repository, found.issue, actor, isDraft);
    } catch (error) {
      if (!(error instanceof GithubApiError)) throw error;
      if (error.status === 404) throw missing;
      throw new GraphqlError(error.message, error.status === 403 ? 'FORBIDDEN' : 'UNPROCESSABLE');
    }
    return picked(field, (name) => {
      if (name === 'clientMutationId') return () => input.clientMutationId ?? null;
      return name === 'pullRequest' ? (inner) => picked(inner, pullField(core, found)) : undefined;
    });
  }

  async function answer(text: string, caller: Caller): Promise<Json> {
    const body = parseBody(text);
    const variables = isRecord(body.variables) ? body.variables : {};
    const data: Json = {};
    const errors: Json[] = [];
    const wrong = (path: (string | number)[], { type, message }: GraphqlError) =>
      errors.push({ ...(type === undefined ? {} : { type }), path, message });
    try {
      const query = parseQuery(typeof body.query === 'string' ? body.query : '');
      for (const field of query.fields) {
        try {
          const missed = (error: GraphqlError, at: number) => void wrong([field.alias, at], error);
          data[field.alias] = await answerTo(query.kind, field, variables, caller, missed);
        } catch (error) {
          if (!(error instanceof GraphqlError)) throw error;
          data[field.alias] = null;
          wrong([field.alias], error);
        }
      }
    } catch (error) {
      if (!(error instanceof GraphqlSyntaxError)) throw error;
      return { errors: [{ message: error.message }] };
    }
    return errors.length > 0 ? { data, errors } : { data };
  }

  return async (request, response, url) => {
    if (url.pathname !== '/api/graphql' || request.method !== 'POST') return false;
    const text = await readText(request);
    const asked = { method: 'graphql', verb: 'POST', path: url.pathname, args: argsOf(text) };
    const record = calls.begin({ ...unanswered, ...asked, at: core.now() });
    await faults.waitBefore(record);
    const fault = faults.take(record);
    if (fault?.dropConnectionBeforeEffect) {
      request.socket.destroy();
      return true;
    }
    let status = core.settings.outage ? 503 : (fault?.status ?? 200);
    let body: Json = { message: fault?.message ?? 'Server Error' };
    try {
      if (status === 200) {
        const caller = callerOf(core, request.headers.authorization);
        record.as = caller.kind === 'user' || caller.kind === 'installation' ? caller.account.login : caller.kind;
        if (caller.kind === 'anonymous') throw new GithubApiError(401, 'This endpoint requires you to be authenticated.');
        body = await answer(text, caller);
      }
    } catch (error) {
      if (!(error instanceof GithubApiError)) throw error;
      status = error.status;
      body = { message: error.message, documentation_url: error.docs ?? 'https://docs.github.com/graphql' };
    }
    await faults.waitAfter(record);
    Object.assign(record, { status, ok: status < 400 && body.errors === undefined, finishedAt: core.now() });
    if (fault?.dropConnectionAfterEffect) request.socket.destroy();
    else response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
    return true;
  };
}

interface Found {
  repository: Repository;
  issue: Issue;
}

function findPull(core: Core, node: string): Found | undefined {
  const id = idOfNode('PR', node);
  for (const repository of core.repositories.values())
    for (const issue of repository.issues.values()) if (id !== undefined && issue.pull?.id === id) return { repository, issue };
  return undefined;
}

function pullField(core: Core, { repository, issue }: Found): (name: string) => (() => unknown) | undefined {
  const wired = wirePullSimple(core, repository, issue);
  const pull = pullOf(issue);
  const values: Json = {
    id: wired.node_id,
    databaseId: pull.id,
    number: issue.number,
    title: issue.title,
    body: issue.body ?? '',
    url: wired.html_url,
    isDraft: pull.draft,
    merged: pull.mergedAt !== null,
    closed: issue.state === 'closed',
    state: pull.mergedAt === null ? issue.state.toUpperCase() : 'MERGED',
    headRefName: pull.headRef,
    headRefOid: pull.headSha,
    baseRefName: pull.baseRef,
    resourcePath: `/${fullName(repository)}/pull/${issue.number}`,
  };
  return (name) => (name in values ? () => values[name] : undefined);
}

function picked(field: Field, of: (name: string) => ((field: Field) => unknown) | undefined): Json {
  return Object.fromEntries(
    field.fields.map((inner) => {
      const read = of(inner.name);
      if (!read) throw new GraphqlError(`Field '${inner.name}' doesn't exist on type '${field.name}'`);
      return [inner.alias, read(inner)];
    }),
  );
}

function argsOf(text: string): Json {
  try {
    return parseBody(text);
  } catch {
    return {};
  }
}
