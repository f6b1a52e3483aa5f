import { describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/contracts/platform.ts';
import type { Block, View } from '../../src/contracts/view.ts';
import { card, discordForTest, failure, ofType, words } from '../support/discord-adapter.ts';
import { waitFor } from '../support/wait-for.ts';

const title = { title: '#142 Fix the flaky test' };

describe('the thread of a task', () => {
  it('is made from its card, bears its title, and has its id', async () => {
    const { discord, adapter, channel } = await discordForTest();
    const ref = await adapter.send(channel('demo'), words('the card'), 'k1', { title: ' #142  Fix\nthe *flaky* test ' });
    expect(ref).toMatchObject({ channel: channel('demo').channel, thread: ref.message });
    const thread = await discord.person('ada').waitForThread('#142 Fix the *flaky* test');
    expect(thread).toMatchObject({ id: ref.message, thread: { auto_archive_duration: 10_080, parent_id: ref.channel } });
  });

  it('has a name of at most a hundred characters, and one where the title has nothing to show', async () => {
    const { discord, adapter, channel } = await discordForTest();
    await adapter.send(channel('demo'), words('one'), 'k1', { title: `#1 ${'🙂'.repeat(80)}` });
    await adapter.send(channel('demo'), words('two'), 'k2', { title: ' \n ' });
    const names = discord
      .person('ada')
      .threads()
      .map(({ name }) => name);
    expect(names[0]?.length).toBeLessThanOrEqual(100);
    expect(names[0]).toMatch(/^#1 (?:🙂)+…$/u);
    expect(names[1]).toBe('Task');
  });

  it('is the one that somebody was faster to make', async () => {
    const { discord, adapter, channel } = await discordForTest();
    const held = discord.controls.hold('create_thread_from_message');
    const sent = adapter.send(channel('demo'), words('the card'), 'k1', title);
    await held.reached;
    const card = await discord.person('ada').waitForMessage('the card');
    const thread = discord.person('ada').startThread(card, 'mine');
    held.release();
    expect(await sent).toMatchObject({ message: card.id, thread: thread.id });
  });

  it('is not begun where the bot may not make threads: its card is taken back, and the right is named', async () => {
    const { discord, adapter, channel } = await discordForTest();
    discord.controls.denyIn('demo', 'CREATE_PUBLIC_THREADS');
    expect(await failure(adapter.send(channel('demo'), words('the card'), 'k1', title))).toMatchObject({
      kind: 'not_permitted',
      detail: expect.stringContaining('deckhand discord invite'),
    });
    expect(discord.person('ada').messages('#demo')).toEqual([]);
  });

  it.each([{ dropConnectionBeforeEffect: true }, { dropConnectionAfterEffect: true }, { status: 429 }, { status: 500 }])(
    'promise 6: that could not be made for now (%j) is an unknown outcome, and is found or made when it is looked for',
    async (fault) => {
      const { discord, adapter, channel } = await discordForTest();
      const since = new Date().toISOString();
      discord.controls.failNext('create_thread_from_message', fault);
      expect(await failure(adapter.send(channel('demo'), words('the card'), 'the key', title))).toMatchObject({
        kind: 'unknown',
      });
      const card = await discord.person('ada').waitForMessage('the card');
      discord.controls.refillLimits();
      const found = await waitFor('the limit to pass', () =>
        adapter.find(channel('demo'), 'the key', since, title).catch(() => undefined),
      );
      expect(found).toEqual({
        platform: 'discord',
        tenant: channel('demo').tenant,
        channel: card.channel,
        thread: card.id,
        message: card.id,
      });
      expect(discord.person('ada').threads()).toMatchObject([{ id: card.id, name: title.title }]);
    },
  );

  it('promise 6: a card that is sent again with its key is the one that is there, with its thread', async () => {
    const { discord, adapter, channel } = await discordForTest();
    const [first, again] = [
      await adapter.send(channel('demo'), words('the card'), 'the key', title),
      await adapter.send(channel('demo'), words('the card'), 'the key', title),
    ];
    expect(again).toEqual(first);
    expect(discord.person('ada').messages('#demo')).toHaveLength(1);
  });

  it('is woken up by whatever is done in it, by the bot or by people', async () => {
    const setup = await discordForTest();
    const { discord, adapter, channel } = setup;
    const ada = discord.person('ada');
    const card = await adapter.send(channel('demo'), words('the card'), 'k1', title);
    const inside = channel('demo', card.thread);
    const answer = await adapter.send(inside, words('inside'), 'k2');
    const said = ada.say(inside.thread ?? '', 'more');
    const asleep = () => ada.setThread(card.thread ?? '', { archived: true });
    const isAsleep = () => discord.core.state.channels.get(card.thread ?? '')?.thread?.archived;
    for (const work of [
      () => adapter.edit(answer, words('changed')),
      () => adapter.react({ ...answer, message: said.id }, 'received', true),
      () => adapter.upload(inside, [{ name: 'run.log', bytes: Buffer.from('x') }], undefined),
      () => adapter.send(inside, words('again'), 'k3'),
    ]) {
      asleep();
      await work();
      expect(isAsleep()).toBe(false);
    }
    asleep();
    ada.say(card.thread ?? '', 'good morning');
    const heard = await waitFor('the message', () => ofType(setup, 'message').find(({ text }) => text === 'good morning'));
    expect(heard.conversation).toEqual(inside);
  });

  it('that is locked as well needs somebody else, and that is said', async () => {
    const { discord, adapter, channel } = await discordForTest();
    const card = await adapter.send(channel('demo'), words('the card'), 'k1', title);
    discord.core.state.channels.put(lockedThread(discord.core.state.channels.get(card.thread ?? '')));
    const refused = await failure(adapter.send(channel('demo', card.thread), words('inside'), 'k2'));
    expect(refused).toMatchObject({ kind: 'not_permitted' });
  });

  it('is the direct conversation itself where there is one: everything stands there, one below the other', async () => {
    const { discord, adapter, identity } = await discordForTest();
    const since = new Date().toISOString();
    const direct = await adapter.direct(identity('ada'));
    const first = await adapter.send(direct, words('the card'), 'k1', title);
    expect(first.thread).toBeUndefined();
    const below = { ...direct, thread: first.message };
    const second = await adapter.send(below, words('the end'), 'k2');
    await adapter.upload(below, [{ name: 'run.log', bytes: Buffer.from('x') }], undefined);
    await adapter.edit(second, words('the very end'));
    expect(await adapter.find(below, 'k2', since)).toEqual(second);
    const [, ...more] = discord.person('ada').messages('dm');
    expect(more.map(({ plain }) => plain)).toEqual(['the very end', 'run.log']);
  });

  it('is found by a press on its card, which stands above it in the channel', async () => {
    const setup = await discordForTest();
    const ref = await setup.adapter.send(setup.channel('demo'), card({ label: 'Stop' }), 'k1', title);
    await setup.discord.person('ada').press(ref.message, 'Stop');
    expect(ofType(setup, 'press')).toMatchObject([{ conversation: setup.channel('demo', ref.thread), message: ref.message }]);
  });
});

function lockedThread<T extends { thread?: object | undefined }>(channel: T | undefined): T {
  if (channel?.thread === undefined) throw new Error('no thread');
  return { ...channel, thread: { ...channel.thread, archived: true, locked: true } };
}

describe('messages to Discord', () => {
  it('are components alone, and ping nobody who is not named', async () => {
    const { discord, adapter, channel } = await discordForTest();
    await adapter.send(channel('demo'), words('@everyone'), 'k1');
    const [call] = discord.callsOf('create_message');
    expect(call?.args).toMatchObject({ flags: 1 << 15, allowed_mentions: { parse: [], users: [] }, enforce_nonce: true });
    expect(Object.keys(call?.args ?? {}).sort()).toEqual(['allowed_mentions', 'components', 'enforce_nonce', 'flags', 'nonce']);
    expect(String(call?.args.nonce)).toHaveLength(25);
  });

  it('keep within forty components by plainer dress, with nothing left out', async () => {
    const { discord, adapter, channel } = await discordForTest();
    const row = (at: number): Block => ({
      type: 'buttons',
      buttons: [{ token: `c:${at}`, label: `Button ${at}`, style: 'default' }],
    });
    const line = (at: number): Block => ({ type: 'text', spans: [{ type: 'text', text: `line ${at}` }] });
    const divided = Array.from({ length: 14 }, (_, at): Block[] => [line(at), { type: 'divider' }]).flat();
    const view: View = { fallback: 'x', blocks: [...divided, ...Array.from({ length: 6 }, (_, at) => row(at))] };
    await adapter.send(channel('demo'), view, 'k1');
    const shown = await discord.person('ada').waitForMessage('line 13');
    expect(shown.buttons).toEqual(Array.from({ length: 6 }, (_, at) => `Button ${at}`));
    for (let at = 0; at < 14; at += 1) expect(shown.plain).toContain(`line ${at}`);
  });

  it('promise 5: are told to wait by the limits that Discord answers with, before one is broken', async () => {
    const { discord, adapter, channel } = await discordForTest({ rateLimiting: true });
    const send = (at: number) => adapter.send(channel('demo'), words(`message ${at}`), `k${at}`);
    for (let at = 0; at < 5; at += 1) await send(at);
    const told = await failure(send(5));
    expect(told.kind).toBe('rate_limited');
    const ms = told.kind === 'rate_limited' ? told.retryAfterMs : 0;
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThanOrEqual(5_000);
    // Another channel has a limit of its own.
    await adapter.send(channel('general'), words('elsewhere'), 'k9');
    expect(discord.callsOf('create_message').map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 200));
    expect(discord.controls.invalidRequests()).toBe(0);
  });

  it.each<[string, (channel: string) => Conversation['channel'], string, string]>([
    ['a channel that is gone', () => '1100000000000007777', 'gone', '10003'],
    ['a channel that is hidden from the bot', (ops) => ops, 'not_permitted', 'deckhand discord invite'],
  ])('to %s fail with what it means', async (_, id, kind, detail) => {
    const { discord, adapter, channel } = await discordForTest();
    const to = { ...channel('demo'), channel: id(discord.channelId('ops')) };
    expect(await failure(adapter.send(to, words('x'), 'k1'))).toMatchObject({ kind, detail: expect.stringContaining(detail) });
  });

  it('to somebody who takes no direct messages fail, and say why', async () => {
    const { discord, adapter, identity } = await discordForTest();
    discord.person('gus').allowDms(false);
    const direct = await adapter.direct(identity('gus'));
    expect(await failure(adapter.send(direct, words('x'), 'k1'))).toMatchObject({
      kind: 'not_permitted',
      detail: expect.stringContaining('privacy settings'),
    });
  });

  it('need nothing that the invite does not ask for, and fail with what to do where a right was taken away', async () => {
    const { discord, adapter, channel } = await discordForTest();
    const said = discord.person('ada').say('#demo', 'hello');
    const on = { platform: 'discord' as const, tenant: channel('demo').tenant, channel: said.channel, message: said.id };
    await adapter.react(on, 'received', true);
    await adapter.upload(channel('demo'), [{ name: 'run.log', bytes: Buffer.from('x') }], 'the log');
    discord.controls.denyIn('demo', 'ATTACH_FILES');
    const file = { name: 'run.log', bytes: Buffer.from('x') };
    expect(await failure(adapter.upload(channel('demo'), [file], undefined))).toMatchObject({
      kind: 'not_permitted',
      detail: expect.stringContaining('deckhand discord invite'),
    });
  });
});

describe('files', () => {
  it('keep their bytes; their names are made safe', async () => {
    const { discord, adapter, channel } = await discordForTest();
    const bytes = new Uint8Array([0, 255, 128, 10]);
    await adapter.upload(channel('demo'), [{ name: 'src/<a> b.patch', bytes }], 'the *diff*');
    const shown = await discord.person('ada').waitForMessage(({ attachments }) => attachments.length === 1);
    const file = discord.core.state.files.get(shown.attachments[0] ?? '');
    expect(file?.filename).toBe('src_a_b.patch');
    expect(discord.person('ada').content(file?.id ?? '')).toEqual(Buffer.from(bytes));
  });

  it('without a byte, and words that are too long beside them, are refused before anything is sent', async () => {
    const { discord, adapter, channel } = await discordForTest();
    const empty = { name: 'empty.log', bytes: new Uint8Array() };
    expect(await failure(adapter.upload(channel('demo'), [empty], undefined))).toMatchObject({ kind: 'rejected' });
    const file = { name: 'run.log', bytes: Buffer.from('x') };
    expect(await failure(adapter.upload(channel('demo'), [file], 'x'.repeat(2001)))).toMatchObject({ kind: 'rejected' });
    expect(discord.callsOf('create_message')).toEqual([]);
  });
});
