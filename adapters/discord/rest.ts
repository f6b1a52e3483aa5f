import { type RawFile, REST } from '@discordjs/rest';
import type { z } from 'zod';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import { isSnowflake } from './discord-text.ts';
import { deliveryError } from './failures.ts';

const defaultApi = 'https://discord.com/api';
const version = '10';
const timeoutMs = 10_000;

export interface Call {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Below `/v10`, made with `path`. */
  route: `/${string}`;
  /** What is done, for errors: without ids or tokens. */
  what: string;
  body?: unknown;
  query?: Readonly<Record<string, string>> | undefined;
  files?: RawFile[] | undefined;
  /** Calls with the token of an interaction go without the one of the bot. */
  auth?: false | undefined;
}

export interface Rest {
  /** For the gateway, which asks where it is. */
  readonly client: REST;
  /** Rejects with `DeliveryError` only. Never waits for a rate limit and never repeats: the outbox does. */
  call<T>(call: Call, answer: z.ZodType<T>): Promise<T>;
  /** For calls whose answer does not matter. */
  act(call: Call): Promise<void>;
  /** A refused token is not sent again until it is set again. */
  trust(): void;
}

/**
 * Discord's REST client knows the buckets of its rate limits; everything it would wait for is told instead. It repeats nothing:
 * whether a request whose answer was lost may be repeated is not its to decide.
 */
export function createRest(config: { token: string; apiUrl?: string | undefined }): Rest {
  const client = new REST({
    api: (config.apiUrl ?? defaultApi).replace(/\/+$/, '').replace(/\/v\d+$/, ''),
    version,
    retries: 0,
    timeout: timeoutMs,
    offset: 0,
    rejectOnRateLimit: () => true,
  }).setToken(config.token);

  async function request({ method, route, what, body, query, files, auth }: Call): Promise<unknown> {
    const search = query === undefined ? undefined : new URLSearchParams(query);
    try {
      return await client[method](route, {
        ...(body === undefined ? {} : { body }),
        ...(search === undefined ? {} : { query: search }),
        ...(files === undefined ? {} : { files }),
        ...(auth === undefined ? {} : { auth }),
      });
    } catch (error) {
      throw deliveryError(error, what);
    }
  }

  return {
    client,
    async call(call, answer) {
      const parsed = answer.safeParse(await request(call));
      if (parsed.success) return parsed.data;
      throw new DeliveryError({ kind: 'unknown', detail: `${call.what}: the answer is not one of Discord` });
    },
    async act(call) {
      await request(call);
    },
    trust: () => void client.setToken(config.token),
  };
}

/** Puts ids into a route. An id that Discord cannot have made is `gone`: it neither exists nor gets into an address. */
export function path(strings: TemplateStringsArray, ...ids: string[]): `/${string}` {
  const wrong = ids.find((id) => !isSnowflake(id));
  if (wrong !== undefined) throw new DeliveryError({ kind: 'gone', detail: 'Discord has no such id' });
  return `/${String.raw({ raw: strings }, ...ids).replace(/^\//, '')}`;
}
