import type { Core, Settings } from './core.ts';
import type { Deliveries } from './deliveries.ts';
import type { Faults } from './faults.ts';
import type { HttpDelivery } from './http-delivery.ts';
import { newId } from './ids.ts';
import type { Json } from './json.ts';
import { endExpired } from './methods-stream.ts';
import type { Channel, User } from './model.ts';
import { BOT_USER, dmChannel } from './seed.ts';
import type { SocketMode } from './socket-mode.ts';

/**
 * Faults, load and settings, for tests and for the lab's settings.
 *
 * - `failNext('chat.postMessage', { status: 500, times: 2 })`, `{ error: 'channel_not_found' }`, `{ status: 429, retryAfter: 3 }`,
 *   `{ dropConnectionBeforeEffect: true }`, `{ dropConnectionAfterEffect: true }`, each optionally `when: (call) => …`
 * - `const held = hold('chat.update')`; `await held.reached`; …; `held.release()`: stops a call before its effect
 *   (`{ after: true }`: after it), for tests that kill or change something at exactly that point
 * - `delay('*', 200)`: slows answers down
 * - `sockets`: count, ask for a reconnect, cut, send raw frames
 * - `redeliver(eventId)`: the same event again, as a retry
 */
export interface Controls extends Pick<Faults, 'failNext' | 'hold' | 'delay'> {
  rateLimiting(on: boolean): void;
  mentionOrder(order: Settings['mentionOrder']): void;
  /** Delays every Web API answer by so many milliseconds. */
  latency(ms: number): void;
  /** Switches deliveries. HTTP needs a request URL, given here or before. */
  delivery(mode: 'socket' | 'http', requestUrl?: string): void;
  /** Sends `url_verification` to the request URL; throws when the challenge does not come back. */
  verifyRequestUrl(): Promise<void>;
  redeliver(eventId: string, reason?: string): Promise<void>;
  /** Resolves when every event so far is acknowledged or given up. */
  eventsSettled(): Promise<void>;
  sockets: Pick<SocketMode, 'count' | 'opened' | 'requestReconnect' | 'cut' | 'sendRaw'>;
  /** Makes every trigger id issued so far too old. */
  expireTriggers(): void;
  /** Makes every response URL issued so far too old. */
  expireResponseUrls(): void;
  /** Ends every open stream, as Slack does after some minutes. */
  expireStreams(): void;
  /** Adds a channel; members default to everybody, the bot included. */
  addChannel(given: { name: string; private?: boolean; members?: string[] }): Channel;
  /** Adds a person with a DM to the bot, a guest of the workspace, or somebody of another one who is then in #demo. */
  addPerson(given: { name: string; real_name: string } & Pick<User, 'guest' | 'team'>): User;
  /** Mistakes of the emulator itself (each was answered with HTTP 500). */
  errors: readonly unknown[];
}

export function createControls(deps: {
  core: Core;
  faults: Faults;
  deliveries: Deliveries;
  socketMode: SocketMode;
  http: HttpDelivery;
  errors: unknown[];
}): Controls {
  const { core, faults, deliveries, socketMode } = deps;
  const { state } = core;
  const set = (patch: Partial<Settings>) => {
    Object.assign(core.settings, patch);
    state.emit({ type: 'settings' });
  };
  return {
    failNext: faults.failNext,
    hold: faults.hold,
    delay: faults.delay,
    rateLimiting: (on) => set({ rateLimiting: on }),
    mentionOrder: (order) => set({ mentionOrder: order }),
    latency: (ms) => set({ latencyMs: ms }),
    delivery(mode, requestUrl) {
      const url = requestUrl ?? core.settings.requestUrl;
      if (mode === 'http' && url === undefined) throw new Error('HTTP delivery needs a request URL');
      set({ delivery: mode, requestUrl: url });
      state.emit({ type: 'app' });
    },
    verifyRequestUrl: () => deps.http.verifyUrl(),
    redeliver: (eventId, reason) => deliveries.redeliver(eventId, reason),
    eventsSettled: () => deliveries.idle(),
    sockets: {
      count: () => socketMode.count(),
      opened: () => socketMode.opened(),
      requestReconnect: (reason) => socketMode.requestReconnect(reason),
      cut: () => socketMode.cut(),
      sendRaw: (frame: Json) => socketMode.sendRaw(frame),
    },
    expireTriggers: () => core.triggers.expireAll(),
    expireResponseUrls() {
      for (const hook of state.hooks.values()) state.hooks.put({ ...hook, expires_at: core.now() - 1 });
    },
    expireStreams() {
      for (const channel of state.channels.values()) {
        for (const message of state.messagesOf(channel.id)) endExpired(core, message);
      }
    },
    addChannel({ name, private: isPrivate, members }) {
      const channel: Channel = {
        id: newId('C'),
        name,
        kind: isPrivate ? 'private' : 'public',
        topic: '',
        purpose: '',
        created: Math.floor(core.now() / 1000),
        creator: members?.[0] ?? BOT_USER,
        members: members ?? [...state.users.keys()],
      };
      state.channels.put(channel);
      state.emit({ type: 'channel', channel });
      return channel;
    },
    addPerson({ name, real_name, guest, team }) {
      const id = newId('U');
      const user: User = {
        id,
        name,
        real_name,
        display_name: real_name.split(' ')[0] ?? real_name,
        email: `${name}@example.com`,
        title: '',
        color: '#555555',
        tz: 'Etc/UTC',
        is_bot: false,
        ...(guest === undefined ? {} : { guest }),
        ...(team === undefined ? {} : { team }),
      };
      state.users.set(id, user);
      const demo = state.channels.get('C00000DEMO');
      if (demo && (guest !== undefined || team !== undefined)) state.channels.put({ ...demo, members: [...demo.members, id] });
      state.channels.put(dmChannel(user));
      state.emit({ type: 'reset' });
      return user;
    },
    errors: deps.errors,
  };
}
