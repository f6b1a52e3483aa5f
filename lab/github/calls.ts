import type { Json } from '../slack/json.ts';

/** One REST call, or one request of git, as the emulator saw it. */
export interface ApiCall {
  /** The name of the operation in GitHub's OpenAPI document (`pulls/create`), `graphql`, or `git-upload-pack` and `git-receive-pack`. */
  method: string;
  verb: string;
  /** Below the API's base; for git the whole path. */
  path: string;
  args: Json;
  /** `owner/name` */
  repository?: string | undefined;
  /** Login of who called; `app` for a JWT. */
  as?: string | undefined;
  /** When the request was read and when the answer was sent, milliseconds since 1970. */
  at: number;
  finishedAt?: number | undefined;
  /** HTTP status; 0 when the connection was dropped without an answer. */
  status: number;
  ok: boolean;
  error?: string | undefined;
}

export interface Calls {
  /** Oldest first. */
  list: ApiCall[];
  of(method: string): ApiCall[];
  begin(call: Pick<ApiCall, 'method' | 'verb' | 'path' | 'args' | 'repository' | 'at'>): ApiCall;
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
