import { expect, onTestFinished } from 'vitest';
import { createDiscordAdapter, type DiscordConfig } from '../../adapters/discord/adapter.ts';
import { createDiscordEmulator, type DiscordEmulator, type DiscordEmulatorOptions } from '../../lab/discord/emulator.ts';
import type { ChatAdapter, DeliveryFailure, GapLook } from '../../src/contracts/chat-adapter.ts';
import type { CommandMenu, MenuArgument, MenuCommand } from '../../src/contracts/command-menu.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { AcquireLease } from '../../src/contracts/lease.ts';
import type { Conversation, IdentityRef } from '../../src/contracts/platform.ts';
import { plain, type View } from '../../src/contracts/view.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { open, type RecordingSink, recordingSink, seal, serveWebhooks } from './adapter-parts.ts';
import { createLeases } from './telegram-adapter.ts';

/** Both ways interactions can reach the adapter; messages always come through the gateway. */
export const discordModes = ['gateway', 'http'] as const;
export type DiscordMode = (typeof discordModes)[number];

export function argument(name: string, more: Partial<MenuArgument> = {}): MenuArgument {
  return { name, about: `what ${name} is`, required: false, values: [], rest: false, ...more };
}

export function menuCommand(name: string, positional: MenuArgument[] = [], options: MenuArgument[] = []): MenuCommand {
  return { name, part: 'work', summary: `Does ${name}`, positional, options, direct: true };
}

export const discordMenu: CommandMenu = {
  commands: [
    menuCommand('sh', [argument('command', { required: true, rest: true })], [argument('project')]),
    menuCommand('stop', [argument('task')]),
    menuCommand('tasks', [argument('filter', { values: ['mine', 'all'] })]),
    menuCommand('rules'),
    menuCommand('rules revoke', [argument('rule', { required: true })]),
    menuCommand(
      'project add',
      [argument('name', { required: true }), argument('source', { required: true })],
      [argument('branch')],
    ),
    { ...menuCommand('claim', [argument('code', { required: true })]), part: 'people' },
  ],
  complete: async ({ text }) =>
    ['tasks mine', 'tasks all', 'stop #1', 'stop #12', 'project add "the web" x']
      .filter((value) => value.startsWith(text))
      .map((value) => ({ value, hint: `completes ${text}` })),
};

/** What the address of `deckhand discord invite` asks for. */
const invited = [
  'VIEW_CHANNEL',
  'SEND_MESSAGES',
  'CREATE_PUBLIC_THREADS',
  'SEND_MESSAGES_IN_THREADS',
  'ATTACH_FILES',
  'READ_MESSAGE_HISTORY',
  'ADD_REACTIONS',
] as const;

