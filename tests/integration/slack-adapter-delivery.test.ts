import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { slackManifest } from '../../adapters/slack/manifest.ts';
import { methodScopes, neededScopes, optionalScopes } from '../../adapters/slack/methods.ts';
import type { DeliveryFailure } from '../../src/contracts/chat-adapter.ts';
import type { Conversation, IdentityRef } from '../../src/contracts/platform.ts';
import type { View } from '../../src/contracts/view.ts';
import { seal } from '../support/adapter-parts.ts';
import { type SlackSetup, startSlack } from '../support/slack-adapter.ts';
import { waitFor } from '../support/wait-for.ts';

let running: SlackSetup | undefined;

afterEach(async () => {
  const errors = running?.slack.controls.errors ?? [];
  await running?.[Symbol.asyncDispose]();
  running = undefined;
  expect(errors).toEqual([]);
});

async function start(options: Partial<Parameters<typeof startSlack>[0]> = {}): Promise<SlackSetup> {
  running = await startSlack({ mode: 'socket', ...options });
  return running;
}

const tenant = 'T00DECKLAB';
const demo: Conversation = { platform: 'slack', tenant, channel: 'C00000DEMO', kind: 'channel' };
const random: Conversation = { ...demo, channel: 'C0000RANDOM' };
const ada: IdentityRef = { platform: 'slack', tenant, user: 'U0000000ADA' };
const secret: View = { fallback: 'only for Ada', blocks: [{ type: 'text', spans: [{ type: 'text', text: 'only for Ada' }] }] };

function failure(work: Promise<unknown>): Promise<DeliveryFailure> {
  return work.then(
    () => Promise.reject(new Error('the call succeeded')),
    (error) => error.failure ?? Promise.reject(error),
  );
}

