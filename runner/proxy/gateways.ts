import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createEgress, type EgressOptions } from './egress.ts';
import { streamInputs } from './inputs.ts';
import { createModelProxy, type ModelProxyOptions, type ModelRoute } from './model-proxy.ts';
import type { Gateway, GatewayRun, Gateways } from './port.ts';
import { type Dialect, refuse } from './refusal.ts';

export interface GatewaysOptions extends Omit<ModelProxyOptions, 'silentMs' | 'spendEveryMs'>, EgressOptions {
  silentMs?: number | undefined;
  spendEveryMs?: number | undefined;
}

const routes: Readonly<Record<string, ModelRoute>> = {
  '/anthropic/v1/messages': { dialect: 'anthropic', path: '/v1/messages', free: false },
  '/anthropic/v1/messages/count_tokens': { dialect: 'anthropic', path: '/v1/messages/count_tokens', free: true },
  '/openai/v1/responses': { dialect: 'openai', path: '/v1/responses', free: false },
};

/** Gateways of the runs of this process. */
export function createGateways(options: GatewaysOptions): Gateways & { close(): Promise<void> } {
  const models = createModelProxy({
    ...options,
    silentMs: options.silentMs ?? 5 * 60_000,
    spendEveryMs: options.spendEveryMs ?? 2_000,
  });
  const tunnel = createEgress(options);
  const opened = new Set<Gateway>();

  async function answer(run: GatewayRun, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://gateway');
    const dialect = dialectOf(pathname);
    if (!holdsToken(request, run.token)) return refuse(response, dialect, 401, 'The token of the run is missing or wrong.');
    const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
    if (route !== undefined && request.method === 'POST') return await models.handle(run, route, request, response);
    if (pathname === '/input' && request.method === 'GET') return await streamInputs(run, request, response);
    // Clients look whether somebody is there.
    if ((request.method === 'HEAD' || request.method === 'GET') && /^\/(?:anthropic\/?|openai\/v1\/?)?$/.test(pathname)) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(request.method === 'HEAD' ? undefined : '{}');
      return;
    }
    refuse(response, dialect, 403, `${request.method} ${pathname} is not open to sandboxes.`);
  }

  function serve(run: GatewayRun): Server {
    const server = createServer((request, response) => {
      answer(run, request, response).catch((error: unknown) => {
        options.logger.error({ run: run.run, err: error }, 'a request to the gateway failed');
        response.destroy();
      });
    });
    server.on('connect', (request, socket, head) => {
      if (holdsToken(request, run.token)) void tunnel(run, request, socket, head);
      else socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nConnection: close\r\n\r\n');
    });
    server.headersTimeout = 30_000;
    // An answer may take as long as thinking does.
    server.requestTimeout = 0;
    server.keepAliveTimeout = 60_000;
    return server;
  }

  return {
    async open(run) {
      const socket = join(run.directory, 'gw.sock');
      const [inside, outside] = [serve(run), serve(run)];
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
          await Promise.all([inside, outside].map(shut));
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

async function shut(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

function dialectOf(pathname: string): Dialect {
  if (pathname.startsWith('/anthropic')) return 'anthropic';
  return pathname.startsWith('/openai') ? 'openai' : 'plain';
}

/** In any of the places where clients put it. Compared by hashes in constant time. */
function holdsToken(request: IncomingMessage, token: string): boolean {
  const given = tokensOf(request);
  return given.some((one) => timingSafeEqual(digest(one), digest(token)));
}

function tokensOf({ headers }: IncomingMessage): string[] {
  const key = headers['x-api-key'];
  const bearer = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1];
  const basic = /^Basic (\S+)$/i.exec(headers['proxy-authorization'] ?? '')?.[1];
  const password = basic === undefined ? undefined : Buffer.from(basic, 'base64').toString('utf8').split(':').slice(1).join(':');
  return [typeof key === 'string' ? key : undefined, bearer, password].filter((one) => one !== undefined);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
