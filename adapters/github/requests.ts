import { Octokit } from '@octokit/core';
import { paginateRest } from '@octokit/plugin-paginate-rest';
import { RequestError } from '@octokit/request-error';
import { CodeHostError } from '../../src/contracts/code-host.ts';

const Client = Octokit.plugin(paginateRest);
export type Client = InstanceType<typeof Client>;

/** The version of the REST API that these requests are written for (docs.github.com, "API versions"). */
const apiVersion = '2022-11-28';
/** Longest wait for one answer of the API. */
const answerMs = 30_000;

/** A client without a login: each request brings its own. */
export function createClient(apiUrl: string): Client {
  return new Client({
    baseUrl: apiUrl.replace(/\/+$/, ''),
    userAgent: 'Deckhand',
    // Errors say all there is to say, and a request that failed is no matter for the console.
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  });
}

const nothing = () => undefined;

/** Checks, reviews and comments that are read of one pull request; beyond so many they are left out. */
const mostOfList = 500;

/** Ends the paging of a list that somebody has made endless. */
export function bounded<T>(): (response: { data: T[] }, done: () => void) => T[] {
  let read = 0;
  return ({ data }, done) => {
    read += data.length;
    if (read >= mostOfList) done();
    return data;
  };
}

/** What goes with every request. */
export function withLogin(token: string, signal: AbortSignal | undefined) {
  return {
    headers: { authorization: `token ${token}`, 'x-github-api-version': apiVersion },
    request: { signal: limited(signal) },
  };
}

export function limited(signal: AbortSignal | undefined): AbortSignal {
  const limit = AbortSignal.timeout(answerMs);
  return signal === undefined ? limit : AbortSignal.any([signal, limit]);
}

/**
 * Makes a request; what fails becomes a CodeHostError that says what to do next. `what` completes "GitHub refuses to …". An aborted
 * `signal` rejects with its reason.
 */
export async function asking<T>(what: string, signal: AbortSignal | undefined, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof CodeHostError ? error : troubleOf(what, error);
  }
}

/** The login lacks a right; it has not come to a limit. GitHub says so with 403, and with 404 where it does not want to tell. */
export function isForbidden(error: unknown): boolean {
  if (!(error instanceof RequestError) || error.response === undefined) return false;
  const reason = troubleOf('read this', error).reason;
  return reason === 'forbidden' || reason === 'missing';
}

/** The host has answered, and will not do it as things are: 405 and 409 of a merge. */
export function isRefusal(error: unknown): boolean {
  return error instanceof RequestError && (error.status === 405 || error.status === 409);
}

/**
 * What an answer means, by the rules of docs.github.com ("Troubleshooting the REST API", "Rate limits for the REST API"): 403 and 429 are
 * limits where a header or the message says so, and a missing right where neither does; 404 hides what a login may not see.
 */
function troubleOf(what: string, error: unknown): CodeHostError {
  if (!(error instanceof RequestError) || error.response === undefined) {
    return new CodeHostError('unreachable', `GitHub does not answer: ${reasonOf(error)}.`, { cause: error });
  }
  const { status, response } = error;
  const said = messageOf(response.data) ?? error.message;
  const header = (name: string): string | undefined => {
    const value = response.headers[name];
    return value === undefined ? undefined : String(value);
  };
  const options = { cause: error };
  if ((status === 403 || status === 429) && isLimit(header, said)) {
    return new CodeHostError('unreachable', 'GitHub asks to wait: its limit of requests is reached.', {
      ...options,
      retryAfterMs: waitOf(header),
    });
  }
  if (status >= 500) return new CodeHostError('unreachable', `GitHub has trouble of its own (${status}).`, options);
  if (status === 401) return new CodeHostError('unauthorised', 'GitHub refuses the login of Deckhand.', options);
  if (status === 403) {
    const wanted = header('x-accepted-github-permissions');
    const needs = wanted === undefined ? '' : ` It needs: ${wanted}.`;
    return new CodeHostError('forbidden', `The login of Deckhand may not ${what}: ${said}.${needs}`, options);
  }
  if (status === 404 || status === 410) {
    return new CodeHostError(
      'missing',
      `GitHub has nothing there, or the login of Deckhand may not see it (to ${what}).`,
      options,
    );
  }
  if (status === 405) return new CodeHostError('not_mergeable', said, options);
  if (status === 409) return new CodeHostError('moved', said, options);
  return new CodeHostError('invalid', `GitHub refuses to ${what}: ${said}`, options);
}

function isLimit(header: (name: string) => string | undefined, said: string): boolean {
  return header('retry-after') !== undefined || header('x-ratelimit-remaining') === '0' || /rate limit|abuse/i.test(said);
}

/** A secondary limit without a time is waited for a minute, as the documentation asks. */
function waitOf(header: (name: string) => string | undefined): number {
  const after = Number(header('retry-after'));
  if (Number.isFinite(after) && after > 0) return after * 1000;
  const reset = Number(header('x-ratelimit-reset'));
  if (header('x-ratelimit-remaining') === '0' && Number.isFinite(reset)) return Math.max(1000, reset * 1000 - Date.now());
  return 60_000;
}

/** `message`, and what `errors` adds to it. */
function messageOf(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('message' in data) || typeof data.message !== 'string') return undefined;
  const errors = 'errors' in data && Array.isArray(data.errors) ? data.errors : [];
  const details = errors.flatMap((one: unknown) => {
    if (typeof one === 'string') return [one];
    if (typeof one !== 'object' || one === null) return [];
    if ('message' in one && typeof one.message === 'string') return [one.message];
    return 'field' in one && 'code' in one ? [`${String(one.field)} is ${String(one.code)}`] : [];
  });
  return [data.message, ...details].join(': ').slice(0, 500);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return `no answer within ${answerMs / 1000} s`;
  return error.message;
}
