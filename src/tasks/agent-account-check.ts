import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { AgentAccount, Credential } from '../contracts/agent-account.ts';

/** What a model server says about a key. */
export type ServerCheck =
  /** `models`: what it has, null where it tells nothing. `untried`: why the key is not known to be good, a sentence. */
  | { ok: true; models: string[] | null; untried?: string | undefined }
  /** Why it cannot be used, a sentence that goes on from the name of the server, and what to do. */
  | { ok: false; what: string; remedy: string };

export interface CheckOptions {
  /** Proxies of this machine, as in HTTPS_PROXY. */
  environment: Readonly<Record<string, string | undefined>>;
  /** For everything. Milliseconds. */
  timeoutMs?: number | undefined;
}

const longestAnswer = 2 * 1024 * 1024;
const mostModels = 500;
const anthropicVersion = '2023-06-01';
const loginBeta = 'oauth-2025-04-20';

/**
 * Asks a model server for the list of its models: a request that costs nothing and needs a good key. Redirects are not followed, so that
 * the key goes nowhere else. Never rejects, and nothing it says contains the key.
 */
export async function checkModelServer(
  server: Pick<AgentAccount, 'protocol' | 'baseUrl'>,
  sent: { credential: Credential; key: string },
  options: CheckOptions,
): Promise<ServerCheck> {
  try {
    const { status, body } = await ask(modelsAddress(server), headersOf(server.protocol, sent), options);
    return judge(status, body, sent.credential);
  } catch (error) {
    return { ok: false, what: `does not answer: ${reasonOf(error)}.`, remedy: 'Check its address, and that it runs.' };
  }
}

/** Where the list of models is; `…/v1` at the end of a base is not doubled. */
export function modelsAddress({ protocol, baseUrl }: Pick<AgentAccount, 'protocol' | 'baseUrl'>): URL {
  const base = baseUrl.replace(/\/v1$/, '');
  return new URL(`${base}/v1/models${protocol === 'anthropic' ? '?limit=1000' : ''}`);
}

function headersOf(
  protocol: AgentAccount['protocol'],
  { credential, key }: { credential: Credential; key: string },
): Record<string, string> {
  const common = {
    accept: 'application/json',
    ...(protocol === 'anthropic' ? { 'anthropic-version': anthropicVersion } : {}),
    ...(credential === 'login' ? { 'anthropic-beta': loginBeta } : {}),
  };
  if (key === '' || credential === 'none') return common;
  if (protocol === 'anthropic' && credential === 'key') return { ...common, 'x-api-key': key };
  return { ...common, authorization: `Bearer ${key}` };
}

/** What an answer to the request for models means. Pure. */
export function judge(status: number, body: string, credential: Credential): ServerCheck {
  if (status === 200) return { ok: true, models: modelsIn(body) };
  if (status === 401 || (status === 403 && credential !== 'login')) {
    return {
      ok: false,
      what: `refuses the key (${status}).`,
      remedy: 'Check that it was copied as a whole and is of this server.',
    };
  }
  if (status >= 300 && status < 400) {
    return {
      ok: false,
      what: `answers with a redirect (${status}), which is not followed.`,
      remedy: 'Give its final address with `url=`.',
    };
  }
  if (status >= 500) {
    return { ok: false, what: `has a problem of its own (${status}).`, remedy: 'Try again later.' };
  }
  const untried = `The server does not tell its models (${status}), so the key is tried with the first request of an agent.`;
  return { ok: true, models: null, untried };
}

function modelsIn(body: string): string[] | null {
  const found: unknown = parsed(body);
  const data = typeof found === 'object' && found !== null && 'data' in found ? found.data : undefined;
  if (!Array.isArray(data)) return null;
  const ids = data.flatMap((one: unknown) =>
    typeof one === 'object' &&
    one !== null &&
    'id' in one &&
    typeof one.id === 'string' &&
    /^[\w][\w.:/@[\]-]{0,99}$/.test(one.id)
      ? [one.id]
      : [],
  );
  return [...new Set(ids)].slice(0, mostModels);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function ask(
  url: URL,
  headers: Record<string, string>,
  { environment, timeoutMs = 8_000 }: CheckOptions,
): Promise<{ status: number; body: string }> {
  const isSecure = url.protocol === 'https:';
  const agent = isSecure ? new HttpsAgent({ proxyEnv: { ...environment } }) : new HttpAgent({ proxyEnv: { ...environment } });
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await new Promise((resolve, reject) => {
      const out = (isSecure ? httpsRequest : httpRequest)(url, { agent, headers, signal }, (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > longestAnswer) answer.destroy(new Error('its answer is too long'));
          else chunks.push(chunk);
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
        answer.on('error', reject);
      });
      out.on('error', reject);
      out.end();
    });
  } finally {
    agent.destroy();
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'no answer in time';
  return 'code' in error ? String(error.code) : error.message;
}
