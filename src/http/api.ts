import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { accessTokenHash } from '../access/access-token.ts';
import type { Caller, TokenAccess } from '../access/token-access.ts';
import type { ApiProblem } from '../contracts/api.ts';
import { AppError, type ErrorCode } from '../contracts/errors.ts';
import type { EventLog } from '../contracts/run-event.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Database } from '../store/database.ts';
import type { Wakeups } from '../store/wakeups.ts';
import { plainProblem, problemHeaders, problemOf, problemType } from './api-problems.ts';
import { createApiReads } from './api-reads.ts';
import { type ApiRoute, apiRoutes, readRuns, type StreamEvents } from './api-routes.ts';
import { createBadTokens } from './bad-tokens.ts';
import { corsHeaders, preflightGroup } from './cors.ts';
import { defaultHeaders } from './default-headers.ts';
import { eventNumber } from './event-frames.ts';
import { streamEvents } from './event-stream.ts';
import { callerOnThisMachine, localCaller } from './local-caller.ts';
import { pathOf } from './method-and-path.ts';
import { createOpenStreams } from './open-streams.ts';
import { openApi } from './openapi.ts';
import { createPace } from './pace.ts';
import { createRunTails } from './run-tails.ts';
import type { RouteGroup } from './server.ts';
import { bearerToken } from './site-request.ts';

export interface ApiDeps {
  database: Database;
  wakeups: Pick<Wakeups, 'subscribe'>;
  log: EventLog;
  tokens: TokenAccess;
  logger: Logger;
  version: string;
  /** Opens it to programs of this machine; undefined: nothing does. */
  localToken?: string | undefined;
  /** Origins of pages elsewhere that may read. */
  corsOrigins?: readonly string[] | undefined;
  /** Told how many streams are open, and how old each event is when it goes out. */
  metrics?: { eventStreams(open: number): void; streamLag(ms: number): void } | undefined;
  /** How often a quiet stream shows that it lives, and how long one may take nothing; milliseconds. */
  heartbeatMs?: number | undefined;
  stalledMs?: number | undefined;
}

const prefix = '/api/v1';
/** What a caller wanted, by the error that says that there is none: completes "may not …". */
const missing: Partial<Record<ErrorCode, string>> = {
  'DH-204': 'read that task',
  'DH-205': 'read that project',
  'DH-224': 'read that run',
};
/** So many tokens that were good are remembered, so that wrong ones from the same address shut nobody out. */
const rememberedTokens = 1000;

/** What programs can read, and the document about it. No cookies, no pages of other sites: callers are programs with a token. */
export function apiGroups(deps: ApiDeps): RouteGroup[] {
  const { database, wakeups, log, tokens, logger, metrics } = deps;
  const callers = new WeakMap<FastifyRequest, Caller>();
  const gate = createGate(deps);
  const origins = deps.corsOrigins ?? [];
  const tails = createRunTails({ log, wakeups, logger, onLag: metrics?.streamLag });
  // The token of this launch ends with the process.
  const lapsed: TokenAccess['lapsed'] = async (uses, need) => {
    const asked = uses.filter(({ token }) => token !== localCaller);
    const answers = await tokens.lapsed(asked, need);
    const found = new Map(asked.map((use, at) => [use, answers[at]]));
    return uses.map((use) => found.get(use));
  };
  const streams = createOpenStreams({ tokens: { lapsed }, need: readRuns, logger, onCount: metrics?.eventStreams });
  const reads = createApiReads({ database, log });

  const stream: StreamEvents = async (caller, run, asked, request, reply) => {
    const header = request.headers['last-event-id'];
    const last = header === undefined || header === '' ? undefined : eventNumber(String(header));
    if (header !== undefined && header !== '' && last === undefined) {
      throw new AppError('DH-201', { problem: '`Last-Event-ID` is not the number of an event.', example: '`Last-Event-ID: 42`' });
    }
    const standing = await reads.log(caller, run);
    // Whoever comes back knows better how far they are than the address they began with.
    const after = Math.min(last ?? asked ?? 0, standing.lastSeq);
    if (last !== undefined && standing.over && after === standing.lastSeq) {
      // By this answer browsers know that there is no reason to come back.
      reply.code(204);
      return undefined;
    }
    streams.open(caller, { project: standing.project, reference: request.id }, () => {
      reply.hijack();
      const headers = { ...defaultHeaders, ...corsHeaders(request, origins), 'x-request-id': request.id };
      const { heartbeatMs, stalledMs } = deps;
      const reader = tails.join(run, standing);
      return streamEvents(reply.raw, { run, reader, after, headers, logger, heartbeatMs, stalledMs });
    });
    return undefined;
  };
  const routes = apiRoutes(reads, stream);
  const noting = async <T>(handle: () => Promise<T>, caller: Caller): Promise<T> => {
    try {
      return await handle();
    } catch (error) {
      const action = error instanceof AppError ? missing[error.code] : undefined;
      if (action !== undefined && caller.token !== localCaller) await tokens.missed(caller, action);
      throw error;
    }
  };

  return [
    {
      name: 'api',
      access: 'access token',
      async admit(request, reply, need) {
        // Before anything can be refused: a page that may read learns why.
        reply.headers(corsHeaders(request, origins));
        callers.set(request, await gate(request, reply, need));
      },
      async register(scope) {
        scope.setErrorHandler((error: FastifyError, request, reply) => answerProblem(error, request, reply, logger));
        // Before connections are closed: readers are told when to come back.
        scope.addHook('preClose', () => streams.stop());
        for (const route of routes) {
          scope.route({
            method: 'GET',
            url: `${prefix}${route.path}`,
            exposeHeadRoute: false,
            config: { need: route.need },
            async handler(request, reply) {
              const caller = callers.get(request);
              if (caller === undefined) throw new Error(`${route.path} was reached by nobody`);
              const input = inputOf(route, request);
              const answer = await noting(() => route.handle(caller, input, request, reply), caller);
              if (reply.sent) return reply;
              return reply.send(answer);
            },
          });
        }
      },
    },
    ...preflightGroup(prefix, origins),
    {
      name: 'api document',
      access: 'anyone',
      register(scope) {
        const document = openApi(routes, { version: deps.version, prefix });
        scope.get(`${prefix}/openapi.json`, async () => document);
      },
    },
  ];
}

