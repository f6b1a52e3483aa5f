import { mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';

export interface InputGateway {
  /** What the bridge asked for, `/input?after=0`, with its token. */
  readonly asked: { path: string; token: string }[];
  /** Connections of now. */
  readonly connections: number;
  /** Adds inputs and sends them to whoever reads. Numbers are given by the order. */
  add(...inputs: ({ line: string } | { end: true } | { signal: string })[]): void;
  /** Breaks every connection, as the death of the runner does; `listen` makes it come back. */
  die(): Promise<void>;
  listen(): Promise<void>;
}

/**
 * A gateway that knows inputs only, on `<directory>/gw.sock`; for tests of what asks it. `answer` takes other paths, `wrap` may spoil
 * what is written of an input.
 */
export async function createInputGateway(
  directory: string,
  options: {
    token?: string;
    answer?: (asking: IncomingMessage, response: ServerResponse) => void;
    wrap?: (text: string, seq: number) => string;
  } = {},
): Promise<InputGateway> {
  const { token = 'dhr_test', answer, wrap = (text) => text } = options;
  const path = join(directory, 'gw.sock');
  const lines: string[] = [];
  const asked: InputGateway['asked'] = [];
  const readers = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  const server = createServer((asking, response) => {
    const url = new URL(asking.url ?? '', 'http://gateway');
    if (url.pathname !== '/input') {
      if (answer !== undefined) answer(asking, response);
      else response.writeHead(403).end('refused');
      return;
    }
    const given = (asking.headers.authorization ?? '').replace(/^Bearer /, '');
    asked.push({ path: `${url.pathname}${url.search}`, token: given });
    if (given !== token) {
      response.writeHead(401).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.flushHeaders();
    readers.add(response);
    response.once('close', () => readers.delete(response));
    const after = Number(url.searchParams.get('after'));
    for (const [at, text] of lines.entries()) if (at >= after) response.write(wrap(text, at + 1));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  await mkdir(directory, { recursive: true });
  const gateway: InputGateway = {
    asked,
    get connections() {
      return sockets.size;
    },
    add(...inputs) {
      for (const input of inputs) {
        const seq = lines.length + 1;
        const text = `${JSON.stringify({ seq, ...input })}\n`;
        lines.push(text);
        for (const reader of readers) reader.write(wrap(text, seq));
      }
    },
    async die() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
      await rm(path, { force: true });
    },
    listen: () => new Promise((resolve) => server.listen({ path, readableAll: true, writableAll: true }, resolve)),
  };
  await gateway.listen();
  return gateway;
}
