import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { GatewayIntentBits } from 'discord-api-types/v10';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { createGateway } from '../../adapters/discord/gateway.ts';
import { createRest } from '../../adapters/discord/rest.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { type DiscordOptions, type DiscordSetup, discordForTest, ofType } from '../support/discord-adapter.ts';
import { createLeases } from '../support/telegram-adapter.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

const start = (options: DiscordOptions = {}) => discordForTest(options);

const textsOf = (setup: DiscordSetup) => ofType(setup, 'message').map(({ text }) => text);

async function heard(setup: DiscordSetup, ...texts: string[]): Promise<void> {
  await eventually(() => expect(textsOf(setup)).toEqual(texts));
}

describe('the connection to the gateway', () => {
  it('resumes after a cut with nothing lost and nothing to look up', async () => {
    const setup = await start();
    const { discord } = setup;
    const ada = discord.person('ada');
    ada.mention('#demo', 'before');
    await heard(setup, 'before');
    discord.controls.gateway.cut();
    ada.mention('#demo', 'meanwhile');
    await heard(setup, 'before', 'meanwhile');
    expect(discord.controls.gateway.stats).toMatchObject({ identified: 1, resumed: 1 });
    expect(setup.gaps()).toBe(1);
  });

  it.each<[string, (setup: DiscordSetup) => void]>([
    ['asks for it', ({ discord }) => discord.controls.gateway.requestReconnect()],
    ['closes it with a code that allows it', ({ discord }) => discord.controls.gateway.closeSockets(4000)],
  ])('resumes when Discord %s', async (_, disturb) => {
    const setup = await start();
    disturb(setup);
    await waitFor('the session to be resumed', () => setup.discord.controls.gateway.stats.resumed === 1);
    setup.discord.person('ada').mention('#demo', 'after');
    await heard(setup, 'after');
    expect(setup.gaps()).toBe(1);
  });

  it('resumes when heartbeats are not answered any more', async () => {
    const setup = await start({ timing: { heartbeat: 300 } });
    const { gateway } = setup.discord.controls;
    gateway.ackHeartbeats(false);
    await waitFor('the session to be resumed', () => gateway.stats.resumed > 0);
    gateway.ackHeartbeats(true);
    setup.discord.person('ada').mention('#demo', 'after');
    await heard(setup, 'after');
    expect(gateway.stats.identified).toBe(1);
  });

  it('keeps its session while Discord cannot be reached, and resumes it', async () => {
    const setup = await start();
    const { discord, adapter } = setup;
    discord.controls.outage(true);
    await eventually(async () => expect(await adapter.health()).toMatchObject({ ok: false }));
    discord.person('ada').mention('#demo', 'meanwhile');
    await waitFor('a refused attempt', () => setup.log.some((line) => line.includes('discord gateway error')));
    discord.controls.outage(false);
    await heard(setup, 'meanwhile');
    expect(discord.controls.gateway.stats).toMatchObject({ identified: 1, resumed: 1 });
    expect(await adapter.health()).toMatchObject({ ok: true });
  });

  it('keeps its session also while the connection is refused', async () => {
    const setup = await start({ started: false });
    const { discord } = setup;
    const relay = await startRelay(Number(new URL(discord.url).port));
    // Where the gateway says that it is.
    discord.core.baseUrl = `http://127.0.0.1:${relay.port}`;
    await setup.adapter.start(setup.inbox.sink);
    await relay.refuse();
    discord.person('ada').mention('#demo', 'meanwhile');
    const closed = () => setup.log.filter((line) => line.includes('discord gateway connection closed')).length;
    await waitFor('the cut and a refused attempt', () => closed() >= 2);
    await relay.accept();
    await heard(setup, 'meanwhile');
    expect(discord.controls.gateway.stats).toMatchObject({ identified: 1, resumed: 1 });
    expect(setup.gaps()).toBe(1);
  });

  it('says that messages may be missing when its session is lost, and looks them up once', async () => {
    const setup = await start();
    const { discord } = setup;
    const since = new Date().toISOString();
    discord.controls.gateway.invalidate(false);
    discord.person('ada').mention('#demo', 'meanwhile');
    await waitFor('the new session', () => setup.gaps() === 2, { timeoutMs: 15_000 });
    await setup.adapter.backfill?.([{ conversation: setup.channel('demo'), since }]);
    await heard(setup, 'meanwhile');
  });

  it('promise 3: what is said after a gap waits until it is kept, then until what was said in the gap is stored', async () => {
    const kept = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    const setup = await start({ started: false, look: () => ({ kept: kept.promise, over: over.promise }) });
    const { discord, adapter } = setup;
    const since = new Date().toISOString();
    const ada = discord.person('ada');
    ada.mention('#demo', 'in the gap');
    ada.mention('#general', 'in the gap too');
    await adapter.start(setup.inbox.sink);
    ada.mention('#demo', 'after it');
    ada.dm('where nobody looks');
    await ada.slash('#demo', '/deckhand tasks');
    await waitFor('the command', () => ofType(setup, 'command').length === 1);
    expect(textsOf(setup)).toEqual([]);
    kept.resolve();
    await adapter.backfill?.([setup.channel('general'), setup.channel('demo')].map((conversation) => ({ conversation, since })));
    ada.mention('#general', 'after that');
    const said = (channel: string | undefined) =>
      ofType(setup, 'message').flatMap(({ conversation, addressed, text }) =>
        (addressed === 'direct' ? undefined : conversation.channel) === channel ? [text] : [],
      );
    await eventually(() =>
      expect([said(discord.channelId('demo')), said(discord.channelId('general')), said(undefined)]).toEqual([
        ['in the gap', 'after it'],
        ['in the gap too', 'after that'],
        ['where nobody looks'],
      ]),
    );
    over.resolve();
  });

  it('tells what is wrong when Discord refuses the token for good', async () => {
    const { discord, adapter } = await start();
    discord.controls.gateway.closeSockets(4004);
    await eventually(async () =>
      expect(await adapter.health()).toMatchObject({ ok: false, detail: expect.stringContaining('refuses the bot token') }),
    );
  });

  it.each<[string, NonNullable<DiscordOptions['config']>, object]>([
    ['a wrong token', { token: 'not.a.token' }, { kind: 'not_permitted' }],
    [
      'the id of another application',
      { applicationId: '1100000000000000999' },
      { kind: 'not_permitted', detail: expect.stringContaining('1100000000000000999') },
    ],
    ['an address where nobody answers', { apiUrl: 'http://127.0.0.1:9/api' }, { kind: 'unreachable' }],
  ])('does not start with %s', async (_, config, failure) => {
    const { adapter } = await start({ started: false, config, startWithinMs: 600 });
    await expect(adapter.start(async () => ({ stored: 0, duplicate: 0 }))).rejects.toMatchObject({ failure });
  });

  it('listens without words that are not for the bot where the intent for them is not granted, and says so', async () => {
    const setup = await start({ started: false });
    const { discord, adapter } = setup;
    discord.controls.grantIntents();
    await adapter.start(setup.inbox.sink);
    const ada = discord.person('ada');
    const asked = ada.mention('#demo', 'heard');
    ada.say(ada.startThread(asked, 'about it').id, 'not heard');
    ada.dm('heard too');
    await eventually(() => expect(textsOf(setup).sort()).toEqual(['heard', 'heard too']));
    expect(await adapter.health()).toMatchObject({ ok: true, remedy: expect.stringContaining('Message Content Intent') });
  });

  it('asks for exactly the intents it needs', async () => {
    const asked = await intentsAskedFor(true);
    expect(asked).toBe(intentBits('Guilds', 'GuildMessages', 'DirectMessages', 'MessageContent'));
    expect(await intentsAskedFor(false)).toBe(intentBits('Guilds', 'GuildMessages', 'DirectMessages'));
  });
});

