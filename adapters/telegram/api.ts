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
/** Idle connections end sooner than Telegram would end them. */
const idleMs = 20_000;

/**
 * What changes something goes over a connection of its own: one that Telegram is just closing would swallow the call, and nobody could
 * tell whether it was done. Reading, which may be repeated, keeps its connections.
 */
export function createTelegramApi(options: { token: string; apiRoot?: string | undefined }): TelegramApi {
  const once = rawApi(options, false);
  const again = rawApi(options, true);

  async function perform<T>(
    raw: Raw,
    method: keyof Raw,
    work: (raw: Raw, signal: Signal) => Promise<T>,
    { timeoutMs = defaultTimeoutMs, signal, channel }: CallOptions = {},
  ): Promise<T> {
    const late = AbortSignal.timeout(timeoutMs);
    const ends = signal === undefined ? late : AbortSignal.any([late, signal]);
    try {
      return await work(raw, asGrammys(ends));
    } catch (error) {
      throw deliveryError(error, method, channel === undefined ? undefined : { isPrivate: isPrivate(channel) });
    }
  }

  return {
    call: (method, work, callOptions) => perform(once, method, work, callOptions),
    async read(method, work, callOptions) {
      try {
        return await perform(again, method, work, callOptions);
      } catch (error) {
        if (!(error instanceof DeliveryError) || error.failure.kind !== 'unknown') throw error;
        throw new DeliveryError({ ...error.failure, kind: 'unreachable' }, { cause: error });
      }
    },
  };
}

function rawApi({ token, apiRoot: given }: { token: string; apiRoot?: string | undefined }, keepAlive: boolean): Raw {
  const apiRoot = given?.replace(/\/+$/, '');
  const Agent = apiRoot?.startsWith('http:') === true ? HttpAgent : HttpsAgent;
  const agent = new Agent(keepAlive ? { keepAlive, timeout: idleMs } : { keepAlive });
  return new Api(token, { ...(apiRoot === undefined ? {} : { apiRoot }), baseFetchConfig: { agent, compress: true } }).raw;
}

function asGrammys(signal: AbortSignal): Signal {
  return signal as unknown as Signal;
}
