import Fastify from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type LabOptionsOfHost, labRoutes } from '../../lab/lab-server.ts';
import type { LabEvent, LabFile, LabMessage, LabState } from '../../lab/page-api.ts';
import type { SlackEmulator, SlackEmulatorOptions } from '../../lab/slack/emulator.ts';
import { readEvents } from '../support/server-events.ts';
import { botClient, startSlack, startSocketApp } from '../support/slack-app.ts';

const ADA = 'U0000000ADA';
const DEMO = 'C00000DEMO';
const plain = (text: string) => ({ type: 'plain_text' as const, text });

/** The lab's routes behind a real server, as a page sees them. */
async function startLab(host: LabOptionsOfHost = {}, options: SlackEmulatorOptions = {}) {
  const slack = await startSlack(options);
  const server = Fastify({ forceCloseConnections: true });
  await server.register(labRoutes(slack, host));
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await server.close();
  });
  const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
    const response = await fetch(`${url}/lab/api/${path}`, init);
    const answer = (await response.json()) as Answer;
    return { status: response.status, body: answer };
  };
  const state = async (): Promise<LabState> => (await fetch(`${url}/lab/api/state`)).json() as Promise<LabState>;
  return { slack, url, post, state };
}

/** What the lab answers to one action or another; the assertions check that it is there. */
interface Answer {
  message: LabMessage;
  file: LabFile;
  options: unknown[];
  completions: unknown[];
  error: { code: string; message: string };
  [other: string]: unknown;
}

describe('the state', () => {
  test('shows people, channels, commands, settings and the host’s suggestions', async () => {
    const { state } = await startLab({
      suggestions: () => [{ text: '@Deckhand sh npm test', hint: 'runs the tests', channel: DEMO }],
    });
    const now = await state();
    expect(now.people.map((person) => [person.real_name, person.is_bot])).toEqual([
      ['Ada Lovelace', false],
      ['Ben Ortiz', false],
      ['Gus Meyer', false],
      ['Deckhand', true],
    ]);
    expect(now.channels.map((channel) => [channel.name, channel.kind, channel.bot_is_member])).toEqual([
      ['demo', 'public', true],
      ['ops', 'public', true],
      ['random', 'public', false],
      ['ada', 'im', true],
      ['ben', 'im', true],
      ['gus', 'im', true],
    ]);
    expect(now.commands).toEqual([{ command: '/deckhand', description: 'Run and watch tasks', usage_hint: 'help' }]);
    expect(now.shortcuts).toMatchObject([{ type: 'message', callback_id: 'hand_to_deckhand' }]);
    expect(now.settings).toEqual({
      rate_limiting: false,
      delivery: 'socket',
      delivery_modes: ['socket'],
      mention_order: 'app_mention_first',
      latency_ms: 0,
    });
    expect(now.suggestions).toEqual([{ text: '@Deckhand sh npm test', hint: 'runs the tests', channel: DEMO }]);
    expect(now.app).toMatchObject({ connected: false, home_tab: true });
  });

  test('is not sent again to who has it already, until something changes', async () => {
    const { slack, url } = await startLab();
    const look = (tag: string) => fetch(`${url}/lab/api/state`, { headers: { 'if-none-match': tag } });
    const first = await look('');
    const tag = first.headers.get('etag') ?? '';
    expect([first.status, (await look(tag)).status]).toEqual([200, 304]);
    slack.person('ada').say('#demo', 'news');
    const later = await look(tag);
    expect(((await later.json()) as LabState).messages.map(({ text }) => text)).toContain('news');
    expect(later.headers.get('etag')).not.toBe(tag);
  });

  test('shows threads, reactions, files, streams and what only one person sees', async () => {
    const { slack, state } = await startLab();
    const client = botClient(slack);
    const parent = slack.person('ada').say('#demo', 'parent');
    await client.chat.startStream({
      channel: DEMO,
      thread_ts: parent.ts,
      markdown_text: 'streaming',
      recipient_user_id: ADA,
      recipient_team_id: slack.teamId,
    });
    await client.chat.postEphemeral({ channel: DEMO, user: ADA, text: 'psst' });
    await client.filesUploadV2({ channel_id: DEMO, content: 'line', filename: 'a.log' });
    await slack.person('ada').waitForMessage('a.log');
    slack.person('ben').react(parent, 'eyes');
    const { messages } = await state();
    expect(messages).toMatchObject([
      {
        ts: parent.ts,
        thread_ts: parent.ts,
        reply_count: 1,
        reply_users: [slack.botUserId],
        reactions: [{ name: 'eyes', users: ['U0000000BEN'] }],
      },
      { thread_ts: parent.ts, is_bot: true, stream: { state: 'in_progress', parts: [{ type: 'markdown', text: 'streaming' }] } },
      { text: 'psst', visible_to: ADA },
      { files: [{ name: 'a.log', mode: 'snippet', preview: 'line' }] },
    ]);
  });
});

