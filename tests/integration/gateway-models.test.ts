import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  askGateway,
  createGatewayWorld,
  type GatewayWorld,
  messagesBody,
  messagesPath,
  type OpenRun,
  realKeys,
  responsesBody,
  responsesPath,
} from '../support/gateway.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

let world: GatewayWorld;
let run: OpenRun;
const cleanUp: (() => unknown)[] = [];

beforeEach(async () => {
  world = await createGatewayWorld({ silentMs: 400, receiveMs: 600 });
  run = await world.open();
});
afterEach(async () => {
  for (const act of cleanUp.splice(0).reverse()) await act();
  await world.close();
});

/** A request whose answer is read by hand. */
async function start(path: string, body: string, of = run) {
  const asking = httpRequest({
    socketPath: of.socketPath,
    method: 'POST',
    path,
    agent: false,
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', authorization: `Bearer ${of.token}` },
  });
  asking.on('error', () => undefined);
  asking.end(body);
  return asking;
}

/** A provider of the test's own. */
async function provider(answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a request to a model', () => {
  it.each([
    ['messages', messagesPath, messagesBody],
    ['responses', responsesPath, responsesBody],
  ] as const)(
    'promise 9: of the protocol %s reaches the provider with its key, streams back, and is counted once',
    async (method, path, body) => {
      const answer = await askGateway(run, { path, body: body(), headers: { cookie: 'a=b', 'x-custom': 'x', via: 'y' } });
      expect(answer.status).toBe(200);
      expect(answer.text).toContain('scripted');
      const [asked] = world.model.requests();
      expect(asked?.token).toBe(method === 'messages' ? realKeys.anthropic : realKeys.openai);
      expect(JSON.stringify(asked?.headers)).not.toMatch(/dhr_|a=b|x-custom|via/);
      expect(asked?.method).toBe(method);
      await eventually(() => expect(run.used).toHaveLength(1));
      expect(run.used[0]?.output).toBeGreaterThan(0);
      expect(run.used[0]?.costUsd).toBeGreaterThan(0);
      expect(`${JSON.stringify(answer)}${world.log.join('')}`).not.toContain('the-real-one');
    },
  );

  it('that is no stream is answered whole and counted', async () => {
    const whole = await askGateway(run, { path: messagesPath, body: messagesBody({ stream: false }) });
    const { usage } = JSON.parse(whole.text) as { usage: { input_tokens: number; output_tokens: number } };
    const other = await askGateway(run, { path: responsesPath, body: responsesBody({ stream: false }) });
    const told = JSON.parse(other.text) as { usage: { input_tokens: number; output_tokens: number } };
    await eventually(() => expect(run.used).toHaveLength(2));
    expect(run.used[0]).toMatchObject({ input: usage.input_tokens, output: usage.output_tokens });
    expect(run.used[1]).toMatchObject({ input: told.usage.input_tokens, output: told.usage.output_tokens });
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)('packed with %s is read; one that grows beyond the cap is refused', async (encoding, pack) => {
    const headers = { 'content-encoding': encoding };
    expect(await askGateway(run, { path: responsesPath, body: pack(Buffer.from(responsesBody())), headers })).toMatchObject({
      status: 200,
    });
    const bomb = pack(Buffer.alloc(40 * 1024 * 1024, 32));
    expect(bomb.length).toBeLessThan(1024 * 1024);
    expect(await askGateway(run, { path: responsesPath, body: bomb, headers })).toMatchObject({ status: 413 });
    expect(await askGateway(run, { path: responsesPath, body: 'not packed', headers })).toMatchObject({ status: 400 });
    expect(await askGateway(run, { path: responsesPath, body: 'x', headers: { 'content-encoding': 'br' } })).toMatchObject({
      status: 415,
    });
    expect(world.model.requests()).toHaveLength(1);
  });

  it('larger than 32 MiB hears so', async () => {
    const body = Buffer.alloc(33 * 1024 * 1024, 32);
    const answer = await askGateway(run, { path: messagesPath, body }).catch((error: unknown) => error);
    expect(answer).toMatchObject({ status: 413, text: expect.stringContaining('32 MiB') });
  });

  it('that dribbles in is cut off', async () => {
    const socket = connect(run.socketPath);
    socket.write(
      `POST ${messagesPath} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${run.token}\r\ncontent-length: 1000\r\n\r\n{`,
    );
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    // Cut off in the middle of a write is cut off too.
    socket.on('error', () => undefined);
    const dribble = setInterval(() => socket.writable && socket.write(' '), 50);
    cleanUp.push(
      () => clearInterval(dribble),
      () => socket.destroy(),
    );
    await once(socket, 'close');
    expect(text).toContain('408');
    expect(world.model.requests()).toEqual([]);
  });

  it('whose client leaves ends at the provider too, and what was seen is counted', async () => {
    const left = Promise.withResolvers<void>();
    const usage = { input_tokens: 50, output_tokens: 1 };
    const baseUrl = await provider((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${JSON.stringify({ type: 'message_start', message: { usage } })}\n\n`);
      const delta = { type: 'content_block_delta', delta: { type: 'text_delta', text: 'x'.repeat(400) } };
      response.write(`data: ${JSON.stringify(delta)}\n\n`);
      response.once('close', left.resolve);
    });
    const other = await world.open({ models: { anthropic: { baseUrl, key: 'k' } } });
    const asking = await start(messagesPath, messagesBody(), other);
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    await once(response, 'data');
    response.destroy();
    await left.promise;
    await eventually(() => expect(other.used).toMatchObject([{ input: 50, output: 100 }]));
  });

  it('that is answered faster than its client reads is held back at the provider', async () => {
    const chunk = Buffer.from(`data: ${'x'.repeat(64 * 1024)}\n\n`);
    let written = 0;
    const baseUrl = await provider((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const write = () => {
        while (written < 256 * 1024 * 1024) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    });
    const other = await world.open({ models: { anthropic: { baseUrl, key: 'k' } } });
    const asking = await start(messagesPath, messagesBody(), other);
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    response.pause();
    let before = -1;
    await waitFor(
      'the provider to be held back',
      () => {
        const stands = written === before;
        before = written;
        return stands && written > 0;
      },
      { everyMs: 100 },
    );
    expect(written).toBeLessThan(32 * 1024 * 1024);
    response.destroy();
  });

  it('that counts tokens is free; more than 20 in a second are put off', async () => {
    const body = JSON.stringify({ model: 'claude-sonnet-5', messages: [{ role: 'user', content: 'hello' }] });
    const asked = Array.from({ length: 30 }, () => askGateway(run, { path: `${messagesPath}/count_tokens`, body }));
    const answers = await Promise.all(asked);
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(20);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers).toMatchObject({ 'retry-after': '1' });
    expect(refused[0]?.headers['x-should-retry']).toBeUndefined();
    expect(run.used).toEqual([]);
    expect(run.asked).toBe(0);
  });
});

describe('the budget', () => {
  it('that is used up refuses in the form after which each client gives up', async () => {
    run.verdict = { verdict: 'deny', because: 'The budget is used up.', trouble: 'budget' };
    const claude = await askGateway(run, { path: messagesPath, body: messagesBody() });
    expect(claude).toMatchObject({ status: 429, headers: { 'x-should-retry': 'false' } });
    expect(JSON.parse(claude.text)).toEqual({
      type: 'error',
      error: { type: 'rate_limit_error', message: 'The budget is used up. DH-312' },
    });
    const codex = await askGateway(run, { path: responsesPath, body: responsesBody() });
    expect(codex.status).toBe(400);
    expect(JSON.parse(codex.text)).toMatchObject({
      error: { message: 'The budget is used up. DH-312', type: 'invalid_request_error' },
    });
    expect(world.model.requests()).toEqual([]);
  });

  it('and a quota that is used up tells when asking again helps, in the form after which each client gives up', async () => {
    run.verdict = { verdict: 'deny', because: '10 of 10 requests a day are used.', trouble: 'quota', seconds: 3600 };
    const claude = await askGateway(run, { path: messagesPath, body: messagesBody() });
    expect(claude).toMatchObject({ status: 429, headers: { 'x-should-retry': 'false', 'retry-after': '3600' } });
    expect(JSON.parse(claude.text)).toMatchObject({
      error: { type: 'rate_limit_error', message: '10 of 10 requests a day are used. DH-317' },
    });
    const codex = await askGateway(run, { path: responsesPath, body: responsesBody() });
    expect(codex).toMatchObject({ status: 400, headers: { 'retry-after': '3600' } });
    expect(JSON.parse(codex.text)).toMatchObject({ error: { message: '10 of 10 requests a day are used. DH-317' } });
  });

  it('is told which requests never left: nobody listens where the server should be', async () => {
    const nowhere = await world.open({ models: { anthropic: { baseUrl: 'http://127.0.0.1:9', key: 'k' } } });
    expect(await askGateway(nowhere, { path: messagesPath, body: messagesBody() })).toMatchObject({ status: 502 });
    expect(nowhere.unsent).toEqual([nowhere.request?.request]);
    expect(nowhere.unused).toEqual([]);
  });

  it('that must be raised holds a request, and lets it go when it is', async () => {
    run.verdict = { verdict: 'wait' };
    const answer = askGateway(run, { path: messagesPath, body: messagesBody() });
    await waitFor('more than one question', () => run.asked > 2);
    expect(world.model.requests()).toEqual([]);
    run.verdict = { verdict: 'go' };
    expect(await answer).toMatchObject({ status: 200 });
  });

  it('is told what a request costs at most, and which requests were not answered', async () => {
    await askGateway(run, { path: messagesPath, body: messagesBody() });
    // 1,000 tokens of an answer at 10 dollars a million, and little beside.
    expect(run.request).toMatchObject({ model: 'claude-sonnet-5', mostUsd: expect.closeTo(0.0128, 3) });
    expect(run.unused).toEqual([]);
    world.model.faults.failNext('*', { status: 500 });
    await askGateway(run, { path: messagesPath, body: messagesBody() });
    expect(run.unused).toEqual([run.request?.request]);
    run.verdict = { verdict: 'deny', because: 'No.' };
    await askGateway(run, { path: messagesPath, body: messagesBody({ model: 'mystery-1' }) });
    expect(run.request).toMatchObject({ model: 'mystery-1', mostUsd: null });
    expect(run.used).toHaveLength(1);
  });

  it('is asked again as soon as another request of the run is over', async () => {
    const slow = await createGatewayWorld({ spendEveryMs: 60_000 });
    cleanUp.push(() => slow.close());
    const other = await slow.open();
    other.verdict = { verdict: 'wait' };
    const held = askGateway(other, { path: messagesPath, body: messagesBody() });
    await waitFor('the request to be held', () => other.asked > 0);
    other.verdict = { verdict: 'go' };
    await askGateway(other, { path: messagesPath, body: messagesBody() });
    expect(await held).toMatchObject({ status: 200 });
  });

  it('is not asked any more when the client of a held request has left', async () => {
    run.verdict = { verdict: 'wait' };
    const asking = await start(messagesPath, messagesBody());
    await waitFor('the request to be held', () => run.asked > 1);
    asking.destroy();
    let before = -1;
    await waitFor(
      'no more questions',
      () => {
        const stands = run.asked === before;
        before = run.asked;
        return stands;
      },
      { everyMs: 100 },
    );
    run.verdict = { verdict: 'go' };
    expect(await askGateway(run, { path: messagesPath, body: messagesBody() })).toMatchObject({ status: 200 });
    expect(world.model.requests()).toHaveLength(1);
  });
});

describe('a provider', () => {
  it.each([401, 403])(
    'that refuses the key with %i is no fault of the sandbox: it hears 400 without the words of the provider',
    async (status) => {
      world.model.faults.failNext('*', { status, times: 2, message: 'invalid key sk-ant-the-real-one' });
      for (const [path, body] of [
        [messagesPath, messagesBody()],
        [responsesPath, responsesBody()],
      ] as const) {
        const answer = await askGateway(run, { path, body });
        expect(answer).toMatchObject({ status: 400, text: expect.stringContaining("refused Deckhand's key") });
        expect(answer.text).not.toContain('the-real-one');
      }
      expect(world.log.filter((line) => line.includes('refuses the key'))).toHaveLength(2);
    },
  );

  it.each([429, 500, 529])('that answers %i is heard as it is, with the time to wait', async (status) => {
    world.model.faults.failNext('messages', { status, retryAfter: 7 });
    const answer = await askGateway(run, { path: messagesPath, body: messagesBody() });
    expect(answer.status).toBe(status);
    expect(answer.headers['retry-after']).toBe(status === 429 ? '7' : undefined);
    expect(run.used).toEqual([]);
  });

  it('that falls silent in the middle of an answer, or before it, ends in something that clients try again', async () => {
    world.model.faults.failNext('messages', { midStream: 'stall', afterEvents: 3 });
    await expect(askGateway(run, { path: messagesPath, body: messagesBody() })).rejects.toThrow(/aborted|hang up|reset/i);
    await eventually(() => expect(run.used).toHaveLength(1));
    world.model.faults.failNext('messages', { firstByteMs: 60_000 });
    const answer = await askGateway(run, { path: messagesPath, body: messagesBody() });
    expect(answer).toMatchObject({ status: 502 });
    expect(answer.headers['x-should-retry']).toBeUndefined();
    expect(await askGateway(run, { path: messagesPath, body: messagesBody() })).toMatchObject({ status: 200 });
  });

  it('that drops an answer is not mistaken for one that ended', async () => {
    world.model.faults.failNext('responses', { midStream: 'drop', afterEvents: 2 });
    const first = await askGateway(run, { path: responsesPath, body: responsesBody() }).catch((error: unknown) => error);
    expect(first).toSatisfy((told) => told instanceof Error || (told as { status: number }).status === 502);
  });

  it('that cannot be reached is 502, which clients try again', async () => {
    const other = await world.open({ models: { anthropic: { baseUrl: 'http://127.0.0.1:1', key: 'k' } } });
    const answer = await askGateway(other, { path: messagesPath, body: messagesBody() });
    expect(answer).toMatchObject({ status: 502, text: expect.stringContaining('ECONNREFUSED') });
    expect(answer.headers['x-should-retry']).toBeUndefined();
  });

  it('that redirects is not followed, and its cookies and account stay outside', async () => {
    const asked: string[] = [];
    const baseUrl = await provider((request, response) => {
      asked.push(request.url ?? '');
      if (asked.length === 1) response.writeHead(307, { location: 'http://127.0.0.1:1/evil' }).end();
      else
        response
          .writeHead(200, { 'set-cookie': 'a=b', 'openai-organization': 'acme', 'content-type': 'application/json' })
          .end('{}');
    });
    const other = await world.open({ models: { openai: { baseUrl: `${baseUrl}/v1`, key: 'k' } } });
    const redirected = await askGateway(other, { path: responsesPath, body: responsesBody() });
    expect(redirected).toMatchObject({ status: 400, text: expect.stringContaining('redirect') });
    expect(redirected.headers.location).toBeUndefined();
    const answer = await askGateway(other, { path: responsesPath, body: responsesBody() });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.headers).sort()).toEqual(['connection', 'content-type', 'date', 'transfer-encoding']);
    expect(asked).toEqual(['/v1/responses', '/v1/responses']);
  });

  it('that packs what it was asked not to pack is refused rather than passed on', async () => {
    const baseUrl = await provider((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{}')));
    const other = await world.open({ models: { anthropic: { baseUrl, key: 'k' } } });
    expect(await askGateway(other, { path: messagesPath, body: messagesBody() })).toMatchObject({ status: 400 });
  });

  it('whose key is that of a login hears it as such', async () => {
    const seen = Promise.withResolvers<IncomingMessage['headers']>();
    const baseUrl = await provider((request, response) => {
      seen.resolve(request.headers);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    const other = await world.open({ models: { anthropic: { baseUrl, key: 'sk-ant-oat01-x' } } });
    await askGateway(other, { path: messagesPath, body: messagesBody(), headers: { 'anthropic-beta': 'effort-2025-11-24' } });
    expect(await seen.promise).toMatchObject({
      authorization: 'Bearer sk-ant-oat01-x',
      'anthropic-beta': 'oauth-2025-04-20,effort-2025-11-24',
    });
  });
});
