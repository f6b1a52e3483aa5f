import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Registry } from 'prom-client';
import type { TokenNeed } from '../access/token-access.ts';
import type { AdapterWebhook } from '../contracts/chat-adapter.ts';
import { AppError, describeError } from '../contracts/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { isFromThisMachine, type RouteAccess } from './access.ts';
import { defaultHeaders } from './default-headers.ts';
import { createReadiness, type ReadinessCheck } from './readiness.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of a route for callers with an access token: what that token must be good for. */
    need?: TokenNeed;
  }
}

/** Routes that belong together, with the decision about who may call them. */
export type RouteGroup = {
  name: string;
  /** Adds the routes. The scope is the group's own: its parsers and hooks do not reach other groups. */
  register(app: FastifyInstance): void | Promise<void>;
} & (
  | { access: Exclude<RouteAccess, 'access token'> }
  /** `admit` is asked before every request; it rejects with what the caller is told. */
  | { access: 'access token'; admit(request: FastifyRequest, need: TokenNeed): Promise<void> }
);

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
    routerOptions: { ignoreTrailingSlash: true },
  });
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
  mount(app, { name: 'operation', access: 'anyone', register: (scope) => addOperationRoutes(scope, options) });
  for (const webhook of options.webhooks) {
    mount(app, { name: webhook.path, access: 'anyone', register: (scope) => addWebhook(scope, webhook, logger) });
  }
  for (const group of options.groups) mount(app, group);

  return {
    name: 'http',
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

function mount(app: FastifyInstance, group: RouteGroup): void {
  app.register(async (scope) => {
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
      scope.addHook('onRequest', async (request) => {
        const { need } = request.routeOptions.config;
        // Paths that are no routes have nothing to hide.
        if (need !== undefined) await group.admit(request, need);
      });
    }
    await group.register(scope);
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
  mount(scope, {
    name: 'metrics',
    access: options.metricsFor ?? 'this machine',
    register: (inner) => {
      inner.get('/metrics', async (_request, reply) => {
        reply.type(options.metrics.contentType);
        return options.metrics.metrics();
      });
    },
  });
}

/** In a scope of its own, because replacing the body parsers of the whole server would break every other route. */
function addWebhook(scope: FastifyInstance, webhook: AdapterWebhook, logger: Logger): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  scope.route({
    method: webhook.method,
    url: webhook.path,
    handler: async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      reply.hijack();
      try {
        await webhook.handle(request.raw, reply.raw, body);
      } catch (error) {
        logger.error({ err: error, request: request.id, path: webhook.path }, 'a webhook failed');
        // Not acknowledged: the platform delivers again.
        if (!reply.raw.headersSent) reply.raw.writeHead(500);
        reply.raw.end();
      }
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
    const { text, remedy } = describeError(error.code, error.params);
    reply.code(400).send({ error: { code: error.code, message: text, remedy, reference } });
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

/** Without the query, which may hold tokens. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}
