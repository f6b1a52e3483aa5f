import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Registry } from 'prom-client';
import { rolesWith } from '../access/not-allowed.ts';
import type { TokenNeed } from '../access/token-access.ts';
import type { AdapterWebhook } from '../contracts/chat-adapter.ts';
import { AppError, describeError } from '../contracts/errors.ts';
import { may, permissions, type Rights } from '../contracts/permissions.ts';
import type { Logger } from '../runtime/logger.ts';
import { isFromThisMachine, type RouteAccess } from './access.ts';
import type { SessionNeed } from './account-routes.ts';
import { problemHeaders, problemOf } from './api-problems.ts';
import { defaultHeaders } from './default-headers.ts';
import { isUnsafe, pathOf } from './method-and-path.ts';
import { createReadiness, type ReadinessCheck } from './readiness.ts';
import { createUnsignedLimits, type UnsignedLimits } from './unsigned-limits.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of a route for callers with an access token: what that token must be good for. */
    need?: TokenNeed;
    /** Of a route for people who are signed in: what they must be allowed. */
    signedIn?: SessionNeed;
  }
}

/** Routes that belong together, with the decision about who may call them. */
export type RouteGroup = {
  name: string;
  /** Adds the routes. The scope is the group's own: its parsers and hooks do not reach other groups. */
  register(app: FastifyInstance): void | Promise<void>;
} & (
  | { access: Exclude<RouteAccess, 'access token' | 'session'> }
  /** `admit` is asked before every request; it rejects with what the caller is told. */
  | { access: 'access token'; admit(request: FastifyRequest, reply: FastifyReply, need: TokenNeed): Promise<void> }
  | {
      access: 'session';
      /** Asked before every request for what whoever is signed in may; rejects with what the browser is told. */
      admit(request: FastifyRequest): Promise<Rights>;
      /** Asked before every request that changes something, when its form was read; rejects forms that no page of the session has sent. */
      confirm(request: FastifyRequest): Promise<void>;
    }
);

/** A route as the server knows it, with who may call it. */
export interface KnownRoute {
  method: string;
  url: string;
  group: string;
  access: RouteAccess;
  need: TokenNeed | undefined;
  signedIn: SessionNeed | undefined;
}

export interface HttpServerOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  logger: Logger;
  groups: readonly RouteGroup[];
  /** Endpoints of adapters; each gets the body as bytes, because signatures are made over bytes. */
  webhooks: readonly AdapterWebhook[];
  /** What `/readyz` asks. */
  checks: readonly ReadinessCheck[];
  /** What `/metrics` shows. */
  metrics: Registry;
  /** Addresses and networks of proxies that may say for whom they ask; none unless given. */
  trustedProxies?: readonly string[] | undefined;
  /** Who may read it; default: this machine. */
  metricsFor?: 'anyone' | 'this machine' | undefined;
}

export interface HttpServer {
  readonly name: 'http';
  /** Listens. Throws DH-106 when the port is taken, DH-108 when it cannot be used. */
  start(): Promise<void>;
  /** Takes no more requests; those in flight have a few seconds to end. Idempotent. */
  stop(): Promise<void>;
  /** Closes every connection at once. */
  abort(): Promise<void>;
  /** `http://127.0.0.1:3000`: where it listens, once started. */
  readonly url: string;
  /** Every route there is, once started, with the decision about who may call it. */
  readonly routes: readonly KnownRoute[];
}

const bodyLimit = 1024 * 1024;
const closeWithinMs = 3_000;

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { logger } = options;
  const app = fastify({
    logger: false, // one line a request is written by the hook below, in our form
    bodyLimit,
    genReqId: () => `req_${randomBytes(8).toString('hex')}`,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    trustProxy: (options.trustedProxies ?? []).length === 0 ? false : [...(options.trustedProxies ?? [])],
    routerOptions: { ignoreTrailingSlash: true },
  });
  const routes: KnownRoute[] = [];
  const unsigned = createUnsignedLimits();
  let address: AddressInfo | undefined;
  let closing: Promise<void> | undefined;

  app.addHook('onSend', async (request, reply) => addHeaders(request, reply));
  app.addHook('onResponse', async (request, reply) => {
    const { method, id } = request;
    const ms = Math.round(reply.elapsedTime);
    logger.debug({ request: id, method, path: pathOf(request), status: reply.statusCode, ms }, 'answered');
  });
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply, logger));
  app.setNotFoundHandler((request, reply) => {
    reply.code(404).send({ error: { message: `There is nothing at ${pathOf(request)}.`, reference: request.id } });
  });
  mount(app, { name: 'operation', access: 'anyone', register: (scope) => addOperationRoutes(scope, options) }, routes);
  mount(app, metricsGroup(options), routes);
  for (const webhook of options.webhooks) {
    mount(
      app,
      { name: webhook.path, access: 'anyone', register: (scope) => addWebhook(scope, webhook, { logger, unsigned }) },
      routes,
    );
  }
  for (const group of options.groups) mount(app, group, routes);

  return {
    name: 'http',
    routes,
    async start() {
      const { host, port } = options;
      try {
        await app.listen({ host, port });
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : undefined;
        if (code === 'EADDRINUSE') throw new AppError('DH-106', { host, port }, { cause: error });
        const unusable = code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND';
        if (unusable && error instanceof Error)
          throw new AppError('DH-108', { host, port, detail: error.message }, { cause: error });
        throw error;
      }
      const bound = app.server.address();
      address = typeof bound === 'string' || bound === null ? undefined : bound;
    },
    stop() {
      closing ??= (async () => {
        const timer = setTimeout(() => app.server.closeAllConnections(), closeWithinMs);
        try {
          await app.close();
        } finally {
          clearTimeout(timer);
        }
      })();
      return closing;
    },
    async abort() {
      app.server.closeAllConnections();
      await this.stop();
    },
    get url() {
      if (address === undefined) throw new Error('the address is known once the server listens');
      return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
    },
  };
}

