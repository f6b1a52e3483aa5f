import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NumberedInput } from '../../src/contracts/agent.ts';
import {
  askGateway,
  createGatewayWorld,
  type GatewayWorld,
  messagesBody,
  messagesPath,
  type OpenRun,
  openTunnel,
  responsesBody,
  responsesPath,
} from '../support/gateway.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const act of cleanUp.splice(0).reverse()) await act();
});

async function openWorld(...options: Parameters<typeof createGatewayWorld>): Promise<GatewayWorld> {
  const world = await createGatewayWorld(...options);
  cleanUp.push(() => world.close());
  return world;
}

/** Says back what it hears. Knows its connections. */
async function echo(): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

async function heard(socket: Socket, length: number): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += (chunk as Buffer).toString();
    if (text.length >= length) return text;
  }
  return text;
}

describe('the door of a run', () => {
  let world: GatewayWorld;
  let one: OpenRun;
  let other: OpenRun;
  beforeEach(async () => {
    world = await openWorld();
    [one, other] = [await world.open(), await world.open()];
  });

  it('promise 9: opens to the token of its run alone, wherever clients put it', async () => {
    for (const token of [null, '', 'dhr_', other.token, `${one.token}x`, 'Bearer', 'sk-ant-the-real-one']) {
      for (const [path, body] of [
        [messagesPath, messagesBody()],
        [responsesPath, responsesBody()],
        ['/input?after=0', ''],
        ['/', ''],
      ] as const) {
        const method = path.startsWith('/input') || path === '/' ? 'GET' : 'POST';
        const answer = await askGateway(one, { method, path, body, token });
        expect(answer).toMatchObject({ status: 401 });
        expect(answer.headers['x-should-retry']).toBe(path === messagesPath ? 'false' : undefined);
      }
      expect((await openTunnel(one, 'registry.test:443', token ?? '')).head).toMatch(/^HTTP\/1\.1 407 /);
    }
    for (const headers of [
      { 'x-api-key': one.token },
      { authorization: `bearer ${one.token}` },
      { 'proxy-authorization': `Basic ${Buffer.from(`run:${one.token}`).toString('base64')}` },
    ])
      expect(await askGateway(one, { path: messagesPath, body: messagesBody(), token: null, headers })).toMatchObject({
        status: 200,
      });
    expect(world.model.requests()).toHaveLength(3);
  });

  it('leads to models, inputs and allowed hosts, and nowhere else', async () => {
    for (const [method, path] of [
      ['GET', '/anthropic/v1/models'],
      ['GET', '/anthropic/v1/files'],
      ['POST', '/anthropic/v1/messages/batches'],
      ['POST', '/anthropic/v1/files'],
      ['DELETE', messagesPath],
      ['GET', '/openai/v1/responses/resp_1'],
      ['POST', '/openai/v1/responses/compact'],
      ['POST', '/openai/v1/../v1/files'],
      ['POST', '/anthropic/v1/messages/'],
      ['POST', '//anthropic/v1/messages'],
      ['POST', '/constructor'],
      ['GET', '/healthz'],
    ] as const) {
      expect(await askGateway(one, { method, path, body: method === 'POST' ? messagesBody() : '' })).toMatchObject({
        status: 403,
      });
    }
    for (const path of ['/', '/anthropic', '/anthropic/', '/openai/v1'])
      for (const method of ['HEAD', 'GET']) expect(await askGateway(one, { method, path })).toMatchObject({ status: 200 });
    expect(world.model.requests()).toEqual([]);
  });

  it('is closed when the run has ended: what is under way ends, the socket is gone, other runs go on', async () => {
    const began = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    world.model.faults.failNext('messages', { midStream: 'stall', afterEvents: 3 });
    const stream = askGateway(one, { path: messagesPath, body: messagesBody() }).catch((error: unknown) => error);
    const inputs = await world.open({
      async *inputs(_after, signal): AsyncGenerator<NumberedInput> {
        yield { seq: 1, input: { type: 'end' } };
        began.resolve();
        await once(signal, 'abort');
        held.resolve();
      },
    });
    const reading = askGateway(inputs, { method: 'GET', path: '/input?after=0' }).catch((error: unknown) => error);
    await Promise.all([world.model.waitForRequest(), began.promise]);
    await Promise.all([one.gateway.close(), one.gateway.close(), inputs.gateway.close()]);
    expect(await stream).toBeInstanceOf(Error);
    expect(await reading).toBeInstanceOf(Error);
    await held.promise;
    // What was seen until then was counted before the end.
    expect(one.used).toMatchObject([{ model: 'claude-sonnet-5' }]);
    expect(existsSync(one.socketPath)).toBe(false);
    await expect(askGateway(one, { path: messagesPath, body: messagesBody() })).rejects.toThrow(/ENOENT|ECONNREFUSED/);
    await expect(fetch(`${one.gateway.url}/anthropic`, { headers: { 'x-api-key': one.token } })).rejects.toThrow();
    expect(await askGateway(other, { path: messagesPath, body: messagesBody() })).toMatchObject({ status: 200 });
  });

  it('answers fifty streams at once, and puts off what is more than any agent asks for', async () => {
    const streams = Array.from({ length: 50 }, (_, at) =>
      at % 2 === 0
        ? askGateway(one, { path: messagesPath, body: messagesBody() })
        : askGateway(one, { path: responsesPath, body: responsesBody() }),
    );
    for (const answer of await Promise.all(streams)) {
      expect(answer.status).toBe(200);
      expect(answer.text).toMatch(/message_stop|response\.completed/);
    }
    await eventually(() => expect(one.used).toHaveLength(50));
    other.verdict = { verdict: 'wait' };
    const held = Array.from({ length: 64 }, () => askGateway(other, { path: messagesPath, body: messagesBody() }));
    await waitFor('all to be held', () => other.asked >= 64);
    const refused = await askGateway(other, { path: messagesPath, body: messagesBody() });
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '2' } });
    expect(refused.headers['x-should-retry']).toBeUndefined();
    other.verdict = { verdict: 'go' };
    for (const answer of await Promise.all(held)) expect(answer.status).toBe(200);
  });

  it('gives inputs from where the reader stands, eight readers at most', async () => {
    const run = await world.open({
      async *inputs(after, signal): AsyncGenerator<NumberedInput> {
        const all: NumberedInput['input'][] = [
          { type: 'line', line: '{"a":1}' },
          { type: 'signal', signal: 'SIGINT' },
          { type: 'end' },
        ];
        for (const [at, input] of all.entries()) if (at >= after) yield { seq: at + 1, input };
        if (after === 0) await once(signal, 'abort');
      },
    });
    const answer = await askGateway(run, { method: 'GET', path: '/input?after=1' });
    expect(answer).toMatchObject({ status: 200, text: '{"seq":2,"signal":"SIGINT"}\n{"seq":3,"end":true}\n' });
    expect(await askGateway(run, { method: 'GET', path: '/input?after=-1' })).toMatchObject({ status: 400 });
    const leave = new AbortController();
    const url = `${run.gateway.url}/input?after=0`;
    const read = async () => (await fetch(url, { headers: { 'x-api-key': run.token }, signal: leave.signal })).status;
    expect(await Promise.all(Array.from({ length: 8 }, read))).toEqual(Array(8).fill(200));
    expect(await read()).toBe(429);
    leave.abort();
    await eventually(async () =>
      expect(await askGateway(run, { method: 'GET', path: '/input?after=1' })).toMatchObject({ status: 200 }),
    );
  });
});

