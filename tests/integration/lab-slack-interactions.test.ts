import type { App } from '@slack/bolt';
import { describe, expect, test } from 'vitest';
import type { SlackEmulator } from '../../lab/slack/emulator.ts';
import { botClient, startHttpApp, startSlack, startSocketApp } from '../support/slack-app.ts';

const DEMO = 'C00000DEMO';
const plain = (text: string) => ({ type: 'plain_text' as const, text });
const button = (text: string, more: Record<string, unknown> = {}) => ({
  type: 'button' as const,
  text: plain(text),
  action_id: text.toLowerCase(),
  ...more,
});
const actions = (...elements: ReturnType<typeof button>[]) => ({ type: 'actions' as const, block_id: 'decide', elements });

const transports: [name: string, start: (slack: SlackEmulator, register: (app: App) => void) => Promise<App>][] = [
  ['Socket Mode', startSocketApp],
  ['signed HTTP', startHttpApp],
];

describe.each(transports)('over %s', (_name, start) => {
  test('a slash command carries what Slack sends and is answered by the ack', async () => {
    const slack = await startSlack();
    const bodies: Record<string, unknown>[] = [];
    await start(slack, (app) => {
      app.command('/deckhand', async ({ command, ack }) => {
        bodies.push(command);
        await ack(command.text === 'loud' ? { response_type: 'in_channel', text: 'for all' } : 'for you');
      });
    });
    const ada = slack.person('ada');
    await ada.slash('#demo', '/deckhand tasks  mine');
    expect((await ada.waitForEphemeral('for you')).visible_to).toBe(ada.id);
    expect(bodies[0]).toMatchObject({
      command: '/deckhand',
      text: 'tasks  mine',
      user_id: ada.id,
      user_name: 'ada',
      channel_id: DEMO,
      channel_name: 'demo',
      team_id: slack.teamId,
      team_domain: 'deckhand-lab',
      api_app_id: slack.appId,
      is_enterprise_install: 'false',
      trigger_id: expect.stringMatching(/^\d+\.\d+\.[0-9a-f]{32}$/),
      response_url: expect.stringContaining('/commands/'),
    });
    expect(bodies[0]).not.toHaveProperty('thread_ts');
    await ada.slash('#demo', '/deckhand loud');
    expect((await slack.person('ben').waitForMessage('for all')).channel).toBe(DEMO);
  });

  test('a press carries the message, the thread, the state and a response_url that replaces the message', async () => {
    const slack = await startSlack();
    const bodies: Record<string, unknown>[] = [];
    await start(slack, (app) => {
      app.action('approve', async ({ body, ack, respond }) => {
        await ack();
        bodies.push(body as unknown as Record<string, unknown>);
        await respond({
          replace_original: true,
          text: 'approved',
          blocks: [{ type: 'section', text: plain('approved by Ben') }],
        });
      });
    });
    const ada = slack.person('ada');
    const parent = ada.say('#demo', 'parent');
    const select = {
      type: 'static_select',
      action_id: 'scope',
      options: ['once', 'task'].map((text) => ({ text: plain(text), value: `v-${text}` })),
    };
    const ask = { type: 'section', block_id: 'how', text: plain('Approval needed'), accessory: select };
    await botClient(slack).apiCall('chat.postMessage', {
      channel: DEMO,
      thread_ts: parent.ts,
      text: 'x',
      blocks: [ask, actions(button('Approve', { value: 'int_1', style: 'primary' }), button('Deny'))],
    });
    const ben = slack.person('ben');
    const question = await ben.waitForMessage('Approval needed', { thread: parent });
    expect(question.buttons).toEqual(['Approve', 'Deny']);
    await ben.press(question, 'Approve', { values: { scope: 'task' } });
    const answered = await ben.waitForMessage('approved by Ben', { thread: parent });
    expect(answered.ts).toBe(question.ts);
    expect(bodies[0]).toMatchObject({
      type: 'block_actions',
      user: { id: ben.id, username: 'ben', team_id: slack.teamId },
      team: { id: slack.teamId },
      channel: { id: DEMO, name: 'demo' },
      container: { type: 'message', message_ts: question.ts, channel_id: DEMO, is_ephemeral: false, thread_ts: parent.ts },
      message: { ts: question.ts, thread_ts: parent.ts, blocks: expect.any(Array) },
      state: { values: { how: { scope: { type: 'static_select', selected_option: { value: 'v-task' } } } } },
      actions: [
        {
          type: 'button',
          action_id: 'approve',
          block_id: 'decide',
          value: 'int_1',
          style: 'primary',
          text: { text: 'Approve' },
          action_ts: expect.any(String),
        },
      ],
      trigger_id: expect.any(String),
      response_url: expect.stringContaining('/actions/'),
    });
  });

  test('a form opens, refuses, pushes, and closes', async () => {
    const slack = await startSlack();
    const states: unknown[] = [];
    const input = {
      type: 'input' as const,
      block_id: 'why',
      label: plain('Reason'),
      element: { type: 'plain_text_input' as const, action_id: 'text' },
    };
    const modal = (title: string) => ({
      type: 'modal' as const,
      callback_id: title,
      title: plain(title),
      submit: plain('OK'),
      private_metadata: 'int_1',
      blocks: [input],
    });
    await start(slack, (app) => {
      app.action('deny', async ({ ack, body, client }) => {
        await ack();
        if (body.type === 'block_actions') await client.views.open({ trigger_id: body.trigger_id, view: modal('first') });
      });
      app.view('first', async ({ ack, view }) => {
        states.push(view.state.values);
        if (view.state.values.why?.text?.value === 'no') await ack({ response_action: 'errors', errors: { why: 'Say more' } });
        else await ack({ response_action: 'push', view: modal('second') });
      });
      app.view('second', async ({ ack, view }) => {
        expect(view).toMatchObject({ private_metadata: 'int_1', previous_view_id: expect.any(String) });
        await ack({ response_action: 'clear' });
      });
    });
    const ada = slack.person('ada');
    await botClient(slack).chat.postMessage({ channel: DEMO, text: 'Deny?', blocks: [actions(button('Deny'))] });
    await ada.press(await ada.waitForMessage('Deny'), 'Deny');
    const first = await ada.waitForView('first');
    expect(await ada.submit(first)).toEqual({ result: 'errors', errors: { why: 'Please complete this required field.' } });
    expect(states).toEqual([]);
    expect(await ada.submit(first, { Reason: 'no' })).toEqual({ result: 'errors', errors: { why: 'Say more' } });
    expect((await ada.submit(first, { why: 'because of the tests' })).result).toBe('pushed');
    const second = await ada.waitForView('second');
    expect(ada.views().map((view) => view.id)).toEqual([first.id, second.id]);
    expect((await ada.submit(second, { text: 'yes' })).result).toBe('cleared');
    expect(ada.views()).toEqual([]);
    expect(states).toEqual([
      { why: { text: { type: 'plain_text_input', value: 'no' } } },
      { why: { text: { type: 'plain_text_input', value: 'because of the tests' } } },
    ]);
  });

  test('a message shortcut carries the message and its thread', async () => {
    const slack = await startSlack();
    const bodies: unknown[] = [];
    await start(slack, (app) => {
      app.shortcut('hand_to_deckhand', async ({ ack, body, respond }) => {
        await ack();
        bodies.push(body);
        await respond('noted');
      });
    });
    const ada = slack.person('ada');
    const parent = slack.person('ben').say('#demo', 'parent');
    const reply = slack.person('ben').reply(parent, 'please look');
    await ada.shortcut('hand_to_deckhand', reply);
    expect(bodies).toMatchObject([
      {
        type: 'message_action',
        callback_id: 'hand_to_deckhand',
        message_ts: reply.ts,
        message: { text: 'please look', thread_ts: parent.ts },
        channel: { id: DEMO },
        user: { id: ada.id, name: 'ada' },
      },
    ]);
    expect((await ada.waitForEphemeral('noted')).channel).toBe(DEMO);
    await expect(ada.shortcut('unknown', reply)).rejects.toMatchObject({ code: 'unknown_shortcut' });
  });

  test('a command that nobody acknowledges in time fails for the person', async () => {
    const slack = await startSlack({ timing: { ack: 50 } });
    await start(slack, (app) => {
      app.command('/deckhand', async () => {});
    });
    const ada = slack.person('ada');
    const notice = ada.waitForNotice('/deckhand failed with the error "operation_timeout"');
    await expect(ada.slash('#demo', '/deckhand slow')).rejects.toMatchObject({ code: 'operation_timeout' });
    await notice;
    expect(slack.deliveries).toHaveLength(1);
  });
});

