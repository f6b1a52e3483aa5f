import type { Json } from './json.ts';

/** One Web API call as the emulator saw it. */
export interface ApiCall {
  method: string;
  args: Json;
  /** The conversation it concerns, when it names one. */
  channel?: string | undefined;
  /** When the request was read and when the answer was sent, milliseconds since 1970. */
  at: number;
  finishedAt?: number | undefined;
  /** HTTP status; 0 when the connection was dropped without an answer. */
  status: number;
  ok: boolean;
  error?: string | undefined;
  /** Something Slack does silently that the caller may not expect. */
  note?: string | undefined;
}

export interface Calls {
  /** Oldest first. */
  list: ApiCall[];
  of(method: string): ApiCall[];
  begin(method: string, args: Json, at: number): ApiCall;
  clear(): void;
}

export function createCalls(keep: number): Calls {
  const list: ApiCall[] = [];
  return {
    list,
    of: (method) => list.filter((call) => call.method === method),
    begin(method, args, at) {
      const channel = args.channel ?? args.channel_id;
      const call: ApiCall = {
        method,
        args,
        at,
        status: 0,
        ok: false,
        channel: typeof channel === 'string' ? channel : undefined,
      };
      list.push(call);
      // Cut in larger steps: moving the whole list on every call would cost more than the call.
      if (list.length > keep * 1.2) list.splice(0, list.length - keep);
      return call;
    },
    clear() {
      list.length = 0;
    },
  };
}
