import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { createSlackSocket } from '../../adapters/slack/socket.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { type SlackSetup, startSlack } from '../support/slack-adapter.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

let running: SlackSetup | undefined;

afterEach(async () => {
  await running?.[Symbol.asyncDispose]();
  running = undefined;
});

async function start(options: Partial<Parameters<typeof startSlack>[0]> = {}): Promise<SlackSetup> {
  running = await startSlack({ mode: 'socket', ...options });
  return running;
}

describe('the Slack socket', () => {
  it.each(['warning', 'refresh_requested'] as const)('is replaced without a gap when Slack asks for it (%s)', async (reason) => {
    const { slack, inbox, adapter } = await start();
    const ada = slack.person('ada');
    const reopening = slack.controls.hold('apps.connections.open');
    slack.controls.sockets.requestReconnect(reason);
    await reopening.reached;
    // The old connection still serves while the new one is being opened.
    expect(await adapter.health()).toMatchObject({ ok: true });
    await ada.slash('#demo', '/deckhand one');
    reopening.release();
    await waitFor(
      'the new connection',
      () => slack.controls.sockets.count() === 2 || slack.callsOf('apps.connections.open').length === 2,
    );
    await ada.slash('#demo', '/deckhand two');
    await eventually(() => expect(slack.controls.sockets.count()).toBe(1));
    await ada.slash('#demo', '/deckhand three');
    expect(inbox.events.map((event) => 'text' in event && event.text)).toEqual(['one', 'two', 'three']);
    expect(slack.callsOf('apps.connections.open')).toHaveLength(2);
  });

  it('promise 1: what was in flight on a replaced connection is acknowledged on it', async () => {
    const { slack, inbox } = await start();
    const held = inbox.hold();
    const command = slack.person('ada').slash('#demo', '/deckhand tasks');
    await waitFor('the event to be offered', () => inbox.offered.length === 1);
    slack.controls.sockets.requestReconnect('refresh_requested');
    await waitFor('the second connection', () => slack.callsOf('apps.connections.open').length === 2);
    held.release();
    await command;
    expect(inbox.events).toHaveLength(1);
  });

  it('promise 2: an event stored while its connection was cut comes again and is a duplicate', async () => {
    const { slack, inbox } = await start();
    const held = inbox.hold();
    slack.person('ada').dm('sh make');
    await waitFor('the event to be offered', () => inbox.offered.length === 1);
    slack.controls.sockets.cut();
    held.release();
    await slack.controls.eventsSettled();
    expect(inbox.offered).toHaveLength(2);
    expect(inbox.events).toHaveLength(1);
  });

  it('comes back after a cut connection, and takes what was said meanwhile', async () => {
    const { slack, inbox, adapter } = await start();
    slack.controls.failNext('apps.connections.open', { error: 'internal_error' });
    slack.controls.sockets.cut();
    await eventually(async () =>
      expect(await adapter.health()).toMatchObject({ ok: false, detail: expect.stringContaining('socket is not connected') }),
    );
    slack.person('ada').dm('sh make');
    await slack.controls.eventsSettled();
    expect(inbox.events).toMatchObject([{ text: 'sh make' }]);
    expect(await adapter.health()).toMatchObject({ ok: true });
  });

  it.each(['invalid_auth', 'account_inactive'])(
    'does not give up when Slack refuses the app token for a while (%s)',
    async (error) => {
      const { slack, adapter } = await start();
      slack.controls.failNext('apps.connections.open', { error });
      slack.controls.sockets.cut();
      await eventually(async () =>
        expect(await adapter.health()).toMatchObject({ ok: false, remedy: expect.stringContaining('SLACK_APP_TOKEN') }),
      );
      await eventually(() => expect(slack.controls.sockets.count()).toBe(1));
    },
  );

  it('waits as long as Slack says when it opens connections too often', async () => {
    const { slack } = await start();
    slack.controls.failNext('apps.connections.open', { status: 429, retryAfter: 2 });
    slack.controls.sockets.cut();
    await waitFor('the third attempt', () => slack.callsOf('apps.connections.open').length === 3);
    const [, refused, accepted] = slack.callsOf('apps.connections.open');
    expect((accepted?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(2000);
  });

  it.each([
    [
      'the rate limit notice',
      { envelope_id: 'e1', type: 'events_api', payload: { type: 'app_rate_limited', team_id: 'T00DECKLAB' } },
    ],
    ['an event of no payload', { envelope_id: 'e2', type: 'events_api', payload: null }],
    ['an unknown frame', { type: 'something_new' }],
    ['a frame without a type', {}],
    [
      'an event whose event is a text',
      { envelope_id: 'e3', type: 'events_api', payload: { type: 'event_callback', event: 'x' } },
    ],
    ['an interaction without a body', { envelope_id: 'e4', type: 'interactive' }],
  ])('survives %s', async (_, frame) => {
    const { slack, inbox, adapter } = await start();
    slack.controls.sockets.sendRaw(frame);
    await slack.person('ada').slash('#demo', '/deckhand tasks');
    expect(inbox.events).toHaveLength(1);
    expect(await adapter.health()).toMatchObject({ ok: true });
    expect(slack.callsOf('apps.connections.open')).toHaveLength(1);
  });

  it('does not spin when Slack ends every connection at once', async () => {
    const { slack } = await start();
    const opened = () => slack.callsOf('apps.connections.open');
    slack.controls.sockets.requestReconnect('link_disabled');
    await waitFor(
      'the first replacement, which comes at once',
      // The one before closes in its own time.
      () => slack.controls.sockets.opened() === 2 && slack.controls.sockets.count() === 1,
    );
    slack.controls.sockets.requestReconnect('link_disabled');
    await waitFor('the second replacement', () => opened().length === 3);
    const [, second, third] = opened();
    expect((third?.at ?? 0) - (second?.at ?? 0)).toBeGreaterThanOrEqual(1900);
  });

  it('stops while it is still connecting', async () => {
    const { slack, adapter } = await start();
    slack.controls.hold('apps.connections.open');
    slack.controls.sockets.cut();
    await waitFor('the attempt', () => slack.callsOf('apps.connections.open').length === 2);
    const since = performance.now();
    await adapter.stop();
    expect(performance.now() - since).toBeLessThan(2000);
  });

  it('stops although the sink hangs, without acknowledging', async () => {
    const { slack, adapter, inbox } = await start({ timing: { ack: 10_000 } });
    const held = inbox.hold();
    const command = slack.person('ada').slash('#demo', '/deckhand tasks');
    const outcome = command.then(
      () => 'acknowledged',
      () => 'not acknowledged',
    );
    await waitFor('the event to be offered', () => inbox.offered.length === 1);
    const stopped = adapter.stop();
    expect(await outcome).toBe('not acknowledged');
    held.release();
    await stopped;
  });
});

/** The least Slack that hands out socket addresses; what happens on the socket is up to the test. */
async function rawSlack(onSocket: (socket: Duplex, sayHello: () => void) => void) {
  const sockets = new Set<Duplex>();
  const wss = new WebSocketServer({ noServer: true });
  let opened = 0;
  const server = createServer((request, response) => {
    request.resume();
    opened += 1;
    const { port } = server.address() as AddressInfo;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ok: true, url: `ws://127.0.0.1:${port}/link` }));
  });
  server.on('upgrade', (request, socket, head) => {
    sockets.add(socket);
    socket.on('error', () => {});
    wss.handleUpgrade(request, socket, head, (client) => onSocket(socket, () => client.send(JSON.stringify({ type: 'hello' }))));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    apiUrl: `http://127.0.0.1:${port}/api/`,
    opened: () => opened,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

describe('the Slack socket with a peer that misbehaves', () => {
  const options = { appToken: 'xapp-test', logger: createLogger({ level: 'silent' }), accept: async () => {} };

  it('stops in about a second although the peer never answers the close frame', async () => {
    await using slack = await rawSlack((socket, sayHello) => {
      sayHello();
      socket.pause();
    });
    const socket = createSlackSocket({ ...options, apiUrl: slack.apiUrl });
    await socket.start();
    expect(socket.status()).toEqual({ connected: true, problem: undefined });
    const since = performance.now();
    await socket.stop();
    expect(performance.now() - since).toBeLessThan(2500);
    expect(socket.status().connected).toBe(false);
  });

  it('tries again when the peer accepts the connection and never says hello', async () => {
    let first = true;
    await using slack = await rawSlack((_, sayHello) => {
      if (!first) sayHello();
      first = false;
    });
    const socket = createSlackSocket({ ...options, apiUrl: slack.apiUrl, helloMs: 100 });
    await socket.start();
    expect(slack.opened()).toBe(2);
    await socket.stop();
  });

  it('says so when it is stopped before Slack could be reached', async () => {
    const socket = createSlackSocket({ ...options, apiUrl: 'http://127.0.0.1:1/api/' });
    const started = socket.start();
    await waitFor('the first failure', () => socket.status().problem);
    const refused = expect(started).rejects.toThrow('stopped before Slack could be reached');
    await socket.stop();
    await refused;
  });
});
