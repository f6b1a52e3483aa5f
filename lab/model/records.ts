import type { IncomingHttpHeaders } from 'node:http';
import type { ModelCall } from './faults.ts';

/** A request as it came. */
export interface ModelRequest extends ModelCall {
  /** 1, 2, 3 … since the start. */
  number: number;
  httpMethod: string;
  /** In which header the key came; undefined: it came in none. */
  keyIn: 'x-api-key' | 'authorization' | undefined;
  /** Without the key. */
  headers: Readonly<Record<string, string>>;
  /** Status of the answer; undefined while there is none. */
  status: number | undefined;
  /** Milliseconds since the epoch. */
  at: number;
}

export interface Records {
  add(call: ModelCall, httpMethod: string, headers: IncomingHttpHeaders): ModelRequest;
  /** The newest ones, oldest first. */
  requests(when?: (request: ModelRequest) => boolean): ModelRequest[];
  /** The first request that matches, also one that was there before. Rejects when there is none in time (default 10 s). */
  waitForRequest(when?: (request: ModelRequest) => boolean, timeoutMs?: number): Promise<ModelRequest>;
  /** How many requests came with each token, since the start. */
  counts(): ReadonlyMap<string, number>;
}

const secrets = new Set(['x-api-key', 'authorization', 'proxy-authorization', 'cookie']);

/** Keeps the last `keep` requests. */
export function createRecords(keep: number, now: () => number): Records {
  const kept: ModelRequest[] = [];
  const waiting = new Set<(request: ModelRequest) => void>();
  const counts = new Map<string, number>();
  let number = 0;

  return {
    add(call, httpMethod, headers) {
      number += 1;
      const shown = Object.entries(headers).flatMap(([name, value]) =>
        secrets.has(name) || value === undefined ? [] : [[name, String(value)] as const],
      );
      const keyIn = (['x-api-key', 'authorization'] as const).find((name) => headers[name] !== undefined);
      const request = { ...call, number, httpMethod, keyIn, headers: Object.fromEntries(shown), status: undefined, at: now() };
      kept.push(request);
      if (kept.length > keep) kept.shift();
      if (call.token !== undefined) counts.set(call.token, (counts.get(call.token) ?? 0) + 1);
      for (const tell of [...waiting]) tell(request);
      return request;
    },
    requests: (when = () => true) => kept.filter(when),
    async waitForRequest(when = () => true, timeoutMs = 10_000) {
      const there = kept.find(when);
      if (there) return there;
      const { promise, resolve, reject } = Promise.withResolvers<ModelRequest>();
      const tell = (request: ModelRequest) => {
        if (when(request)) resolve(request);
      };
      waiting.add(tell);
      const timer = setTimeout(() => reject(new Error(`no such request to the model server in ${timeoutMs} ms`)), timeoutMs);
      return promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(tell);
      });
    },
    counts: () => counts,
  };
}
