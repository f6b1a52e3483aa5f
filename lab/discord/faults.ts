import type { ApiCall } from './calls.ts';

/** What shall go wrong with matching REST calls. Exactly one of the first four says how. */
export interface Fault {
  /** Answer this HTTP status, without any effect. 429 carries `Retry-After`. */
  status?: number | undefined;
  /** Answer this number of Discord (10008, 50013 …), without any effect. The status is 400 unless given. */
  code?: number | undefined;
  /** Cut the connection before anything happened. */
  dropConnectionBeforeEffect?: boolean | undefined;
  /** Do what was asked, then cut the connection: the caller cannot know. */
  dropConnectionAfterEffect?: boolean | undefined;
  /** Seconds, for status 429. Default 1. */
  retryAfter?: number | undefined;
  /** How many matching calls. Default 1. */
  times?: number | undefined;
  /** Only calls for which this holds. */
  when?: ((call: ApiCall) => boolean) | undefined;
}

/** A call that waits until the test lets it go. */
export interface Hold {
  /** Resolves when a matching call has arrived (or, with `after`, has taken effect). */
  reached: Promise<ApiCall>;
  release(): void;
}

export interface Faults {
  failNext(method: string, fault: Fault): void;
  hold(method: string, options?: { after?: boolean; when?: (call: ApiCall) => boolean }): Hold;
  /** Delays every answer of the method (`*` for all) until set to 0. */
  delay(method: string, ms: number): void;
  clear(): void;
  /** For the API server: the fault that this call meets, which is used up by asking. */
  take(call: ApiCall): Fault | undefined;
  waitBefore(call: ApiCall): Promise<void>;
  waitAfter(call: ApiCall): Promise<void>;
}

interface HeldEntry {
  method: string;
  after: boolean;
  when?: ((call: ApiCall) => boolean) | undefined;
  reach(call: ApiCall): void;
  gate: Promise<void>;
}

export function createFaults(): Faults {
  const faults: { method: string; fault: Fault; left: number }[] = [];
  const holds: HeldEntry[] = [];
  const delays = new Map<string, number>();
  const matches = (method: string, call: ApiCall) => method === '*' || method === call.method;

  async function waitAt(call: ApiCall, after: boolean): Promise<void> {
    const index = holds.findIndex((hold) => hold.after === after && matches(hold.method, call) && (hold.when?.(call) ?? true));
    const [hold] = index >= 0 ? holds.splice(index, 1) : [];
    if (!hold) return;
    hold.reach(call);
    await hold.gate;
  }

  return {
    failNext(method, fault) {
      faults.push({ method, fault, left: fault.times ?? 1 });
    },
    hold(method, options = {}) {
      const reached = Promise.withResolvers<ApiCall>();
      const gate = Promise.withResolvers<void>();
      holds.push({ method, after: options.after ?? false, when: options.when, reach: reached.resolve, gate: gate.promise });
      return { reached: reached.promise, release: gate.resolve };
    },
    delay(method, ms) {
      delays.set(method, ms);
    },
    clear() {
      faults.length = 0;
      holds.length = 0;
      delays.clear();
    },
    take(call) {
      const entry = faults.find(
        (candidate) => candidate.left > 0 && matches(candidate.method, call) && (candidate.fault.when?.(call) ?? true),
      );
      if (!entry) return undefined;
      entry.left -= 1;
      if (entry.left === 0) faults.splice(faults.indexOf(entry), 1);
      return entry.fault;
    },
    async waitBefore(call) {
      const ms = delays.get(call.method) ?? delays.get('*') ?? 0;
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      await waitAt(call, false);
    },
    waitAfter: (call) => waitAt(call, true),
  };
}
