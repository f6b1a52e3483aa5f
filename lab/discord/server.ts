import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeAtOnce, listen } from '../http-listen.ts';
import type { Core } from './core.ts';
import type { Gateway } from './gateway.ts';
import type { Rest } from './rest.ts';
import { fileSignature } from './wire.ts';

/** The HTTP side of the emulator: the REST API, signed file addresses and the WebSocket upgrade of the gateway. */
export interface EmulatorServer {
  close(): Promise<void>;
}

/** Starts listening and sets `core.baseUrl`. `onError` hears of programming mistakes; the caller gets a 500. */
export async function startServer(deps: {
  core: Core;
  rest: Rest;
  gateway: Gateway;
  host: string;
  port: number;
  onError: (error: unknown) => void;
}): Promise<EmulatorServer> {
  const { core, rest, gateway } = deps;

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://lab');
    if (pathname.startsWith('/api/v10/')) return rest.handle(request, response, pathname.slice('/api/v10'.length));
    if (pathname.startsWith('/attachments/')) return sendFile(request, response, pathname);
    if (pathname.startsWith('/api/')) return sendJson(response, 400, { message: 'Invalid API version provided', code: 50041 });
    sendJson(response, 404, { message: '404: Not Found', code: 0 });
  }

  /** Addresses are signed and end; without a good signature there is no file. */
  function sendFile(request: IncomingMessage, response: ServerResponse, pathname: string): void {
    const { searchParams } = new URL(request.url ?? '/', 'http://lab');
    const [expires, issued, signature] = ['ex', 'is', 'hm'].map((name) => searchParams.get(name) ?? '');
    const [, , , id = ''] = pathname.split('/');
    const file = core.state.files.get(id);
    const isGood = signature === fileSignature(core, pathname, expires ?? '', issued ?? '');
    const isFresh = Number.parseInt(expires ?? '', 16) * 1000 > core.now();
    const content = isGood && isFresh && file ? core.state.readContent(id) : undefined;
    if (!file || !content) {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' });
      response.end('This content is no longer available.');
      return;
    }
    response.writeHead(200, { 'content-type': file.content_type, 'content-length': content.length });
    response.end(content);
  }

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      if (request.socket.destroyed) return;
      deps.onError(error);
      if (!response.headersSent) sendJson(response, 500, { message: '500: Internal Server Error', code: 0 });
      else response.end();
    });
  });
  server.on('upgrade', (request, socket, head) => gateway.handleUpgrade(request, socket, head));
  core.baseUrl = await listen(server, deps.host, deps.port);

  return {
    async close() {
      await gateway.close();
      await closeAtOnce(server);
    },
  };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
