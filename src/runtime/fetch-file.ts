/** Why a file could not be fetched. `passes`: asking again later may help. Its text names hosts, never whole addresses: they hold tokens. */
export class FetchFailed extends Error {
  override name = 'FetchFailed';
  readonly why: 'gone' | 'refused' | 'passes' | 'foreign' | 'rate_limited';
  /** With `rate_limited`: how long to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  constructor(why: FetchFailed['why'], message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options);
    this.why = why;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export interface FileRequest {
  url: string;
  /** Sent to hosts that are allowed only. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Whether the file may be fetched from there: asked for the address and for every redirect. Everything else is never connected to. */
  allowed(url: URL): boolean;
  signal: AbortSignal;
  /** Most time without a byte, in milliseconds. Default 20 s. */
  idleMs?: number | undefined;
}

export interface FetchedFile {
  mime: string | undefined;
  bytes: number | undefined;
  content: AsyncIterable<Uint8Array>;
}

const mostRedirects = 3;
const defaultIdleMs = 20_000;

/** Fetches a file from a platform. Rejects with FetchFailed, also while its content is read; an abort rejects with the signal's reason. */
export async function fetchFile({ url, headers, allowed, signal, idleMs = defaultIdleMs }: FileRequest): Promise<FetchedFile> {
  const idle = new AbortController();
  const late = new FetchFailed('passes', 'no byte came for too long');
  let timer = setTimeout(() => idle.abort(late), idleMs);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => idle.abort(late), idleMs);
  };
  const ends = AbortSignal.any([signal, idle.signal]);
  try {
    const response = await followed(url, headers, allowed, ends);
    const type = response.headers.get('content-type')?.replace(/;.*$/s, '').trim();
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const encoded = response.headers.get('content-encoding') !== null;
    return {
      mime: type === undefined || type === '' ? undefined : type,
      bytes: Number.isSafeInteger(length) && !encoded ? length : undefined,
      content: read(response, ends, alive, () => clearTimeout(timer)),
    };
  } catch (error) {
    clearTimeout(timer);
    throw failure(error, ends);
  }
}

async function followed(
  first: string,
  headers: FileRequest['headers'],
  allowed: FileRequest['allowed'],
  signal: AbortSignal,
): Promise<Response> {
  let url = first;
  for (let redirects = 0; ; redirects += 1) {
    const at = URL.canParse(url) ? new URL(url) : undefined;
    if (at === undefined || at.username !== '' || at.password !== '' || !/^https?:$/.test(at.protocol) || !allowed(at)) {
      throw new FetchFailed('foreign', `it is kept at ${at?.host ?? 'no address'}, which is no host of the platform`);
    }
    const response = await fetch(at, { ...(headers === undefined ? {} : { headers }), redirect: 'manual', signal });
    if (response.ok && response.status !== 204) return response;
    await response.body?.cancel();
    const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (next === null) throw refusal(response);
    if (redirects === mostRedirects)
      throw new FetchFailed('refused', 'the platform sends from one address to another without end');
    url = URL.canParse(next, at.href) ? new URL(next, at.href).href : '';
  }
}

function refusal(response: Response): FetchFailed {
  const { status } = response;
  if (status === 404 || status === 410) return new FetchFailed('gone', 'it is not there any more');
  if (status === 429) {
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : 10_000;
    return new FetchFailed('rate_limited', 'the platform wants a pause', { retryAfterMs });
  }
  if (status >= 500 || status === 408) return new FetchFailed('passes', `the platform answered ${status}`);
  return new FetchFailed('refused', `the platform answered ${status}`);
}

async function* read(
  { body }: Response,
  signal: AbortSignal,
  alive: () => void,
  end: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of body ?? []) {
      alive();
      yield chunk;
    }
  } catch (error) {
    throw failure(error, signal);
  } finally {
    end();
  }
}

function failure(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof FetchFailed) return error;
  if (signal.aborted) return signal.reason;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer';
  return new FetchFailed('passes', `the connection failed (${code})`);
}
