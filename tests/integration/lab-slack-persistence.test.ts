import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WebClient } from '@slack/web-api';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { botClient, silent, startSlack, startSocketApp } from '../support/slack-app.ts';

const script = fileURLToPath(new URL('../support/slack-emulator-process.ts', import.meta.url));
const DEMO = 'C00000DEMO';
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-slack-'));
  return () => rmSync(directory, { recursive: true, force: true });
});

/** Starts the emulator in a process of its own. */
async function spawnEmulator() {
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [script, directory]);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value);
  const { apiUrl } = JSON.parse(await next());
  const client = new WebClient('xoxb-fixed', { slackApiUrl: apiUrl, retryConfig: { retries: 0 }, logger: silent });
  return {
    client,
    say(text: string) {
      child.stdin.write(`${text}\n`);
      return next();
    },
    kill() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      return gone;
    },
  };
}

describe('a workspace on disk', () => {
  test('survives SIGKILL at any moment: what was answered is there, once', async () => {
    const answered: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const emulator = await spawnEmulator();
      const parent = await emulator.say(`round ${round}`);
      answered.push(parent);
      const posting = (async () => {
        for (let n = 0; ; n += 1) {
          const { ts = '' } = await emulator.client.chat.postMessage({ channel: DEMO, thread_ts: parent, text: `${round}.${n}` });
          answered.push(ts);
        }
      })().catch(() => undefined);
      while (answered.length < (round + 1) * 20) await emulator.client.auth.test();
      await emulator.kill();
      await posting;
    }
    const slack = await startSlack({ persistPath: directory });
    const stored = slack
      .person('ada')
      .messages('#demo')
      .map((message) => message.ts);
    expect(stored).toEqual([...stored].sort());
    expect(new Set(stored).size).toBe(stored.length);
    for (const ts of answered) expect(stored).toContain(ts);
    // Only a request that was under way when the process died may have left a message nobody was told of.
    expect(stored.length - answered.length).toBeLessThanOrEqual(3);
  }, 60_000);

  test('keeps threads, reactions, files, forms, Homes, memberships and response URLs', async () => {
    const before = await startSlack({ persistPath: directory });
    const client = botClient(before);
    const ada = before.person('ada');
    const parent = ada.say('#demo', 'parent');
    const metadata = { event_type: 'k', event_payload: { n: 1 } };
    const { ts = '' } = await client.chat.postMessage({ channel: DEMO, thread_ts: parent.ts, text: 'card', metadata });
    await client.reactions.add({ channel: DEMO, timestamp: parent.ts, name: 'eyes' });
    await client.filesUploadV2({ channel_id: DEMO, content: 'bytes', filename: 'log.txt' });
    const { files } = await ada.waitForMessage('log.txt');
    await client.views.publish({ user_id: ada.id, view: { type: 'home', blocks: [{ type: 'divider' }] } });
    await client.chat.postEphemeral({ channel: DEMO, user: ada.id, text: 'gone on reload' });
    ada.invite('#random');
    let trigger = '';
    let responseUrl = '';
    await startSocketApp(before, (app) => {
      app.command('/deckhand', async ({ ack, command }) => {
        ({ trigger_id: trigger, response_url: responseUrl } = command);
        await ack();
      });
    });
    await ada.slash('#demo', '/deckhand x');
    const { view } = await client.views.open({
      trigger_id: trigger,
      view: { type: 'modal', title: { type: 'plain_text', text: 'Form' }, blocks: [] },
    });
    await before.controls.eventsSettled();
    await before.close();

    const after = await startSlack({ persistPath: directory });
    const again = after.person('ada');
    expect(again.thread(parent.ts).map((message) => message.text)).toEqual(['parent', 'card']);
    expect(again.messages('#demo')[0]?.reactions).toEqual([{ name: 'eyes', users: [after.botUserId] }]);
    expect(again.home()?.user).toBe(ada.id);
    expect(again.views().map(({ id }) => id)).toEqual([view?.id]);
    expect(again.ephemerals()).toEqual([]);
    expect((await botClient(after).chat.postMessage({ channel: 'C0000RANDOM', text: 'member' })).ok).toBe(true);
    const { messages } = await botClient(after).conversations.replies({
      channel: DEMO,
      ts: parent.ts,
      include_all_metadata: true,
    });
    expect(messages?.[1]).toMatchObject({ ts, metadata });
    expect(after.core.state.readContent(files[0] ?? '')?.toString()).toBe('bytes');
    const moved = `${after.url}${new URL(responseUrl).pathname}`;
    expect(
      (await fetch(moved, { method: 'POST', body: '{"text":"late answer"}', headers: { 'content-type': 'application/json' } }))
        .status,
    ).toBe(200);
    expect(Number(again.say('#demo', 'newest').ts)).toBeGreaterThan(Number(ts));
  });

  test('delivers after the restart what the app had not acknowledged, as a retry', async () => {
    const before = await startSlack({ persistPath: directory });
    before.person('ada').dm('did you get this?');
    await before.close();

    const after = await startSlack({ persistPath: directory });
    const heard: [unknown, unknown][] = [];
    await startSocketApp(after, (app) => {
      app.message(async ({ message, context }) => {
        heard.push(['text' in message ? message.text : '', context.retryNum]);
      });
    });
    await after.controls.eventsSettled();
    expect(heard).toEqual([['did you get this?', 1]]);
    await after.close();
    expect((await startSlack({ persistPath: directory })).core.state.pending.values()).toEqual([]);
  });

  test('is empty again after reset, on disk too', async () => {
    const before = await startSlack({ persistPath: directory });
    before.person('ada').say('#demo', 'x');
    before.person('ada').upload('a.txt', 'x');
    before.reset();
    await before.close();
    const after = await startSlack({ persistPath: directory });
    expect(after.person('ada').messages('#demo')).toEqual([]);
    expect(after.core.state.files.values()).toEqual([]);
  });
});
