import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { closeAtOnce, listen } from '../../lab/http-listen.ts';
import { type FileRequest, fetchFile } from '../../src/runtime/fetch-file.ts';
import { collected } from '../../src/tasks/file-fetcher.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await closeAtOnce(server);
});

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  return await listen(server, '127.0.0.1', 0);
}

const from = (origin: string) => (at: URL) => at.origin === origin;
const get = (request: Partial<FileRequest> & Pick<FileRequest, 'url' | 'allowed'>) =>
  fetchFile({ signal: AbortSignal.timeout(5000), ...request });

describe('a file of a platform', () => {
  it('is read with the headers that the platform wants, and with what the platform says of it', async () => {
    const asked: (string | undefined)[] = [];
    const origin = await serve((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': 5 }).end('hello');
    });
    const file = await get({ url: `${origin}/a`, allowed: from(origin), headers: { authorization: 'Bearer t' } });
    expect(file).toMatchObject({ mime: 'text/plain', bytes: 5 });
    expect(Buffer.from((await collected(file.content)) ?? []).toString()).toBe('hello');
    expect(asked).toEqual(['Bearer t']);
  });

  it('is never asked for at another host, and no token goes there, wherever the platform sends to', async () => {
    const asked: string[] = [];
    const foreign = await serve((request, response) => {
      asked.push(request.url ?? '');
      response.end('secrets of the cloud');
    });
    for (const location of [
      `${foreign}/metadata`,
      foreign.replace('127.0.0.1', 'localhost'),
      'http://169.254.169.254/latest',
      'file:///etc/passwd',
      'data:text/plain,hello',
      'http://user@127.0.0.1:1/',
      '//evil.example/x',
      'http://[::1]:1/',
    ]) {
      const origin = await serve((_, response) => response.writeHead(302, { location }).end());
      await expect(
        get({ url: `${origin}/a`, allowed: from(origin), headers: { authorization: 'Bearer t' } }),
        location,
      ).rejects.toMatchObject({ why: 'foreign' });
    }
    await expect(get({ url: `${foreign}/b`, allowed: () => false })).rejects.toMatchObject({ why: 'foreign' });
    expect(asked).toEqual([]);
  });

  it('is followed to another address of the platform, but not for ever', async () => {
    let origin = '';
    origin = await serve((request, response) => {
      if (request.url === '/there') return void response.end('here');
      response.writeHead(302, { location: request.url === '/a' ? '/there' : '/round' }).end();
    });
    const file = await get({ url: `${origin}/a`, allowed: from(origin) });
    expect(Buffer.from((await collected(file.content)) ?? []).toString()).toBe('here');
    await expect(get({ url: `${origin}/round`, allowed: from(origin) })).rejects.toMatchObject({ why: 'refused' });
  });

  it.each([
    [404, 'gone'],
    [410, 'gone'],
    [403, 'refused'],
    [500, 'passes'],
    [503, 'passes'],
  ])('that is answered with %i is %s', async (status, why) => {
    const origin = await serve((_, response) => response.writeHead(status).end('no'));
    await expect(get({ url: `${origin}/a`, allowed: from(origin) })).rejects.toMatchObject({ why });
  });

  it('waits as long as the platform wants, when it wants a pause', async () => {
    const origin = await serve((_, response) => response.writeHead(429, { 'retry-after': '7' }).end());
    await expect(get({ url: `${origin}/a`, allowed: from(origin) })).rejects.toMatchObject({
      why: 'rate_limited',
      retryAfterMs: 7000,
    });
  });

  it('that stops coming is given up, and one that breaks off is not taken for whole', async () => {
    const origin = await serve((request, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('hello');
      if (request.url === '/breaks') setImmediate(() => response.destroy());
    });
    const slow = await get({ url: `${origin}/slow`, allowed: from(origin), idleMs: 100 });
    await expect(collected(slow.content)).rejects.toMatchObject({ why: 'passes' });
    const broken = get({ url: `${origin}/breaks`, allowed: from(origin) }).then(({ content }) => collected(content));
    await expect(broken).rejects.toMatchObject({ why: 'passes' });
  });

  it('names no address in what it says of a failure, for addresses hold tokens', async () => {
    const origin = await serve(() => undefined);
    await closeAtOnce(servers[0] ?? expect.unreachable());
    const failure = await get({ url: `${origin}/file/bot123:SECRET/a`, allowed: from(origin) }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ why: 'passes' });
    expect(String(failure)).not.toContain('SECRET');
  });
});
