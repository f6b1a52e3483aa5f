import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { signature } from '../../lab/slack/http-delivery.ts';
import { startHttpApp, startSlack } from '../support/slack-app.ts';

interface Arrived {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A request URL that answers as told and remembers what came. */
async function endpoint(answer: (response: ServerResponse, count: number, request: Arrived) => void) {
  const arrived: Arrived[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const entry = { headers: request.headers, body: Buffer.concat(chunks).toString() };
    arrived.push(entry);
    answer(response, arrived.length, entry);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { arrived, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/slack/events` };
}

const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(code, headers);
    response.end();
  };

const retries = (arrived: Arrived[]) =>
  arrived.map(({ headers }) => [headers['x-slack-retry-num'], headers['x-slack-retry-reason']]);
const fast = { retryDelays: [0, 5, 5] };

describe('signed HTTP delivery', () => {
  test('is signed over timestamp and raw body, in the encodings Slack uses', async () => {
    const { arrived, url } = await endpoint(status(200));
    const slack = await startSlack({ delivery: { mode: 'http', requestUrl: url } });
    slack.person('ada').dm('héllo');
    await slack.controls.eventsSettled();
    await slack.person('ada').slash('#demo', '/deckhand a & b');
    await slack.person('ada').shortcut('hand_to_deckhand', slack.person('ada').say('#random', 'x'));
    expect(arrived.map(({ headers }) => headers['content-type'])).toEqual([
      'application/json',
      'application/x-www-form-urlencoded',
      'application/x-www-form-urlencoded',
    ]);
    for (const { headers, body } of arrived) {
      const timestamp = Number(headers['x-slack-request-timestamp']);
      expect(Math.abs(Date.now() / 1000 - timestamp)).toBeLessThan(5);
      expect(headers['x-slack-signature']).toBe(signature(slack.credentials.signingSecret, timestamp, body));
      expect(headers).not.toHaveProperty('x-slack-retry-num');
    }
    expect(new URLSearchParams(arrived[1]?.body).get('text')).toBe('a & b');
    expect(JSON.parse(new URLSearchParams(arrived[2]?.body).get('payload') ?? '')).toMatchObject({ type: 'message_action' });
  });

  test('computes the signature of the documented example', () => {
    const body =
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
    expect(signature('8f742231b10e8888abcd99yyyzzz85a5', 1531420618, body)).toBe(
      'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    );
  });

  test('retries an event three times with number and reason, then gives up', async () => {
    const { arrived, url } = await endpoint(status(500));
    const slack = await startSlack({ delivery: { mode: 'http', requestUrl: url }, timing: fast });
    slack.person('ada').dm('x');
    await slack.controls.eventsSettled();
    expect(retries(arrived)).toEqual([
      [undefined, undefined],
      ['1', 'http_error'],
      ['2', 'http_error'],
      ['3', 'http_error'],
    ]);
    expect(new Set(arrived.map(({ body }) => body)).size).toBe(1);
  });

  test('retries after three seconds of silence, with the reason http_timeout', async () => {
    const { arrived, url } = await endpoint((response, count) => count > 1 && status(200)(response));
    const slack = await startSlack({ delivery: { mode: 'http', requestUrl: url }, timing: { ...fast, ack: 50 } });
    slack.person('ada').dm('x');
    await slack.controls.eventsSettled();
    expect(retries(arrived)).toEqual([
      [undefined, undefined],
      ['1', 'http_timeout'],
    ]);
  });

  test('does not retry when the answer forbids it', async () => {
    const { arrived, url } = await endpoint(status(503, { 'x-slack-no-retry': '1' }));
    const slack = await startSlack({ delivery: { mode: 'http', requestUrl: url }, timing: fast });
    slack.person('ada').dm('x');
    await slack.controls.eventsSettled();
    expect(arrived).toHaveLength(1);
  });

  test('names a refused connection', async () => {
    const slack = await startSlack({ delivery: { mode: 'http', requestUrl: 'http://127.0.0.1:1/none' }, timing: fast });
    slack.person('ada').dm('x');
    await slack.controls.eventsSettled();
    expect(slack.deliveries.map(({ outcome }) => outcome)).toEqual(Array(4).fill('connection_failed'));
    await expect(slack.person('ada').slash('#demo', '/deckhand x')).rejects.toMatchObject({ code: 'dispatch_failed' });
  });

  test('follows no redirect', async () => {
    const { arrived, url } = await endpoint(status(302, { location: '/elsewhere' }));
    const slack = await startSlack({ delivery: { mode: 'http', requestUrl: url }, timing: { retryDelays: [] } });
    slack.person('ada').dm('x');
    await slack.controls.eventsSettled();
    expect([arrived.length, slack.deliveries[0]?.outcome]).toEqual([1, 'http_error']);
  });

  test('verifies a request URL by its challenge', async () => {
    const slack = await startSlack();
    await startHttpApp(slack, () => {});
    await slack.controls.verifyRequestUrl();
    const { url } = await endpoint(status(200));
    slack.controls.delivery('http', url);
    await expect(slack.controls.verifyRequestUrl()).rejects.toThrow('did not answer the challenge');
  });

  test('is refused by Bolt when the secret differs', async () => {
    const slack = await startSlack({ timing: { retryDelays: [] } });
    await startHttpApp(slack, () => {}, { signingSecret: 'another secret' });
    slack.person('ada').dm('x');
    await slack.controls.eventsSettled();
    expect(slack.deliveries[0]?.outcome).toBe('http_error');
    await expect(slack.controls.verifyRequestUrl()).rejects.toThrow('HTTP 401');
  });
});
