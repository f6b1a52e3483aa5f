import type { Json } from '../slack/json.ts';
import { conflict } from './api-error.ts';
import type { PendingUpdate } from './model.ts';
import type { State } from './state.ts';

/** The bot's queue of updates. Kept until the bot confirms them: by a later `getUpdates` offset, or by a 2xx of its webhook. */
export interface Updates {
  /**
   * Queues an update, unless `allowed_updates` leaves its kind out. `queue` orders webhook deliveries: one chat, or one person's
   * presses. `lifeMs` is how long it waits for the bot.
   */
  publish(kind: string, content: Json, queue: string, lifeMs: number): void;
  /** What `getUpdates` answers. Rejects with 409 when a webhook is set, or as soon as somebody else polls. */
  poll(given: Poll, signal: AbortSignal): Promise<Json[]>;
  /** Unconfirmed updates, oldest first, without those that have waited too long. */
  pending(): PendingUpdate[];
  confirm(update: PendingUpdate): void;
  dropAll(): void;
  /** Ends the poll under way with 409, as setWebhook does. */
  endPoll(reason: string): void;
  /** Whether somebody is waiting in `getUpdates` right now. */
  isPolled(): boolean;
  /** Runs after each new update. */
  onPublish(listener: () => void): void;
  close(): void;
}

export interface Poll {
  offset: number;
  limit: number;
  timeoutMs: number;
}

/** Kinds the bot must ask for by name. */
const ON_REQUEST = new Set(['chat_member', 'message_reaction', 'message_reaction_count']);
const FIRST_UPDATE = 500_000_000;
export const OTHER_POLLER = 'terminated by other getUpdates request; make sure that only one bot instance is running';
export const WEBHOOK_ACTIVE =
  "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";

interface Waiting {
  look(): void;
  fail(error: Error): void;
}

export function createUpdates(state: State, now: () => number): Updates {
  let waiting: Waiting | undefined;
  let listener: () => void = () => undefined;

  const pending = () => {
    const all = state.pending.values();
    for (const update of all) if (update.expires_at <= now()) state.pending.remove(String(update.update_id));
    return all.filter((update) => update.expires_at > now()).sort((a, b) => a.update_id - b.update_id);
  };

  function isWanted(kind: string): boolean {
    const { allowed_updates: allowed } = state.profile();
    return allowed.length === 0 ? !ON_REQUEST.has(kind) : allowed.includes(kind);
  }

  /** Forgets what the offset confirms. A negative offset keeps so many from the end. */
  function confirmBefore(offset: number): void {
    const all = pending();
    const kept = offset < 0 ? all.slice(offset) : all.filter((update) => update.update_id >= offset);
    for (const update of all) if (!kept.includes(update)) state.pending.remove(String(update.update_id));
  }

  function wait(given: Poll, signal: AbortSignal): Promise<Json[]> {
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', give);
        if (waiting === entry) setWaiting(undefined);
      };
      const give = () => {
        finish();
        resolve([]);
      };
      const entry: Waiting = {
        look() {
          const found = pending().slice(0, given.limit);
          if (found.length === 0) return;
          finish();
          resolve(found.map(wireUpdate));
        },
        fail(error) {
          finish();
          reject(error);
        },
      };
      const timer = setTimeout(give, given.timeoutMs);
      signal.addEventListener('abort', give, { once: true });
      setWaiting(entry);
    });
  }

  function setWaiting(entry: Waiting | undefined): void {
    const changed = (waiting === undefined) !== (entry === undefined);
    waiting = entry;
    if (changed) state.emit({ type: 'bot' });
  }

  return {
    publish(kind, content, queue, lifeMs) {
      if (!isWanted(kind)) return;
      const update_id = state.next('updates', FIRST_UPDATE);
      state.pending.put({ update_id, kind, queue, body: content, expires_at: now() + lifeMs, attempts: 0 });
      waiting?.look();
      listener();
    },
    async poll(given, signal) {
      if (state.profile().webhook) throw conflict(WEBHOOK_ACTIVE);
      waiting?.fail(conflict(OTHER_POLLER));
      if (given.offset !== 0) confirmBefore(given.offset);
      const found = pending().slice(0, given.limit);
      if (found.length > 0 || given.timeoutMs === 0) return found.map(wireUpdate);
      return wait(given, signal);
    },
    pending,
    confirm: (update) => state.pending.remove(String(update.update_id)),
    dropAll: () => state.pending.clear(),
    endPoll: (reason) => waiting?.fail(conflict(reason)),
    isPolled: () => waiting !== undefined,
    onPublish(added) {
      listener = added;
    },
    close: () => waiting?.fail(conflict(OTHER_POLLER)),
  };
}

export function wireUpdate(update: PendingUpdate): Json {
  return { update_id: update.update_id, [update.kind]: update.body };
}
