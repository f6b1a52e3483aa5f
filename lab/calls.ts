/** One call of an emulated API as its emulator saw it. */
export interface Call {
  method: string;
  /** When the request was read and when the answer was sent, milliseconds since 1970. */
  at: number;
  finishedAt?: number | undefined;
  /** HTTP status; 0 when the connection was dropped without an answer. */
  status: number;
  ok: boolean;
  error?: string | undefined;
}

/** How a call stands until it is answered. */
export const unanswered = { status: 0, ok: false } as const;

export interface Calls<C extends Call> {
  /** Oldest first. */
  list: C[];
  of(method: string): C[];
  /** Keeps a call that begins. Whoever answers it writes on it how it ended. */
  begin(call: C): C;
  clear(): void;
}

/** Keeps about the `keep` newest. */
export function createCalls<C extends Call>(keep: number): Calls<C> {
  const list: C[] = [];
  return {
    list,
    of: (method) => list.filter((call) => call.method === method),
    begin(call) {
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
