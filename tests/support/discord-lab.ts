import { once } from 'node:events';
import { Client, Events, GatewayIntentBits, Partials } from 'discord.js';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { createDiscordEmulator, type DiscordEmulator, type DiscordEmulatorOptions } from '../../lab/discord/emulator.ts';
import { isRecord, type Json } from '../../lab/slack/json.ts';

/** The Discord emulator with the real SDK, with bare REST calls and with a bare gateway client. Everything started ends with the test. */

/** An emulator for this test alone. Ends with an error when the emulator itself made a mistake. */
export async function startDiscordLab(options: DiscordEmulatorOptions = {}): Promise<DiscordEmulator> {
  const discord = await createDiscordEmulator(options);
  onTestFinished(async () => {
    await discord.close();
    if (discord.controls.errors.length > 0) throw new AggregateError(discord.controls.errors, 'the emulator failed');
  });
  return discord;
}

export interface RestAnswer {
  status: number;
  headers: Headers;
  json: Json;
  /** Where the answer is a list. */
  list: Json[];
}

export interface RestOptions {
  body?: unknown;
  files?: { name: string; content: string | Buffer }[];
  token?: string;
}

/** One REST call with the bot's token, below `/api/v10`. */
export async function rest(discord: DiscordEmulator, verb: string, path: string, options: RestOptions = {}): Promise<RestAnswer> {
  const headers: Record<string, string> = { authorization: `Bot ${options.token ?? discord.token}` };
  let body: FormData | string | undefined;
  if (options.files) {
    const form = new FormData();
    form.set('payload_json', JSON.stringify(options.body ?? {}));
    for (const [n, { name, content }] of options.files.entries())
      form.set(`files[${n}]`, new Blob([new Uint8Array(Buffer.from(content))]), name);
    body = form;
  } else if (options.body !== undefined) {
    headers['content-type'] = 'application/json';
    body = typeof options.body === 'string' ? options.body : JSON.stringify(options.body);
  }
  const response = await fetch(`${discord.apiUrl}/v10${path}`, {
    method: verb,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const parsed: unknown = text === '' ? {} : JSON.parse(text);
  return {
    status: response.status,
    headers: response.headers,
    json: isRecord(parsed) ? parsed : {},
    list: Array.isArray(parsed) ? parsed.filter(isRecord) : [],
  };
}

/** Sends a message as the bot, which must succeed. */
export async function send(discord: DiscordEmulator, channel: string, body: unknown): Promise<Json & { id: string }> {
  const { status, json } = await rest(discord, 'POST', `/channels/${channel}/messages`, { body });
  if (status !== 200) throw new Error(`sending failed: ${JSON.stringify(json)}`);
  return { ...json, id: String(json.id) };
}

/** Every mistake of a 50035 as `path.to.field CODE`. */
export function mistakes({ json }: RestAnswer): string[] {
  const walk = (node: unknown, path: string): string[] => {
    if (!isRecord(node)) return [];
    const own = Array.isArray(node._errors) ? node._errors.filter(isRecord).map((error) => `${path} ${String(error.code)}`) : [];
    return [...own, ...Object.entries(node).flatMap(([key, entry]) => walk(entry, path === '' ? key : `${path}.${key}`))];
  };
  return walk(json.errors, '');
}

/** discord.js, connected, with every intent a chat bot uses. */
export async function startClient(discord: DiscordEmulator, register: (client: Client) => void = () => {}): Promise<Client> {
  const { Guilds, GuildMessages, MessageContent, DirectMessages } = GatewayIntentBits;
  const client = new Client({
    intents: [Guilds, GuildMessages, MessageContent, DirectMessages],
    partials: [Partials.Channel],
    rest: { api: discord.apiUrl, retries: 0 },
  });
  client.on(Events.Error, () => {});
  register(client);
  onTestFinished(() => client.destroy());
  const ready = once(client, Events.ClientReady);
  await client.login(discord.token);
  await ready;
  return client;
}

export interface Frame {
  op: number;
  t?: string | null;
  s?: number | null;
  d?: unknown;
}

export interface GatewayClient {
  socket: WebSocket;
  frames: Frame[];
  send(frame: unknown): void;
  /** The first frame that fits, at once or later. */
  next(fits: (frame: Frame) => boolean): Promise<Frame>;
  event(t: string): Promise<Json>;
  /** The close code. */
  closed: Promise<number>;
}

/** A bare WebSocket on the gateway, which does nothing by itself. */
export async function openGateway(discord: DiscordEmulator, query = '?v=10&encoding=json'): Promise<GatewayClient> {
  const socket = new WebSocket(`${discord.url.replace('http', 'ws')}/${query}`);
  onTestFinished(() => socket.terminate());
  const frames: Frame[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data) => {
    frames.push(JSON.parse(String(data)));
    for (const look of [...waiting]) look();
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  const next = (fits: (frame: Frame) => boolean) =>
    new Promise<Frame>((resolve, reject) => {
      const look = () => {
        const found = frames.find(fits);
        if (!found) return;
        waiting.delete(look);
        clearTimeout(timer);
        resolve(found);
      };
      const timer = setTimeout(
        () => reject(new Error(`no such frame among ${frames.map(({ op, t }) => t ?? op).join(', ')}`)),
        5_000,
      );
      waiting.add(look);
      look();
    });
  await once(socket, 'open');
  return {
    socket,
    frames,
    next,
    closed,
    send: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    async event(t) {
      const { d } = await next((frame) => frame.t === t);
      return isRecord(d) ? d : {};
    },
  };
}

/** GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES and, unless left out, MESSAGE_CONTENT. */
export function identify(discord: DiscordEmulator, more: Json = {}): Json {
  const intents = (1 << 0) | (1 << 9) | (1 << 12) | (1 << 15);
  return { op: 2, d: { token: discord.token, intents, properties: { os: 'linux', browser: 'test', device: 'test' }, ...more } };
}

export const commandOption = (name: string, type: number, more: Json = {}) => ({ name, type, description: name, ...more });
/** `/deckhand` with subcommands of every kind, and a command in the menu of messages. */
export const discordCommands = [
  {
    name: 'deckhand',
    description: 'The bot',
    options: [
      commandOption('sh', 1, {
        options: [
          commandOption('command', 3, { required: true, max_length: 20 }),
          commandOption('how', 3, { choices: [{ name: 'Fast', value: 'f' }] }),
          commandOption('times', 4),
          commandOption('log', 11),
          commandOption('who', 6),
        ],
      }),
      commandOption('find', 1, { options: [commandOption('text', 3, { required: true, autocomplete: true })] }),
      commandOption('project', 2, {
        options: [commandOption('add', 1, { options: [commandOption('name', 3, { required: true })] })],
      }),
    ],
  },
  { name: 'Hand to Deckhand', type: 3 },
];

export async function registerCommands(discord: DiscordEmulator): Promise<void> {
  await rest(discord, 'PUT', `/applications/${discord.applicationId}/commands`, { body: discordCommands });
}
