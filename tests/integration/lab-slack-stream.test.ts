import { describe, expect, test } from 'vitest';
import type { SlackEmulator } from '../../lab/slack/emulator.ts';
import { botClient, refusalOf, startSlack, startSocketApp } from '../support/slack-app.ts';

const DEMO = 'C00000DEMO';
const recipient = { recipient_user_id: 'U0000000ADA', recipient_team_id: 'T00DECKLAB' };

async function open(slack: SlackEmulator, more: Record<string, unknown> = {}) {
  const client = botClient(slack);
  const parent = slack.person('ada').say('#demo', 'parent');
  const args = { channel: DEMO, thread_ts: parent.ts, ...recipient };
  const { ts = '' } = await client.chat.startStream({ ...args, ...more });
  return { client, parent, args, ts, message: () => slack.person('ada').thread(parent)[1] };
}

describe('streams', () => {
  test('grow by appends and end with blocks', async () => {
    const slack = await startSlack();
    const { client, ts, message } = await open(slack, { markdown_text: 'Hello ' });
    await client.chat.appendStream({ channel: DEMO, ts, markdown_text: 'world' });
    expect(message()).toMatchObject({ plain: 'Hello world', stream: { state: 'in_progress' } });
    const button = { type: 'button' as const, text: { type: 'plain_text' as const, text: 'Stop' }, action_id: 'stop' };
    const ended = await client.chat.stopStream({
      channel: DEMO,
      ts,
      markdown_text: '!',
      blocks: [{ type: 'actions', elements: [button] }],
    });
    expect(ended.message).toMatchObject({ streaming_state: 'completed', text: 'Hello world!' });
    expect(message()).toMatchObject({ plain: 'Hello world!\nStop', buttons: ['Stop'], stream: { state: 'completed' } });
  });

  test('carry tasks and plans; a task with a known id is updated', async () => {
    const slack = await startSlack();
    const { client, ts, message } = await open(slack, { task_display_mode: 'plan' });
    const task = { type: 'task_update' as const, id: 't1', title: 'Install' };
    await client.chat.appendStream({
      channel: DEMO,
      ts,
      chunks: [
        { type: 'plan_update', title: 'Plan' },
        { ...task, status: 'in_progress' },
      ],
    });
    await client.chat.appendStream({ channel: DEMO, ts, chunks: [{ ...task, status: 'complete', output: 'ok' }] });
    expect(message()?.stream?.parts).toEqual([
      { type: 'plan', title: 'Plan' },
      { type: 'task', id: 't1', title: 'Install', status: 'complete', output: 'ok' },
    ]);
    const { message: wire } = await client.chat.stopStream({ channel: DEMO, ts });
    expect(wire?.blocks).toMatchObject([
      { type: 'plan', title: 'Plan', tasks: [{ type: 'task_card', task_id: 't1', status: 'complete' }] },
    ]);
  });

  test('work through the ChatStreamer of the SDK', async () => {
    const slack = await startSlack();
    const parent = slack.person('ada').say('#demo', 'parent');
    const streamer = botClient(slack).chatStream({ channel: DEMO, thread_ts: parent.ts, ...recipient, buffer_size: 4 });
    await streamer.append({ markdown_text: 'some ' });
    await streamer.append({ markdown_text: 'more' });
    await streamer.stop();
    expect(slack.person('ada').thread(parent)[1]?.plain).toBe('some more');
  });

  test('cannot be updated while open; can be after', async () => {
    const slack = await startSlack();
    const { client, ts, message } = await open(slack, { markdown_text: 'draft' });
    expect((await refusalOf(client.chat.update({ channel: DEMO, ts, text: 'final' }))).error).toBe('streaming_state_conflict');
    await client.chat.stopStream({ channel: DEMO, ts });
    await client.chat.update({ channel: DEMO, ts, text: 'final' });
    expect(message()?.plain).toBe('final');
  });

  test('end by themselves, and then refuse appends and stops but not updates', async () => {
    const slack = await startSlack();
    const { client, ts, message } = await open(slack, { markdown_text: 'cut' });
    slack.controls.expireStreams();
    expect(message()?.stream?.state).toBe('errored');
    const append = client.chat.appendStream({ channel: DEMO, ts, markdown_text: 'x' });
    expect((await refusalOf(append)).error).toBe('message_not_in_streaming_state');
    expect((await refusalOf(client.chat.stopStream({ channel: DEMO, ts }))).error).toBe('message_not_in_streaming_state');
    expect((await client.chat.update({ channel: DEMO, ts, text: 'final' })).ok).toBe(true);
  });

  test('end after their lifetime without anybody asking', async () => {
    const slack = await startSlack({ timing: { stream: 30 } });
    const { parent } = await open(slack, { markdown_text: 'short' });
    const ended = await slack.person('ada').waitForMessage((message) => message.stream?.state === 'errored', { thread: parent });
    expect(ended.plain).toBe('short');
  });

  test.each([
    ['missing_recipient_user_id', { recipient_user_id: undefined }],
    ['missing_recipient_team_id', { recipient_team_id: undefined }],
    ['user_not_found', { recipient_user_id: 'U404' }],
    ['invalid_arguments', { thread_ts: undefined }],
    ['thread_not_found', { thread_ts: '1.000000' }],
    ['invalid_arguments', { markdown_text: 'x'.repeat(12_001) }],
    ['invalid_arguments', { markdown_text: 'x', chunks: [{ type: 'markdown_text', text: 'y' }] }],
    ['invalid_chunks', { chunks: [{ type: 'picture' }] }],
    ['invalid_chunks', { chunks: [{ type: 'task_update', id: 't', title: 'T', status: 'done' }] }],
    ['invalid_blocks', { chunks: [{ type: 'blocks', blocks: [{ type: 'header' }] }] }],
    ['msg_blocks_too_many', { chunks: [{ type: 'blocks', blocks: Array.from({ length: 51 }, () => ({ type: 'divider' })) }] }],
    ['not_in_channel', { channel: 'C0000RANDOM' }],
  ])('chat.startStream answers %s', async (code, change) => {
    const slack = await startSlack();
    const parent = slack.person('ada').say('#demo', 'parent');
    const call = botClient(slack).apiCall('chat.startStream', { channel: DEMO, thread_ts: parent.ts, ...recipient, ...change });
    expect((await refusalOf(call)).error).toBe(code);
  });

  test('need no recipient in a direct message', async () => {
    const slack = await startSlack();
    const parent = slack.person('ada').dm('hello');
    const { ok } = await botClient(slack).apiCall('chat.startStream', {
      channel: parent.channel,
      thread_ts: parent.ts,
      markdown_text: 'hi',
    });
    expect(ok).toBe(true);
  });

  test('of others or of no stream at all are refused', async () => {
    const slack = await startSlack();
    const { client, parent } = await open(slack);
    const append = (ts: string) => refusalOf(client.chat.appendStream({ channel: DEMO, ts, markdown_text: 'x' }));
    expect((await append(parent.ts)).error).toBe('message_not_owned_by_app');
    const plain = await client.chat.postMessage({ channel: DEMO, text: 'plain' });
    expect((await append(plain.ts ?? '')).error).toBe('message_not_in_streaming_state');
    expect((await append('1.000000')).error).toBe('message_not_found');
  });

  test('tell the app of their start and end', async () => {
    const slack = await startSlack();
    await startSocketApp(slack, () => {});
    const { client, ts } = await open(slack, { markdown_text: 'a' });
    await client.chat.appendStream({ channel: DEMO, ts, markdown_text: 'b' });
    await client.chat.stopStream({ channel: DEMO, ts });
    await slack.controls.eventsSettled();
    const states = slack.deliveries.map((delivery) => {
      const event = delivery.payload.event as { streaming_state?: string; message?: { streaming_state?: string } };
      return event.streaming_state ?? event.message?.streaming_state;
    });
    expect(states).toEqual([undefined, 'in_progress', 'completed']);
  });
});