describe('answers that one person sees', () => {
  it('use the handle of a command, also in a channel without the bot', async () => {
    const { slack, inbox, adapter } = await start();
    await slack.person('ada').slash('#random', '/deckhand tasks');
    await adapter.ephemeral(random, ada, secret, inbox.events[0]?.reply);
    expect(await slack.person('ada').waitForEphemeral('only for Ada', { channel: '#random' })).toMatchObject({
      visible_to: ada.user,
    });
    expect(slack.callsOf('chat.postEphemeral')).toHaveLength(0);
  });

  it('turn pages in the place of the one that was pressed, and show the page anew when that one is gone', async () => {
    const { slack, inbox, adapter } = await start();
    const person = slack.person('ada');
    const page = (text: string): View => ({
      fallback: text,
      blocks: [
        { type: 'text', spans: [{ type: 'text', text }] },
        { type: 'buttons', buttons: [{ token: 'c:next', label: 'Next', style: 'default' }] },
      ],
    });
    await person.slash('#demo', '/deckhand diff #1');
    await adapter.ephemeral(demo, ada, page('page 1'), inbox.events[0]?.reply);
    const first = await person.waitForEphemeral('page 1');
    await person.press(first, 'Next');
    const pressed = await waitFor('the press', () => inbox.events[1]);
    expect(pressed.type === 'press' && pressed.message).toBeUndefined();
    await adapter.ephemeral(demo, ada, page('page 2'), pressed.reply, true);
    expect(person.ephemerals().map(({ ts, text }) => [ts, text])).toEqual([[first.ts, 'page 2']]);
    person.delete(first);
    await adapter.ephemeral(demo, ada, page('page 3'), pressed.reply, true);
    expect(person.ephemerals().map(({ text }) => text)).toEqual(['page 3']);
  });

  it('say that the bot is no member where there is no handle', async () => {
    const { adapter } = await start();
    expect(await failure(adapter.ephemeral(random, ada, secret, undefined))).toMatchObject({
      kind: 'not_permitted',
      detail: expect.stringContaining('/invite @Deckhand'),
    });
  });

  it.each<[string, (setup: SlackSetup, reply: string) => string | Promise<string>]>([
    [
      'too old for Slack',
      (setup, reply) => {
        setup.slack.controls.expireResponseUrls();
        return reply;
      },
    ],
    ['not one of ours', () => 'https://evil.example/'],
    [
      'used up',
      async (setup, reply) => {
        for (let use = 0; use < 5; use += 1)
          await setup.adapter.ephemeral(demo, ada, { fallback: `use ${use}`, blocks: [] }, reply);
        return reply;
      },
    ],
  ])('take another way when the handle is %s', async (_, spoil) => {
    const setup = await start();
    const { slack, adapter, inbox } = setup;
    await slack.person('ada').slash('#demo', '/deckhand tasks');
    const reply = await spoil(setup, inbox.events[0]?.reply ?? '');
    await adapter.ephemeral(demo, ada, secret, reply);
    await slack.person('ada').waitForEphemeral('only for Ada');
    expect(slack.callsOf('chat.postEphemeral')).toHaveLength(1);
  });

  it('stand in the thread when it is active, and are not lost in a thread without replies', async () => {
    const { slack, adapter } = await start();
    const person = slack.person('ada');
    const quiet = person.mention('#demo', 'one');
    const active = person.mention('#demo', 'two');
    person.reply(active, 'more');
    await slack.controls.eventsSettled();
    await adapter.ephemeral({ ...demo, thread: active.ts }, ada, { ...secret, fallback: 'a' }, undefined);
    await adapter.ephemeral({ ...demo, thread: quiet.ts }, ada, { ...secret, fallback: 'b' }, undefined);
    await adapter.ephemeral({ ...demo, thread: '1700000000.000000' }, ada, { ...secret, fallback: 'c' }, undefined);
    expect(person.ephemerals().map(({ text, thread_ts: thread }) => [text, thread])).toEqual([
      ['a', active.ts],
      ['b', undefined],
      ['c', undefined],
    ]);
    expect(slack.calls.filter(({ note }) => note !== undefined)).toEqual([]);
  });

  it('are plain messages in a direct conversation', async () => {
    const { slack, adapter } = await start();
    await adapter.ephemeral(await adapter.direct(ada), ada, secret, undefined);
    const message = await slack.person('ada').waitForMessage('only for Ada', { channel: 'dm' });
    expect(message.visible_to).toBeUndefined();
  });

  it('promise 6: are an unknown outcome when the answer was lost, not sent twice', async () => {
    const { slack, adapter } = await start();
    slack.controls.failNext('chat.postEphemeral', { dropConnectionAfterEffect: true });
    expect(await failure(adapter.ephemeral(demo, ada, secret, undefined))).toMatchObject({ kind: 'unknown' });
    expect(slack.person('ada').ephemerals()).toHaveLength(1);
  });

  it.each<[DeliveryFailure['kind'], number]>([
    ['unknown', 0],
    ['unknown', 503],
    ['rate_limited', 429],
  ])('promise 6: are %s when the handle meets %i, and take no other way then', async (kind, status) => {
    const { slack, adapter } = await start();
    const server = createServer((request, response) => {
      request
        .resume()
        .on('end', () => (status === 0 ? response.destroy() : response.writeHead(status, { 'retry-after': '3' }).end()));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const reply = seal(JSON.stringify({ url: `http://127.0.0.1:${port}/`, until: Date.now() + 60_000 }));
    expect(await failure(adapter.ephemeral(demo, ada, secret, reply))).toMatchObject({ kind });
    expect(slack.callsOf('chat.postEphemeral')).toHaveLength(0);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('files', () => {
  const patch = { name: '142.patch', bytes: Buffer.from('+ one line\n'), language: 'diff' };

  it('are snippets where Slack knows the type, and plain files where they are too long for one', async () => {
    const { slack, adapter } = await start();
    const long = { name: 'run.log', bytes: Buffer.alloc(1024 * 1024 + 1, 'x') };
    await adapter.upload(demo, [patch, long, { name: 'core.bin', bytes: Buffer.from([0, 255]) }], undefined);
    const message = await slack.person('ada').waitForMessage((seen) => seen.files.length === 3);
    const files = message.files.map((id) => slack.core.state.files.get(id));
    expect(files.map((file) => file?.mode)).toEqual(['snippet', 'hosted', 'hosted']);
    expect(slack.callsOf('files.getUploadURLExternal').map(({ args }) => args.snippet_type)).toEqual([
      'diff',
      'text',
      undefined,
      undefined,
    ]);
  });

  it('go as text where the workspace refuses files, if all of it fits', async () => {
    const { slack, adapter } = await start();
    slack.controls.failNext('files.getUploadURLExternal', { error: 'file_uploads_disabled', times: 2 });
    await adapter.upload(demo, [patch], 'the change');
    const message = await slack.person('ada').waitForMessage('+ one line');
    expect(message.plain).toContain('the change');
    expect(message.plain).toContain('142.patch');
    const long = { name: 'run.log', bytes: Buffer.alloc(5000, 'x') };
    expect(await failure(adapter.upload(demo, [long], undefined))).toMatchObject({ kind: 'not_permitted' });
    expect(
      slack
        .person('ada')
        .messages('#demo')
        .filter(({ user }) => user === slack.botUserId),
    ).toHaveLength(1);
  });

  it('promise 6: are found again by their names, behind the message they belong to', async () => {
    const { slack, adapter } = await start();
    const other = { ...patch, name: 'run.log' };
    const root = await adapter.send(demo, { fallback: 'card', blocks: [] }, 'card');
    const thread = { ...demo, thread: root.message };
    const since = new Date().toISOString();
    const finds = (to: typeof demo, names: string[], after?: string) => adapter.findUpload?.(to, names, since, after);
    slack.controls.failNext('files.completeUploadExternal', { dropConnectionAfterEffect: true });
    expect(await failure(adapter.upload(thread, [patch, other], 'changes'))).toMatchObject({ kind: 'unknown' });
    slack.person('ada').say('#demo', 'between', { thread: root.message });
    const later = await adapter.send(thread, { fallback: 'end', blocks: [] }, 'end');
    expect(await finds(thread, [other.name, patch.name])).toBe(true);
    expect(await finds(thread, [other.name, patch.name], root.message)).toBe(true);
    expect(await finds(thread, [other.name, patch.name], later.message)).toBe(false);
    expect(await finds(thread, [patch.name])).toBe(false);
    expect(await finds(demo, [other.name, patch.name])).toBe(false);
    await adapter.upload(demo, [patch], undefined);
    expect(await finds(demo, [patch.name])).toBe(true);
  });

  it('promise 6: are safe to send again as long as they were not shared', async () => {
    const { slack, adapter } = await start();
    slack.controls.failNext('files.getUploadURLExternal', { dropConnectionAfterEffect: true });
    expect(await failure(adapter.upload(demo, [patch], undefined))).toMatchObject({ kind: 'unreachable' });
    slack.controls.failNext('files.completeUploadExternal', { dropConnectionAfterEffect: true });
    expect(await failure(adapter.upload(demo, [patch], undefined))).toMatchObject({ kind: 'unknown' });
    await slack.person('ada').waitForMessage((seen) => seen.files.length === 1);
  });

  it('without content are refused', async () => {
    const { adapter } = await start();
    expect(await failure(adapter.upload(demo, [{ name: 'empty', bytes: new Uint8Array() }], undefined))).toMatchObject({
      kind: 'rejected',
    });
  });
});

describe('the platform’s limits', () => {
  it('promise 5: one channel told to wait does not hold up another', async () => {
    const { slack, adapter } = await start();
    slack.controls.failNext('chat.postMessage', { status: 429, retryAfter: 30, when: (call) => call.channel === demo.channel });
    const [told, ref] = await Promise.all([
      failure(adapter.send(demo, secret, 'k1')),
      adapter.send({ ...demo, channel: 'C000000OPS' }, secret, 'k2'),
    ]);
    expect(told).toEqual({ kind: 'rate_limited', retryAfterMs: 30_000 });
    expect(ref.channel).toBe('C000000OPS');
    expect(slack.callsOf('chat.postMessage')).toHaveLength(2);
  });

  it('promise 5: Slack itself says 429 once the published limit is passed, and never within the budget', async () => {
    const { slack, adapter } = await start({ rateLimiting: true });
    const budget = adapter.capabilities.budgets.find(
      ({ operations, scope }) => operations.includes('edit') && scope === 'tenant',
    );
    const ref = await adapter.send(demo, secret, 'k1');
    for (let edit = 0; edit < (budget?.calls ?? 0); edit += 1) await adapter.edit(ref, { fallback: `edit ${edit}`, blocks: [] });
    expect(slack.overLimit()).toEqual([]);
    const told = await failure(adapter.edit(ref, secret));
    expect(told.kind === 'rate_limited' && told.retryAfterMs).toBeGreaterThan(0);
  });

  it('promise 6: sends once per call, whatever the answer', async () => {
    const { slack, adapter } = await start();
    for (const fault of [{ status: 500 }, { status: 502 }, { error: 'internal_error' }, { dropConnectionBeforeEffect: true }]) {
      slack.controls.failNext('chat.postMessage', fault);
      expect(await failure(adapter.send(demo, secret, 'k1'))).toMatchObject({ kind: 'unknown' });
    }
    expect(slack.callsOf('chat.postMessage')).toHaveLength(4);
    expect(
      slack
        .person('ada')
        .messages('#demo')
        .filter(({ user }) => user === slack.botUserId),
    ).toEqual([]);
  });

  it('promise 6: finds a message far back in a busy channel, and only one of its own', async () => {
    const { slack, adapter } = await start();
    const since = new Date().toISOString();
    slack.controls.failNext('chat.postMessage', { dropConnectionAfterEffect: true });
    await failure(adapter.send(demo, secret, 'the key'));
    for (let talk = 0; talk < 250; talk += 1) slack.person('ben').say('#demo', `talk ${talk}`);
    const found = await adapter.find(demo, 'the key', since);
    expect(found?.message).toBe((await slack.person('ada').waitForMessage('only for Ada')).ts);
    expect(slack.callsOf('conversations.history')).toHaveLength(2);
  });
});

describe('a conversation known by the person only, as after a press in the App Home', () => {
  it('takes messages, finds them, takes files and answers', async () => {
    const { slack, adapter } = await start();
    const home: Conversation = { platform: 'slack', tenant, channel: ada.user, kind: 'direct' };
    const since = new Date().toISOString();
    const ref = await adapter.send(home, secret, 'k1');
    expect(ref.channel).toMatch(/^D/);
    await adapter.edit(ref, { ...secret, fallback: 'changed' });
    expect(await adapter.find(home, 'k1', since)).toEqual(ref);
    await adapter.ephemeral(home, ada, { fallback: 'an answer', blocks: [] }, undefined);
    await adapter.upload(home, [{ name: 'run.log', bytes: Buffer.from('x') }], undefined);
    await slack.person('ada').waitForMessage((seen) => seen.files.length === 1, { channel: 'dm' });
    expect(slack.person('ada').messages('dm')).toHaveLength(3);
  });
});

describe('rights', () => {
  it('the manifest asks for exactly what is used', async () => {
    const setup = await start();
    const { slack, adapter, inbox } = setup;
    const person = slack.person('ada');
    const file = person.upload('a.txt', 'a');
    const asked = person.mention('#demo', 'sh ls', { files: [file.id] });
    await person.slash('#demo', '/deckhand tasks');
    await slack.controls.eventsSettled();
    const card = await adapter.send(
      demo,
      { ...secret, blocks: [{ type: 'buttons', buttons: [{ token: 'c:x', label: 'Press', style: 'default' }] }] },
      'k',
    );
    await adapter.edit(card, secret);
    await adapter.find(demo, 'k', new Date().toISOString());
    await adapter.find({ ...demo, thread: asked.ts }, 'k', new Date().toISOString());
    await adapter.ephemeral(demo, ada, secret, undefined);
    await adapter.upload(demo, [{ name: 'a.txt', bytes: Buffer.from('a') }], undefined);
    await adapter.react({ ...card, message: asked.ts }, 'received', true);
    await adapter.react({ ...card, message: asked.ts }, 'received', false);
    await adapter.publishHome(ada, secret);
    await adapter.direct(ada);
    const trigger = inbox.events.find((event) => event.type === 'command')?.trigger ?? '';
    await adapter.openForm(
      trigger,
      {
        token: 'c:x',
        title: 'T',
        submit: 'S',
        fields: [{ type: 'text', id: 'a', label: 'A', multiline: false, required: true }],
      },
      demo,
    );
    const attached = { conversation: demo, message: asked.ts, id: file.id };
    expect(await adapter.download?.(attached, AbortSignal.timeout(5000))).toMatchObject({ name: 'a.txt' });
    const called = new Set(slack.calls.filter(({ ok }) => ok).map(({ method }) => method));
    called.delete('apps.connections.open');
    // Names of other organisations are asked for only where there are some.
    expect([...called, 'team.info'].sort()).toEqual(Object.keys(methodScopes).sort());
    expect(slack.calls.filter(({ error }) => error === 'missing_scope')).toEqual([]);
  });

  it.each(neededScopes().filter((scope) => scope !== 'commands' && !optionalScopes.has(scope)))(
    'health names the missing scope %s',
    async (scope) => {
      const manifest = slackManifest({ mode: 'socket', usageHint: '' });
      const { slack, adapter } = await start();
      const less = { ...manifest, settings: { ...manifest.settings, event_subscriptions: { bot_events: ['app_home_opened'] } } };
      slack.install({ ...less, oauth_config: { scopes: { bot: neededScopes().filter((name) => name !== scope) } } });
      expect(await adapter.health()).toMatchObject({
        ok: false,
        detail: expect.stringContaining(scope),
        remedy: expect.stringContaining('manifest'),
      });
    },
  );

  it('health tells that Slack does not answer, within its three seconds', async () => {
    const { slack, adapter } = await start();
    const held = slack.controls.hold('auth.test');
    const since = performance.now();
    expect(await adapter.health()).toMatchObject({ ok: false, detail: expect.stringContaining('does not answer') });
    expect(performance.now() - since).toBeLessThan(3000);
    held.release();
    await waitFor('Slack to answer again', async () => (await adapter.health()).ok);
  });
});