describe('slash commands', () => {
  test('are refused in threads, and unknown ones everywhere, without asking the app', async () => {
    const slack = await startSlack();
    const ada = slack.person('ada');
    const parent = ada.say('#demo', 'parent');
    await expect(ada.slash('#demo', '/deckhand tasks', { thread: parent })).rejects.toThrow(
      '/deckhand is not supported in threads. Sorry!',
    );
    await expect(ada.slash('#demo', '/other')).rejects.toMatchObject({ code: 'unknown_command' });
    expect(slack.deliveries.filter(({ kind }) => kind === 'slash_commands')).toEqual([]);
  });

  test('fail at once when the app is not connected', async () => {
    const slack = await startSlack();
    await expect(slack.person('ada').slash('#demo', '/deckhand help')).rejects.toMatchObject({ code: 'dispatch_failed' });
  });

  test('with an answer Slack refuses show the error to the person', async () => {
    const slack = await startSlack();
    await startSocketApp(slack, (app) => {
      app.command('/deckhand', async ({ ack }) => ack({ text: 'x', blocks: [{ type: 'header', text: plain('x'.repeat(151)) }] }));
    });
    await expect(slack.person('ada').slash('#demo', '/deckhand help')).rejects.toThrow(
      '/deckhand failed with the error "invalid_blocks"',
    );
  });
});

