import { createCalls } from '../calls.ts';
import { createFaults } from '../faults.ts';
import type { ApiCall } from './calls.ts';
import { type Controls, createControls } from './controls.ts';
import { type Core, type Credentials, type Settings, SLACK_TIMING, type Timing } from './core.ts';
import { createDeliveries, type Delivery } from './deliveries.ts';
import { createPerson, type Person } from './driver.ts';
import type { Faults } from './faults.ts';
import { createHttpDelivery } from './http-delivery.ts';
import { defaultManifest, parseManifest } from './manifest.ts';
import { methods } from './methods.ts';
import { endWhenExpired } from './methods-stream.ts';
import { overLimit } from './rate-limits.ts';
import { APP_ID, BOT_ID, BOT_USER, botUser, TEAM } from './seed.ts';
import { startServer } from './server.ts';
import { createSocketMode } from './socket-mode.ts';
import { createState, newCredentials } from './state.ts';
import { createTriggers } from './triggers.ts';
import { createWebApi } from './web-api.ts';

export interface SlackEmulatorOptions {
  /** Default `127.0.0.1`. */
  host?: string;
  /** Default: any free port. */
  port?: number;
  /** Directory that keeps the workspace across restarts. Without it everything lives in memory. */
  persistPath?: string;
  /** The installed app manifest, as JSON. Default: the least a chat-ops bot needs. */
  manifest?: unknown;
  /** Fixed tokens and secret; fresh ones otherwise. */
  credentials?: Partial<Credentials>;
  /** How deliveries reach the app. Default: Socket Mode. With a `requestUrl` HTTP can be switched on later too. */
  delivery?: { mode: 'socket' | 'http'; requestUrl?: string };
  /** Answer 429 as the published tiers say. Default false: over-limit calls are only recorded (`overLimit()`). */
  rateLimiting?: boolean;
  mentionOrder?: Settings['mentionOrder'];
  /** Deadlines and waits; Slack's own by default. */
  timing?: Partial<Timing>;
  /** Milliseconds since 1970; the system clock by default. */
  now?: () => number;
  /** How many calls `calls`, and how many deliveries `deliveries` keeps. Default 10,000; a lab that runs for days needs few. */
  keepCalls?: number;
}

/** A running Slack workspace with one installed app. */
export interface SlackEmulator {
  /** `http://127.0.0.1:port`; the Web API lies below `apiUrl`, which is what SDKs take as `slackApiUrl`. */
  url: string;
  apiUrl: string;
  credentials: Credentials;
  teamId: string;
  appId: string;
  botUserId: string;
  botId: string;
  /** Act and wait as Ada, Ben or Gus (`ada`, `ben`, `gus`, or a user id). */
  person(name: string): Person;
  controls: Controls;
  /** Every Web API call so far, oldest first. */
  calls: ApiCall[];
  callsOf(method: string): ApiCall[];
  /** Calls over the published limits, whether or not limiting is on. */
  overLimit(): ApiCall[];
  /** Every delivery to the app so far, oldest first. */
  deliveries: Delivery[];
  /** Replaces the installed manifest. Throws when Slack would refuse it. */
  install(manifest: unknown): void;
  /** For the lab's HTTP routes. */
  core: Core;
  /** Forgets messages, files, views and recorded calls, and clears faults. */
  reset(): void;
  close(): Promise<void>;
}

export async function createSlackEmulator(options: SlackEmulatorOptions = {}): Promise<SlackEmulator> {
  const now = options.now ?? Date.now;
  const timing: Timing = { ...SLACK_TIMING, ...options.timing };
  const manifest = parseManifest(options.manifest ?? defaultManifest);
  const credentials: Credentials = { ...newCredentials(), ...options.credentials };
  const state = createState({ persistPath: options.persistPath, botName: manifest.features.bot_user.display_name, now });
  const keep = options.keepCalls ?? 10_000;
  const calls = createCalls<ApiCall>(keep);
  const faults: Faults = createFaults();
  const errors: unknown[] = [];
  let closed = false;

  const core: Core = {
    state,
    manifest,
    credentials,
    timing,
    settings: {
      rateLimiting: options.rateLimiting ?? false,
      delivery: options.delivery?.mode ?? 'socket',
      requestUrl: options.delivery?.requestUrl,
      mentionOrder: options.mentionOrder ?? 'app_mention_first',
      latencyMs: 0,
    },
    triggers: createTriggers(timing.trigger, now),
    baseUrl: '',
    now,
    publish: (event) => {
      if (!closed) deliveries.publish(event);
    },
    request: (kind, payload) => deliveries.request(kind, payload),
  };

  const socketMode = createSocketMode({
    baseUrl: () => core.baseUrl,
    ackMs: timing.ack,
    now,
    onConnectionChange: () => state.emit({ type: 'app' }),
  });
  const http = createHttpDelivery({
    url: () => core.settings.requestUrl,
    signingSecret: credentials.signingSecret,
    ackMs: timing.ack,
    now,
  });
  const deliveries = createDeliveries(core, () => (core.settings.delivery === 'http' ? http : socketMode), keep);
  const webApi = createWebApi({ core, calls, faults, openSocketUrl: () => socketMode.openUrl() });
  const server = await startServer({
    core,
    webApi,
    socketMode,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    onError: (error) => errors.push(error),
  });
  const controls = createControls({ core, faults, deliveries, socketMode, http, errors });

  for (const channel of state.channels.values()) {
    for (const message of state.messagesOf(channel.id)) {
      if (message.stream?.state === 'in_progress') endWhenExpired(core, message, message.stream);
    }
  }
  deliveries.resume();

  const tierOf = (method: string) => methods.get(method)?.tier;
  return {
    url: core.baseUrl,
    apiUrl: `${core.baseUrl}/api/`,
    credentials,
    teamId: TEAM.id,
    appId: APP_ID,
    botUserId: BOT_USER,
    botId: BOT_ID,
    person: (name) => createPerson(core, name),
    controls,
    calls: calls.list,
    callsOf: (method) => calls.of(method),
    overLimit: () => overLimit(calls.list, tierOf),
    deliveries: deliveries.log,
    install(next) {
      core.manifest = parseManifest(next);
      state.users.set(BOT_USER, botUser(core.manifest.features.bot_user.display_name));
      state.emit({ type: 'app' });
    },
    core,
    reset() {
      faults.clear();
      calls.clear();
      deliveries.log.length = 0;
      state.reset();
    },
    async close() {
      closed = true;
      deliveries.close();
      await server.close();
      state.close();
    },
  };
}
