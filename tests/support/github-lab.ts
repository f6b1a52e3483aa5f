import { createSign } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { createGithubEmulator, type GithubEmulator, type GithubEmulatorOptions } from '../../lab/github/emulator.ts';
import { isRecord, type Json } from '../../lab/slack/json.ts';
import { launch } from '../../src/runtime/launcher.ts';

/** The GitHub emulator with bare REST calls, JWTs and the git program. Everything started ends with the test. */

/** An emulator for this test alone. Ends with an error when the emulator itself made a mistake. */
export async function startGithubLab(options: GithubEmulatorOptions = {}): Promise<GithubEmulator> {
  const github = await createGithubEmulator(options);
  onTestFinished(async () => {
    await github.controls.deliveriesSettled();
    await github.close();
    if (github.controls.errors.length > 0) throw new AggregateError(github.controls.errors, 'the emulator failed');
  });
  return github;
}

export interface ApiAnswer {
  status: number;
  headers: Headers;
  json: Json;
  /** Where the answer is a list. */
  list: Json[];
  text: string;
}

/** One call below the API's base, with a User-Agent unless `headers` says otherwise. */
export async function api(
  github: GithubEmulator,
  token: string | undefined,
  verb: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<ApiAnswer> {
  const response = await fetch(path.startsWith('http') ? path : `${github.apiUrl}${path}`, {
    method: verb,
    redirect: 'manual',
    headers: { 'user-agent': 'test', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').startsWith('application/json');
  const parsed: unknown = isJson ? JSON.parse(text) : undefined;
  return {
    status: response.status,
    headers: response.headers,
    json: isRecord(parsed) ? parsed : {},
    list: Array.isArray(parsed) ? parsed.filter(isRecord) : [],
    text,
  };
}

/** A JWT of the lab's app, with claims changed as given. */
export function appJwt(github: GithubEmulator, claims: Json = {}, privateKey = github.app.privateKey): string {
  const part = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(github.core.now() / 1000);
  const head = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iat: now - 60, exp: now + 540, iss: String(github.app.id), ...claims })}`;
  return `${head}.${createSign('sha256').update(head).sign(privateKey, 'base64url')}`;
}

export interface GitResult {
  ok: boolean;
  /** stdout and stderr together. */
  text: string;
}

/** The git program as somebody's, never asking for a password. */
export async function gitAs(cwd: string, ...args: string[]): Promise<GitResult> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ben',
    GIT_AUTHOR_EMAIL: 'ben@example.com',
    GIT_COMMITTER_NAME: 'Ben',
    GIT_COMMITTER_EMAIL: 'ben@example.com',
  };
  const order = { command: 'git', args, cwd, env, maxOutputBytes: 64 * 1024 * 1024, maxErrorBytes: 64 * 1024 };
  const { exitCode, stdout, stderr, notStarted } = await launch(order).ended;
  return { ok: exitCode === 0, text: `${stdout}${notStarted ?? stderr}` };
}

/** A clone address with a token as password. */
export function withLogin(cloneUrl: string, token: string, user = 'x-access-token'): string {
  return cloneUrl.replace('http://', `http://${user}:${token}@`);
}
