import { describe, expect, test } from 'vitest';
import { botClient, refusalOf, startSlack } from '../support/slack-app.ts';

const DEMO = 'C00000DEMO';

describe('rate limiting', () => {
  test('answers 429 with Retry-After per channel for chat.postMessage, which the SDK reads', async () => {
    const slack = await startSlack({ rateLimiting: true });
    const client = botClient(slack, { rejectRateLimitedCalls: true });
    const post = (channel: string) => client.chat.postMessage({ channel, text: 'x' });
    for (let n = 0; n < 5; n += 1) await post(DEMO);
    await expect(post(DEMO)).rejects.toMatchObject({ code: 'slack_webapi_rate_limited_error', retryAfter: 1 });
    expect((await post('C000000OPS')).ok).toBe(true);
    expect(slack.callsOf('chat.postMessage').map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 200]);
    expect(slack.overLimit()).toEqual([]);
  });

  test('counts chat.update over the whole workspace, 50 a minute', async () => {
    let now = Date.now();
    const slack = await startSlack({ rateLimiting: true, now: () => now });
    const client = botClient(slack, { rejectRateLimitedCalls: true });
    const messages = await Promise.all([DEMO, 'C000000OPS'].map((channel) => client.chat.postMessage({ channel, text: 'x' })));
    const update = (n: number) => {
      const { channel = '', ts = '' } = messages[n % 2] ?? {};
      return client.chat.update({ channel, ts, text: `${n}` });
    };
    for (let n = 0; n < 50; n += 1) await update(n);
    await expect(update(50)).rejects.toMatchObject({ retryAfter: 60 });
    now += 60_000;
    expect((await update(51)).ok).toBe(true);
  });

  test('when off refuses nothing, and still says which calls were too many', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    for (let n = 0; n < 8; n += 1) await client.chat.postMessage({ channel: DEMO, text: `${n}` });
    expect(slack.overLimit().length).toBeGreaterThanOrEqual(1);
    expect(slack.overLimit()[0]).toMatchObject({ method: 'chat.postMessage', args: { text: '5' }, status: 200 });
  });
});

describe('faults', () => {
  test('answer a status, an error, or 429, as often as told and only where told', async () => {
    const slack = await startSlack();
    const client = botClient(slack, { rejectRateLimitedCalls: true });
    const post = (text: string) => client.chat.postMessage({ channel: DEMO, text });
    slack.controls.failNext('chat.postMessage', { status: 503, times: 2 });
    await expect(post('a')).rejects.toMatchObject({ code: 'slack_webapi_http_error', statusCode: 503 });
    await expect(post('b')).rejects.toMatchObject({ statusCode: 503 });
    slack.controls.failNext('*', { error: 'fatal_error' });
    expect((await refusalOf(post('c'))).error).toBe('fatal_error');
    slack.controls.failNext('chat.postMessage', { status: 429, retryAfter: 7, when: ({ args }) => args.text === 'e' });
    expect((await post('d')).ok).toBe(true);
    await expect(post('e')).rejects.toMatchObject({ retryAfter: 7 });
    expect(
      slack
        .person('ada')
        .messages('#demo')
        .map((message) => message.text),
    ).toEqual(['d']);
  });

  test('can cut the connection before or after the effect, which the caller cannot tell apart', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    slack.controls.failNext('chat.postMessage', { dropConnectionBeforeEffect: true });
    await expect(client.chat.postMessage({ channel: DEMO, text: 'before' })).rejects.toMatchObject({
      code: 'slack_webapi_request_error',
    });
    slack.controls.failNext('chat.postMessage', { dropConnectionAfterEffect: true });
    await expect(client.chat.postMessage({ channel: DEMO, text: 'after' })).rejects.toMatchObject({
      code: 'slack_webapi_request_error',
    });
    expect(
      slack
        .person('ada')
        .messages('#demo')
        .map((message) => message.text),
    ).toEqual(['after']);
    expect(slack.callsOf('chat.postMessage')).toMatchObject([{ status: 0, error: 'connection dropped' }, { status: 0 }]);
  });

  test('can hold a call before or after its effect until released', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const ada = slack.person('ada');
    const before = slack.controls.hold('chat.postMessage');
    const first = client.chat.postMessage({ channel: DEMO, text: 'one' });
    await before.reached;
    expect(ada.messages('#demo')).toEqual([]);
    before.release();
    await first;
    const after = slack.controls.hold('chat.postMessage', { after: true });
    const second = client.chat.postMessage({ channel: DEMO, text: 'two' });
    expect((await after.reached).args.text).toBe('two');
    expect(ada.messages('#demo')).toHaveLength(2);
    after.release();
    expect((await second).ok).toBe(true);
  });

  test('can slow answers down', async () => {
    const slack = await startSlack();
    slack.controls.delay('auth.test', 40);
    await botClient(slack).auth.test();
    const [call] = slack.callsOf('auth.test');
    expect((call?.finishedAt ?? 0) - (call?.at ?? 0)).toBeGreaterThanOrEqual(39);
  });

  test('are forgotten on reset', async () => {
    const slack = await startSlack();
    slack.controls.failNext('*', { status: 500 });
    slack.reset();
    expect((await botClient(slack).auth.test()).ok).toBe(true);
  });
});

describe('waits of the driver', () => {
  test('that run out say what was there instead', async () => {
    const slack = await startSlack();
    await botClient(slack).chat.postMessage({ channel: DEMO, text: 'something else' });
    const ada = slack.person('ada');
    await expect(ada.waitForMessage(/never/, { timeoutMs: 10 })).rejects.toThrow(
      /waited 10 ms in vain: ada saw no message that fits \/never\/;[\s\S]*#demo deckhand: something else/,
    );
    await expect(ada.waitForView('Form', { timeoutMs: 10 })).rejects.toThrow('ada saw no modal that fits "Form"; open is (none)');
    await expect(ada.waitForEphemeral('x', { timeoutMs: 10 })).rejects.toThrow('saw no ephemeral');
    await expect(ada.waitForNotice('x', { timeoutMs: 10 })).rejects.toThrow('was told nothing');
    expect(() => slack.person('eve')).toThrow('no person eve; there are ada, ben, gus');
    expect(() => ada.say('#nowhere', 'x')).toThrow('ada sees no channel #nowhere; there are #demo');
  });

  test('see messages that were there before, and leave out older ones with `after`', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const ada = slack.person('ada');
    await client.chat.postMessage({ channel: DEMO, text: 'first' });
    const first = await ada.waitForMessage(/.+/);
    const next = ada.waitForMessage(/.+/, { after: first });
    await client.chat.postMessage({ channel: DEMO, text: 'second' });
    expect((await next).text).toBe('second');
  });

  test('do not see what others see: foreign DMs and ephemeral messages', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    await client.chat.postMessage({ channel: 'D0000000BEN', text: 'secret' });
    await client.chat.postEphemeral({ channel: DEMO, user: 'U0000000BEN', text: 'secret' });
    await expect(slack.person('ada').waitForMessage('secret', { timeoutMs: 10 })).rejects.toThrow('(none)');
    await expect(slack.person('ada').waitForEphemeral('secret', { timeoutMs: 10 })).rejects.toThrow('(none)');
    expect((await slack.person('ben').waitForMessage('secret')).channel).toBe('D0000000BEN');
  });
});
