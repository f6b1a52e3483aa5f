import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { traced, traceparent } from '../../src/runtime/trace.ts';
import { createEgress, type Egress, type EgressOptions } from './egress.ts';
import { streamInputs } from './inputs.ts';
import { createRunLimits, type RunLimits } from './limits.ts';
import { createModelProxy, type ModelProxyOptions } from './model-proxy.ts';
import type { Gateway, GatewayRun, Gateways } from './port.ts';
import { type Dialect, refuse } from './refusal.ts';
import { createTokenCheck } from './token.ts';
import type { ModelRoute } from './upstream.ts';

export interface GatewaysOptions extends Omit<ModelProxyOptions, 'silentMs' | 'spendEveryMs'>, EgressOptions {
  silentMs?: number | undefined;
  spendEveryMs?: number | undefined;
  /** A request must be here as a whole in so long. Milliseconds; default 2 min. */
  receiveMs?: number | undefined;
}

const routes: Readonly<Record<string, ModelRoute>> = {
  '/anthropic/v1/messages': { dialect: 'anthropic', path: '/v1/messages', free: false },
  '/anthropic/v1/messages/count_tokens': { dialect: 'anthropic', path: '/v1/messages/count_tokens', free: true },
  '/openai/v1/responses': { dialect: 'openai', path: '/v1/responses', free: false },
};

/** Connections of a run at once, open ones without a request among them. */
const mostConnections = 256;
/** What is under way when a gateway closes is counted in so long, or not at all. */
const countMs = 5_000;

/** What serves one run, on whichever of its servers. */
interface Service {
  run: GatewayRun;
  limits: RunLimits;
  egress: Egress;
  holdsToken(request: IncomingMessage): boolean;
  /** Requests that are being answered. */
  work: Set<Promise<void>>;
  /** The step of a trace that its requests belong to; null: none is recorded. */
  from: string | null;
}

/** Gateways of the runs of this process. */
export function createGateways(options: GatewaysOptions): Gateways & { close(): Promise<void> } {
  const models = createModelProxy({
    ...options,
    silentMs: options.silentMs ?? 5 * 60_000,
    spendEveryMs: options.spendEveryMs ?? 2_000,
  });
  const egressOf = createEgress(options);
  const receiveMs = options.receiveMs ?? 120_000;
  const opened = new Set<Gateway>();

  async function answer(service: Service, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { run, limits } = service;
    const url = request.url ?? '';
    const pathname = url.startsWith('/') ? URL.parse(url, 'http://gateway')?.pathname : '/';
    if (pathname === undefined) return refuse(response, 'plain', 400, 'The address cannot be read.');
    const dialect = dialectOf(pathname);
    if (!service.holdsToken(request)) return refuse(response, dialect, 401, 'The token of the run is missing or wrong.');
    // `GET http://…` is how programs ask a proxy.
    if (!url.startsWith('/')) return refuse(response, 'plain', 403, service.egress.refusePlain(url));
    const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
    if (route !== undefined && request.method === 'POST') {
      const ask = () => models.handle(run, limits, route, request, response);
      return await traced('model request', { run: run.run, path: route.path }, ask, { from: service.from, kind: 'calls' });
    }
    if (pathname === '/input' && request.method === 'GET') {
      if (!limits.inputs.take(1)) return refuse(response, 'plain', 429, 'Too many streams of inputs at once.', false, 1);
      return await streamInputs(run, request, response).finally(() => limits.inputs.give(1));
    }
    // Clients look whether somebody is there.
    if ((request.method === 'HEAD' || request.method === 'GET') && /^\/(?:anthropic\/?|openai\/v1\/?)?$/.test(pathname)) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(request.method === 'HEAD' ? undefined : '{}');
      return;
    }
    refuse(response, dialect, 403, `${request.method} ${pathname} is not open to sandboxes.`);
  }

  function serve(service: Service): Server & { cut(): void } {
    const { run } = service;
    const sockets = new Set<Socket>();
    const settings = {
      headersTimeout: Math.min(receiveMs, 30_000),
      requestTimeout: receiveMs,
      connectionsCheckingInterval: Math.min(receiveMs / 2, 5_000),
    };
    const server = createServer(settings, (request, response) => {
      const work = answer(service, request, response).catch((error: unknown) => {
        options.logger.error({ run: run.run, err: error }, 'a request to the gateway failed');
        response.destroy();
      });
      service.work.add(work);
      void work.finally(() => service.work.delete(work));
    });
    server.on('connect', (request, socket, head) => {
      if (service.holdsToken(request)) void service.egress.tunnel(request, socket, head);
      else {
        socket.on('error', () => socket.destroy());
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nConnection: close\r\n\r\n');
      }
    });
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    server.keepAliveTimeout = 60_000;
    server.maxConnections = mostConnections;
    // Tunnels are no connections of HTTP any more, which `closeAllConnections` would end.
    const cut = () => {
      for (const socket of sockets) socket.destroy();
    };
    return Object.assign(server, { cut });
  }

  return {
    async open(run) {
      const socket = join(run.directory, 'gw.sock');
      const service: Service = {
        run,
        limits: createRunLimits(),
        egress: egressOf(run),
        holdsToken: createTokenCheck([run.token, ...(run.olderTokens ?? [])]),
        work: new Set(),
        from: traceparent(),
      };
      const [inside, outside] = [serve(service), serve(service)];
      await rm(socket, { force: true });
      inside.listen(socket);
      await once(inside, 'listening');
      await chmod(socket, 0o666);
      outside.listen(0, '127.0.0.1');
      await once(outside, 'listening');
      const address = outside.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const gateway: Gateway = {
        url: `http://127.0.0.1:${port}`,
        async close() {
          if (!opened.delete(gateway)) return;
          service.egress.close();
          await Promise.all([inside, outside].map(shut));
          const waited = new AbortController();
          await Promise.race([
            Promise.allSettled([...service.work]),
            delay(countMs, undefined, { signal: waited.signal }).catch(() => undefined),
          ]);
          waited.abort();
          await rm(socket, { force: true });
        },
      };
      opened.add(gateway);
      return gateway;
    },
    async close() {
      await Promise.all([...opened].map((gateway) => gateway.close()));
      models.close();
    },
  };
}

async function shut(server: Server & { cut(): void }): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.cut();
  await closed;
}

function dialectOf(pathname: string): Dialect {
  if (pathname.startsWith('/anthropic')) return 'anthropic';
  return pathname.startsWith('/openai') ? 'openai' : 'plain';
}
