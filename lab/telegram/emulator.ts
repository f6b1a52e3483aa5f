import { createCalls } from '../calls.ts';
import { createFaults } from '../faults.ts';
import type { ApiCall } from '../slack/calls.ts';
import type { Faults } from '../slack/faults.ts';
import { createBotApi } from './bot-api.ts';
import { type Controls, createControls } from './controls.ts';
import { type Core, TELEGRAM_TIMING, type Timing } from './core.ts';
import { createDrafts } from './drafts.ts';
import { createPerson, type Person } from './driver.ts';
import { newToken } from './ids.ts';
import { overLimit } from './rate-limits.ts';
import { BOT_ID, botUser } from './seed.ts';
import { startServer } from './server.ts';
import { createState } from './state.ts';
import { createUpdates } from './updates.ts';
import { createWebhookSender, type WebhookDelivery } from './webhook.ts';

export interface TelegramEmulatorOptions {
  /** Default `127.0.0.1`. */
  host?: string;
  /** Default: any free port. */
  port?: number;
  /** Directory that keeps chats and updates across restarts. Without it everything lives in memory. */
  persistPath?: string;
  /** A fixed token; a fresh one otherwise. */
  token?: string;
  /** Default `deckhand_lab_bot`. */
  botUsername?: string;
  /** Default `Deckhand`. */
  botName?: string;
  /** Answer 429 as the published limits say. Default false: over-limit calls are only recorded (`overLimit()`). */
  rateLimiting?: boolean;
  /** BotFather's privacy mode. Default true, as for every new bot. */
  privacyMode?: boolean;
  /** Deadlines and waits; Telegram's own by default. */
  timing?: Partial<Timing>;
  /** Milliseconds since 1970; the system clock by default. */
  now?: () => number;
  /** How many calls `calls`, and how many webhook deliveries `deliveries` keeps. Default 10,000. */
  keepCalls?: number;
}

/** A running Bot API server with one bot, three people and their chats. */
export interface TelegramEmulator {
  /** `http://127.0.0.1:port` */
  url: string;
  /** What SDKs take as API root (grammY: `client.apiRoot`); the same as `url`. */
  apiRoot: string;
  token: string;
  botId: number;
  botUsername: string;
  /** Act and wait as Ada, Ben or Gus (`ada`, `ben`, `gus`, or a user id). */
  person(name: string | number): Person;
  controls: Controls;
  /** Every Bot API call so far, oldest first. */
  calls: ApiCall[];
  callsOf(method: string): ApiCall[];
  /** Calls over the published limits, whether or not limiting is on. */
  overLimit(): ApiCall[];
  /** Every delivery to the webhook so far, oldest first. */
  deliveries: WebhookDelivery[];
  /** For the lab's HTTP routes. */
  core: Core;
  /** Forgets messages, files, updates, webhook and recorded calls, and clears faults. */
  reset(): void;
  close(): Promise<void>;
}

export async function createTelegramEmulator(options: TelegramEmulatorOptions = {}): Promise<TelegramEmulator> {
  const now = options.now ?? Date.now;
  const timing: Timing = { ...TELEGRAM_TIMING, ...options.timing };
  const botUsername = options.botUsername ?? 'deckhand_lab_bot';
  const bot = botUser(botUsername, options.botName ?? 'Deckhand');
  const state = createState({ persistPath: options.persistPath, bot });
  const keep = options.keepCalls ?? 10_000;
  const calls = createCalls<ApiCall>(keep);
  const faults: Faults = createFaults();
  const errors: unknown[] = [];
  const token = options.token ?? newToken(BOT_ID);

  const base: Omit<Core, 'webhook'> = {
    state,
    settings: { rateLimiting: options.rateLimiting ?? false, privacyMode: options.privacyMode ?? true, latencyMs: 0 },
    timing,
    token,
    bot,
    updates: createUpdates(state, now),
    drafts: createDrafts(state, timing.draft),
    baseUrl: '',
    now,
    date: () => Math.floor(now() / 1000),
  };
  const core: Core = Object.assign(base, {
    webhook: createWebhookSender(base, { keep, perform: (method, args) => botApi.perform(method, args) }),
  });
  const botApi = createBotApi({ core, calls, faults });
  core.updates.onPublish(() => core.webhook.kick());
  const server = await startServer({
    core,
    botApi,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    onError: (error) => errors.push(error),
  });
  const controls = createControls({ core, faults, errors });
  core.webhook.kick();

  return {
    url: core.baseUrl,
    apiRoot: core.baseUrl,
    token,
    botId: bot.id,
    botUsername,
    person: (name) => createPerson(core, name),
    controls,
    calls: calls.list,
    callsOf: (method) => calls.of(method),
    overLimit: () => overLimit(calls.list),
    deliveries: core.webhook.log,
    core,
    reset() {
      faults.clear();
      calls.clear();
      core.drafts.clear();
      state.reset();
      core.webhook.kick();
      core.webhook.log.length = 0;
    },
    async close() {
      core.webhook.close();
      core.drafts.close();
      core.updates.close();
      await server.close();
      state.close();
    },
  };
}
