import { chmod, mkdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { launch } from '../../src/runtime/launcher.ts';
import { type PushRules, RULES_FILE } from './push-rules.ts';

/** Git's own server program (`git http-backend`, CGI) on bare repositories. Who may do what is decided before it is asked. */

export type Service = 'git-upload-pack' | 'git-receive-pack';

export interface GitTarget {
  service: Service;
  /** Of the bare repository. */
  directory: string;
  /** `/info/refs`, `/git-upload-pack`, `/git-receive-pack` */
  path: string;
  query: string;
  /** For a push. Git asks the hook only when there is something that it might refuse. */
  rules?: PushRules | undefined;
}

/** The service and the repository that a path asks for; undefined when it is none of smart HTTP. */
export function gitRequest(url: URL): { name: string; path: string; service: Service } | undefined {
  const [, name, path] =
    /^\/([^/]+\/[^/]+?)(?:\.git)?(\/info\/refs|\/git-upload-pack|\/git-receive-pack)$/.exec(url.pathname) ?? [];
  if (name === undefined || path === undefined) return undefined;
  const service = path === '/info/refs' ? url.searchParams.get('service') : path.slice(1);
  return service === 'git-upload-pack' || service === 'git-receive-pack'
    ? { name: decodeURIComponent(name), path, service }
    : undefined;
}

/** Writes the hooks that all repositories below `root` use. */
export async function prepareGit(root: string): Promise<void> {
  const hooks = join(root, 'hooks');
  await mkdir(hooks, { recursive: true });
  const program = fileURLToPath(new URL('receive-hook.ts', import.meta.url));
  await writeFile(join(hooks, 'proc-receive'), `#!/bin/sh\nexec '${process.execPath}' '${program}'\n`);
  await chmod(join(hooks, 'proc-receive'), 0o755);
}

const SETTINGS = [
  ['core', 'repositoryformatversion = 0', 'filemode = true', 'bare = true'],
  ['receive', 'fsckObjects = true', 'hideRefs = refs/pull', 'autogc = false'],
  ['uploadpack', 'allowFilter = true', 'allowAnySHA1InWant = true'],
  ['http', 'receivepack = true'],
  ['gc', 'auto = 0'],
] as const;

/** A new bare repository that refuses and allows what GitHub's do. */
export async function createBare(directory: string, branch: string): Promise<void> {
  await mkdir(join(directory, 'objects'), { recursive: true });
  await mkdir(join(directory, 'refs'), { recursive: true });
  await writeFile(join(directory, 'HEAD'), `ref: refs/heads/${branch}\n`);
  const sections = SETTINGS.map(([name, ...lines]) => `[${name}]\n${lines.map((line) => `\t${line}\n`).join('')}`);
  await writeFile(join(directory, 'config'), sections.join(''));
}

async function writeRules(directory: string, rules: PushRules): Promise<void> {
  await writeFile(join(directory, RULES_FILE), JSON.stringify(rules));
}

/**
 * Runs the server program for one request. A push is answered when `beforeAnswer` has run, so that whoever pushed finds the API knowing
 * of it. Resolves with the HTTP status.
 */
export async function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  target: GitTarget,
  beforeAnswer: () => Promise<void>,
): Promise<number> {
  const { rules } = target;
  const asksHook = rules !== undefined && (rules.protected.length > 0 || rules.withoutWorkflows !== undefined);
  if (asksHook) await writeRules(target.directory, rules);
  const header = (name: string) => String(request.headers[name] ?? '');
  const running = launch({
    command: 'git',
    args: ['http-backend'],
    input: await buffer(request),
    maxOutputBytes: 256 * 1024 * 1024,
    maxErrorBytes: 64 * 1024,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: '/nonexistent',
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_COUNT: asksHook ? '3' : '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      GIT_CONFIG_KEY_1: 'receive.procReceiveRefs',
      GIT_CONFIG_VALUE_1: 'refs',
      GIT_CONFIG_KEY_2: 'core.hooksPath',
      // Repositories lie beside their hooks.
      GIT_CONFIG_VALUE_2: join(dirname(target.directory), 'hooks'),
      GIT_PROJECT_ROOT: target.directory,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: target.path,
      QUERY_STRING: target.query,
      REQUEST_METHOD: request.method ?? 'GET',
      REMOTE_ADDR: '127.0.0.1',
      CONTENT_TYPE: header('content-type'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      GIT_PROTOCOL: header('git-protocol'),
    },
  });
  response.once('close', running.kill);
  const { stdout, stderr, notStarted } = await running.ended;
  response.off('close', running.kill);
  const end = stdout.indexOf('\r\n\r\n');
  if (end < 0) throw new Error(`git http-backend gave no answer: ${notStarted ?? stderr.toString()}`);
  if (target.service === 'git-receive-pack' && target.path !== '/info/refs') await beforeAnswer();
  const status = writeHead(response, stdout.subarray(0, end).toString('latin1'));
  response.end(stdout.subarray(end + 4));
  return status;
}

function writeHead(response: ServerResponse, text: string): number {
  let status = 200;
  const headers: Record<string, string> = {};
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (name.toLowerCase() === 'status') status = Number(value.slice(0, 3));
    else headers[name] = value;
  }
  response.writeHead(status, headers);
  return status;
}
