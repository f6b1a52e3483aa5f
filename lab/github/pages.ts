import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refused } from '../refused.ts';
import { canRead } from './access.ts';
import { accountOf, type Core, fullName, repositoryOf } from './core.ts';
import { actOn, type Fields, openIssueBy, refusal } from './pages-actions.ts';
import { createLiveChanges } from './pages-changes.ts';
import { checkPage } from './pages-checks.ts';
import { commitPage } from './pages-diff.ts';
import { refusedRequest } from './pages-guard.ts';
import { address } from './pages-html.ts';
import { issueNamed, issuePage, listPage, newIssuePage } from './pages-issues.ts';
import { layout, notFound, type Page, type RepositoryVisit, type Said, type Visit } from './pages-layout.ts';
import { pullPage } from './pages-pull.ts';
import { commitsPage, filePage, homePage, treePage } from './pages-repository.ts';
import { PEOPLE } from './seed.ts';
import type { Handler } from './server.ts';

/**
 * The pages of the emulator, for people: `/`, `/<owner>/<repository>` and what is below. Whoever looks acts as Ada, Ben or Gus, by a cookie
 * that `?as=ben` sets; the emulator asks for no password, so that only this machine is answered, and only forms of these pages are taken.
 */
export interface Pages {
  handle: Handler;
  close(): void;
}

const COOKIE = 'lab_github_as';
const MAX_FORM = 256 * 1024;
const KEPT = 50;

/** Nothing but own styles, the own script and forms that lead back here; repositories hold whatever somebody has pushed. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

const ASSETS: Readonly<Record<string, [file: string, type: string]>> = {
  '/-/pages.css': ['pages.css', 'text/css; charset=utf-8'],
  '/-/pages.js': ['pages-script.js', 'text/javascript; charset=utf-8'],
};

export function createPages(core: Core): Pages {
  const live = createLiveChanges(core);
  const refused = new Map<string, Said>();

  function visitOf(request: IncomingMessage, url: URL): Visit {
    const [, login = ''] = new RegExp(`(?:^|; )${COOKIE}=([a-z]+)`).exec(request.headers.cookie ?? '') ?? [];
    const [first] = PEOPLE;
    const person = accountOf(core, (PEOPLE.find((one) => one.login === login) ?? first)?.login ?? '');
    return { core, person, url, said: refused.get(url.searchParams.get('said') ?? '') };
  }

  /** The repository of the path where the person may see it, and the rest of the path. */
  function within(visit: Visit, parts: readonly string[]): RepositoryVisit | undefined {
    const name = parts.slice(0, 2).join('/');
    const repository = repositoryOf(core, name) ?? core.renamed.get(name.toLowerCase());
    if (!repository || !canRead(repository, visit.person.login)) return undefined;
    return { ...visit, repository, base: address(fullName(repository)), version: live.version(fullName(repository)) };
  }

  function keep(error: string, fields: Fields): string {
    const id = randomUUID();
    refused.set(id, { error, typed: fields.get('body') ?? '' });
    const [oldest] = refused.keys();
    if (refused.size > KEPT && oldest !== undefined) refused.delete(oldest);
    return id;
  }

  /** Where the browser goes after a form; undefined: there is none at this path. */
  async function act(visit: RepositoryVisit, path: readonly string[], fields: Fields): Promise<string | undefined> {
    const [kind = '', number, ...rest] = path;
    if (kind === 'issues' && number === 'new') return openIssueBy(visit, fields);
    const issue = kind === 'issues' || kind === 'pull' ? issueNamed(visit, number) : undefined;
    return issue && (await actOn(visit, issue, rest.join('/'), fields));
  }

  /** The page that a refused form was on. */
  function pageOfForm(visit: RepositoryVisit, path: readonly string[], fields: Fields): string {
    const [kind = '', number = '', action] = path;
    if (action !== 'review' && action !== 'line') return `${visit.base}${address(kind, number)}`;
    const files = `${visit.base}${address(kind, number, 'files')}`;
    if (action === 'review') return files;
    const on = `${fields.get('side')}:${fields.get('line')}:${fields.get('path')}`;
    return `${files}?${new URLSearchParams({ on }).toString()}`;
  }

  async function take(request: IncomingMessage, visit: RepositoryVisit, path: readonly string[]): Promise<string | undefined> {
    let fields = new URLSearchParams();
    try {
      fields = new URLSearchParams(await bodyOf(request));
      return await act(visit, path, fields);
    } catch (error) {
      const why = refusal(error);
      if (why === undefined) throw error;
      const back = pageOfForm(visit, path, fields);
      return `${back}${back.includes('?') ? '&' : '?'}said=${keep(why, fields)}`;
    }
  }

  return {
    async handle(request, response, url) {
      const refusedBecause = refusedRequest(request);
      if (refusedBecause !== undefined) {
        response.writeHead(403, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(refusedBecause);
        return true;
      }
      const asset = ASSETS[url.pathname];
      if (asset) {
        const content = await readFile(new URL(asset[0], import.meta.url));
        response.writeHead(200, { ...HEADERS, 'content-type': asset[1] }).end(content);
        return true;
      }
      const parts = partsOf(url);
      if (parts === undefined) return false;
      const as = PEOPLE.find(({ login }) => login === url.searchParams.get('as'));
      if (as && request.method === 'GET') {
        const cookie = `${COOKIE}=${as.login}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000`;
        redirect(response, url.pathname, { 'set-cookie': cookie });
        return true;
      }
      const visit = visitOf(request, url);
      const inside = within(visit, parts);
      if (inside && request.method === 'GET' && parts.length === 3 && parts[2] === 'changes') {
        live.stream(response, fullName(inside.repository), Number(url.searchParams.get('after')));
        return true;
      }
      if (request.method === 'POST') {
        const next = inside && (await take(request, inside, parts.slice(2)));
        if (next === undefined) send(response, layout(visit, notFound()).text, 404);
        else redirect(response, next);
        return true;
      }
      if (request.method !== 'GET') return false;
      const page = parts.length === 0 ? homePage(visit) : inside ? await pageAt(inside, parts.slice(2)) : notFound();
      send(response, layout(inside ?? visit, page).text, page.status ?? 200);
      return true;
    },
    close: live.close,
  };
}