export interface DiscordSetup {
  discord: DiscordEmulator;
  adapter: ChatAdapter;
  inbox: RecordingSink;
  /** Lines of the adapter's log, as JSON. */
  log: string[];
  /** How often the adapter has said that something may not have been heard. */
  gaps(): number;
  /** Where interactions can be posted. */
  interactionsUrl: string;
  /** A second adapter of the same bot, as another process would have it; not started. */
  another(acquireLease?: AcquireLease, menu?: CommandMenu): ChatAdapter;
  channel(name: 'demo' | 'general' | 'ops', thread?: string): Conversation;
  identity(name: 'ada' | 'ben' | 'gus'): IdentityRef;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DiscordOptions extends Pick<DiscordEmulatorOptions, 'timing' | 'rateLimiting' | 'botPermissions'> {
  mode?: DiscordMode;
  /** What becomes of gaps; nobody looks into them unless it is given. */
  look?: () => GapLook;
  started?: boolean;
  now?: () => Date;
  startWithinMs?: number;
  acquireLease?: AcquireLease;
  menu?: CommandMenu;
  config?: Partial<DiscordConfig>;
}

/** The real adapter against the emulator, started unless `started: false`. */
export async function startDiscord(options: DiscordOptions = {}): Promise<DiscordSetup> {
  const { mode = 'gateway', now = () => new Date() } = options;
  const discord = await createDiscordEmulator({
    // Tests that are about the three seconds for a first answer ask for them; others run on busy machines.
    timing: { respond: 10_000, ...options.timing },
    ...(options.rateLimiting === undefined ? {} : { rateLimiting: options.rateLimiting }),
    botPermissions: options.botPermissions ?? invited,
  });
  const log: string[] = [];
  const inbox = recordingSink();
  const made: ChatAdapter[] = [];
  let gaps = 0;

  const make = (acquireLease: AcquireLease, menu = options.menu ?? discordMenu): ChatAdapter => {
    const adapter = createDiscordAdapter(
      { token: discord.token, apiUrl: discord.apiUrl, publicKey: discord.publicKey, ...options.config },
      {
        logger: createLogger({ level: 'trace', destination: { write: (line) => log.push(line) } }),
        clock: { now },
        seal,
        open,
        menu,
        acquireLease,
        startWithinMs: options.startWithinMs ?? 30_000,
        onGap() {
          gaps += 1;
          return options.look?.();
        },
      },
    );
    made.push(adapter);
    return adapter;
  };
  const leases = options.acquireLease ?? createLeases().acquire;
  const adapter = make(leases);
  const server = await serveWebhooks(adapter);
  const interactionsUrl = `${server.url}/discord/interactions`;
  if (options.started !== false) await adapter.start(inbox.sink);
  if (mode === 'http') await discord.controls.interactionsUrl(interactionsUrl);
  return {
    discord,
    adapter,
    inbox,
    log,
    gaps: () => gaps,
    interactionsUrl,
    another: (acquireLease = leases, menu) => make(acquireLease, menu),
    channel: (name, thread) => ({
      platform: 'discord',
      tenant: discord.applicationId,
      channel: discord.channelId(name),
      ...(thread === undefined ? {} : { thread }),
      kind: 'channel',
    }),
    identity: (name) => ({ platform: 'discord', tenant: discord.applicationId, user: discord.person(name).id }),
    async [Symbol.asyncDispose]() {
      await Promise.all(made.map((one) => one.stop()));
      await server.close();
      await discord.close();
    },
  };
}

/** `startDiscord` for one test: ends with it, and fails it when the emulator made a mistake or the log holds a secret. */
export async function discordForTest(options: DiscordOptions = {}): Promise<DiscordSetup> {
  const setup = await startDiscord(options);
  onTestFinished(async () => {
    const { discord, log } = setup;
    const secrets = [discord.token, ...discord.core.state.interactions.values().map(({ token }) => token)];
    await setup[Symbol.asyncDispose]();
    expect(discord.controls.errors).toEqual([]);
    const lines = log.join('');
    expect(secrets.filter((secret) => lines.includes(secret))).toEqual([]);
  });
  return setup;
}

export function ofType<T extends InboundEvent['type']>(
  { inbox }: Pick<DiscordSetup, 'inbox'>,
  type: T,
): Extract<InboundEvent, { type: T }>[] {
  return inbox.events.filter((event): event is Extract<InboundEvent, { type: T }> => event.type === type);
}

export function words(text: string): View {
  return { fallback: text, blocks: [{ type: 'text', spans: [plain(text)] }] };
}

/** A view with a button for each label. `form`: it says that it opens one. */
export function card(...buttons: { label: string; form?: true }[]): View {
  const shown = buttons.map(({ label, form: opens }, at) => ({
    token: `c:${at}`,
    label,
    style: 'default' as const,
    ...(opens === undefined ? {} : { form: opens }),
  }));
  return { fallback: 'card', blocks: [...words('card').blocks, { type: 'buttons', buttons: shown }] };
}

/** What a call fails with; rejects when it does not fail. */
export function failure(work: Promise<unknown>): Promise<DeliveryFailure> {
  return work.then(
    () => Promise.reject(new Error('the call succeeded')),
    (error) => error.failure ?? Promise.reject(error),
  );
}
