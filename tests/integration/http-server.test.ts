import { createHmac } from 'node:crypto';
import { createServer, request as httpRequest } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { afterEach, expect, test } from 'vitest';
import { AppError } from '../../src/contracts/errors.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../src/http/server.ts';
import { createLogger } from '../../src/runtime/logger.ts';

const running: HttpServer[] = [];
const lines: string[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) await server.abort();
  lines.length = 0;
});

async function serve(options: Partial<HttpServerOptions>): Promise<HttpServer> {
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    logger: createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } }),
    groups: [],
    webhooks: [],
    checks: [],
    metrics: new Registry(),
    ...options,
  });
  running.push(server);
  await server.start();
  return server;
}

/** `fetch` decides about Host and Origin itself, so requests with chosen headers go out by hand. */
function get(url: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  httpRequest(url, { headers }, async (response) => {
    response.setEncoding('utf8');
    resolve({ status: response.statusCode ?? 0, body: (await response.toArray()).join('') });
  })
    .on('error', reject)
    .end();
  return promise;
}

test('a webhook gets the exact bytes of the body and answers by itself', async () => {
  const seen: Buffer[] = [];
  const server = await serve({
    webhooks: [
      {
        method: 'POST',
        path: '/slack/events',
        async handle(_request, response, body) {
          seen.push(body);
          response.writeHead(201, { 'content-type': 'text/plain' }).end('thanks');
        },
      },
    ],
  });
  const body = Buffer.from('{"a" :  "\u00e9\\u00e9"}\n');
  const response = await fetch(`${server.url}/slack/events`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
  expect([response.status, await response.text()]).toEqual([201, 'thanks']);
  expect(response.headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  const digest = (bytes: Buffer) => createHmac('sha256', 'k').update(bytes).digest('hex');
  expect(seen.map(digest)).toEqual([digest(body)]);
  // More than any platform has to tell is not read, nor is what is sent to another path or in another way.
  const send = async (path: string, method: string, bytes: Uint8Array<ArrayBuffer> | undefined) =>
    (await fetch(server.url + path, { method, body: bytes ?? null })).status;
  expect(await send('/slack/events', 'POST', new Uint8Array(1024 * 1024 + 1))).toBe(413);
  expect(await send('/slack/events/other', 'POST', new Uint8Array(1))).toBe(404);
  expect(await send('/slack/events', 'GET', undefined)).toBe(404);
  expect(seen).toHaveLength(1);
});

test('a webhook that fails is not acknowledged, and other routes keep their JSON bodies', async () => {
  const server = await serve({
    webhooks: [{ method: 'POST', path: '/hook', handle: () => Promise.reject(new Error('the database is away')) }],
    groups: [{ name: 'echo', access: 'anyone', register: (app) => void app.post('/echo', async (request) => request.body) }],
  });
  const send = (path: string) =>
    fetch(server.url + path, { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } });
  expect((await send('/hook')).status).toBe(500);
  expect(await (await send('/echo')).json()).toEqual({ a: 1 });
  expect(lines.join('')).toContain('the database is away');
});

test('readiness names what is wrong, and says why only on this machine', async () => {
  const server = await serve({
    checks: [
      { name: 'queue', run: async () => 'empty' },
      { name: 'database', run: () => Promise.reject(new Error('no connection to db.internal')) },
    ],
  });
  const local = await get(`${server.url}/readyz`);
  expect([local.status, JSON.parse(local.body)]).toEqual([
    503,
    {
      status: 'not ready',
      checks: [
        { name: 'queue', ok: true, detail: 'empty' },
        { name: 'database', ok: false, detail: 'no connection to db.internal' },
      ],
    },
  ]);
  const foreign = await get(`${server.url}/readyz`, { host: 'deckhand.example.com' });
  expect(foreign.status).toBe(503);
  expect(foreign.body).not.toContain('db.internal');
  expect(JSON.parse((await get(`${server.url}/healthz`)).body)).toEqual({ status: 'ok' });
});

test('readiness tells of what requests can do without, and is ready all the same', async () => {
  const server = await serve({
    checks: [{ name: 'queue', dispensable: true, run: () => Promise.reject(new Error('it is away')) }],
  });
  const { status, body } = await get(`${server.url}/readyz`);
  expect([status, JSON.parse(body)]).toEqual([
    200,
    { status: 'ready', checks: [{ name: 'queue', ok: false, detail: 'it is away' }] },
  ]);
});

test.each([
  ['a foreign host name', { host: 'evil.example' }],
  ['a foreign page', { origin: 'https://evil.example' }],
  ['another local page', { origin: 'http://localhost:1' }],
  ['a proxy', { 'x-forwarded-for': '203.0.113.9' }],
])('routes for this machine refuse a request that comes by way of %s', async (_what, headers) => {
  const server = await serve({
    groups: [{ name: 'lab', access: 'this machine', register: (app) => void app.get('/lab', async () => 'hello') }],
  });
  expect(await get(`${server.url}/lab`)).toEqual({ status: 200, body: 'hello' });
  expect((await get(`${server.url}/lab`, { origin: server.url })).status).toBe(200);
  expect((await get(`${server.url}/lab`, headers)).status).toBe(403);
  expect((await get(`${server.url}/metrics`, headers)).status).toBe(403);
});

test('a route for access tokens that does not say what its callers need keeps the server from starting', async () => {
  const admitted: string[] = [];
  const group = (config: object) => ({
    groups: [
      {
        name: 'tokens',
        access: 'access token' as const,
        async admit(_request: unknown, _reply: unknown, { scope, permission }: { scope: string; permission: string }) {
          admitted.push(`${scope} ${permission}`);
          throw new AppError('DH-222', { why: 'It is not known here' });
        },
        register: (app: FastifyInstance) => void app.get('/secrets', { config }, async () => 'secret'),
      },
    ],
  });
  await expect(serve(group({}))).rejects.toThrow('/secrets does not say what its callers need');
  const server = await serve(group({ need: { scope: 'read', permission: 'audit.read', action: 'read secrets' } }));
  const { status, body } = await get(`${server.url}/secrets`);
  expect(status).toBe(401);
  expect(body).not.toContain('"secret"');
  expect(admitted).toEqual(['read audit.read']);
});

test('an error tells the caller a reference and the log the cause', async () => {
  const server = await serve({
    groups: [
      {
        name: 'errors',
        access: 'anyone',
        register(app) {
          app.get('/internal', async () => Promise.reject(new Error('password of the vault is wrong')));
          app.get('/known', async () => Promise.reject(new AppError('DH-204', { task: '#7' })));
        },
      },
    ],
  });
  const internal = await fetch(`${server.url}/internal?token=abc`);
  const body = await internal.text();
  const reference = internal.headers.get('x-request-id') ?? 'missing';
  expect(internal.status).toBe(500);
  expect(body).toContain(reference);
  expect(body).not.toContain('vault');
  const logged = lines.find((line) => line.includes('vault'));
  expect(logged).toContain(reference);
  expect(lines.join('')).not.toContain('token=abc');

  const known = await fetch(`${server.url}/known`);
  expect(known.status).toBe(404);
  expect(await known.json()).toMatchObject({ error: { code: 'DH-204', message: 'There is no task #7.' } });
  expect((await fetch(`${server.url}/nothing`)).status).toBe(404);
});

test('every answer carries headers that keep browsers from framing, sniffing and caching it', async () => {
  const server = await serve({
    groups: [
      {
        name: 'page',
        access: 'anyone',
        register: (app) =>
          void app.get('/page', async (_request, reply) =>
            reply.header('content-security-policy', "default-src 'self'").send('page'),
          ),
      },
    ],
  });
  const { headers } = await fetch(`${server.url}/healthz`);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect((await fetch(`${server.url}/page`)).headers.get('content-security-policy')).toBe("default-src 'self'");
});

test('a taken port is a clear error that names it', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const bound = other.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  await expect(serve({ port })).rejects.toMatchObject({ code: 'DH-106', params: { host: '127.0.0.1', port } });
  other.close();
});

