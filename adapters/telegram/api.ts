import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Api, type RawApi } from 'grammy';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import { deliveryError } from './failures.ts';
import { isPrivate } from './place.ts';

export interface CallOptions {
  /** Default 15 s. */
  timeoutMs?: number | undefined;
  /** Ends the call early. */
  signal?: AbortSignal | undefined;
  /** The chat concerned, to tell its refusals apart. */
  channel?: string | undefined;
}

type Raw = RawApi;
/** Typed by the package that grammY uses for old versions of Node; its code takes every signal with `addEventListener`. */
type Signal = NonNullable<Parameters<Raw['getMe']>[0]>;

/** The Bot API by grammY. Every failure is a `DeliveryError`; nothing is repeated and nothing waits here. */
export interface TelegramApi {
  call<T>(method: keyof Raw, work: (raw: Raw, signal: Signal) => Promise<T>, options?: CallOptions): Promise<T>;
  /** For what changes nothing: a lost answer is no unknown outcome. */
  read<T>(method: keyof Raw, work: (raw: Raw, signal: Signal) => Promise<T>, options?: CallOptions): Promise<T>;
}

const defaultTimeoutMs = 15_000;
/** Below the time after which Telegram closes idle connections, so that a send does not meet one that is just being closed. */
const idleMs = 20_000;

/** Keeps connections open between calls. A connection of long polling is busy for its whole time and never counts as idle. */
export function createTelegramApi(options: { token: string; apiRoot?: string | undefined }): TelegramApi {
  const apiRoot = options.apiRoot?.replace(/\/+$/, '');
  const Agent = apiRoot?.startsWith('http:') === true ? HttpAgent : HttpsAgent;
  const agent = new Agent({ keepAlive: true, timeout: idleMs });
  const { raw } = new Api(options.token, {
    ...(apiRoot === undefined ? {} : { apiRoot }),
    baseFetchConfig: { agent, compress: true },
  });

  const api: TelegramApi = {
    async call(method, work, { timeoutMs = defaultTimeoutMs, signal, channel } = {}) {
      const late = AbortSignal.timeout(timeoutMs);
      const ends = signal === undefined ? late : AbortSignal.any([late, signal]);
      try {
        return await work(raw, asGrammys(ends));
      } catch (error) {
        throw deliveryError(error, method, channel === undefined ? undefined : { isPrivate: isPrivate(channel) });
      }
    },
    async read(method, work, callOptions) {
      try {
        return await api.call(method, work, callOptions);
      } catch (error) {
        if (!(error instanceof DeliveryError) || error.failure.kind !== 'unknown') throw error;
        throw new DeliveryError({ ...error.failure, kind: 'unreachable' }, { cause: error });
      }
    },
  };
  return api;
}

function asGrammys(signal: AbortSignal): Signal {
  return signal as unknown as Signal;
}
