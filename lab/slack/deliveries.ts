import type { Core } from './core.ts';
import { NotAnswered } from './core.ts';
import { newId, secret } from './ids.ts';
import { isRecord, type Json } from './json.ts';
import type { PendingEvent } from './model.ts';
import { isShared } from './payloads.ts';
import { APP_ID, BOT_USER, TEAM } from './seed.ts';
import type { DeliveryKind, Outcome, Retry, Transport } from './transport.ts';

/** One attempt to deliver something to the app. */
export interface Delivery {
  kind: DeliveryKind;
  /** `message`, `app_mention`, `block_actions`, `/deckhand` … */
  type: string;
  /** `Ev…` for events. */
  eventId?: string | undefined;
  /** 0 for the first delivery. */
  attempt: number;
  /** Milliseconds since 1970. */
  at: number;
  outcome: 'pending' | 'acked' | 'closed' | (string & {});
  payload: Json;
}

export interface Deliveries {
  /** Newest last. */
  log: Delivery[];
  publish(event: Json): void;
  request(kind: 'slash_commands' | 'interactive', payload: Json): Promise<Json | undefined>;
  /** Sends an event again although it was acknowledged, as Slack does now and then. Resolves when it is settled. */
  redeliver(eventId: string, reason?: string): Promise<void>;
  /** Takes up the events that an earlier process of this emulator had not brought to an end. */
  resume(): void;
  /** Resolves once every event published so far has been acknowledged or given up. */
  idle(): Promise<void>;
  close(): void;
}

type Host = Pick<Core, 'state' | 'timing' | 'now'>;

export function createDeliveries(core: Host, transport: () => Transport, keep: number): Deliveries {
  const log: Delivery[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const running = new Map<string, Promise<void>>();
  let closed = false;

  async function deliver(kind: DeliveryKind, type: string, payload: Json, retry?: Retry, eventId?: string): Promise<Outcome> {
    const entry: Delivery = { kind, type, eventId, attempt: retry?.attempt ?? 0, at: core.now(), outcome: 'pending', payload };
    log.push(entry);
    if (log.length > keep * 1.2) log.splice(0, log.length - keep);
    const outcome = await transport().deliver(kind, payload, retry);
    entry.outcome = outcome.status === 'failed' ? outcome.reason : outcome.status;
    return outcome;
  }

  /** Delivers an event until it is acknowledged or the last attempt has failed. */
  async function bring(pending: PendingEvent, firstReason?: string): Promise<void> {
    let attempts = pending.attempts;
    let reason = firstReason ?? 'connection_failed';
    while (!closed) {
      const retry = attempts === 0 ? undefined : { attempt: attempts, reason };
      const outcome = await deliver('events_api', typeOfEvent(pending.body), pending.body, retry, pending.id);
      if (outcome.status === 'closed') return;
      const wait = core.timing.retryDelays[attempts];
      if (outcome.status === 'acked' || outcome.noRetry || wait === undefined) break;
      attempts += 1;
      reason = outcome.reason;
      core.state.pending.put({ ...pending, attempts });
      await pause(wait);
    }
    if (!closed) core.state.pending.remove(pending.id);
  }

  function start(pending: PendingEvent): void {
    const done = bring(pending).finally(() => running.delete(pending.id));
    running.set(pending.id, done);
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, ms);
      timer.unref();
      timers.add(timer);
    });
  }

  return {
    log,
    publish(event) {
      const pending: PendingEvent = { id: newId('Ev'), body: {}, attempts: 0 };
      pending.body = envelope(pending.id, event, core.now(), isShared(core, String(event.channel)));
      core.state.pending.put(pending);
      start(pending);
    },
    async request(kind, payload) {
      const type = String(kind === 'slash_commands' ? payload.command : payload.type);
      const outcome = await deliver(kind, type, payload);
      if (outcome.status === 'acked') return outcome.body;
      if (outcome.status === 'closed') throw new NotAnswered('dispatch_failed', 'the emulator is closing');
      const isTimeout = outcome.reason === 'timeout' || outcome.reason === 'http_timeout';
      throw new NotAnswered(
        isTimeout ? 'operation_timeout' : 'dispatch_failed',
        `${type} was not acknowledged (${outcome.reason})`,
      );
    },
    async redeliver(eventId, reason = 'http_timeout') {
      const known = log.findLast((entry) => entry.eventId === eventId);
      if (!known)
        throw new Error(`no event ${eventId} was delivered; known are ${log.flatMap((entry) => entry.eventId ?? []).join(', ')}`);
      await deliver('events_api', known.type, known.payload, { attempt: known.attempt + 1, reason }, eventId);
    },
    resume() {
      for (const pending of core.state.pending.values()) {
        // Whether the earlier process had sent it is unknown, so it goes out as a retry.
        if (!running.has(pending.id)) start({ ...pending, attempts: Math.max(1, pending.attempts) });
      }
    },
    async idle() {
      while (running.size > 0) await Promise.all(running.values());
    },
    close() {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function typeOfEvent(body: Json): string {
  return isRecord(body.event) ? String(body.event.type) : '';
}

/** The `event_callback` around an event. */
function envelope(eventId: string, event: Json, now: number, shared: boolean): Json {
  return {
    token: 'lab-verification-token',
    team_id: TEAM.id,
    context_team_id: TEAM.id,
    context_enterprise_id: null,
    api_app_id: APP_ID,
    event,
    type: 'event_callback',
    event_id: eventId,
    event_time: Math.floor(now / 1000),
    authorizations: [{ enterprise_id: null, team_id: TEAM.id, user_id: BOT_USER, is_bot: true, is_enterprise_install: false }],
    is_ext_shared_channel: shared,
    event_context: `4-${secret(24)}`,
  };
}
