/** A worker that looks for work again and again: at once when it is woken, else every `idleMs`. */
export interface Loop {
  start(): void;
  /** Looks for work soon. Many calls make one look; a call during a look makes one more after it. Safe before start and after stop. */
  wake(): void;
  /** Aborts the signal of the current look and resolves when it has returned. Idempotent. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  name: string;
  /** One look. Returns true when there is more to do right away. */
  run(signal: AbortSignal): Promise<boolean | undefined>;
  /** Longest time between two looks: what a lost wake-up costs. */
  idleMs: number;
  /** Wakes closer together than this share one look (default 10 ms), so that a look that wakes itself cannot spin. */
  gapMs?: number | undefined;
  /** Wait after the first failure (default 100 ms), doubled by each further one up to `idleMs` or 30 s, whichever is more. */
  backoffMs?: number | undefined;
  /** Told about each failed look, with the number of failures in a row. */
  onError(error: unknown, failures: number): void;
}

export function createLoop(options: LoopOptions): Loop {
  const { run, idleMs, gapMs = 10, backoffMs = 100 } = options;
  const stopped = new AbortController();
  const longestBackoff = Math.max(idleMs, 30_000);
  let woken = false;
  let endSleep: ((because: 'wake' | 'stop') => void) | undefined;
  let running: Promise<void> | undefined;

  /** Sleeps `ms`; a stop ends it early, a wake only when it is `wakeable`. */
  async function sleep(ms: number, wakeable: boolean): Promise<void> {
    if (ms <= 0 || stopped.signal.aborted || (wakeable && woken)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    endSleep = (because) => {
      if (because === 'stop' || wakeable) resolve();
    };
    await promise;
    endSleep = undefined;
    clearTimeout(timer);
  }

  async function work(): Promise<void> {
    let failures = 0;
    while (!stopped.signal.aborted) {
      woken = false;
      const since = performance.now();
      try {
        const more = await run(stopped.signal);
        failures = 0;
        if (more === true) {
          await new Promise(setImmediate);
          continue;
        }
      } catch (error) {
        if (stopped.signal.aborted) return;
        failures += 1;
        options.onError(error, failures);
        await sleep(Math.min(backoffMs * 2 ** (failures - 1), longestBackoff), false);
        continue;
      }
      await sleep(idleMs, true);
      await sleep(gapMs - (performance.now() - since), false);
    }
  }

  return {
    start() {
      if (running !== undefined) throw new Error(`loop ${options.name} starts once`);
      running = work();
    },
    wake() {
      woken = true;
      endSleep?.('wake');
    },
    async stop() {
      stopped.abort();
      endSleep?.('stop');
      await running;
    },
  };
}
