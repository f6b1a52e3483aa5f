import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeAtOnce, listen } from '../http-listen.ts';
import type { Core } from './core.ts';
import type { GitAccess } from './git-access.ts';
import type { Rest } from './rest.ts';

/** The one address of the emulator: REST and GraphQL below `/api`, git below `/owner/name.git`, pages for people everywhere else. */
export interface EmulatorServer {
  close(): Promise<void>;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<boolean>;

/** Starts listening and sets `core.baseUrl` and `core.apiUrl`. */
export async function startServer(deps: {
  core: Core;
  rest: Rest;
  git: GitAccess;
  others: readonly Handler[];
  /** Asked when it is nothing for programs. */
  pages: Handler;
  host: string;
  port: number;
}): Promise<EmulatorServer> {
  const { core, rest, git } = deps;

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://lab');
    if (url.pathname === '/api/v3' || url.pathname.startsWith('/api/v3/'))
      return rest.handle(request, response, url.pathname.slice('/api/v3'.length) || '/');
    for (const handle of deps.others) if (await handle(request, response, url)) return;
    if (await git.handle(request, response, url)) return;
    if (await deps.pages(request, response, url)) return;
    response.writeHead(404, { 'content-type': 'text/html; charset=utf-8' }).end('<h1>404</h1>\n');
  }

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      if (request.socket.destroyed) return;
      core.failed(error);
      if (response.headersSent) response.end();
      else response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ message: 'Server Error' }));
    });
  });
  core.baseUrl = await listen(server, deps.host, deps.port);
  core.apiUrl = `${core.baseUrl}/api/v3`;
  return { close: () => closeAtOnce(server) };
}