/** Finds out who calls. An address that has sent many wrong tokens has to wait, but for callers that are known to be good. */
function createGate({ database, tokens, localToken }: Pick<ApiDeps, 'database' | 'tokens' | 'localToken'>) {
  const wrong = createBadTokens(() => performance.now());
  const good = new Set<string>();
  const pace = createPace();
  return async (request: FastifyRequest, reply: FastifyReply, need: ApiRoute['need']): Promise<Caller> => {
    const address = request.ip;
    const token = bearerToken(request);
    const hash = token === undefined ? undefined : accessTokenHash(token);
    const seconds = wrong.wait(address);
    if (seconds !== undefined && (hash === undefined || !good.has(hash))) {
      throw new AppError('DH-225', { what: 'Too many requests without a valid access token come from your address.', seconds });
    }
    try {
      if (token === undefined || hash === undefined) throw new AppError('DH-222', { why: 'None was sent' });
      const local = await callerOnThisMachine(request, token, { database, localToken });
      const caller = local ?? (await tokens.admit(token, need));
      reply.headers(pace(caller.token));
      if (good.size >= rememberedTokens) good.clear();
      good.add(hash);
      return caller;
    } catch (error) {
      if (error instanceof AppError && error.code === 'DH-222') {
        wrong.note(address);
        if (hash !== undefined) good.delete(hash);
      }
      throw error;
    }
  };
}

function inputOf({ params, query }: ApiRoute, request: FastifyRequest): object {
  const parsed = [params.safeParse(request.params), query.safeParse(request.query)];
  const problems = parsed.flatMap(({ error }) => (error === undefined ? [] : [z.prettifyError(error)]));
  if (problems.length > 0) {
    throw new AppError('DH-201', { problem: problems.join('\n'), example: `\`${prefix}/openapi.json\` says what fits.` });
  }
  return Object.assign({}, ...parsed.map(({ data }) => data));
}

/** Callers are told what they can act on; what went wrong inside stays in the log, under the reference they get. */
function answerProblem(error: FastifyError, request: FastifyRequest, reply: FastifyReply, logger: Logger): FastifyReply {
  const reference = request.id;
  const send = (problem: ApiProblem, from: { params?: AppError['params'] } = {}) =>
    reply.code(problem.status).headers(problemHeaders(problem, from)).type(problemType).send(problem);
  if (error instanceof AppError) return send(problemOf(error, reference), error);
  if (error.statusCode !== undefined && error.statusCode < 500)
    return send(plainProblem(error.statusCode, error.message, reference));
  logger.error({ err: error, request: reference, path: pathOf(request) }, 'a request of the API failed');
  return send(problemOf({ code: 'DH-299', params: { reference } }, reference));
}
