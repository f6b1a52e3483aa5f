import { createTelegramAdapter } from '../../adapters/telegram/adapter.ts';
import { createTelegramEmulator, type TelegramEmulator, type TelegramEmulatorOptions } from '../../lab/telegram/emulator.ts';
import type { ChatAdapter } from '../../src/contracts/chat-adapter.ts';
import type { CommandMenu, MenuCommand } from '../../src/contracts/command-menu.ts';
import type { AcquireLease } from '../../src/contracts/lease.ts';
import type { Conversation, IdentityRef } from '../../src/contracts/platform.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { open, type RecordingSink, recordingSink, seal, serveWebhooks } from './adapter-parts.ts';
import { waitFor } from './wait-for.ts';

/** Both ways Telegram can reach the adapter. */
export const telegramModes = ['polling', 'webhook'] as const;
export type TelegramMode = (typeof telegramModes)[number];

export const webhookSecret = 'a-secret_OF-the-webhook';

/** A right that one of several adapters has at a time, as the database gives it. */
export function createLeases(): { acquire: AcquireLease; holders: string[]; take(): void } {
  const waiting: (() => void)[] = [];
  const holders: string[] = [];
  let current: AbortController | undefined;
  const next = () => {
    current = undefined;
    waiting.shift()?.();
  };
  return {
    holders,
    /** The holder loses its right, as with the connection to the database. */
    take: () => current?.abort(),
    async acquire(name, signal) {
      if (current !== undefined) {
        const turn = Promise.withResolvers<void>();
        waiting.push(turn.resolve);
        signal.addEventListener('abort', () => turn.reject(new Error('stopped')), { once: true });
        await turn.promise;
      }
      const own = new AbortController();
      current = own;
      holders.push(name);
      return {
        lost: own.signal,
        term: 1,
        isFresh: () => !own.signal.aborted,
        release: async () => (current === own ? next() : undefined),
      };
    },
  };
}

function command(name: string, summary: string, direct = true): MenuCommand {
  return { name, part: 'work', summary, positional: [], options: [], direct };
}

export const testMenu: CommandMenu = {
  commands: [
    command('help', 'Show what Deckhand can do'),
    command('sh', 'Run a command'),
    command('stop', 'Stop a task'),
    command('tasks', 'List tasks'),
    command('project add', 'Add a project'),
    command('bind', 'Bind this channel to a project', false),
    command('claim', 'Become the owner'),
  ],
  complete: async () => [],
};

export interface TelegramSetup {
  telegram: TelegramEmulator;
  adapter: ChatAdapter;
  inbox: RecordingSink;
  /** Lines of the adapter's log, as JSON. */
  log: string[];
  /** Where webhook mode listens. */
  requestUrl: string;
  /** A second adapter of the same bot, as another process would have it; not started. */
  another(acquireLease: AcquireLease): ChatAdapter;
  /** Resolves when every update so far is confirmed. */
  settled(): Promise<void>;
  chat(name: 'demo' | 'ops' | 'forum', thread?: string): Conversation;
  identity(name: 'ada' | 'ben' | 'gus'): IdentityRef;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface TelegramOptions extends Pick<TelegramEmulatorOptions, 'timing' | 'rateLimiting' | 'privacyMode'> {
  mode: TelegramMode;
  started?: boolean;
  now?: () => Date;
  startWithinMs?: number;
  acquireLease?: AcquireLease;
  menu?: CommandMenu;
  /** Instead of the emulator's. */
  apiRoot?: string;
}

/** The real adapter against the emulator, started unless `started: false`. Webhook retries come at once unless `timing` says otherwise. */
export async function startTelegram(options: TelegramOptions): Promise<TelegramSetup> {
  const { mode, now = () => new Date() } = options;
  const telegram = await createTelegramEmulator({
    timing: { retryDelays: [0, 20, 20], ...options.timing },
    ...(options.rateLimiting === undefined ? {} : { rateLimiting: options.rateLimiting }),
    ...(options.privacyMode === undefined ? {} : { privacyMode: options.privacyMode }),
  });
  const log: string[] = [];
  const inbox = recordingSink();
  const made: ChatAdapter[] = [];
  const hooks: ChatAdapter['webhooks'][number][] = [];
  const server = await serveWebhooks({ webhooks: hooks });

  const make = (acquireLease: AcquireLease): ChatAdapter => {
    const adapter = createTelegramAdapter(
      {
        token: telegram.token,
        apiRoot: options.apiRoot ?? telegram.apiRoot,
        ...(mode === 'polling' ? {} : { webhook: { secret: webhookSecret, publicUrl: server.url } }),
      },
      {
        logger: createLogger({ level: 'debug', destination: { write: (line) => log.push(line) } }),
        clock: { now },
        seal,
        open,
        menu: options.menu ?? testMenu,
        acquireLease,
        startWithinMs: options.startWithinMs,
      },
    );
    made.push(adapter);
    return adapter;
  };
  const adapter = make(options.acquireLease ?? createLeases().acquire);
  hooks.push(...adapter.webhooks);
  if (options.started !== false) await adapter.start(inbox.sink);
  const tenant = String(telegram.botId);
  return {
    telegram,
    adapter,
    inbox,
    log,
    requestUrl: `${server.url}/telegram/webhook`,
    another: make,
    async settled() {
      await waitFor('every update to be confirmed', () => telegram.core.updates.pending().length === 0);
    },
    chat: (name, thread) => ({
      platform: 'telegram',
      tenant,
      channel: String(telegram.person('ada').chat(name).id),
      ...(thread === undefined ? {} : { thread }),
      kind: 'channel',
    }),
    identity: (name) => ({ platform: 'telegram', tenant, user: String(telegram.person(name).id) }),
    async [Symbol.asyncDispose]() {
      await Promise.all(made.map((one) => one.stop()));
      await server.close();
      await telegram.close();
    },
  };
}
