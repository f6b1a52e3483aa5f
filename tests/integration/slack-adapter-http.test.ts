import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { type SlackSetup, startSlack } from '../support/slack-adapter.ts';

let running: SlackSetup | undefined;

afterEach(async () => {
  await running?.[Symbol.asyncDispose]();
  running = undefined;
});

async function start(options: { started?: boolean; now?: () => Date } = {}): Promise<SlackSetup> {
  running = await startSlack({ mode: 'http', ...options });
  return running;
}

const now = () => Math.floor(Date.now() / 1000);
const form = 'application/x-www-form-urlencoded';

interface Given {
  body?: string;
  /** Signed instead of the body. */
  signed?: string;
  secret?: string;
  timestamp?: number | string;
  type?: string;
  headers?: Record<string, string>;
}

function command(text: string): string {
  const fields = {
    command: '/deckhand',
    text,
    user_id: 'U0000000ADA',
    team_id: 'T00DECKLAB',
    channel_id: 'C00000DEMO',
    trigger_id: '1.2.3',
  };
  return new URLSearchParams(fields).toString();
}

/** A request as Slack makes it, apart from what the test changes. */
function post(setup: SlackSetup, given: Given = {}): Promise<Response> {
  const { body = command('tasks'), timestamp = now(), type = form } = given;
  const secret = given.secret ?? setup.slack.credentials.signingSecret;
  const signature = createHmac('sha256', secret)
    .update(`v0:${timestamp}:${given.signed ?? body}`)
    .digest('hex');
  return fetch(setup.requestUrl, {
    method: 'POST',
    body,
    headers: {
      'content-type': type,
      'x-slack-request-timestamp': String(timestamp),
      'x-slack-signature': `v0=${signature}`,
      ...given.headers,
    },
  });
}

describe('the Slack webhook', () => {
  it('takes what Slack signed', async () => {
    const setup = await start();
    expect((await post(setup)).status).toBe(200);
    expect(setup.inbox.events).toMatchObject([{ type: 'command', text: 'tasks' }]);
  });

  it.each<[string, Given]>([
    ['another secret', { secret: 'not the secret' }],
    ['another body', { signed: command('help') }],
    ['a time six minutes ago', { timestamp: now() - 360 }],
    ['a time six minutes from now', { timestamp: now() + 360 }],
    ['a time that is no number', { timestamp: 'soon' }],
    ['a signature of another version', { headers: { 'x-slack-signature': 'v1=00' } }],
    ['a signature that is no hexadecimal number', { headers: { 'x-slack-signature': 'v0=zz' } }],
    ['an empty signature', { headers: { 'x-slack-signature': '' } }],
  ])('answers 401 to %s and hears nothing', async (_, given) => {
    const setup = await start();
    expect((await post(setup, given)).status).toBe(401);
    expect(setup.inbox.offered).toEqual([]);
  });

  it.each(['x-slack-signature', 'x-slack-request-timestamp'])('answers 401 without %s', async (missing) => {
    const setup = await start();
    const all = { 'content-type': form, 'x-slack-signature': 'v0=00', 'x-slack-request-timestamp': String(now()) };
    const headers = Object.fromEntries(Object.entries(all).filter(([name]) => name !== missing));
    const response = await fetch(setup.requestUrl, { method: 'POST', body: command('tasks'), headers });
    expect(response.status).toBe(401);
    expect(setup.inbox.offered).toEqual([]);
  });

  it('allows for clocks that differ by four minutes', async () => {
    const setup = await start();
    expect((await post(setup, { timestamp: now() - 240 })).status).toBe(200);
    expect((await post(setup, { timestamp: now() + 240, body: command('help').replace('1.2.3', '4.5.6') })).status).toBe(200);
    expect(setup.inbox.events).toHaveLength(2);
  });

  it.each<[number, string, Given]>([
    [415, 'a page', { type: 'text/html' }],
    [415, 'no type', { type: '' }],
    [400, 'JSON that is none', { type: 'application/json', body: '{"type":' }],
    [400, 'JSON that is no object', { type: 'application/json', body: '[]' }],
    [400, 'a form whose payload is no JSON', { body: 'payload=%7B' }],
    [413, 'more than 2 MB', { body: `text=${'x'.repeat(2 * 1024 * 1024)}` }],
  ])('answers %i to %s', async (status, _, given) => {
    const setup = await start();
    expect((await post(setup, given)).status).toBe(status);
    expect(setup.inbox.offered).toEqual([]);
  });

  it('reads a form whose type names a charset', async () => {
    const setup = await start();
    expect((await post(setup, { type: `${form}; charset=UTF-8` })).status).toBe(200);
    expect(setup.inbox.events).toHaveLength(1);
  });

  it('answers the challenge that Slack sets up the address with, also before the start', async () => {
    const setup = await start({ started: false });
    await setup.slack.controls.verifyRequestUrl();
    const unsigned = await post(setup, {
      secret: 'x',
      type: 'application/json',
      body: '{"type":"url_verification","challenge":"c"}',
    });
    expect(unsigned.status).toBe(401);
  });

  it('answers ssl_check and takes nothing that came with it', async () => {
    const setup = await start();
    const body = `ssl_check=1&${command('tasks')}`;
    expect((await fetch(setup.requestUrl, { method: 'POST', body, headers: { 'content-type': form } })).status).toBe(200);
    expect(setup.inbox.offered).toEqual([]);
  });

  it('promise 1: answers 503 before the start and after the stop, so that Slack comes again', async () => {
    const setup = await start({ started: false });
    expect((await post(setup)).status).toBe(503);
    await setup.adapter.start(setup.inbox.sink);
    expect((await post(setup)).status).toBe(200);
    await setup.adapter.stop();
    expect((await post(setup)).status).toBe(503);
    expect(setup.inbox.events).toHaveLength(1);
  });

  it('promise 1: answers 500 when the event could not be stored', async () => {
    const setup = await start();
    setup.inbox.fail(1);
    expect((await post(setup)).status).toBe(500);
    expect((await post(setup)).status).toBe(200);
    expect(setup.inbox.events).toHaveLength(1);
  });

  it('acknowledges and logs what is signed and yet not what Slack sends', async () => {
    const setup = await start();
    const body = JSON.stringify({
      type: 'event_callback',
      event_id: 'Ev1',
      team_id: 'T00DECKLAB',
      event: { type: 'message', text: 'the words' },
    });
    expect((await post(setup, { type: 'application/json', body })).status).toBe(200);
    expect(setup.inbox.offered).toEqual([]);
    const line = setup.log.find((entry) => entry.includes('malformed slack payload dropped'));
    expect(line).toContain('channel');
    expect(line).not.toContain('the words');
  });

  it('promise 12: takes nothing of another workspace', async () => {
    const setup = await start();
    const body = JSON.stringify({
      type: 'event_callback',
      event_id: 'Ev1',
      team_id: 'T00OTHER',
      event: { type: 'message', channel: 'D1', user: 'U1', ts: '1.2', text: 'sh ls' },
    });
    expect((await post(setup, { type: 'application/json', body })).status).toBe(200);
    expect(setup.inbox.offered).toEqual([]);
  });

  it('judges the time by the clock it was given', async () => {
    const setup = await start({ now: () => new Date(Date.now() + 10 * 60_000) });
    expect((await post(setup)).status).toBe(401);
  });
});
