import type { Json } from '../slack/json.ts';

/** One REST call as the emulator saw it. */
export interface ApiCall {
  /** The name of the operation in Discord's OpenAPI document: `create_message`, `update_message`, `create_interaction_response` … */
  method: string;
  verb: string;
  /** Below `/api/v10`; tokens of interactions are left out. */
  path: string;
  args: Json;
  /** Names of the files sent along. */
  files: string[];
  /** The channel in the path. */
  channel?: string | undefined;
  /** When the request was read and when the answer was sent, milliseconds since 1970. */
  at: number;
  finishedAt?: number | undefined;
  /** HTTP status; 0 when the connection was dropped without an answer. */
  status: number;
  ok: boolean;
  /** Discord's number of the error. */
  code?: number | undefined;
  error?: string | undefined;
  /** The limit this call went over, whether or not limiting is on. */
  over?: 'bucket' | 'global' | undefined;
}

export interface Calls {
  /** Oldest first. */
  list: ApiCall[];
  of(method: string): ApiCall[];
  begin(call: Pick<ApiCall, 'method' | 'verb' | 'path' | 'args' | 'files' | 'channel' | 'at'>): ApiCall;
  clear(): void;
}

export function createCalls(keep: number): Calls {
  const list: ApiCall[] = [];
  return {
    list,
    of: (method) => list.filter((call) => call.method === method),
    begin(given) {
      const call: ApiCall = { ...given, status: 0, ok: false };
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
