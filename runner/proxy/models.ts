import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { z } from 'zod';
import type { ModelUpstream } from './port.ts';
import { pricedModels } from './prices.ts';
import { addressOf, keyHeaders, type ModelRoute, proxyAgents } from './upstream.ts';

type Dialect = ModelRoute['dialect'];

/** Models that a server can be asked for. */
export interface OfferedModels {
  /** Names as requests carry them: as the server lists them, newest first as a rule; from prices in the order of the list. At most 200. */
  names: readonly string[];
  /** `server`: it lists them itself, so there are no others. `prices`: it does not say; these are known, and others are possible. */
  from: 'server' | 'prices';
}

export interface ModelListOptions {
  /** Proxies of this machine, as in HTTPS_PROXY. */
  environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** The server has so long to answer. Milliseconds; default 15 s. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

const mostNames = 200;
const mostBytes = 4 * 1024 * 1024;
const mostPages = 5;
/** Names that requests may carry; of others nothing good comes. */
const nameSchema = z.string().regex(/^[\w][\w.:/@[\]-]{0,99}$/);
const listSchema = z.object({
  data: z.array(z.looseObject({ id: nameSchema }).nullable().catch(null)),
  has_more: z.boolean().optional().catch(undefined),
  last_id: z.string().nullish().catch(undefined),
});

/**
 * Asks a model server what it offers: `GET /v1/models`, which Anthropic, OpenAI and servers compatible with them know. Undefined: it
 * does not say, refuses or cannot be reached; never throws for that. Only an aborted `signal` rejects, with its reason.
 */
export async function listModels(
  dialect: Dialect,
  upstream: Pick<ModelUpstream, 'baseUrl' | 'key'>,
  { environment = {}, timeoutMs = 15_000, signal }: ModelListOptions = {},
): Promise<readonly string[] | undefined> {
  const limited = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]);
  const agents = proxyAgents(environment, false);
  const names: string[] = [];
  try {
    for (let page = 1, after = ''; page <= mostPages && names.length < mostNames; page += 1) {
      const list = await readPage(dialect, upstream, after, agents, limited);
      if (list === undefined) return undefined;
      names.push(...list.data.flatMap((one) => (one === null || !converses(one.id) ? [] : [one.id])));
      if (list.has_more !== true || !list.last_id) break;
      after = list.last_id;
    }
    return [...new Set(names)].slice(0, mostNames);
  } catch {
    signal?.throwIfAborted();
    return undefined;
  } finally {
    agents.http.destroy();
    agents.https.destroy();
  }
}

/** Lists of OpenAI also name what makes pictures, speech and vectors. */
function converses(name: string): boolean {
  return !/(?:^|[-/])(?:embedding|whisper|tts|dall-e|moderation|image|audio|realtime|transcribe|sora|babbage|davinci)(?:-|$)/.test(
    name,
  );
}

async function readPage(
  dialect: Dialect,
  { baseUrl, key }: Pick<ModelUpstream, 'baseUrl' | 'key'>,
  after: string,
  agents: ReturnType<typeof proxyAgents>,
  signal: AbortSignal,
): Promise<z.infer<typeof listSchema> | undefined> {
  const query = dialect === 'anthropic' ? `?limit=1000${after === '' ? '' : `&after_id=${encodeURIComponent(after)}`}` : '';
  const url = addressOf(baseUrl, '/v1/models', query);
  const secure = url.protocol === 'https:';
  const headers = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    ...(dialect === 'anthropic' ? { 'anthropic-version': '2023-06-01' } : {}),
    ...keyHeaders(dialect, key),
  };
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const asking = (secure ? httpsRequest : httpRequest)(url, { agent: secure ? agents.https : agents.http, headers, signal });
  asking.once('error', reject);
  asking.once('response', (answer) => {
    if (answer.statusCode !== 200) {
      answer.resume();
      return resolve(undefined);
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > mostBytes) answer.destroy(new Error('the list of models is too long'));
      else chunks.push(chunk);
    });
    answer.once('error', reject);
    answer.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
  asking.end();
  const text = await promise;
  return text === undefined ? undefined : listSchema.safeParse(JSON.parse(text)).data;
}

export interface ModelListsOptions extends ModelListOptions {
  /** A list is asked for again after so long; one that could not be had, sooner. Milliseconds; defaults 10 min and 1 min. */
  keepMs?: number | undefined;
  againMs?: number | undefined;
  /** Who asks first waits no longer than this for the server. Milliseconds; default 2 s. */
  waitMs?: number | undefined;
  now?: (() => number) | undefined;
}

/** Lists of models, kept. */
export interface ModelLists {
  /**
   * What the server offers as far as it is known by now, within what the upstream allows; else the models with known prices. Asks the
   * server in the background when it is time to; waits for it only before its first answer, and never long. Never throws.
   */
  of(dialect: Dialect, upstream: ModelUpstream): Promise<OfferedModels>;
}

export function createModelLists(options: ModelListsOptions = {}): ModelLists {
  const { keepMs = 10 * 60_000, againMs = 60_000, waitMs = 2_000, now = Date.now } = options;
  interface Kept {
    names: readonly string[] | undefined;
    askAfter: number;
    asking: Promise<void> | undefined;
    /** The server has been asked to the end once, whatever came of it. */
    asked: boolean;
  }
  const kept = new Map<string, Kept>();

  function refresh(one: Kept, dialect: Dialect, upstream: ModelUpstream): Promise<void> {
    one.asking ??= listModels(dialect, upstream, options)
      .catch(() => undefined)
      .then((names) => {
        // A server that is away for a moment has not forgotten its models.
        one.names = names ?? one.names;
        one.askAfter = now() + (names === undefined ? againMs : keepMs);
        one.asking = undefined;
        one.asked = true;
      });
    return one.asking;
  }

  return {
    async of(dialect, upstream) {
      const name = JSON.stringify([dialect, upstream.baseUrl, upstream.key]);
      const one = kept.get(name) ?? { names: undefined, askAfter: 0, asking: undefined, asked: false };
      kept.set(name, one);
      const asking = now() >= one.askAfter ? refresh(one, dialect, upstream) : undefined;
      if (!one.asked && asking !== undefined) await atMost(asking, waitMs);
      const allowed = (names: readonly string[]) =>
        upstream.models === undefined ? names : names.filter((model) => upstream.models?.includes(model));
      if (one.names !== undefined) return { names: allowed(one.names), from: 'server' };
      if (upstream.models !== undefined) return { names: upstream.models, from: 'server' };
      const family = dialect === 'anthropic' ? /^claude-/ : /^gpt-/;
      return { names: pricedModels.filter((model) => family.test(model)), from: 'prices' };
    },
  };
}

async function atMost(work: Promise<void>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