async function pageAt(visit: RepositoryVisit, [kind = '', ...rest]: readonly string[]): Promise<Page> {
  const [first, second = '', third, fourth] = rest;
  switch (kind) {
    case '':
      return await treePage(visit, '');
    case 'tree':
      return await treePage(visit, rest.join('/'));
    case 'blob':
      return await filePage(visit, rest.join('/'));
    case 'commits':
      return await commitsPage(visit, rest.join('/'));
    case 'commit':
      return await commitPage(visit, first ?? '');
    case 'pulls':
      return listPage(visit, 'pulls');
    case 'issues':
    case 'pull': {
      if (kind === 'issues' && first === undefined) return listPage(visit, 'issues');
      if (kind === 'issues' && first === 'new') return newIssuePage(visit);
      const issue = issueNamed(visit, first);
      if (!issue || rest.length > 2) return notFound();
      return issue.pull ? await pullPage(visit, issue, second) : second === '' ? issuePage(visit, issue) : notFound();
    }
    case 'runs':
      return checkPage(visit, Number(first));
    case 'actions':
      return checkPage(visit, Number(third === 'job' ? fourth : firstJobOf(visit, Number(second))));
    default:
      return notFound();
  }
}

function firstJobOf({ repository }: RepositoryVisit, run: number): number | undefined {
  return [...repository.jobs.values()].find((job) => job.run === run)?.id;
}

/** The names between the slashes; undefined for what is no address. */
function partsOf({ pathname }: URL): string[] | undefined {
  try {
    return pathname
      .split('/')
      .map(decodeURIComponent)
      .filter((part) => part !== '');
  } catch {
    return undefined;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > MAX_FORM) throw new Refused('too_large', 'That is too long.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, text: string, status: number): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/html; charset=utf-8' }).end(text);
}

function redirect(response: ServerResponse, location: string, more: Record<string, string> = {}): void {
  response.writeHead(303, { ...HEADERS, location, ...more }).end();
}