describe('the events', () => {
  test('tell every change since the state, numbered and growing', async () => {
    const { slack, url, post, state } = await startLab();
    const { version } = await state();
    await post('messages', { as: ADA, channel: DEMO, text: 'hello' });
    await botClient(slack).chat.postEphemeral({ channel: DEMO, user: ADA, text: 'psst' });
    await post('settings', { rate_limiting: true });
    const events = await readEvents<LabEvent>(`${url}/lab/api/events?after=${version}`, 3);
    expect(events.map(({ event }) => event.type)).toEqual(['message', 'message', 'settings']);
    expect(events.map(({ id }) => id - version)).toEqual([1, 2, 3]);
  });

  test('resume after the last one seen, without loss or repetition', async () => {
    const { slack, url, state } = await startLab();
    const { version } = await state();
    const ada = slack.person('ada');
    ada.say('#demo', 'one');
    const [first] = await readEvents<LabEvent>(`${url}/lab/api/events?after=${version}`, 1);
    ada.say('#demo', 'two');
    ada.say('#demo', 'three');
    const rest = await readEvents<LabEvent>(`${url}/lab/api/events?after=${version}`, 2, { 'last-event-id': String(first?.id) });
    expect(rest.map(({ event }) => event.type === 'message' && event.message.text)).toEqual(['two', 'three']);
  });

  test('begin with a reset when the resume point is unknown: too old, or of an earlier server', async () => {
    const { slack, url, state } = await startLab();
    const { version } = await state();
    const reset = async (after: number) => (await readEvents<LabEvent>(`${url}/lab/api/events?after=${after}`, 1))[0]?.event;
    expect(await reset(version - 1_000_000)).toEqual({ type: 'reset' });
    expect(await reset(version + 1_000_000)).toEqual({ type: 'reset' });
    const ada = slack.person('ada');
    for (let n = 0; n < 2_001; n += 1) ada.say('#random', `${n}`);
    expect(await reset(version)).toEqual({ type: 'reset' });
  });

  test('say when the app connects, a form opens, a Home changes and a form closes', async () => {
    const { slack, url, state } = await startLab();
    const { version } = await state();
    let trigger = '';
    await startSocketApp(slack, (app) => {
      app.command('/deckhand', async ({ ack, command }) => {
        trigger = command.trigger_id;
        await ack();
      });
    });
    const ada = slack.person('ada');
    await ada.slash('#demo', '/deckhand x');
    const client = botClient(slack);
    const { view } = await client.views.open({
      trigger_id: trigger,
      view: { type: 'modal', title: plain('Form'), blocks: [{ type: 'divider' }] },
    });
    await client.views.publish({ user_id: ADA, view: { type: 'home', blocks: [{ type: 'divider' }] } });
    await ada.closeView(view?.id ?? '');
    const events = await readEvents<LabEvent>(`${url}/lab/api/events?after=${version}`, 4);
    expect(events.map(({ event }) => event)).toMatchObject([
      { type: 'app', app: { connected: true } },
      { type: 'view', view: { title: 'Form', user: ADA, depth: 0 } },
      { type: 'home', home: { user: ADA } },
      { type: 'view_removed', id: view?.id, user: ADA },
    ]);
  });
});

