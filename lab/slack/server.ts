import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeAtOnce, listen } from '../http-listen.ts';
import type { Core } from './core.ts';
import { receiveUpload } from './methods-files.ts';
import { BadBody, readBody } from './request-body.ts';
import { respond } from './response-url.ts';
import type { SocketMode } from './socket-mode.ts';
import type { WebApi } from './web-api.ts';

/** The HTTP side of the emulator: Web API, upload URLs, private file URLs, response URLs and the WebSocket upgrade. */
export interface EmulatorServer {
  close(): Promise<void>;
}

/** Starts listening and sets `core.baseUrl`. `onError` hears of programming mistakes; the caller gets a 500. */
export async function startServer(deps: {
  core: Core;
  webApi: WebApi;
  socketMode: SocketMode;
  host: string;
  port: number;
  onError: (error: unknown) => void;
}): Promise<EmulatorServer> {
  const { core, webApi, socketMode } = deps;

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://lab');
    const [first = '', ...rest] = pathname.split('/').filter((part) => part !== '');
    if (first === 'api') return webApi.handle(request, response, rest.join('/'));
    if (first === 'upload') return takeUpload(request, response, rest.at(-1) ?? '');
    if (first === 'files-pri') return sendFile(request, response, rest);
    if (['commands', 'actions', 'app'].includes(first)) return takeResponse(request, response, rest.at(-1) ?? '');
    sendText(response, 404, 'Not found');
  }

  async function takeUpload(request: IncomingMessage, response: ServerResponse, fileId: string): Promise<void> {
    const body = await readBody(request);
    const content = body.parts[0]?.content ?? body.raw;
    const problem = receiveUpload(core, fileId, content);
    sendText(response, problem === undefined ? 200 : 400, problem ?? `OK - ${content.length}`);
  }

  /** Without a token Slack serves its login page, with status 200. */
  function sendFile(request: IncomingMessage, response: ServerResponse, [place = '']: string[]): void {
    const file = core.state.files.get(place.split('-').at(-1) ?? '');
    const content = file && core.state.readContent(file.id);
    const isAllowed =
      request.headers.authorization === `Bearer ${core.credentials.botToken}` &&
      core.manifest.oauth_config.scopes.bot.includes('files:read');
    if (!isAllowed) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end('<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in</body></html>');
      return;
    }
    if (!file || !content) {
      sendText(response, 404, 'Not found');
      return;
    }
    response.writeHead(200, { 'content-type': file.mimetype, 'content-length': content.length });
    response.end(content);
  }

  async function takeResponse(request: IncomingMessage, response: ServerResponse, hookId: string): Promise<void> {
    const { fields } = await readBody(request);
    const payload = typeof fields.payload === 'string' ? JSON.parse(fields.payload) : fields;
    const answer = respond(core, hookId, payload);
    if (typeof answer.body === 'string') return sendText(response, answer.status, answer.body);
    response.writeHead(answer.status, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(answer.body));
  }

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      if (request.socket.destroyed) return;
      if (error instanceof BadBody) return sendText(response, 400, error.code);
      deps.onError(error);
      if (!response.headersSent) sendText(response, 500, 'the emulator failed');
      else response.end();
    });
  });
  server.on('upgrade', (request, socket, head) => socketMode.handleUpgrade(request, socket, head));
  core.baseUrl = await listen(server, deps.host, deps.port);

  return {
    async close() {
      await socketMode.close();
      await closeAtOnce(server);
    },
  };
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(text);
}