describe('response URLs', () => {
  const post = async (url: string, body: object) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return [response.status, await response.text()];
  };

  async function commandUrl(slack: SlackEmulator): Promise<string> {
    let url = '';
    await startSocketApp(slack, (app) => {
      app.command('/deckhand', async ({ ack, command }) => {
        url = command.response_url;
        await ack();
      });
    });
    await slack.person('ada').slash('#random', '/deckhand help');
    return url;
  }

  test('work five times, also in channels without the bot', async () => {
    const slack = await startSlack();
    const url = await commandUrl(slack);
    for (let n = 0; n < 5; n += 1) expect(await post(url, { text: `answer ${n}` })).toEqual([200, 'ok']);
    expect(await post(url, { text: 'one more' })).toEqual([404, '{"ok":false,"error":"used_url"}']);
    expect(
      slack
        .person('ada')
        .ephemerals()
        .map((message) => [message.channel, message.text]),
    ).toEqual(Array.from({ length: 5 }, (_, n) => ['C0000RANDOM', `answer ${n}`]));
  });

  test('work for thirty minutes, and check what they are given', async () => {
    const slack = await startSlack();
    const url = await commandUrl(slack);
    expect(await post(url, {})).toEqual([400, '{"ok":false,"error":"no_text"}']);
    expect(await post(url, { markdown_text: 'not supported here' })).toEqual([400, '{"ok":false,"error":"no_text"}']);
    expect(await post(url, { replace_original: true, text: 'nothing to replace' })).toEqual([
      400,
      '{"ok":false,"error":"message_not_found"}',
    ]);
    slack.controls.expireResponseUrls();
    expect(await post(url, { text: 'late' })).toEqual([404, '{"ok":false,"error":"expired_url"}']);
    expect(
      await post(
        url.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')),
        { text: 'x' },
      ),
    ).toEqual([404, '{"ok":false,"error":"invalid_url"}']);
  });

  test('change and delete an ephemeral message, which nothing else can', async () => {
    const slack = await startSlack();
    const containers: unknown[] = [];
    await startSocketApp(slack, (app) => {
      app.action(/more|done/, async ({ ack, body, action, respond }) => {
        await ack();
        containers.push(body);
        if ('action_id' in action && action.action_id === 'more')
          await respond({ replace_original: true, text: 'x', blocks: [actions(button('Done'))] });
        else await respond({ delete_original: true });
      });
    });
    const ada = slack.person('ada');
    await botClient(slack).chat.postEphemeral({ channel: DEMO, user: ada.id, text: 'x', blocks: [actions(button('More'))] });
    await ada.press(await ada.waitForEphemeral('More'), 'More');
    const done = await ada.waitForEphemeral('Done');
    const gone = ada.waitForDeleted(done);
    await ada.press(done, 'Done');
    await gone;
    expect(ada.ephemerals()).toEqual([]);
    expect(containers[0]).toMatchObject({ container: { is_ephemeral: true } });
    expect(containers[0]).not.toHaveProperty('message');
  });
});