describe('acting', () => {
  /** An app with a card, a form and a command, as the page meets it. */
  async function withApp(slack: SlackEmulator) {
    await startSocketApp(slack, (app) => {
      app.command('/deckhand', async ({ ack }) => ack('here you are'));
      app.action('ask', async ({ ack, body, client }) => {
        await ack();
        const blocks = [
          {
            type: 'input' as const,
            block_id: 'why',
            label: plain('Why'),
            element: { type: 'plain_text_input' as const, action_id: 'text' },
          },
        ];
        if (body.type === 'block_actions') {
          await client.views.open({
            trigger_id: body.trigger_id,
            view: { type: 'modal', callback_id: 'form', title: plain('Form'), submit: plain('OK'), blocks },
          });
        }
      });
      app.options('repo', async ({ ack, payload }) =>
        ack({ options: [{ text: plain(payload.value), value: 'v', description: plain('d') }] }),
      );
      app.view('form', async ({ ack, view }) => {
        if (view.state.values.why?.text?.value === 'bad') await ack({ response_action: 'errors', errors: { why: 'No' } });
        else await ack();
      });
      app.shortcut('hand_to_deckhand', async ({ ack }) => ack());
    });
    const button = { type: 'button', action_id: 'ask', text: plain('Ask') };
    const select = { type: 'external_select', action_id: 'repo' };
    const posted = await botClient(slack).apiCall('chat.postMessage', {
      channel: DEMO,
      text: 'card',
      blocks: [{ type: 'actions', block_id: 'b', elements: [button, select] }],
    });
    return String((posted as { ts?: unknown }).ts);
  }

  test('a whole conversation works through the API', async () => {
    const { slack, post, state } = await startLab();
    const ts = await withApp(slack);
    const as = ADA;
    const said = await post('messages', { as, channel: DEMO, text: 'hi @Deckhand' });
    expect(said.body.message).toMatchObject({ text: 'hi <@U00DECKHAND>', user: ADA });
    const mine = said.body.message.ts;
    expect((await post('messages/edit', { as, channel: DEMO, ts: mine, text: 'hello' })).body.message.edited?.user).toBe(ADA);
    expect((await post('reactions', { as, channel: DEMO, ts: mine, name: 'eyes', action: 'add' })).status).toBe(200);
    expect(await post('commands', { as, channel: DEMO, command: '/deckhand', text: 'help' })).toEqual({ status: 200, body: {} });
    expect((await slack.person('ada').waitForEphemeral('here you are')).channel).toBe(DEMO);

    const options = await post('options', { as, in: { channel: DEMO, ts }, block_id: 'b', action_id: 'repo', query: 'acme' });
    expect(options.body).toEqual({ options: [{ text: 'acme', value: 'v', description: 'd' }] });
    expect((await post('press', { as, in: { channel: DEMO, ts }, block_id: 'b', action_id: 'ask' })).status).toBe(200);
    const { id } = await slack.person('ada').waitForView('Form');
    const submit = (value: string) => post('views/submit', { as, view_id: id, values: { why: { text: value } } });
    expect((await submit('bad')).body).toEqual({ result: 'errors', errors: { why: 'No' } });
    expect((await state()).views).toMatchObject([{ id, errors: { why: 'No' } }]);
    expect((await submit('good')).body).toEqual({ result: 'closed', errors: {} });
    expect((await post('shortcuts', { as, callback_id: 'hand_to_deckhand', channel: DEMO, ts: mine })).status).toBe(200);
    expect((await post('home', { as, tab: 'home' })).status).toBe(200);
    expect((await post('channels/invite', { as, channel: 'C0000RANDOM' })).status).toBe(200);
    expect((await post('channels/kick', { as, channel: 'C0000RANDOM' })).status).toBe(200);
    expect((await post('messages/delete', { as, channel: DEMO, ts: mine })).status).toBe(200);
    await post('reset', {});
    expect((await state()).messages).toEqual([]);
  });

  test('files go up with a message and come down without becoming pages of this origin', async () => {
    const { url, post, state } = await startLab();
    const upload = async (name: string, content: string, type: string) => {
      const response = await fetch(`${url}/lab/api/files?as=${ADA}&name=${encodeURIComponent(name)}`, {
        method: 'POST',
        body: content,
        headers: { 'content-type': type },
      });
      return ((await response.json()) as { file: { id: string; url: string } }).file;
    };
    const json = await upload('data.json', '{"a":1}', 'application/json');
    const html = await upload('page ü.html', '<script>alert(1)</script>', 'text/html');
    await post('messages', { as: ADA, channel: DEMO, text: '', files: [json.id, html.id] });
    expect((await state()).messages[0]?.files.map((file) => file.name)).toEqual(['data.json', 'page ü.html']);
    const down = await fetch(`${url}${html.url}`);
    expect(await down.text()).toBe('<script>alert(1)</script>');
    expect(down.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(down.headers.get('content-security-policy')).toContain('sandbox');
    expect(down.headers.get('x-content-type-options')).toBe('nosniff');
    const attached = await fetch(`${url}${json.url}?download=1`);
    expect(attached.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''data.json");
    expect((await fetch(`${url}/lab/api/files/F404/x`)).status).toBe(404);
  });

  test('completions come from the host', async () => {
    const { url } = await startLab({
      complete: ({ text, channel, user }) => [{ value: `${text}sks`, hint: `${user} in ${channel}` }],
    });
    const response = await fetch(`${url}/lab/api/complete?as=${ADA}&channel=${DEMO}&command=/deckhand&text=ta`);
    expect(await response.json()).toEqual({ completions: [{ value: 'tasks', hint: `${ADA} in ${DEMO}` }] });
  });

  test.each([
    ['a stranger', 'messages', { as: 'U404', channel: DEMO, text: 'x' }, 400, 'unknown_person'],
    ['an unknown channel', 'messages', { as: ADA, channel: 'C404', text: 'x' }, 404, 'channel_not_found'],
    ['the DM of another', 'messages', { as: ADA, channel: 'D0000000BEN', text: 'x' }, 404, 'channel_not_found'],
    ['an empty text', 'messages', { as: ADA, channel: DEMO, text: ' ' }, 400, 'no_text'],
    ['a body without text', 'messages', { as: ADA, channel: DEMO }, 400, 'invalid_input'],
    [
      'a command in a thread',
      'commands',
      { as: ADA, channel: DEMO, thread_ts: '1.000000', command: '/deckhand', text: '' },
      400,
      'not_in_threads',
    ],
    [
      'a command while the app is away',
      'commands',
      { as: ADA, channel: DEMO, command: '/deckhand', text: '' },
      424,
      'dispatch_failed',
    ],
    [
      'a press on nothing',
      'press',
      { as: ADA, in: { channel: DEMO, ts: '1.000000' }, block_id: 'b', action_id: 'a' },
      404,
      'message_not_found',
    ],
    ['a form of nobody', 'views/submit', { as: ADA, view_id: 'V404', values: {} }, 404, 'view_not_found'],
    ['HTTP without a request URL', 'settings', { delivery: 'http' }, 400, 'invalid_input'],
  ])('%s is refused with a sentence', async (_name, path, body, status, code) => {
    const { post } = await startLab();
    const answer = await post(path, body);
    expect(answer).toMatchObject({ status, body: { error: { code, message: expect.stringMatching(/\S/) } } });
  });

  test('an unanswered command is answered in the words of the Slack client', async () => {
    const { post } = await startLab();
    const { body } = await post('commands', { as: ADA, channel: DEMO, command: '/deckhand', text: '' });
    expect(body.error.message).toBe('/deckhand failed with the error "dispatch_failed"');
  });

  test('requests that a browser sends for another site are refused', async () => {
    const { post, url } = await startLab();
    const body = { as: ADA, channel: DEMO, text: 'x' };
    expect((await post('messages', body, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await post('messages', body, { origin: url })).status).toBe(200);
  });
});