describe('assistant.threads.setStatus', () => {
  test('shows until the next message of the app', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const parent = slack.person('ada').say('#demo', 'parent');
    const statuses: string[] = [];
    slack.core.state.subscribe((change) => change.type === 'status' && statuses.push(change.status.status));
    await client.assistant.threads.setStatus({
      channel_id: DEMO,
      thread_ts: parent.ts,
      status: 'is thinking…',
      loading_messages: ['a', 'b'],
    });
    await client.chat.postMessage({ channel: DEMO, thread_ts: parent.ts, text: 'done' });
    expect(statuses).toEqual(['is thinking…', '']);
  });

  test('refuses unknown threads and more than ten loading messages', async () => {
    const slack = await startSlack();
    const client = botClient(slack);
    const parent = slack.person('ada').say('#demo', 'parent');
    const set = (more: object) =>
      refusalOf(client.apiCall('assistant.threads.setStatus', { channel_id: DEMO, thread_ts: parent.ts, status: 'x', ...more }));
    expect((await set({ thread_ts: '1.000000' })).error).toBe('invalid_thread_ts');
    expect((await set({ channel_id: 'C404' })).error).toBe('channel_not_found');
    expect((await set({ loading_messages: Array.from({ length: 11 }, () => 'x') })).error).toBe('invalid_arguments');
  });

  test('the agent surface exists only for agent apps', async () => {
    const slack = await startSlack();
    const prompts = botClient(slack).assistant.threads.setSuggestedPrompts({
      channel_id: DEMO,
      thread_ts: '1.000000',
      prompts: [{ title: 'a', message: 'b' }],
    });
    expect((await refusalOf(prompts)).error).toBe('missing_scope');
  });
});
