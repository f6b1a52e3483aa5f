/**
 * A git server over HTTP and nothing else: no API, no webhooks, user names with their own passwords, repositories at any path.
 *
 *   const host = await createPlainGit({ users: { ben: { password: 'secret' }, gus: { password: 'other', write: false } } });
 *   const repository = await host.repository('team/tools/shop', { 'README.md': 'hello\n' }, { protect: ['main'] });
 *   // git clone http://ben:secret@127.0.0.1:port/team/tools/shop.git
 *   host.failNext({ status: 503, times: 2 });
 *   await host.close();
 *
 * Everybody needs a login, for reading too, unless the repository is public. It refuses with 401 and 403, and single refs by a hook.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeAtOnce, listen } from '../http-listen.ts';
import { commitFiles, type Files, git, refsOf } from './git.ts';
import { createBare, prepareGit, type Service, serveGit } from './git-backend.ts';

export interface PlainUser {
  password: string;
  /** Default true. */
  write?: boolean | undefined;
}

export interface PlainRepository {
  cloneUrl: string;
  /** Of the bare repository on disk. */
  directory: string;
  sha(branch?: string): Promise<string | undefined>;
  git(...args: string[]): Promise<string>;
}

export interface PlainFault {
  /** Default 503. */
  status?: number | undefined;
  /** Serve the request, then cut the connection before its answer. */
  dropConnectionAfterEffect?: boolean | undefined;
  times?: number | undefined;
  /** Only for this service; default: any. */
  service?: Service | undefined;
  /** Only for the transfer itself, not for the question what is there. */
  transfer?: boolean | undefined;
}

export interface PlainGit {
  url: string;
  repository(path: string, files: Files, options?: { protect?: readonly string[]; public?: boolean }): Promise<PlainRepository>;
  failNext(fault: PlainFault): void;
  /** Sends git from one path to another with 301. */
  redirect(from: string, to: string): void;
  /** `user service status` of every request so far; `-` without a login. */
  seen: string[];
  close(): Promise<void>;
}

interface Stored {
  directory: string;
  protected: string[];
  isPublic: boolean;
  last: Promise<unknown>;
}

const PATH = /^\/(.+?)(?:\.git)?(\/info\/refs|\/git-upload-pack|\/git-receive-pack)$/;

export async function createPlainGit(options: { users: Readonly<Record<string, PlainUser>>; host?: string }): Promise<PlainGit> {
  const root = await mkdtemp(join(tmpdir(), 'deckhand-plain-git-'));
  await prepareGit(root);
  const stored = new Map<string, Stored>();
  const redirects = new Map<string, string>();
  const faults: (PlainFault & { left: number })[] = [];
  const seen: string[] = [];

  /** The user who is logged in; `undefined` without a login, `false` with a wrong one. */
  function userOf(header: string | undefined): { name: string; user: PlainUser } | undefined | false {
    if (header === undefined) return undefined;
    const [, encoded = ''] = /^basic (.+)$/i.exec(header) ?? [];
    const text = Buffer.from(encoded, 'base64').toString();
    const name = text.slice(0, Math.max(0, text.indexOf(':')));
    const user = options.users[name];
    return user && text.slice(name.length + 1) === user.password ? { name, user } : false;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<number> {
    const url = new URL(request.url ?? '/', 'http://lab');
    const refuse = (status: number, text: string, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`);
      return status;
    };
    const [, path = '', action = ''] = PATH.exec(decodeURIComponent(url.pathname)) ?? [];
    const asked = action === '/info/refs' ? url.searchParams.get('service') : action.slice(1);
    if (asked !== 'git-upload-pack' && asked !== 'git-receive-pack') return refuse(404, 'Not found');
    const to = redirects.get(path);
    if (to !== undefined) return refuse(301, 'Moved', { location: `/${to}.git${action}${url.search}` });
    const isTransfer = action !== '/info/refs';
    const fault = faults.find(
      ({ left, service, transfer }) => left > 0 && (service === undefined || service === asked) && (!transfer || isTransfer),
    );
    if (fault) fault.left -= 1;
    if (fault && !fault.dropConnectionAfterEffect) return refuse(fault.status ?? 503, 'lab fault');
    const login = userOf(request.headers.authorization);
    const repository = stored.get(path);
    const isOpen = repository?.isPublic === true && asked === 'git-upload-pack' && login === undefined;
    if (!isOpen && !login) return refuse(401, 'Authentication required', { 'www-authenticate': 'Basic realm="git"' });
    if (!repository) return refuse(404, 'There is no such repository.');
    const isPush = asked === 'git-receive-pack';
    if (isPush && login && login.user.write === false) return refuse(403, `${login.name} may not push here.`);
    const target = { service: asked, directory: repository.directory, path: action, query: url.search.slice(1) } as const;
    const cut = async () => {
      if (fault) request.socket.destroy();
    };
    if (!isPush || !isTransfer) return await serveGit(request, response, target, cut);
    const isProtected = repository.protected.map((branch) => `refs/heads/${branch}`);
    const rules = { words: 'plain', protected: isProtected, withoutWorkflows: undefined } as const;
    const work = () => serveGit(request, response, { ...target, rules }, cut);
    const mine = repository.last.then(work, work);
    repository.last = mine;
    return await mine;
  }

  const server = createServer((request, response) => {
    const login = userOf(request.headers.authorization);
    const who = login ? login.name : '-';
    serve(request, response).then(
      (status) => seen.push(`${who} ${request.url?.match(/git-\w+-pack/)?.[0] ?? request.url} ${status}`),
      (error: unknown) => {
        if (!request.socket.destroyed) response.writeHead(500).end(String(error));
      },
    );
  });
  const url = await listen(server, options.host ?? '127.0.0.1', 0);

  return {
    url,
    seen,
    async repository(path, files, { protect = [], public: isPublic = false } = {}) {
      const directory = join(root, `${stored.size + 1}.git`);
      await createBare(directory, 'main');
      const author = { name: 'Ada', email: 'ada@example.com' };
      if (Object.keys(files).length > 0)
        await commitFiles(directory, { ref: 'refs/heads/main', files, message: 'Begin', author, at: Date.now() });
      stored.set(path, { directory, protected: [...protect], isPublic, last: Promise.resolve() });
      return {
        cloneUrl: `${url}/${path}.git`,
        directory,
        sha: async (branch = 'main') => (await refsOf(directory)).get(`refs/heads/${branch}`),
        git: (...args) => git(directory, args),
      };
    },
    failNext(fault) {
      faults.push({ ...fault, left: fault.times ?? 1 });
    },
    redirect(from, to) {
      redirects.set(from, to);
    },
    async close() {
      await closeAtOnce(server);
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
