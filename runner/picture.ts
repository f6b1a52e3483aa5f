import { Worker } from 'node:worker_threads';

/** What is to be drawn. */
export interface PictureOf {
  patch: Uint8Array;
  /** Stands above: `#142`. */
  title: string;
  /** Of all that has changed, where the patch has not all of it. */
  totals?: { files: number; added: number; removed: number } | undefined;
  /** Only this file of the patch, counted from 0. */
  file?: number | undefined;
}

/** How long a picture may take: drawing one takes a fraction of a second, reading a patch of 32 MiB some more. */
const defaultTimeoutMs = 20_000;

/**
 * Draws a patch as PNG, in a thread of its own that ends with it: a program that waits for one is not held up, and what a hostile patch does to
 * it is done to the thread. Undefined when the patch has nothing to draw. Throws when it takes too long or the thread fails; no picture
 * is worth more than a note then.
 */
export async function drawPatch(
  of: PictureOf,
  options: { signal?: AbortSignal | undefined; timeoutMs?: number } = {},
): Promise<Uint8Array | undefined> {
  options.signal?.throwIfAborted();
  const worker = new Worker(new URL('./picture-worker.ts', import.meta.url), {
    workerData: of,
    resourceLimits: { maxOldGenerationSizeMb: 768 },
  });
  return await new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      void worker.terminate();
      settle();
    };
    const onAbort = () => end(() => reject(options.signal?.reason));
    const timer = setTimeout(
      () => end(() => reject(new Error('drawing the picture took too long'))),
      options.timeoutMs ?? defaultTimeoutMs,
    );
    options.signal?.addEventListener('abort', onAbort, { once: true });
    worker.once('message', (png: Uint8Array | undefined) => end(() => resolve(png)));
    worker.once('error', (error) => end(() => reject(error)));
    worker.once('exit', (code) => end(() => reject(new Error(`the thread that draws has ended with ${code}`))));
  });
}