test('an address of another machine is a clear error', async () => {
  await expect(serve({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'DH-108', params: { host: '192.0.2.1' } });
});

test('a stop lets the request in flight end and takes no further ones', async () => {
  const inside = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const server = await serve({
    groups: [
      {
        name: 'slow',
        access: 'anyone',
        register: (app) =>
          void app.get('/slow', async () => {
            inside.resolve();
            await release.promise;
            return 'done';
          }),
      },
    ],
  });
  const { url } = server;
  const slow = fetch(`${url}/slow`);
  await inside.promise;
  const stopped = server.stop();
  release.resolve();
  expect(await (await slow).text()).toBe('done');
  await stopped;
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});

test('a stop does not wait for a stream that never ends', async () => {
  const server = await serve({
    groups: [
      {
        name: 'stream',
        access: 'anyone',
        register: (app) =>
          void app.get('/stream', (_request, reply) => {
            reply.hijack();
            reply.raw.writeHead(200).write('first');
          }),
      },
    ],
  });
  const response = await fetch(`${server.url}/stream`);
  const rest = response.text().catch((error: unknown) => error);
  await server.stop();
  expect(await rest).toBeInstanceOf(Error);
});

test('what is not signed is limited by address, and what is signed never', async () => {
  let good = false;
  const server = await serve({
    webhooks: [{ method: 'POST', path: '/hook', handle: async (_, response) => void response.writeHead(good ? 200 : 401).end() }],
  });
  const send = async () => {
    const answer = await fetch(`${server.url}/hook`, { method: 'POST', body: '{}' });
    await answer.body?.cancel();
    return answer.status;
  };
  good = true;
  for (let times = 0; times < 70; times += 1) expect(await send()).toBe(200);
  // The address has proved itself: what others send from it cuts it off from nothing.
  good = false;
  for (let times = 0; times < 70; times += 1) expect(await send()).toBe(401);
  const stranger = await serve({
    webhooks: [{ method: 'POST', path: '/hook', handle: async (_, response) => void response.writeHead(401).end() }],
  });
  const statuses = [];
  for (let times = 0; times < 61; times += 1) {
    const answer = await fetch(`${stranger.url}/hook`, { method: 'POST', body: '{}' });
    statuses.push(answer.status);
    if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    await answer.body?.cancel();
  }
  expect(statuses).toEqual([...Array(60).fill(401), 429]);
});

test('the address that a proxy tells counts only when the proxy is trusted', async () => {
  const seen: string[] = [];
  const group = {
    name: 'ip',
    access: 'anyone',
    register: (scope: FastifyInstance) => void scope.get('/ip', async ({ ip }) => void seen.push(ip)),
  } as const;
  for (const trustedProxies of [[], ['192.0.2.1'], ['127.0.0.0/8']]) {
    const server = await serve({ groups: [group], trustedProxies });
    await fetch(`${server.url}/ip`, { headers: { 'x-forwarded-for': '203.0.113.9' } });
  }
  expect(seen).toEqual(['127.0.0.1', '127.0.0.1', '203.0.113.9']);
});
