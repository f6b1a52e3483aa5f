import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeAtOnce, listen } from '../http-listen.ts';
import type { BotApi } from './bot-api.ts';
import type { Core } from './core.ts';

/** The HTTP side of the emulator: `/bot<token>/<method>` and `/file/bot<token>/<path>`. */
export interface EmulatorServer {
  close(): Promise<void>;
}

const NOT_FOUND = JSON.stringify({ ok: false, error_code: 404, description: 'Not Found' });

/** Starts listening and sets `core.baseUrl`. `onError` hears of programming mistakes; the caller gets a 500. */
export async function startServer(deps: {
  core: Core;
  botApi: BotApi;
  host: string;
  port: number;
  onError: (error: unknown) => void;
}): Promise<EmulatorServer> {
  const { core, botApi } = deps;

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://lab').pathname);
    const file = /^\/file\/bot([^/]+)\/(.+)$/.exec(path);
    if (file) return sendFile(response, file[1] ?? '', file[2] ?? '');
    const call = /^\/bot([^/]+)\/([^/]+)\/?$/.exec(path);
    if (call) return botApi.handle(request, response, call[1] ?? '', call[2] ?? '');
    request.resume();
    sendJson(response, 404, NOT_FOUND);
  }

  function sendFile(response: ServerResponse, token: string, path: string): void {
    const file = core.state.files.values().find((entry) => entry.path === path);
    const isLinked = token === core.token && file?.link_until !== undefined && core.now() <= file.link_until;
    const content = isLinked ? core.state.readContent(file.id) : undefined;
    if (!content) {
      sendJson(response, 404, NOT_FOUND);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': content.length });
    response.end(content);
  }

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      if (request.socket.destroyed) return;
      deps.onError(error);
      if (response.headersSent) response.end();
      else sendJson(response, 500, JSON.stringify({ ok: false, error_code: 500, description: 'Internal Server Error' }));
    });
  });
  core.baseUrl = await listen(server, deps.host, deps.port);

  return {
    async close() {
      await closeAtOnce(server);
    },
  };
}

function sendJson(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
