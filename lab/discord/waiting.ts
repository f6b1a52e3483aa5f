/** Something that announces its changes: the state of an emulator. */
interface Announcing<C> {
  subscribe(listener: (change: C) => void): () => void;
}

/**
 * Waits until `look` finds something: at once, or at a later change of the state. `look` gets no change the first time and the
 * change afterwards. Rejects after `timeoutMs` with `describe()`, which should tell what was there instead.
 */
export function waitForChange<T, C>(
  state: Announcing<C>,
  look: (change: C | undefined) => T | undefined,
  options: { timeoutMs: number; describe: () => string },
): Promise<T> {
  // The stack of the caller says which wait of a test ran out, so the error is made here and not in the timer.
  const timeout = new Error();
  const found = look(undefined);
  if (found !== undefined) return Promise.resolve(found);
  return new Promise((resolve, reject) => {
    const finish = () => {
      clearTimeout(timer);
      unsubscribe();
    };
    const unsubscribe = state.subscribe((change) => {
      try {
        const later = look(change);
        if (later === undefined) return;
        finish();
        resolve(later);
      } catch (error) {
        finish();
        reject(error);
      }
    });
    const timer = setTimeout(() => {
      finish();
      timeout.message = `waited ${options.timeoutMs} ms in vain: ${options.describe()}`;
      reject(timeout);
    }, options.timeoutMs);
  });
}
