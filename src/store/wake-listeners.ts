import type { WakeTopic } from './database.ts';

/** Who wants to be woken in this process, however wake-ups travel. */
export interface WakeListeners {
  /** Calls `wake` for every wake-up of `topic` (only those of `id` when given). Returns the function that ends it. */
  subscribe(topic: WakeTopic, id: string | undefined, wake: (id: string) => void): () => void;
  /** Takes one wake-up as it travels: `<topic>:<id>`. */
  deliver(wake: string): void;
  /** What happened while nobody listened is unknown: everybody looks. */
  rouse(): void;
}

export function createWakeListeners(): WakeListeners {
  const listeners = new Set<{ topic: WakeTopic; id: string | undefined; wake: (id: string) => void }>();
  return {
    subscribe(topic, id, wake) {
      const listener = { topic, id, wake };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    deliver(wake) {
      const split = wake.indexOf(':');
      const topic = wake.slice(0, split);
      const id = wake.slice(split + 1);
      for (const listener of listeners) {
        if (listener.topic === topic && (listener.id === undefined || listener.id === id)) listener.wake(id);
      }
    },
    rouse() {
      for (const listener of listeners) listener.wake(listener.id ?? '');
    },
  };
}
