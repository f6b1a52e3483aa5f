import { isRecord, type Json } from '../slack/json.ts';
import type { Core } from './core.ts';
import type { PendingUpdate, Webhook } from './model.ts';
import { wireUpdate } from './updates.ts';

/** One attempt to deliver an update to the webhook. */
export interface WebhookDelivery {
  update_id: number;
  kind: string;
  /** 0 for the first attempt. */
  attempt: number;
  /** Milliseconds since 1970. */
  at: number;
  /** `pending`, `ok`, or what went wrong, in the words of `getWebhookInfo`. */
  outcome: string;
  body: Json;
}

/**
 * Brings updates to the webhook: one queue after another's order within it, queues side by side up to `max_connections`. Anything but
 * a 2xx is tried again later, the rest of its queue waits.
 */
export interface WebhookSender {
  /** Oldest first. */
  log: WebhookDelivery[];
  /** Looks for work: after a new update, a changed webhook, or at the start. */
  kick(): void;
  /** Resolves when nothing is waiting to be delivered. */
  idle(): Promise<void>;
  /** Sends an update again that was confirmed already. */
  redeliver(updateId: number): Promise<void>;
  close(): void;
}

const MAX_RETRY_AFTER = 3_600;

export function createWebhookSender(
  core: Omit<Core, 'webhook'>,
  { keep, perform }: { keep: number; perform: (method: string, args: Json) => Promise<void> },
): WebhookSender {
  const log: WebhookDelivery[] = [];
  const running = new Map<string, Promise<void>>();
  const timers = new Map<NodeJS.Timeout, () => void>();
  let stop = new AbortController();
  let current: string | undefined;

  const hook = () => core.state.profile().webhook;
  const headOf = (queue: string) => core.updates.pending().find((update) => update.queue === queue);

  async function attempt(
    webhook: Webhook,
    update: PendingUpdate,
    tries: number,
  ): Promise<{ error?: string; retryAfter: number }> {
    const entry: WebhookDelivery = {
      update_id: update.update_id,
      kind: update.kind,
      attempt: tries,
      at: core.now(),
      outcome: 'pending',
      body: wireUpdate(update),
    };
    log.push(entry);
    if (log.length > keep * 1.2) log.splice(0, log.length - keep);
    const result = await post(webhook, entry.body);
    entry.outcome = result.error ?? 'ok';
    return result;
  }

  async function post(webhook: Webhook, body: Json): Promise<{ error?: string; retryAfter: number }> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(webhook.url, {
        method: 'POST',
        body: JSON.stringify(body),
        redirect: 'manual',
        signal: AbortSignal.any([stop.signal, AbortSignal.timeout(core.timing.webhook)]),
        headers: {
          'content-type': 'application/json',
          ...(webhook.secret_token === undefined ? {} : { 'x-telegram-bot-api-secret-token': webhook.secret_token }),
        },
      });
      text = await response.text();
    } catch (error) {
      const isTimeout = error instanceof DOMException && error.name === 'TimeoutError';
      return { error: isTimeout ? 'Read timeout expired' : 'Connection refused', retryAfter: 0 };
    }
    if (!response.ok) {
      const after = Number(response.headers.get('retry-after') ?? 0);
      const retryAfter = Number.isFinite(after) ? Math.min(Math.max(0, after), MAX_RETRY_AFTER) : 0;
      return { error: `Wrong response from the webhook: ${response.status} ${response.statusText}`.trimEnd(), retryAfter };
    }
    await performAnswer(text);
    return { retryAfter: 0 };
  }

  /** The answer to a webhook request may itself ask for one method call; nobody hears how it ended. */
  async function performAnswer(text: string): Promise<void> {
    let asked: unknown;
    try {
      asked = JSON.parse(text);
    } catch {
      return;
    }
    if (isRecord(asked) && typeof asked.method === 'string') await perform(asked.method, asked);
  }

  async function drain(queue: string, signal: AbortSignal): Promise<void> {
    let tries = 0;
    for (let update = headOf(queue); update && !signal.aborted; update = headOf(queue)) {
      const webhook = hook();
      if (!webhook) return;
      const { error, retryAfter } = await attempt(webhook, update, Math.max(tries, update.attempts));
      if (signal.aborted) return;
      if (error === undefined) {
        core.updates.confirm(update);
        tries = 0;
        continue;
      }
      tries = Math.max(tries, update.attempts) + 1;
      core.state.pending.put({ ...update, attempts: tries });
      noteFailure(error);
      const { retryDelays } = core.timing;
      await pause(retryAfter > 0 ? retryAfter * 1000 : (retryDelays[tries - 1] ?? retryDelays.at(-1) ?? 0));
    }
  }

  function noteFailure(error: string): void {
    const profile = core.state.profile();
    if (!profile.webhook) return;
    const webhook = { ...profile.webhook, last_error_date: core.date(), last_error_message: error };
    core.state.putProfile({ ...profile, webhook });
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, ms);
      timer.unref();
      timers.set(timer, resolve);
    });
  }

  function halt(): void {
    stop.abort();
    stop = new AbortController();
    for (const [timer, resolve] of timers) {
      clearTimeout(timer);
      resolve();
    }
    timers.clear();
    running.clear();
  }

  function kick(): void {
    const webhook = hook();
    if (webhook?.url !== current) {
      halt();
      current = webhook?.url;
    }
    if (!webhook) return;
    for (const { queue } of core.updates.pending()) {
      if (running.size >= webhook.max_connections) return;
      if (running.has(queue)) continue;
      const done = drain(queue, stop.signal).finally(() => {
        if (running.get(queue) !== done) return;
        running.delete(queue);
        kick();
      });
      running.set(queue, done);
    }
  }

  return {
    log,
    kick,
    async idle() {
      while (running.size > 0) await Promise.all(running.values());
    },
    async redeliver(updateId) {
      const webhook = hook();
      const known = log.findLast((entry) => entry.update_id === updateId);
      if (!webhook || !known) throw new Error(`no update ${updateId} was delivered to a webhook`);
      await post(webhook, known.body);
    },
    close: halt,
  };
}