describe('elements', () => {
  test('carry what was chosen', async () => {
    const slack = await startSlack();
    const chosen: Record<string, unknown>[] = [];
    await startSocketApp(slack, (app) => {
      app.action(/.*/, async ({ ack, action }) => {
        await ack();
        chosen.push(action as unknown as Record<string, unknown>);
      });
    });
    const options = ['One', 'Two'].map((text) => ({ text: plain(text), value: text.toLowerCase() }));
    const elements = [
      { type: 'static_select', action_id: 's', options },
      { type: 'checkboxes', action_id: 'c', options },
      { type: 'radio_buttons', action_id: 'r', options },
      { type: 'overflow', action_id: 'o', options },
      { type: 'users_select', action_id: 'u' },
      { type: 'multi_users_select', action_id: 'mu' },
      { type: 'datepicker', action_id: 'd' },
    ];
    await botClient(slack).apiCall('chat.postMessage', {
      channel: DEMO,
      text: 'x',
      blocks: elements.map((element) => ({ type: 'actions', elements: [element] })),
    });
    const ada = slack.person('ada');
    const { ts } = await ada.waitForMessage(() => true);
    await ada.press(ts, 's', { value: 'Two' });
    await ada.press(ts, 'c', { value: ['One', 'two'] });
    await ada.press(ts, 'r', { value: 'one' });
    await ada.press(ts, 'o', { value: 'Two' });
    await ada.press(ts, 'u', { value: ada.id });
    await ada.press(ts, 'mu', { value: [ada.id] });
    await ada.press(ts, 'd', { value: '2026-01-02' });
    expect(chosen).toMatchObject([
      { selected_option: { value: 'two' } },
      { selected_options: [{ value: 'one' }, { value: 'two' }] },
      { selected_option: { value: 'one' } },
      { selected_option: { value: 'two' } },
      { selected_user: ada.id },
      { selected_users: [ada.id] },
      { selected_date: '2026-01-02' },
    ]);
    await expect(ada.press(ts, 's', { value: 'Three' })).rejects.toThrow('There is no option "Three"; there are "one", "two".');
    await expect(ada.press(ts, 'Approve')).rejects.toThrow('nothing is called "Approve"; there is');
  });

  test('of an external select ask the app for options', async () => {
    const slack = await startSlack();
    await startSocketApp(slack, (app) => {
      app.options('repo', async ({ ack, payload }) => ack({ options: [{ text: plain(`match ${payload.value}`), value: 'v' }] }));
    });
    const select = { type: 'external_select', action_id: 'repo', min_query_length: 1 };
    await botClient(slack).apiCall('chat.postMessage', {
      channel: DEMO,
      text: 'x',
      blocks: [{ type: 'actions', elements: [select] }],
    });
    const ada = slack.person('ada');
    const { ts } = await ada.waitForMessage(() => true);
    expect(await ada.options(ts, 'repo', 'acme')).toMatchObject([{ text: { text: 'match acme' }, value: 'v' }]);
  });
});
