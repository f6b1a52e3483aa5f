import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { permissionBits } from '../adapters/discord/invite.ts';
import { slackManifest } from '../adapters/slack/manifest.ts';
import { demoFiles } from '../lab/demo-project.ts';
import { createDiscordEmulator, type DiscordEmulator } from '../lab/discord/emulator.ts';
import { discordLabRoutes } from '../lab/discord-routes.ts';
import { createGithubEmulator, type GithubEmulator } from '../lab/github/emulator.ts';
import type { LabRepository } from '../lab/github/repositories.ts';
import { labRoutes } from '../lab/lab-server.ts';
import { createModelServer } from '../lab/model/server.ts';
import type { PersonKey } from '../lab/page-person.ts';
import { labPageRoutes } from '../lab/page-route.ts';
import { createSlackEmulator, type SlackEmulator } from '../lab/slack/emulator.ts';
import { createTelegramEmulator, type TelegramEmulator } from '../lab/telegram/emulator.ts';
import { telegramLabRoutes } from '../lab/telegram-routes.ts';
import type { LabSeed } from './access/first-start.ts';
import type { GithubLoginConfig } from './access/login-server.ts';
import { codeHostHook } from './code-host.ts';
import { complete } from './commands/complete.ts';
import { usageHint } from './commands/registry.ts';
import type { ModelConfig } from './config.ts';
import type { CodeHostConfig } from './config-code-host.ts';
import type { PlatformConfigs } from './config-platforms.ts';
import type { Platform } from './contracts/platform.ts';
import type { RouteGroup } from './http/server.ts';

/** The stand-in for platforms when none is configured. */
export interface Lab {
  platforms: PlatformConfigs;
  routes: RouteGroup;
  seeds: readonly LabSeed[];
  /** Scripted: they answer by rules, and say so. */
  models: { anthropic: ModelConfig; openai: ModelConfig };
  codeHost: CodeHostConfig;
  /** People sign in with the emulated GitHub. */
  githubLogin: GithubLoginConfig;
  /** The program can be reached at this address: its code host tells of news there. */
  reachedAt(url: string): void;
  close(): Promise<void>;
}

interface Emulators {
  slack: SlackEmulator;
  telegram: TelegramEmulator;
  discord: DiscordEmulator;
}

/** How many calls and deliveries an emulator remembers: enough to look at, little memory. */
const keepCalls = 500;

/** Starts the emulators with what they kept from earlier starts, and makes the demo project. */
export async function startLab(dataDir: string): Promise<Lab> {
  const directory = join(dataDir, 'lab');
  await mkdir(directory, { recursive: true });
  const [emulators, model, github] = await Promise.all([
    startEmulators(directory),
    onKnownPort(join(directory, 'model-port'), startModel),
    onKnownPort(join(directory, 'github-port'), (port) =>
      createGithubEmulator({ port, persistPath: join(directory, 'github'), keepCalls }),
    ),
  ]);
  const repository = await demoRepository(github);
  const webhookSecret = randomBytes(24).toString('hex');
  const { slack, telegram, discord } = emulators;
  return {
    platforms: {
      slack: { botToken: slack.credentials.botToken, appToken: slack.credentials.appToken, apiUrl: slack.apiUrl },
      telegram: { token: telegram.token, apiRoot: telegram.apiRoot },
      discord: { token: discord.token, applicationId: discord.applicationId, apiUrl: discord.apiUrl },
    },
    routes: {
      name: 'lab',
      access: 'this machine',
      register: (server) => registerLab(server, emulators, `${github.url}/${repository.fullName}/pulls`),
    },
    seeds: seedsOf(emulators, repository.cloneUrl),
    models: {
      anthropic: { baseUrl: model.anthropicUrl, key: 'scripted' },
      openai: { baseUrl: model.openaiUrl, key: 'scripted' },
    },
    codeHost: { kind: 'github', apiUrl: github.apiUrl, login: { type: 'token', token: tokenOf(github) }, webhookSecret },
    githubLogin: { ...github.oauthApp, apiUrl: github.apiUrl },
    reachedAt: (url) => void repository.hook({ url: `${url}${codeHostHook}`, secret: webhookSecret }),
    close: async () => {
      await Promise.all([slack.close(), telegram.close(), discord.close(), model.close(), github.close()]);
    },
  };
}

async function startEmulators(dir: string): Promise<Emulators> {
  const manifest = slackManifest({ mode: 'socket', usageHint: usageHint() });
  const kept = (platform: Platform) => ({ persistPath: join(dir, platform), keepCalls });
  const [slack, telegram, discord] = await Promise.all([
    onKnownPort(join(dir, 'port'), (port) => createSlackEmulator({ ...kept('slack'), manifest, port })),
    onKnownPort(join(dir, 'telegram-port'), (port) => createTelegramEmulator({ ...kept('telegram'), port })),
    onKnownPort(join(dir, 'discord-port'), (port) =>
      createDiscordEmulator({ ...kept('discord'), botPermissions: permissionBits, port }),
    ),
  ]);
  return { slack, telegram, discord };
}

