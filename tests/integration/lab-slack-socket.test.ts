import { SocketModeClient } from '@slack/socket-mode';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import type { SlackEmulator } from '../../lab/slack/emulator.ts';
import { botClient, silent, startSlack } from '../support/slack-app.ts';
import { waitFor } from '../support/wait-for.ts';

interface Envelope {
  ack: (body?: object) => Promise<void>;
  envelope_id: string;
  type: string;
  body: { event_id?: string; event?: { text?: string } };
  retry_num?: number;
  retry_reason?: string;
  accepts_response_payload?: boolean;
}

/** The real Socket Mode client; `onEnvelope` decides about acknowledging. */
async function connect(slack: SlackEmulator, onEnvelope: (envelope: Envelope) => unknown): Promise<SocketModeClient> {
  const client = new SocketModeClient({
    appToken: slack.credentials.appToken,
    clientOptions: { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } },
    clientPingTimeout: 60,
    logger: silent,
  });
  client.on('slack_event', onEnvelope);
  await client.start();
  onTestFinished(async () => {
    await client.disconnect();
  });
  return client;
}

describe('Socket Mode', () => {
  test('events carry no payload back and no retry at first; commands accept a payload', async () => {
    const slack = await startSlack();
    const seen: Envelope[] = [];
    await connect(slack, async (envelope) => {
      seen.push(envelope);
      await envelope.ack();
    });
    slack.person('ada').dm('hello');
    await slack.controls.eventsSettled();
    await slack.person('ada').slash('#demo', '/deckhand x');
    expect(seen).toMatchObject([
      { type: 'events_api', accepts_response_payload: false, retry_num: 0 },
      { type: 'slash_commands', accepts_response_payload: true },
    ]);
    expect(seen[0]?.envelope_id).not.toBe(seen[1]?.envelope_id);
  });

  test('an event that is not acknowledged comes again, up to three times', async () => {
    const slack = await startSlack({ timing: { ack: 20, retryDelays: [0, 5, 5] } });
    const seen: Envelope[] = [];
    await connect(slack, (envelope) => seen.push(envelope));
    slack.person('ada').dm('nobody answers');
    await slack.controls.eventsSettled();
    expect(seen.map(({ retry_num, retry_reason }) => [retry_num, retry_reason])).toEqual([
      [0, ''],
      [1, 'timeout'],
      [2, 'timeout'],
      [3, 'timeout'],
    ]);
    expect(new Set(seen.map(({ body }) => body.event_id)).size).toBe(1);
    expect(new Set(seen.map(({ envelope_id }) => envelope_id)).size).toBe(4);
  });

  test('commands and presses are never sent again', async () => {
    const slack = await startSlack({ timing: { ack: 20 } });
    const seen: Envelope[] = [];
    await connect(slack, (envelope) => seen.push(envelope));
    await expect(slack.person('ada').slash('#demo', '/deckhand x')).rejects.toMatchObject({ code: 'operation_timeout' });
    expect(seen).toHaveLength(1);
  });

  test('each event goes to one of several sockets, in turn', async () => {
    const slack = await startSlack();
    const counts = [0, 0];
    for (const index of [0, 1]) {
      await connect(slack, async ({ ack }) => {
        counts[index] = (counts[index] ?? 0) + 1;
        await ack();
      });
    }
    expect(slack.controls.sockets.count()).toBe(2);
    for (let n = 0; n < 6; n += 1) slack.person('ada').dm(`message ${n}`);
    await slack.controls.eventsSettled();
    expect(counts).toEqual([3, 3]);
  });

  test('events wait for the app to connect, and keep their order', async () => {
    const slack = await startSlack();
    for (let n = 0; n < 5; n += 1) slack.person('ada').dm(`m${n}`);
    const texts: unknown[] = [];
    await connect(slack, async ({ ack, body }) => {
      texts.push(body.event?.text);
      await ack();
    });
    await slack.controls.eventsSettled();
    expect(texts).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
  });

  test('an event in flight on a socket that breaks comes again on the next one', async () => {
    const slack = await startSlack();
    const seen: Envelope[] = [];
    await connect(slack, async (envelope) => {
      seen.push(envelope);
      if (seen.length === 1) slack.controls.sockets.cut();
      else await envelope.ack();
    });
    slack.person('ada').dm('hello');
    await slack.controls.eventsSettled();
    expect(seen.map(({ retry_num, retry_reason }) => [retry_num, retry_reason])).toEqual([
      [0, ''],
      [1, 'connection_failed'],
    ]);
  });

  test('a client told to refresh reconnects by a new single-use URL', async () => {
    const slack = await startSlack();
    await connect(slack, ({ ack }) => ack());
    slack.controls.sockets.requestReconnect('refresh_requested');
    await waitFor(
      'a second connection',
      () => slack.callsOf('apps.connections.open').length === 2 && slack.controls.sockets.count() === 1,
    );
    const [first] = slack.callsOf('apps.connections.open');
    expect(first?.ok).toBe(true);
  });

  test('a URL works once, and a made-up one never', async () => {
    const slack = await startSlack();
    const outcome = (url: string) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(url);
        socket.on('message', (data) => {
          resolve(JSON.parse(String(data)).type);
          socket.close();
        });
        socket.on('error', (error) => resolve(error.message));
      });
    const { url } = await botClient(slack, {}).apps.connections.open({ token: slack.credentials.appToken });
    expect(await outcome(url ?? '')).toBe('hello');
    expect(await outcome(url ?? '')).toContain('404');
    expect(await outcome(`${slack.url.replace('http', 'ws')}/link/?ticket=made-up`)).toContain('404');
  });

  test('the eleventh socket is turned away', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const sockets: WebSocket[] = [];
    onTestFinished(() => {
      for (const socket of sockets) socket.terminate();
    });
    const first = async () => {
      const { url = '' } = await client.apps.connections.open({ token: slack.credentials.appToken });
      const socket = new WebSocket(url);
      sockets.push(socket);
      return new Promise<{ type: string; reason?: string }>((resolve) =>
        socket.on('message', (data) => resolve(JSON.parse(String(data)))),
      );
    };
    for (let n = 1; n <= 10; n += 1) expect(await first()).toMatchObject({ type: 'hello', num_connections: n });
    expect(await first()).toMatchObject({ type: 'disconnect', reason: 'too_many_websockets' });
    expect(slack.controls.sockets.count()).toBe(10);
  });

  test('frames that no person can cause can be sent raw', async () => {
    const slack = await startSlack();
    const { url = '' } = await botClient(slack).apps.connections.open({ token: slack.credentials.appToken });
    const socket = new WebSocket(url);
    onTestFinished(() => socket.terminate());
    const types: string[] = [];
    const done = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        const { type } = JSON.parse(String(data));
        types.push(type);
        if (type === 'hello') slack.controls.sockets.sendRaw({ type: 'events_api', payload: { type: 'app_rate_limited' } });
        else resolve();
      });
    });
    await done;
    expect(types).toEqual(['hello', 'events_api']);
  });
});
