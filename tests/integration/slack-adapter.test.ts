import { afterEach, describe, expect, it } from 'vitest';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { type SlackSetup, slackModes, startSlack } from '../support/slack-adapter.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

let running: SlackSetup | undefined;

afterEach(async () => {
  const errors = running?.slack.controls.errors ?? [];
  await running?.[Symbol.asyncDispose]();
  running = undefined;
  expect(errors).toEqual([]);
});

async function start(...args: Parameters<typeof startSlack>): Promise<SlackSetup> {
  running = await startSlack(...args);
  return running;
}

function ofType<T extends InboundEvent['type']>(setup: SlackSetup, type: T): Extract<InboundEvent, { type: T }>[] {
  return setup.inbox.events.filter((event): event is Extract<InboundEvent, { type: T }> => event.type === type);
}

describe.each(slackModes)('the Slack adapter over %s', (mode) => {
  it('takes a slash command, a mention, a reply and a direct message with who said it', async () => {
    const setup = await start({ mode });
    const { slack, inbox } = setup;
    const ada = slack.person('ada');
    await ada.slash('#demo', '/deckhand sh npm test');
    const parent = ada.mention('#demo', 'fix the login & the <b>');
    const reply = slack.person('ben').reply(parent, 'now https://example.com/x?a=1&b=2');
    ada.dm('tasks');
    await slack.controls.eventsSettled();
    expect(inbox.events).toHaveLength(4);

    const conversation = { platform: 'slack', tenant: slack.teamId, channel: parent.channel, kind: 'channel' };
    expect(ofType(setup, 'command')).toMatchObject([
      { text: 'sh npm test', conversation, channelName: 'demo', actor: { user: ada.id, name: 'Ada', bot: false } },
    ]);
    expect(ofType(setup, 'message').toSorted((a, b) => a.message.localeCompare(b.message))).toMatchObject([
      { addressed: 'mention', text: 'fix the login & the <b>', conversation, message: parent.ts, actor: { name: 'Ada' } },
      {
        addressed: 'thread',
        text: 'now https://example.com/x?a=1&b=2',
        conversation: { ...conversation, thread: parent.ts },
        message: reply.ts,
        actor: { name: 'Ben' },
      },
      { addressed: 'direct', text: 'tasks', conversation: { kind: 'direct' } },
    ]);
  });

  it('seals what could be used to answer in the name of the act', async () => {
    const setup = await start({ mode });
    await setup.slack.person('ada').slash('#demo', '/deckhand help');
    const [event] = setup.inbox.events;
    expect(event?.reply).toMatch(/^sealed:/);
    expect(event?.trigger).toMatch(/^sealed:/);
    expect(JSON.stringify(event)).not.toContain('/commands/');
  });

  it('promise 1: acknowledges a command only after it is stored', async () => {
    const setup = await start({ mode });
    const held = setup.inbox.hold();
    let acknowledged = false;
    const command = setup.slack
      .person('ada')
      .slash('#demo', '/deckhand tasks')
      .then(() => {
        acknowledged = true;
      });
    await waitFor('the event to be offered', () => setup.inbox.offered.length === 1);
    expect(acknowledged).toBe(false);
    held.release();
    await command;
    expect(setup.inbox.events).toHaveLength(1);
  });

  it('promise 1: does not acknowledge a command that cannot be stored, and the person is told', async () => {
    const setup = await start({ mode, timing: { ack: 300 } });
    setup.inbox.fail(1);
    const ada = setup.slack.person('ada');
    const notice = ada.waitForNotice(/\/deckhand failed with the error/);
    await expect(ada.slash('#demo', '/deckhand tasks')).rejects.toThrow(/operation_timeout|dispatch_failed/);
    await notice;
    expect(setup.inbox.events).toEqual([]);
    await ada.slash('#demo', '/deckhand tasks');
    expect(setup.inbox.events).toHaveLength(1);
  });

  it('promise 1: a message that cannot be stored is delivered again until it is', async () => {
    const setup = await start({ mode, timing: { ack: 300 } });
    setup.inbox.fail(2);
    const said = setup.slack.person('ada').dm('sh make');
    await setup.slack.controls.eventsSettled();
    expect(setup.inbox.events).toMatchObject([{ type: 'message', text: 'sh make', message: said.ts }]);
    expect(setup.slack.deliveries.filter(({ type }) => type === 'message').map(({ attempt }) => attempt)).toEqual([0, 1, 2]);
  });

  it.each(['app_mention_first', 'message_first'] as const)('promise 2: a mention is one event, %s', async (mentionOrder) => {
    const setup = await start({ mode, mentionOrder });
    const said = setup.slack.person('ada').mention('#demo', 'sh ls');
    await setup.slack.controls.eventsSettled();
    expect(setup.inbox.offered).toHaveLength(2);
    expect(setup.inbox.events).toMatchObject([{ addressed: 'mention', text: 'sh ls', message: said.ts }]);
  });

  it('promise 2: a redelivered event has the key of the first delivery', async () => {
    const setup = await start({ mode });
    setup.slack.person('ada').dm('sh make');
    await setup.slack.controls.eventsSettled();
    const eventId = setup.slack.deliveries.find(({ type }) => type === 'message')?.eventId ?? '';
    await setup.slack.controls.redeliver(eventId);
    expect(setup.inbox.offered).toHaveLength(2);
    expect(setup.inbox.events).toHaveLength(1);
  });

  it('promise 3: keeps the order in which one channel spoke, also while a name is looked up', async () => {
    const setup = await start({ mode });
    const held = setup.slack.controls.hold('users.info', { when: (call) => call.args.user === setup.slack.person('gus').id });
    setup.slack.person('gus').mention('#demo', 'first');
    await held.reached;
    setup.slack.person('ada').mention('#demo', 'second');
    setup.slack.person('ben').mention('#ops', 'elsewhere');
    await waitFor('the other channel to be served', () =>
      setup.inbox.events.some((event) => event.type === 'message' && event.text === 'elsewhere'),
    );
    held.release();
    await setup.slack.controls.eventsSettled();
    const demo = ofType(setup, 'message').map(({ text }) => text);
    expect(demo.filter((text) => text !== 'elsewhere')).toEqual(['first', 'second']);
  });

  it('does without a name when Slack does not tell it in time', async () => {
    const setup = await start({ mode });
    setup.slack.controls.failNext('users.info', { error: 'internal_error', times: 5 });
    setup.slack.person('ada').dm('help');
    await setup.slack.controls.eventsSettled();
    expect(setup.inbox.events).toMatchObject([{ actor: { user: setup.slack.person('ada').id, bot: false } }]);
    expect(setup.inbox.events[0]?.actor.name).toBeUndefined();
  });

  it('follows edits and deletions of messages that were meant for it', async () => {
    const setup = await start({ mode });
    const ada = setup.slack.person('ada');
    const parent = ada.mention('#demo', 'sh sleep 60');
    const reply = ada.reply(parent, 'also run the linter');
    ada.say('#demo', 'lunch?');
    await setup.slack.controls.eventsSettled();
    ada.edit(reply, 'also run the tests');
    await setup.slack.controls.eventsSettled();
    ada.delete(reply);
    await setup.slack.controls.eventsSettled();
    const conversation = { channel: parent.channel, thread: parent.ts };
    expect(setup.inbox.events.slice(2)).toMatchObject([
      { type: 'message_edited', message: reply.ts, text: 'also run the tests', conversation, actor: { user: ada.id } },
      { type: 'message_deleted', message: reply.ts, conversation, actor: { user: ada.id } },
    ]);
  });

  it('hears nothing of its own messages, their edits and channel talk', async () => {
    const setup = await start({ mode });
    const parent = setup.slack.person('ada').mention('#demo', 'sh ls');
    await setup.slack.controls.eventsSettled();
    const to = {
      platform: 'slack' as const,
      tenant: setup.slack.teamId,
      channel: parent.channel,
      thread: parent.ts,
      kind: 'channel' as const,
    };
    const sent = await setup.adapter.send(to, { fallback: 'running', blocks: [] }, 'k');
    await setup.adapter.edit(sent, { fallback: 'done', blocks: [] });
    await setup.adapter.react({ ...sent, message: parent.ts }, 'received', true);
    setup.slack.person('ben').say('#demo', 'what is it doing?');
    await setup.slack.controls.eventsSettled();
    expect(setup.inbox.events).toHaveLength(1);
  });

  it('takes a press in a thread, a choice, a shortcut, a form and an opened Home', async () => {
    const setup = await start({ mode });
    const { slack, adapter, inbox } = setup;
    const ada = slack.person('ada');
    const parent = ada.mention('#demo', 'sh ls');
    await slack.controls.eventsSettled();
    const to = {
      platform: 'slack' as const,
      tenant: slack.teamId,
      channel: parent.channel,
      thread: parent.ts,
      kind: 'channel' as const,
    };
    const view = {
      fallback: 'card',
      blocks: [
        { type: 'buttons' as const, buttons: [{ token: 't:tsk_1:stop', label: 'Stop', style: 'danger' as const }] },
        {
          type: 'select' as const,
          token: 'p:req_1',
          placeholder: 'Which?',
          options: [
            { value: 'web', label: 'Web' },
            { value: 'api', label: 'API' },
          ],
        },
      ],
    };
    const card = await adapter.send(to, view, 'card');
    await ada.press(card.message, 'Stop');
    await ada.press(card.message, 'p:req_1', { value: 'API' });
    expect(ofType(setup, 'press')).toMatchObject([
      { token: 't:tsk_1:stop', values: [], message: card.message, conversation: to, actor: { user: ada.id, name: 'Ada' } },
      { token: 'p:req_1', values: ['api'], message: card.message, conversation: to },
    ]);

    const trigger = ofType(setup, 'press').at(-1)?.trigger ?? '';
    await adapter.openForm(
      trigger,
      {
        token: 'd:secret:deny_reason',
        title: 'Deny',
        submit: 'Deny',
        fields: [
          { type: 'text', id: 'reason', label: 'Reason', multiline: true, required: true },
          {
            type: 'select',
            id: 'also',
            label: 'Also',
            required: false,
            multiple: true,
            options: [{ value: 'stop', label: 'Stop the task' }],
          },
          { type: 'text', id: 'note', label: 'Note', multiline: false, required: false },
        ],
      },
      to,
    );
    const form = await ada.waitForView('Deny');
    await ada.submit(form, { Reason: 'not <today> & "never"\nthanks', also: ['stop'] });
    expect(ofType(setup, 'form')).toMatchObject([
      {
        token: 'd:secret:deny_reason',
        conversation: to,
        actor: { user: ada.id },
        values: { reason: ['not <today> & "never"\nthanks'], also: ['stop'], note: [] },
      },
    ]);

    await ada.shortcut('hand_to_deckhand', parent);
    expect(ofType(setup, 'shortcut')).toMatchObject([
      { message: parent.ts, text: expect.stringContaining('sh ls'), author: ada.id, conversation: { thread: parent.ts } },
    ]);

    ada.openHome();
    await slack.controls.eventsSettled();
    expect(ofType(setup, 'home')).toMatchObject([{ actor: { user: ada.id }, conversation: { kind: 'direct' } }]);
    const home = {
      fallback: 'Board',
      blocks: [{ type: 'buttons' as const, buttons: [{ token: 'c:board', label: 'Board', style: 'default' as const }] }],
    };
    await adapter.publishHome({ platform: 'slack', tenant: slack.teamId, user: ada.id }, home);
    await ada.press(await ada.waitForHome('Board'), 'Board');
    expect(ofType(setup, 'press').at(-1)).toMatchObject({ token: 'c:board', conversation: { channel: ada.id, kind: 'direct' } });
    expect(new Set(inbox.offered).size).toBe(inbox.events.length);
  });

  it('stops within its bound, delivers nothing afterwards, and may be stopped twice', async () => {
    const setup = await start({ mode, timing: { ack: 200 } });
    await setup.adapter.stop();
    await setup.adapter.stop();
    await expect(setup.slack.person('ada').slash('#demo', '/deckhand tasks')).rejects.toThrow(
      /operation_timeout|dispatch_failed/,
    );
    expect(setup.inbox.offered).toEqual([]);
  });

  it('finishes what is in flight before it has stopped', async () => {
    const setup = await start({ mode });
    const held = setup.inbox.hold();
    const command = setup.slack.person('ada').slash('#demo', '/deckhand tasks');
    await waitFor('the event to be offered', () => setup.inbox.offered.length === 1);
    const stopped = setup.adapter.stop();
    held.release();
    await Promise.all([command, stopped]);
    expect(setup.inbox.events).toHaveLength(1);
  });

  it('knows its workspace after the start and is healthy', async () => {
    const setup = await start({ mode });
    expect(setup.adapter.tenants()).toEqual([
      { tenant: setup.slack.teamId, name: 'Deckhand Lab', botUser: setup.slack.botUserId },
    ]);
    expect(await setup.adapter.health()).toMatchObject({ ok: true });
  });

  it('refuses to start with a token that Slack refuses, and says what to do', async () => {
    const setup = await start({ mode, started: false });
    setup.slack.controls.failNext('auth.test', { error: 'invalid_auth', times: 2 });
    await expect(setup.adapter.start(setup.inbox.sink)).rejects.toMatchObject({ failure: { kind: 'not_permitted' } });
    expect(await setup.adapter.health()).toMatchObject({ ok: false, remedy: expect.stringContaining('SLACK_BOT_TOKEN') });
  });

  it('keeps trying to start while Slack cannot be reached', async () => {
    const setup = await start({ mode, started: false });
    setup.slack.controls.failNext('auth.test', { status: 503 });
    await setup.adapter.start(setup.inbox.sink);
    expect(setup.slack.callsOf('auth.test')).toHaveLength(2);
  });

  it('gives up a start in which Slack was not reached in time, and can start again', async () => {
    const setup = await start({ mode, started: false, startWithinMs: 300 });
    setup.slack.controls.failNext('auth.test', { status: 503 });
    await expect(setup.adapter.start(setup.inbox.sink)).rejects.toMatchObject({ failure: { kind: 'unreachable' } });
    if (mode === 'socket') {
      setup.slack.controls.failNext('apps.connections.open', { error: 'invalid_auth' });
      await expect(setup.adapter.start(setup.inbox.sink)).rejects.toMatchObject({
        failure: { kind: 'unreachable', detail: expect.stringContaining('invalid_auth') },
      });
    }
    expect(await setup.adapter.health()).toMatchObject({ ok: false });
    await setup.adapter.start(setup.inbox.sink);
    await setup.slack.person('ada').slash('#demo', '/deckhand tasks');
    expect(setup.inbox.events).toHaveLength(1);
  });

  it('can be stopped while it starts', async () => {
    const setup = await start({ mode, started: false });
    setup.slack.controls.failNext('auth.test', { status: 503, times: 100 });
    const started = expect(setup.adapter.start(setup.inbox.sink)).rejects.toMatchObject({ failure: { kind: 'unreachable' } });
    await waitFor('the first attempt', () => setup.slack.callsOf('auth.test').length > 0);
    await setup.adapter.stop();
    await started;
  });

  it('never logs a token, a response address or a secret of the installation', async () => {
    const setup = await start({ mode, timing: { ack: 200 } });
    setup.inbox.fail(1);
    await expect(setup.slack.person('ada').slash('#demo', '/deckhand tasks')).rejects.toThrow();
    setup.slack.controls.failNext('chat.postMessage', { dropConnectionAfterEffect: true });
    const to = { platform: 'slack' as const, tenant: setup.slack.teamId, channel: 'C00000DEMO', kind: 'channel' as const };
    await expect(setup.adapter.send(to, { fallback: 'x', blocks: [] }, 'k')).rejects.toThrow();
    await eventually(() => expect(setup.log.length).toBeGreaterThan(0));
    const { botToken, appToken, signingSecret } = setup.slack.credentials;
    for (const secret of [botToken, appToken, signingSecret, '/commands/T']) expect(setup.log.join('')).not.toContain(secret);
  });
});
