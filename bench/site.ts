import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Where one scenario works: a directory of its own, and everything it has to take down again. */
export interface Site {
  readonly name: string;
  /** Emptied and removed at the end. */
  readonly dir: string;
  /** Aborts when the benchmark is to end early. */
  readonly signal: AbortSignal;
  /** Registers what ends something that was started. Called in reverse order, each once, however the scenario ends. */
  onEnd(end: () => Promise<unknown>): void;
  /** Tells people how far it is. */
  say(text: string): void;
  pause(ms: number): Promise<void>;
  /** Looks again and again until `look` finds it. Rejects after `withinMs`, or when the benchmark is to end. */
  until(what: string, look: () => boolean | Promise<boolean>, withinMs: number, everyMs?: number): Promise<void>;
}

/** Runs `work` on a site and takes it down afterwards, whatever happened. */
export async function onSite<T>(name: string, signal: AbortSignal, work: (site: Site) => Promise<T>): Promise<T> {
  const ends: (() => Promise<unknown>)[] = [];
  const dir = mkdtempSync(join(tmpdir(), `deckhand-bench-${name}-`));
  // Run by root, the database server is another user and must be able to pass through.
  chmodSync(dir, 0o711);
  const site: Site = {
    name,
    dir,
    signal,
    onEnd: (end) => void ends.push(end),
    say: (text) => void process.stderr.write(`${name}: ${text}\n`),
    pause: (ms) => delay(ms, undefined, { signal }),
    async until(what, look, withinMs, everyMs = 20) {
      const until = performance.now() + withinMs;
      while (!(await look())) {
        if (performance.now() > until) throw new Error(`waited ${withinMs / 1000} s for ${what}`);
        await site.pause(everyMs);
      }
    },
  };
  const interrupted = Promise.withResolvers<never>();
  const onAbort = () => interrupted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work(site), interrupted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    const failures: unknown[] = [];
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end().catch((error: unknown) => failures.push(error));
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    for (const failure of failures) process.stderr.write(`${name}: could not be taken down: ${failure}\n`);
  }
}
