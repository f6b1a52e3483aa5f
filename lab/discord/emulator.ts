import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createCalls } from '../calls.ts';
import { createFaults } from '../faults.ts';
import { createAsks } from './asks.ts';
import type { ApiCall } from './calls.ts';
import { type Controls, createControls } from './controls.ts';
import { type Core, type Credentials, DISCORD_TIMING, type Timing } from './core.ts';
import { createPerson, type Person } from './driver.ts';
import type { Faults } from './faults.ts';
import { PRIVILEGED } from './flags.ts';
import { createGateway } from './gateway.ts';
import { createHttpDelivery } from './http-delivery.ts';
import { secret } from './ids.ts';
import { bitsOf, LEAST_BOT_PERMISSIONS, type PermissionName } from './permissions.ts';
import { createRest } from './rest.ts';
import { seedRoles } from './roles.ts';
import { channelRoutes } from './routes-channels.ts';
import { commandRoutes } from './routes-commands.ts';
import { interactionRoutes } from './routes-interactions.ts';
import { messageRoutes } from './routes-messages.ts';
import { readRoutes } from './routes-reads.ts';
import { APPLICATION_ID, BOT_USER, GUILD } from './seed.ts';
import { startServer } from './server.ts';
import { createState } from './state.ts';
import { archiveIdle } from './threads.ts';

export interface DiscordEmulatorOptions {
  /** Default `127.0.0.1`. */
  host?: string;
  /** Default: any free port. */
  port?: number;
  /** Directory that keeps the guild across restarts. Without it everything lives in memory. */
  persistPath?: string;
  /** The name of the bot. Default `Deckhand`. */
  botName?: string;
  /** What the bot's role may do, by name or as Discord's bit set. Default: the least that a bot needs which answers in threads. */
  botPermissions?: readonly PermissionName[] | bigint;
  /** A fixed bot token, and a fixed Ed25519 private key (PEM); fresh ones otherwise. */
  credentials?: { token?: string; privateKey?: string };
  /** Answer 429 as the published limits say. Default false: over-limit calls are only recorded (`overLimit()`). */
  rateLimiting?: boolean;
  /** Deadlines and waits; Discord's own by default. */
  timing?: Partial<Timing>;
  /** Milliseconds since 1970; the system clock by default. */
  now?: () => number;
  /** How many calls `calls` keeps. Default 10,000; a lab that runs for days needs few. */
  keepCalls?: number;
}

/** A running guild with one installed application. */
export interface DiscordEmulator {
  url: string;
  /** What SDKs take as the base of REST: `http://127.0.0.1:port/api`. Requests go to `{apiUrl}/v10/…`. */
  apiUrl: string;
  token: string;
  applicationId: string;
  /** Hex, as the developer portal shows it. */
  publicKey: string;
  guildId: string;
  botUserId: string;
  /** Act and wait as Ada, Ben or Gus (`ada`, `ben`, `gus`, or a user id). */
  person(name: string): Person;
  /** The id of a text channel of the guild: `demo`, `general`, `ops`. */
  channelId(name: string): string;
  controls: Controls;
  /** Every REST call so far, oldest first. */
  calls: ApiCall[];
  /** By operation of the OpenAPI document: `create_message`, `update_message`, `create_interaction_response` … */
  callsOf(method: string): ApiCall[];
  /** Calls over the limits, whether or not limiting is on. Calls refused with 429 do not count. */
  overLimit(): ApiCall[];
  /** For the lab's HTTP routes. */
  core: Core;
  /** Forgets messages, threads, files, forms and recorded calls, and clears faults. */
  reset(): void;
  close(): Promise<void>;
}

const IDLE_CHECK_MS = 60_000;
const TEN_MINUTES = 600_000;

export async function createDiscordEmulator(options: DiscordEmulatorOptions = {}): Promise<DiscordEmulator> {
  const now = options.now ?? Date.now;
  const timing: Timing = { ...DISCORD_TIMING, ...options.timing };
  const credentials = newCredentials(options.credentials);
  const rights = options.botPermissions ?? LEAST_BOT_PERMISSIONS;
  const roles = seedRoles(typeof rights === 'bigint' ? rights : bitsOf(rights));
  const state = createState({ persistPath: options.persistPath, botName: options.botName ?? 'Deckhand', roles, now });
  const calls = createCalls<ApiCall>(options.keepCalls ?? 10_000);
  const faults: Faults = createFaults();
  const errors: unknown[] = [];

  const core: Core = {
    state,
    settings: {
      rateLimiting: options.rateLimiting ?? false,
      interactionsUrl: undefined,
      latencyMs: 0,
      community: false,
      outage: false,
      grantedIntents: PRIVILEGED,
    },
    timing,
    credentials,
    baseUrl: '',
    commandCreates: new Map(),
    now,
    dispatch: (event) => gateway.dispatch(event),
    ask: (interaction, payload) => asks.ask(interaction, payload),
    answered: (id, answer) => asks.answered(id, answer),
  };
  const gateway = createGateway(core);
  const http = createHttpDelivery(core);
  const asks = createAsks(core, gateway, http);
  const starts = { remaining: () => Math.max(0, 1_000 - gateway.stats.identified), resetAfterMs: () => 86_400_000 };
  const routes = [...messageRoutes, ...channelRoutes, ...readRoutes(starts), ...commandRoutes, ...interactionRoutes];
  const rest = createRest({ core, calls, faults, routes });
  const server = await startServer({
    core,
    rest,
    gateway,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    onError: (error) => errors.push(error),
  });
  const invalidRequests = () =>
    calls.list.filter(({ status, at }) => [401, 403, 429].includes(status) && at > now() - TEN_MINUTES).length;
  const controls = createControls({ core, faults, gateway, http, rest, invalidRequests, errors });
  const idle = setInterval(() => archiveIdle(core), IDLE_CHECK_MS);
  idle.unref();

  return {
    url: core.baseUrl,
    apiUrl: `${core.baseUrl}/api`,
    token: credentials.token,
    applicationId: APPLICATION_ID,
    publicKey: credentials.publicKey,
    guildId: GUILD.id,
    botUserId: BOT_USER,
    person: (name) => createPerson(core, name),
    channelId(name) {
      const channel = state.channels.values().find((entry) => entry.kind === 'text' && entry.name === name.replace(/^#/, ''));
      if (!channel) throw new Error(`there is no channel ${name}`);
      return channel.id;
    },
    controls,
    calls: calls.list,
    callsOf: (method) => calls.of(method),
    overLimit: () => calls.list.filter((call) => call.over !== undefined && call.status !== 429),
    core,
    reset() {
      faults.clear();
      calls.clear();
      rest.clearLimits();
      core.commandCreates.clear();
      state.reset();
    },
    async close() {
      clearInterval(idle);
      asks.close();
      await server.close();
      state.close();
    },
  };
}

/** The raw public key is the last 32 bytes of its DER form. */
function newCredentials(given: DiscordEmulatorOptions['credentials'] = {}): Credentials {
  const privateKey: KeyObject =
    given.privateKey === undefined ? generateKeyPairSync('ed25519').privateKey : createPrivateKey(given.privateKey);
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
  const token = given.token ?? `${Buffer.from(APPLICATION_ID).toString('base64url')}.${secret(4)}.${secret(28)}`;
  return { token, publicKey, privateKey };
}
