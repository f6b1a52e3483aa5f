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

/** A picture of our own making as SVG, with letters of DejaVu Sans Mono. */
export interface DrawnAlready {
  svg: string;
}

/**
 * Draws a patch, or what is an SVG already, as PNG. Undefined when the patch has nothing to draw. Throws when it takes too long or the thread fails; no picture
 * is worth more than a note then.
 */
export type DrawPatch = (
  of: PictureOf | DrawnAlready,
  options?: { signal?: AbortSignal | undefined; timeoutMs?: number },
) => Promise<Uint8Array | undefined>;

/** How long a picture may take: drawing one takes a fraction of a second, reading a patch of 32 MiB some more. */
const defaultTimeoutMs = 20_000;
/** Most of what a first picture takes is to get ready for it; whoever reviews a change looks at several. */
const defaultKeepMs = 60_000;

/**
 * Draws in threads: a program that waits for a picture is not held up, and what a hostile patch does to it is done to its thread. Each draws one
 * at a time. One that has done well is kept for the next picture for a while, which does not keep the program from ending; one that has
 * not, or is not waited for any more, ends at once.
 */
export function createDrawing({ keepMs = defaultKeepMs }: { keepMs?: number } = {}): DrawPatch {
  let kept: { worker: Worker; leave: () => void } | undefined;

  function take(): Worker {
    if (kept === undefined) {
      return new Worker(new URL('./picture-worker.ts', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: 768 } });
    }
    const { worker, leave } = kept;
    leave();
    worker.ref();
    return worker;
  }

  function keep(worker: Worker): void {
    if (kept !== undefined) {
      void worker.terminate();
      return;
    }
    const end = () => {
      leave();
      void worker.terminate();
    };
    const timer = setTimeout(end, keepMs).unref();
    const leave = () => {
      clearTimeout(timer);
      worker.off('error', end).off('exit', end);
      kept = undefined;
    };
    worker.on('error', end).on('exit', end).unref();
    kept = { worker, leave };
  }

  return async (of, options = {}) => {
    options.signal?.throwIfAborted();
    const worker = take();
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>();
    const onAbort = () => reject(options.signal?.reason);
    const onExit = (code: number) => reject(new Error(`the thread that draws has ended with ${code}`));
    const onTime = () => reject(new Error('drawing the picture took too long'));
    const timer = setTimeout(onTime, options.timeoutMs ?? defaultTimeoutMs);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    worker.on('message', resolve).on('error', reject).on('exit', onExit);
    try {
      worker.postMessage(of);
      const png = await promise;
      worker.off('error', reject);
      keep(worker);
      return png;
    } catch (error) {
      void worker.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      // Of a thread that ends an error may still come; it is listened to, and means nothing any more.
      worker.off('message', resolve).off('exit', onExit);
    }
  };
}