/** Passes connections on to a port of this machine, or is not there. */
async function startRelay(target: number) {
  const open = new Set<Socket>();
  const server = createTcpServer((socket) => {
    const onward = connect(target, '127.0.0.1');
    for (const one of [socket, onward]) {
      open.add(one);
      one.on('error', () => undefined).on('close', () => open.delete(one));
    }
    socket.pipe(onward).pipe(socket);
  });
  const accept = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const refuse = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of open) socket.destroy();
    await closed;
  };
  await accept(0);
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => void (server.listening && (await refuse())));
  return { port, refuse, accept: () => accept(port) };
}

const intentBits = (...names: (keyof typeof GatewayIntentBits)[]) =>
  names.reduce((bits, name) => bits | GatewayIntentBits[name], 0);

/** What the first frame of the gateway client says, to a server that takes anything. */
async function intentsAskedFor(readsMessages: boolean): Promise<number> {
  const identified = Promise.withResolvers<number>();
  const http = createServer((_, response) => {
    const start = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ url: `ws://127.0.0.1:${port()}`, shards: 1, session_start_limit: start }));
  });
  const sockets = new WebSocketServer({ server: http });
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => {
      const { op, d } = JSON.parse(String(data));
      if (op !== 2) return;
      identified.resolve(d.intents);
      const ready = { session_id: 's', resume_gateway_url: `ws://127.0.0.1:${port()}`, guilds: [] };
      socket.send(JSON.stringify({ op: 0, t: 'READY', s: 1, d: ready }));
    });
    socket.send(JSON.stringify({ op: 10, d: { heartbeat_interval: 45_000 }, s: null, t: null }));
  });
  const port = () => (http.address() as AddressInfo).port;
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const gateway = createGateway({
    rest: createRest({ token: 'a.b.c', apiUrl: `http://127.0.0.1:${port()}/api` }),
    token: 'a.b.c',
    readsMessages,
    logger: createLogger({ level: 'silent' }),
    onDispatch: () => undefined,
    onFresh: () => undefined,
  });
  await gateway.connect(AbortSignal.timeout(5_000));
  await gateway.close();
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
  return await identified.promise;
}

describe('two processes with one bot', () => {
  it('listen one after the other: the second takes over when the first ends, and says that there is a gap', async () => {
    const leases = createLeases();
    const setup = await start({ acquireLease: leases.acquire });
    const { discord, adapter, inbox } = setup;
    const second = setup.another();
    await second.start(inbox.sink);
    expect(await second.health()).toMatchObject({ ok: true, detail: expect.stringContaining('another process listens') });
    expect(discord.controls.gateway.count()).toBe(1);
    // Whoever does not listen may send.
    await second.send(setup.channel('demo'), { fallback: 'from the second', blocks: [] }, 'k1');
    await adapter.stop();
    await waitFor('the second to listen', () => setup.gaps() === 2);
    discord.person('ada').mention('#demo', 'tasks');
    await heard(setup, 'tasks');
    expect(leases.holders).toEqual([`discord:${discord.applicationId}`, `discord:${discord.applicationId}`]);
  });

  it('never listen both: who loses the right lets go at once, and listens again when it is given back', async () => {
    const leases = createLeases();
    const setup = await start({ acquireLease: leases.acquire });
    const { gateway } = setup.discord.controls;
    leases.take();
    await waitFor('a new session', () => setup.gaps() === 2, { timeoutMs: 15_000 });
    expect(gateway.count()).toBe(1);
    setup.discord.person('ada').mention('#demo', 'tasks');
    await heard(setup, 'tasks');
  });
});