/** The repository of the demo project, as it was left. Webhooks of earlier starts led to addresses that are gone. */
async function demoRepository(github: GithubEmulator): Promise<LabRepository> {
  const demo = { name: 'demo', files: demoFiles, message: 'Add the basket', private: false };
  const repository = github.repositoryNamed('acme/demo') ?? (await github.repository(demo));
  repository.unhook();
  repository.setRole(account, 'write');
  return repository;
}

/** As whom Deckhand acts at the emulated GitHub: `@deckhand` in an issue asks it. */
const account = 'deckhand';

/** The same token at every start. */
function tokenOf(github: GithubEmulator): string {
  const known = [...github.core.tokens.values()].find(
    ({ login, installation }) => login === account && installation === undefined,
  );
  return known?.token ?? github.token(account);
}

async function startModel(port: number) {
  const model = await createModelServer({ port, paceMs: 20 });
  return { ...model, url: model.anthropicUrl };
}

/** On the port of the last start where it is free, so that addresses the emulator has handed out stay good. */
async function onKnownPort<T extends { url: string }>(file: string, start: (port: number) => Promise<T>): Promise<T> {
  const last = Number(await readFile(file, 'utf8').catch(() => '0'));
  const emulator = await start(last).catch((error: unknown) => {
    if (last !== 0 && error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return start(0);
    throw error;
  });
  await writeFile(file, new URL(emulator.url).port);
  return emulator;
}

function seedsOf({ slack, telegram, discord }: Emulators, url: string): LabSeed[] {
  const project = { name: 'demo', source: { kind: 'git', url } } as const;
  const onSlack = (name: PersonKey) => slack.person(name).id;
  const also = (name: PersonKey) => ({ also: { platform: 'slack', tenant: slack.teamId, user: onSlack(name) } as const });
  const people = (id: (name: PersonKey) => string): LabSeed['people'] => [
    { user: id('ada'), name: 'Ada', role: 'owner', ...also('ada') },
    { user: id('ben'), name: 'Ben', role: 'developer', ...also('ben') },
    { user: id('gus'), name: 'Gus', role: 'guest', ...also('gus') },
  ];
  const demo = (id: string): LabSeed['channel'] => ({ id, name: 'demo', defaultRole: 'developer' });
  return [
    {
      tenant: { platform: 'slack', tenant: slack.teamId, name: 'Deckhand Lab', botUser: slack.botUserId },
      people: people(onSlack),
      project,
      channel: demo(slackChannel(slack, 'demo')),
    },
    {
      tenant: { platform: 'telegram', tenant: String(telegram.botId), name: 'Telegram', botUser: String(telegram.botId) },
      people: people((name) => String(telegram.person(name).id)),
      project,
      channel: demo(String(telegramChat(telegram, 'demo'))),
    },
    {
      tenant: { platform: 'discord', tenant: discord.applicationId, name: 'Discord', botUser: discord.botUserId },
      people: people((name) => discord.person(name).id),
      project,
      channel: demo(discord.channelId('demo')),
    },
  ];
}

/** What a newcomer tries first, in `#demo`. */
const firstSteps = [
  { command: 'sh npm test', hint: 'Asks for approval, then a test fails' },
  { command: 'sh git log --oneline', hint: 'Only reads, so it runs at once' },
  { command: 'sh npm run slow', hint: 'Two minutes of output, to watch and stop' },
  { command: 'run fix the failing test', hint: 'Approve what the agent asks, then press Open PR' },
  { command: 'run agent=claude-code mode=plan fix the failing test', hint: 'Claude Code plans first' },
];
const help = { command: 'help', hint: 'Everything you can say' };

async function registerLab(
  server: Parameters<RouteGroup['register']>[0],
  { slack, telegram, discord }: Emulators,
  github: string,
): Promise<void> {
  const prefixed = (prefix: string) => [...firstSteps, help].map(({ command, hint }) => ({ text: `${prefix}${command}`, hint }));
  const demo = slackChannel(slack, 'demo');
  await server.register(
    labRoutes(slack, {
      complete: ({ text }) => complete(text),
      suggestions: () => prefixed('/deckhand ').map((one) => ({ ...one, channel: demo })),
    }),
  );
  const chat = telegramChat(telegram, 'demo');
  await server.register(telegramLabRoutes(telegram, { suggestions: () => prefixed('/').map((one) => ({ ...one, chat })) }));
  const channel = discord.channelId('demo');
  await server.register(
    discordLabRoutes(discord, { suggestions: () => prefixed('/deckhand ').map((one) => ({ ...one, channel })) }),
  );
  await server.register(labPageRoutes({ github }));
}

function slackChannel(slack: SlackEmulator, name: string): string {
  const channel = [...slack.core.state.channels.values()].find((one) => one.name === name);
  if (channel === undefined) throw new Error(`the lab has no channel #${name}`);
  return channel.id;
}

function telegramChat(telegram: TelegramEmulator, name: string): number {
  const chat = [...telegram.core.state.chats.values()].find((one) => one.name === name);
  if (chat === undefined) throw new Error(`the lab has no Telegram group ${name}`);
  return chat.id;
}
