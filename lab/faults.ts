/**
 * What shall go wrong with matching calls of an emulator. Exactly one of a refusal in the platform's own words (`Refusal`), `status` and the
 * two cuts says how.
 */
export type FaultOf<Call, Refusal> = Refusal & {
  /** Answer this HTTP status, without any effect. 429 says how long to wait. */
  status?: number | undefined;
  /** Cut the connection before anything happened. */
  dropConnectionBeforeEffect?: boolean | undefined;
  /** Do what was asked, then cut the connection: the caller cannot know. */
  dropConnectionAfterEffect?: boolean | undefined;
  /** Seconds, for status 429. Default 1. */
  retryAfter?: number | undefined;
  /** How many matching calls. Default 1. */
  times?: number | undefined;
  /** Only calls for which this holds. */
  when?: ((call: Call) => boolean) | undefined;
};

/** A call that waits until the test lets it go. */
export interface Hold<Call> {
  /** Resolves when a matching call has arrived (or, with `after`, has taken effect). */
  reached: Promise<Call>;
  release(): void;
}

export interface FaultsOf<Call, Refusal> {
  failNext(method: string, fault: FaultOf<Call, Refusal>): void;
  hold(method: string, options?: { after?: boolean; when?: (call: Call) => boolean }): Hold<Call>;
  /** Delays every answer of the method (`*` for all) until set to 0. */
  delay(method: string, ms: number): void;
  clear(): void;
  /** For the API server: the fault that this call meets, which is used up by asking. */
  take(call: Call): FaultOf<Call, Refusal> | undefined;
  waitBefore(call: Call): Promise<void>;
  waitAfter(call: Call): Promise<void>;
}

interface HeldEntry<Call> {
  method: string;
  after: boolean;
  when?: ((call: Call) => boolean) | undefined;
  reach(call: Call): void;
  gate: Promise<void>;
}

export function createFaults<Call extends { method: string }, Refusal>(): FaultsOf<Call, Refusal> {
  const faults: { method: string; fault: FaultOf<Call, Refusal>; left: number }[] = [];
  const holds: HeldEntry<Call>[] = [];
  const delays = new Map<string, number>();
  const matches = (method: string, call: Call) => method === '*' || method === call.method;

  async function waitAt(call: Call, after: boolean): Promise<void> {
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
      const reached = Promise.withResolvers<Call>();
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
