import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer, get } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createInputGateway, type InputGateway } from '../support/input-gateway.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

const bridgePath = fileURLToPath(new URL('../../docker/bridge.mjs', import.meta.url));

let directory = '';
let gateway: InputGateway;
const cleanUp: (() => unknown)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'deckhand-bridge-'));
  gateway = await createInputGateway(directory);
});
afterEach(async () => {
  for (const act of cleanUp.splice(0).reverse()) await act();
  await gateway.die();
  await rm(directory, { recursive: true, force: true });
});

interface Bridge {
  child: ChildProcessByStdio<null, Readable, Readable>;
  port: number;
  stdout: Promise<string>;
  stderr: Promise<string>;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

async function start(argv: string[], env: Record<string, string> = {}): Promise<Bridge> {
  const port = await freePort();
  const child = spawn(process.execPath, [bridgePath, ...argv], {
    env: {
      PATH: process.env.PATH,
      DECKHAND_GATEWAY_SOCKET: join(directory, 'gw.sock'),
      DECKHAND_GATEWAY_PORT: String(port),
      DECKHAND_RUN_TOKEN: 'dhr_test',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  cleanUp.push(() => child.kill('SIGKILL'));
  return { child, port, stdout: text(child.stdout), stderr: text(child.stderr), ended };
}

describe('input', () => {
  it('reaches the command in order, each line once, and its end closes stdin', async () => {
    gateway.add({ line: '{"a":1}' }, { line: 'zwölf' });
    const bridge = await start(['--', 'cat']);
    await waitFor('the bridge', () => gateway.asked.length > 0);
    gateway.add({ line: '' }, { line: 'last' }, { end: true });
    expect(await bridge.stdout).toBe('{"a":1}\nzwölf\n\nlast\n');
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
    expect(gateway.asked).toEqual([{ path: '/input?after=0', token: 'dhr_test' }]);
  });

  it('goes on after the last number that earlier sandboxes of the run have had', async () => {
    gateway.add({ line: 'old' }, { line: 'new' }, { end: true });
    const bridge = await start(['--', 'cat'], { DECKHAND_INPUT_AFTER: '1' });
    expect(await bridge.stdout).toBe('new\n');
  });

  it('promise 8: comes once, however often and wherever in a line the gateway dies', async () => {
    const bridge = await start(['--', 'cat']);
    for (let round = 0; round < 4; round++) {
      const before = gateway.asked.length;
      await waitFor('the bridge', () => gateway.asked.length > before || round === 0);
      for (let i = 0; i < 50; i++) gateway.add({ line: `${round}.${i} ${'x'.repeat(i * 997)}` });
      await gateway.die();
      await gateway.listen();
    }
    gateway.add({ end: true });
    const lines = (await bridge.stdout).trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(
      Array.from({ length: 200 }, (_, at) => `${Math.floor(at / 50)}.${at % 50}`),
    );
  });

  it('that is cut, doubled, out of order or no input is asked for again, never guessed', async () => {
    await gateway.die();
    const faults = [
      (whole: string) => whole.slice(0, 9),
      (whole: string) => whole.repeat(2),
      () => 'not json\n',
      () => '{"seq":7,"line":"a later one"}\n',
      () => '{"line":"without a number"}\nnull\n',
      (whole: string) => `\n\n${whole}`,
    ];
    let made = 0;
    gateway = await createInputGateway(directory, {
      wrap: (whole) => {
        const fault = faults[made];
        made += 1;
        return fault === undefined ? whole : fault(whole);
      },
    });
    const bridge = await start(['--', 'cat']);
    gateway.add({ line: 'one' }, { line: 'two' }, { line: 'three' }, { end: true });
    // A piece of a line stays one until its stream breaks.
    const breaking = setInterval(async () => {
      if (made < faults.length) await gateway.die().then(gateway.listen);
    }, 50);
    cleanUp.push(() => clearInterval(breaking));
    expect(await bridge.stdout).toBe('one\ntwo\nthree\n');
  });

  it('waits for a gateway that refuses, or is not there yet', async () => {
    await gateway.die();
    gateway = await createInputGateway(directory, { token: 'another' });
    const bridge = await start(['--', 'cat']);
    await waitFor('refusals', () => gateway.asked.length > 1);
    await gateway.die();
    gateway = await createInputGateway(directory);
    gateway.add({ line: 'hello' }, { end: true });
    expect(await bridge.stdout).toBe('hello\n');
  });

  it('of megabytes waits in the gateway while the command does not read', async () => {
    const go = join(directory, 'go');
    const bridge = await start(['--', 'sh', '-c', `while [ ! -e ${go} ]; do sleep 0.02; done; wc -c`]);
    await waitFor('the bridge', () => gateway.asked.length > 0);
    const lines = Array.from({ length: 200 }, () => ({ line: 'y'.repeat(200_000) }));
    gateway.add(...lines, { end: true });
    const memory = async () => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${bridge.child.pid}/status`, 'utf8'))?.[1]);
    await eventually(async () => expect(await memory()).toBeLessThan(100_000));
    spawn('touch', [go]);
    expect((await bridge.stdout).trim()).toBe(String(200 * 200_001));
  });

  it('can be a signal', async () => {
    const bridge = await start(['--', 'sh', '-c', 'trap "echo interrupted; exit 5" INT; echo up; while :; do sleep 0.02; done']);
    const [first] = await Promise.all([new Promise<Buffer>((resolve) => bridge.child.stdout.once('data', resolve))]);
    expect(String(first)).toBe('up\n');
    gateway.add({ signal: 'SIGINT' });
    expect(await bridge.stdout).toBe('up\ninterrupted\n');
    expect(await bridge.ended).toEqual({ code: 5, signal: null });
  });

  it('for a command that has closed its stdin is dropped', async () => {
    const bridge = await start(['--', 'sh', '-c', 'exec <&-; echo closed; while :; do sleep 0.02; done']);
    await new Promise((resolve) => bridge.child.stdout.once('data', resolve));
    gateway.add(...Array.from({ length: 20 }, () => ({ line: 'z'.repeat(100_000) })), { signal: 'SIGTERM' });
    expect(await bridge.ended).toEqual({ code: null, signal: 'SIGTERM' });
  });
});

describe('the command', () => {
  it.each([
    ['exits with 0', 'exit 0', { code: 0, signal: null }],
    ['exits with 3', 'exit 3', { code: 3, signal: null }],
    ['is killed', 'kill -KILL $$', { code: null, signal: 'SIGKILL' }],
    ['is ended by SIGTERM', 'kill -TERM $$', { code: null, signal: 'SIGTERM' }],
    ['is ended by a signal that Node would catch', 'kill -USR1 $$', { code: 128 + 10, signal: null }],
  ])('that %s ends the bridge the same way', async (_, script, end) => {
    const bridge = await start(['--', 'sh', '-c', script]);
    expect(await bridge.ended).toEqual(end);
  });

  it('that cannot be started ends it as in a shell, and says why', async () => {
    const missing = await start(['--', 'deckhand-no-such-command']);
    expect(await missing.ended).toEqual({ code: 127, signal: null });
    expect(await missing.stderr).toBe('deckhand-bridge: deckhand-no-such-command: command not found\n');
    const forbidden = await start(['--', directory]);
    expect((await forbidden.ended).code).toBe(126);
  });

  it('sees the environment without what is only for the bridge', async () => {
    const bridge = await start(['--', 'env'], { DECKHAND_RUN: 'run_1', OTHER: 'yes', DECKHAND_INPUT_AFTER: '0' });
    const names = (await bridge.stdout)
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names.sort()).toEqual(['DECKHAND_RUN', 'OTHER', 'PATH']);
  });

  it('writes to stdout and stderr without the bridge in between', async () => {
    const bridge = await start(['--', 'sh', '-c', 'head -c 3000000 /dev/zero; echo oops >&2']);
    expect((await bridge.stdout).length).toBe(3_000_000);
    expect(await bridge.stderr).toBe('oops\n');
  });

  it('decides what a SIGTERM does, which reaches all of a sandbox', async () => {
    const bridge = await start([
      '--',
      'sh',
      '-c',
      'trap "sleep 0.1; echo saved; exit 4" TERM; echo $$; while :; do sleep 0.02; done',
    ]);
    const pid = Number(await new Promise((resolve) => bridge.child.stdout.once('data', resolve)));
    for (const one of [bridge.child.pid ?? 0, pid]) process.kill(one, 'SIGTERM');
    expect(await bridge.ended).toEqual({ code: 4, signal: null });
    expect(await bridge.stdout).toContain('saved\n');
  });
});

describe('without a command', () => {
  it('it stays until an end comes', async () => {
    const bridge = await start([]);
    gateway.add({ line: 'for nobody' });
    await waitFor('the bridge', () => gateway.asked.length > 0);
    expect(bridge.child.exitCode).toBe(null);
    gateway.add({ end: true });
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
  });

  it('it ends at SIGTERM, from outside and as an input', async () => {
    const [outside, input] = [await start([]), await start([])];
    await waitFor('both', () => gateway.asked.length > 1);
    outside.child.kill('SIGTERM');
    expect(await outside.ended).toEqual({ code: null, signal: 'SIGTERM' });
    gateway.add({ signal: 'SIGTERM' });
    expect(await input.ended).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it.each([[['--']], [['claude']]])('it refuses the arguments %j', async (argv) => {
    const bridge = await start(argv);
    expect((await bridge.ended).code).toBe(64);
    expect(await bridge.stderr).toContain('usage');
  });

  it('it says that the port is taken', async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    cleanUp.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const bridge = await start([], { DECKHAND_GATEWAY_PORT: String(port) });
    expect((await bridge.ended).code).toBe(125);
    expect(await bridge.stderr).toContain(`127.0.0.1:${port}`);
  });
});

describe('connections', () => {
  async function ask(port: number, path: string, headers: Record<string, string> = {}): Promise<string> {
    return await new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => resolve(text(response))).on('error', reject);
    });
  }

  /** A request of its own connection, sent. */
  async function write(port: number, path: string): Promise<Socket> {
    const near = connect(port, '127.0.0.1');
    await new Promise<void>((sent) => {
      near.write(`GET ${path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n`, () => sent());
    });
    return near;
  }

  async function withAnswer(answer: Parameters<typeof createInputGateway>[1]): Promise<void> {
    await gateway.die();
    gateway = await createInputGateway(directory, answer);
  }

  it('of the port reach the gateway, both ways, piece by piece', async () => {
    await withAnswer({
      answer: (asking, response) => {
        response.write('first;');
        asking.on('data', (chunk: Buffer) => response.write(`got ${chunk.toString()};`)).once('end', () => response.end('end'));
      },
    });
    const { port } = await start([]);
    await waitFor('the bridge', () => gateway.asked.length > 0);
    const near = connect(port, '127.0.0.1');
    let seen = '';
    near.on('data', (chunk) => (seen += chunk.toString()));
    near.write('POST /x HTTP/1.1\r\nhost: gateway\r\ntransfer-encoding: chunked\r\n\r\n');
    await waitFor('the first bytes', () => seen.includes('first;'));
    near.write('3\r\none\r\n');
    await waitFor('the echo', () => seen.includes('got one;'));
    near.end('0\r\n\r\n');
    await waitFor('the end', () => seen.includes('end'));
  });

  it('listens on the loopback address alone', async () => {
    const { port, child } = await start([]);
    await waitFor('the bridge', () => gateway.asked.length > 0);
    const table = await readFile('/proc/net/tcp', 'utf8');
    const listening = table
      .split('\n')
      .filter((line) => line.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`));
    expect(listening.map((line) => line.trim().split(/\s+/)[1]?.split(':')[0])).toEqual(['0100007F']);
    expect(child.exitCode).toBe(null);
  });

  it('wait while the gateway is away, and are answered when it is back', async () => {
    await withAnswer({ answer: (asking, response) => response.end(`hello ${asking.url}`) });
    const { port } = await start([]);
    await waitFor('the bridge', () => gateway.asked.length > 0);
    await gateway.die();
    const asking = await Promise.all(['/a', '/b'].map((path) => write(port, path)));
    const answers = asking.map((near) => text(near));
    await gateway.listen();
    expect((await Promise.all(answers)).map((answer) => answer.split('\r\n').at(-1))).toEqual(['hello /a', 'hello /b']);
  });

  it('whose program gives up while the gateway is away never reach it', async () => {
    const reached: string[] = [];
    await withAnswer({
      answer: (asking, response) => {
        reached.push(asking.url ?? '');
        response.end('ok');
      },
    });
    const { port } = await start([]);
    await waitFor('the bridge', () => gateway.asked.length > 0);
    await gateway.die();
    const broken = await write(port, '/gone');
    broken.resetAndDestroy();
    const ended = await write(port, '/gone');
    ended.resume().end();
    await once(ended, 'close');
    await gateway.listen();
    expect(await ask(port, '/stays')).toBe('ok');
    expect(reached).toEqual(['/stays']);
  });

  it('end at the program when they end at the gateway', async () => {
    await withAnswer({ answer: (asking) => asking.socket.destroy() });
    const { port } = await start([]);
    await waitFor('the bridge', () => gateway.asked.length > 0);
    await expect(ask(port, '/x')).rejects.toThrow(/hang up|reset/i);
  });

  it('a hundred of them at once are all answered', async () => {
    await withAnswer({ answer: (asking, response) => asking.resume().once('end', () => response.end(asking.url)) });
    const { port } = await start([]);
    await waitFor('the bridge', () => gateway.asked.length > 0);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => ask(port, `/${at}`)));
    expect(answers).toEqual(Array.from({ length: 100 }, (_, at) => `/${at}`));
    await eventually(() => expect(gateway.connections).toBeLessThanOrEqual(1));
  });
});

it('a server of another kind on the socket does no harm', async () => {
  await gateway.die();
  let asked = 0;
  const noise = createHttpServer((_, response) => {
    asked += 1;
    response.writeHead(200).end('<html>\n'.repeat(1000));
  });
  await new Promise<void>((listening) => noise.listen(join(directory, 'gw.sock'), listening));
  const bridge = await start(['--', 'cat']);
  await waitFor('questions', () => asked > 1);
  const closed = once(noise, 'close');
  noise.close();
  noise.closeAllConnections();
  await closed;
  await gateway.listen();
  gateway.add({ line: 'fine' }, { end: true });
  expect(await bridge.stdout).toBe('fine\n');
});