describe('a tunnel', () => {
  const inside = { resolve: async () => ['127.0.0.1'], isInner: () => false };

  it('leads to an allowed host on port 443 and carries bytes both ways; one line for each host says how many', async () => {
    const { port } = await echo();
    const world = await openWorld({ ...inside, egressPort: port });
    const run = await world.open({ hosts: ['registry.test'] });
    for (const authority of ['registry.test:443', 'REGISTRY.test.:443']) {
      const { head, socket } = await openTunnel(run, authority);
      expect(head).toBe('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.write('hello');
      expect(await heard(socket, 5)).toBe('hello');
      socket.destroy();
    }
    await run.gateway.close();
    expect(run.hosts).toEqual(['registry.test yes']);
    const lines = world.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'what a sandbox exchanged with a host');
    expect(lines).toMatchObject([{ run: 'run_1', host: 'registry.test', allowed: true, asked: 2, sent: 10, received: 10 }]);
  });

  it('leads nowhere else: not to other hosts, ports or addresses in any form; each host is told once', async () => {
    const { port, sockets } = await echo();
    const world = await openWorld({ ...inside, egressPort: port });
    const run = await world.open({ hosts: ['registry.test', '127.0.0.1', '0x7f.1'] });
    for (const authority of [
      'registry.test:80',
      'evil.test:443',
      'evil.test:443',
      'x.registry.test:443',
      '127.0.0.1:443',
      '127.1:443',
      '0x7f.1:443',
      '[::1]:443',
      '[::ffff:127.0.0.1]:443',
      '2130706433:443',
      'localhost:443',
    ]) {
      const { head } = await openTunnel(run, authority);
      expect(head).toMatch(/^HTTP\/1\.1 403 /);
    }
    expect(run.hosts).toEqual(['registry.test no', 'evil.test no', 'x.registry.test no']);
    expect(sockets.size).toBe(0);
  });

  it('does not lead inside by a name that changes its mind: the name is asked once, and what it said is connected to', async () => {
    const { port, sockets } = await echo();
    let asked = 0;
    const answers = [['10.0.0.1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', 'fe80::1%lo'], ['127.0.0.1']];
    const world = await openWorld({ resolve: async () => answers[asked++] ?? [], egressPort: port });
    const run = await world.open({ hosts: ['rebind.test'] });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      expect((await openTunnel(run, 'rebind.test:443')).head).toMatch(/^HTTP\/1\.1 403 /);
      expect(asked).toBe(attempt);
    }
    expect(sockets.size).toBe(0);
  });

  it('takes the next address of a host when one does not answer', async () => {
    const { port } = await echo();
    const world = await openWorld({ resolve: async () => ['127.0.0.2', '127.0.0.1'], isInner: () => false, egressPort: port });
    const run = await world.open({ hosts: ['registry.test'] });
    expect((await openTunnel(run, 'registry.test:443')).head).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('says that a host is not known, or does not answer', async () => {
    const world = await openWorld({
      resolve: async (host) => (host === 'gone.test' ? Promise.reject(new Error('ENOTFOUND')) : ['127.0.0.1']),
      isInner: () => false,
      egressPort: 1,
    });
    const run = await world.open({ hosts: ['*.test'] });
    expect((await openTunnel(run, 'gone.test:443')).head).toMatch(/^HTTP\/1\.1 502 /);
    expect((await openTunnel(run, 'shut.test:443')).head).toMatch(/^HTTP\/1\.1 502 /);
  });

  it('ends when nothing passes for long, and with its gateway', async () => {
    const { port, sockets } = await echo();
    const world = await openWorld({ ...inside, egressPort: port, idleMs: 200 });
    const run = await world.open({ hosts: ['registry.test'] });
    const idle = await openTunnel(run, 'registry.test:443');
    await once(idle.socket, 'close');
    await eventually(() => expect(sockets.size).toBe(0));
    const busy = await openTunnel(run, 'registry.test:443');
    const closed = once(busy.socket, 'close');
    await run.gateway.close();
    await closed;
    await eventually(() => expect(sockets.size).toBe(0));
  });

  it('is the only way out: plain HTTP is refused with a reason', async () => {
    const world = await openWorld({ ...inside });
    const run = await world.open({ hosts: ['registry.test'] });
    for (const path of ['http://registry.test/x', 'http://registry.test/anthropic/v1/messages', 'ftp://registry.test/x']) {
      const answer = await askGateway(run, { method: 'POST', path, body: messagesBody() });
      expect(answer).toMatchObject({ status: 403, text: expect.stringContaining('over TLS only') });
    }
    expect(run.hosts).toEqual(['registry.test no']);
    expect(world.model.requests()).toEqual([]);
  });

  describe('on a machine that has a proxy', () => {
    async function proxy(status: number) {
      const { port } = await echo();
      const asked: string[] = [];
      const server = createHttpServer();
      server.on('connect', (request, socket) => {
        asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
        socket.on('error', () => socket.destroy());
        socket.write(`HTTP/1.1 ${status} x\r\n\r\n`);
        socket.pipe(socket);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      cleanUp.push(() => {
        server.close();
        server.closeAllConnections();
      });
      const url = `http://user:p%40ss@127.0.0.1:${(server.address() as AddressInfo).port}`;
      const resolved: string[] = [];
      const world = await openWorld({
        environment: { HTTPS_PROXY: url, NO_PROXY: 'near.test' },
        resolve: async (host) => {
          resolved.push(host);
          return ['127.0.0.1'];
        },
        isInner: () => false,
        egressPort: port,
      });
      return { asked, resolved, run: await world.open({ hosts: ['registry.test', 'near.test', '10.0.0.1'] }) };
    }

    it('leads through it, which looks up the name; addresses stay refused, exceptions go directly', async () => {
      const { run, asked, resolved } = await proxy(200);
      const { head, socket } = await openTunnel(run, 'registry.test:443');
      expect(head).toMatch(/^HTTP\/1\.1 200 /);
      socket.write('hello');
      expect(await heard(socket, 5)).toBe('hello');
      expect(asked).toEqual([`registry.test:443 Basic ${Buffer.from('user:p@ss').toString('base64')}`]);
      expect((await openTunnel(run, '10.0.0.1:443')).head).toMatch(/^HTTP\/1\.1 403 /);
      expect(resolved).toEqual([]);
      expect((await openTunnel(run, 'near.test:443')).head).toMatch(/^HTTP\/1\.1 200 /);
      expect(resolved).toEqual(['near.test']);
      expect(asked).toHaveLength(1);
    });

    it('says so when the proxy refuses', async () => {
      const { run } = await proxy(403);
      expect((await openTunnel(run, 'registry.test:443')).head).toMatch(/^HTTP\/1\.1 502 /);
    });
  });
});