function mount(app: FastifyInstance, group: RouteGroup, known: KnownRoute[]): void {
  app.register(async (scope) => {
    scope.addHook('onRoute', ({ url, method, config }) => {
      const { name, access } = group;
      for (const one of Array.isArray(method) ? method : [method]) {
        known.push({ method: one, url, group: name, access, need: config?.need, signedIn: config?.signedIn });
      }
    });
    if (group.access === 'this machine') {
      scope.addHook('onRequest', async (request, reply) => {
        if (isFromThisMachine(request.raw)) return;
        reply
          .code(403)
          .send({ error: { message: 'This is for programs and browsers on the same machine.', reference: request.id } });
      });
    }
    if (group.access === 'access token') {
      scope.addHook('onRoute', ({ url, config }) => {
        if (config?.need === undefined) throw new Error(`${url} does not say what its callers need`);
      });
      scope.addHook('onRequest', async (request, reply) => {
        const { need } = request.routeOptions.config;
        // Paths that are no routes have nothing to hide.
        if (need !== undefined) await group.admit(request, reply, need);
      });
    }
    if (group.access === 'session') guardSession(scope, group);
    await group.register(scope);
  });
}

/** Every route of people who are signed in says what it takes; those that change something take a form of the session as well. */
function guardSession(scope: FastifyInstance, group: Extract<RouteGroup, { access: 'session' }>): void {
  scope.addHook('onRoute', ({ url, config }) => {
    if (config?.signedIn === undefined) throw new Error(`${url} does not say what it takes`);
  });
  scope.addHook('onRequest', async (request) => {
    const { signedIn } = request.routeOptions.config;
    if (signedIn === undefined) return;
    const rights = await group.admit(request);
    if (!may(rights, signedIn.permission)) {
      throw new AppError('DH-233', {
        why: `You may not ${permissions[signedIn.permission].may}.`,
        what: `${rolesWith(signedIn.permission)} can. Owners give roles with \`member role\`.`,
      });
    }
  });
  scope.addHook('preHandler', async (request) => {
    if (request.routeOptions.config.signedIn !== undefined && isUnsafe(request.method)) await group.confirm(request);
  });
}

function addOperationRoutes(scope: FastifyInstance, options: HttpServerOptions): void {
  const readiness = createReadiness(options.checks);
  scope.get('/healthz', async () => ({ status: 'ok' }));
  scope.get('/readyz', async (request, reply) => {
    const report = await readiness();
    reply.code(report.ready ? 200 : 503);
    // What is wrong may name hosts and accounts: that is for the people of this machine.
    const local = isFromThisMachine(request.raw);
    const checks = report.checks.map(({ name, ok, detail }) => (local ? { name, ok, detail } : { name, ok }));
    return { status: report.ready ? 'ready' : 'not ready', checks };
  });
}

function metricsGroup({ metrics, metricsFor = 'this machine' }: HttpServerOptions): RouteGroup {
  return {
    name: 'metrics',
    access: metricsFor,
    register(scope) {
      scope.get('/metrics', async (_request, reply) => {
        reply.type(metrics.contentType);
        return metrics.metrics();
      });
    },
  };
}

/** In a scope of its own, because replacing the body parsers of the whole server would break every other route. */
function addWebhook(scope: FastifyInstance, webhook: AdapterWebhook, deps: { logger: Logger; unsigned: UnsignedLimits }): void {
  const { logger, unsigned } = deps;
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  scope.route({
    method: webhook.method,
    url: webhook.path,
    onRequest: async (request) => unsigned.check(request.ip),
    handler: async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      reply.hijack();
      // What answers by itself says the same as everything else.
      reply.raw.setHeader('x-request-id', request.id);
      for (const [name, value] of Object.entries(defaultHeaders)) reply.raw.setHeader(name, value);
      try {
        await webhook.handle(request.raw, reply.raw, body);
      } catch (error) {
        logger.error({ err: error, request: request.id, path: webhook.path }, 'a webhook failed');
        // Not acknowledged: the platform delivers again.
        if (!reply.raw.headersSent) reply.raw.writeHead(500);
        reply.raw.end();
      }
      unsigned.note(request.ip, reply.raw.statusCode);
    },
  });
}

function addHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id);
  for (const [name, value] of Object.entries(defaultHeaders)) if (!reply.hasHeader(name)) reply.header(name, value);
}

/** A request that is wrong learns why; what went wrong inside stays in the log, under the reference that the caller gets. */
function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const reference = request.id;
  if (error instanceof AppError) {
    const problem = problemOf(error, reference);
    const { detail: message, remedy, status } = problem;
    reply.code(status).headers(problemHeaders(problem, error));
    reply.send({ error: { code: error.code, message, remedy, reference } });
    return;
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    reply.code(error.statusCode).send({ error: { message: error.message, reference } });
    return;
  }
  logger.error({ err: error, request: reference, method: request.method, path: pathOf(request) }, 'a request failed');
  const { text, remedy } = describeError('DH-299', { reference });
  reply.code(500).send({ error: { code: 'DH-299', message: text, remedy, reference } });
}
