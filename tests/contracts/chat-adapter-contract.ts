import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ChatAdapter, DeliveryError, type DeliveryFailure, type UploadFile } from '../../src/contracts/chat-adapter.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Conversation, IdentityRef, MessageRef } from '../../src/contracts/platform.ts';
import { type Block, bold, code, type Form, plain, type Span, type View } from '../../src/contracts/view.ts';

/** A message as a person sees it on the platform, after the platform has read all its markup. */
export interface Shown {
  ref: MessageRef;
  /** Everything readable, in order; a mention reads `@<account>`, a link its label. */
  text: string;
  /** Accounts that are notified. */
  mentions: string[];
  /** True when everybody in the channel is notified. */
  everybody: boolean;
  /** Addresses that can be clicked, and those the platform would show a preview of. */
  links: string[];
  previews: string[];
  /** Moments that the platform writes in the reader's own time, as ISO 8601; absent where it shows the words of the view. */
  moments?: string[];
  /** Pieces shown bold, italic, struck through, or as inline code. */
  styled: string[];
  buttons: string[];
  files: string[];
}

export type Fault = 'rate_limited' | 'dropped_before_effect' | 'dropped_after_effect' | 'not_reachable';

/** What a platform's test environment offers, so that the same tests run on every platform. */
export interface ChatDriver {
  /** Started. */
  adapter: ChatAdapter;
  events: readonly InboundEvent[];
  /** A channel that the bot and both people are in, and one without the bot. */
  channel: Conversation;
  foreignChannel: Conversation;
  ada: IdentityRef;
  ben: IdentityRef;
  /** Ada writes to the bot in the channel; resolves when the event is stored. */
  ask(text: string): Promise<MessageRef>;
  /** The conversation in which answers to this message stand. */
  threadOf(message: MessageRef): Promise<Conversation>;
  /** Ada presses a button; resolves when the event is stored. */
  press(message: MessageRef, label: string): Promise<void>;
  /** Ada chooses an option, by its label, of the select with this token; resolves when the event is stored. */
  choose(message: MessageRef, token: string, label: string): Promise<void>;
  /** Ada fills in the open form, by field id, and sends it. */
  submitForm(values: Record<string, string | string[]>): Promise<void>;
  /** Makes the triggers of all acts so far too old. Returns false where they do not expire. */
  expireTriggers(): boolean;
  /** What the channel, or the thread, shows to everybody, oldest first. */
  shown(where: Conversation): Promise<Shown[]>;
  /** What only this person sees. */
  shownTo(user: IdentityRef): Promise<Shown[]>;
  /** What the bot shows in the conversation as being written; absent where there are no drafts. */
  drafts?(where: Conversation): string[];
  /** Whether people can be written to alone. Default true. */
  hasDirect?: boolean;
  homeOf(user: IdentityRef): Promise<string | undefined>;
  contentOf(message: Shown, file: string): Promise<Buffer>;
  reactions(ref: MessageRef): Promise<string[]>;
  delete(ref: MessageRef): Promise<void>;
  /** What the next call of a send meets. */
  fault(kind: Fault): Promise<void>;
  close(): Promise<void>;
}

/** Texts that would format, mention, link, ping or break out on some platform. */
export const hostileTexts = [
  '<!channel> <!here> <!everyone> @everyone @here',
  '<@U0000000BEN> <@&123456789012345678> <#C00000DEMO> tg://user?id=1',
  '*bold* _italic_ ~strike~ `code` **bold** __under__ ||spoiler|| ~~gone~~',
  '```\nfence\n``` ````',
  '[label](https://evil.example/a) <https://evil.example/b|docs> https://evil.example/c www.evil.example',
  '<a href="https://evil.example">x</a><script>alert(1)</script> <b>b</b> &lt;b&gt; &amp;',
  ':smile: :skull_and_crossbones: # heading\n> quote\n- list\n1. one\n---',
  '\\*escaped\\* \\_x\\_ \\\\ $(rm -rf /) {{x}} %s %00',
] as const;

const everyBlock = (text: string): Block[] => [
  { type: 'title', spans: [plain(`title ${text}`)], state: { text: `state ${text.split('\n')[0]}`, tone: 'active' } },
  { type: 'text', spans: [plain(`text ${text}`)] },
  { type: 'context', spans: [plain(`small ${text}`)] },
  { type: 'code', text: `code ${text}` },
  { type: 'steps', items: [{ state: 'done', text: `step ${text}` }] },
  { type: 'fields', items: [{ label: 'label', spans: [plain(`field ${text}`)] }] },
];

const ok: View = { fallback: 'all is well', blocks: [{ type: 'text', spans: [plain('all is well')] }] };

/** What every `ChatAdapter` promises, seen from the people's side. */
export function chatAdapterContract(name: string, open: () => Promise<ChatDriver>): void {
  describe(`the ${name} adapter keeps the contract`, () => {
    let driver: ChatDriver;
    let adapter: ChatAdapter;

    beforeEach(async () => {
      driver = await open();
      adapter = driver.adapter;
    });
    afterEach(async () => {
      await driver.close();
    });

    async function only(where: Conversation = driver.channel): Promise<Shown> {
      const [message, ...more] = await driver.shown(where);
      if (message === undefined || more.length > 0)
        throw new Error(`expected one message, found ${more.length + (message ? 1 : 0)}`);
      return message;
    }

    function failure(work: Promise<unknown>): Promise<DeliveryFailure> {
      return work.then(
        () => Promise.reject(new Error('the call succeeded')),
        (error) => error.failure ?? Promise.reject(error),
      );
    }

    it('sends, then replaces the whole content as often as asked', async () => {
      const ref = await adapter.send(driver.channel, { ...ok, blocks: [...ok.blocks, ...buttons('Stop')] }, 'k1');
      const shownButtons = adapter.capabilities.buttons === undefined ? [] : ['Stop'];
      expect(await only()).toMatchObject({ ref, text: expect.stringContaining('all is well'), buttons: shownButtons });
      const next: View = { fallback: 'done', blocks: [{ type: 'text', spans: [plain('done')] }] };
      await adapter.edit(ref, next);
      await adapter.edit(ref, next);
      const shown = await only();
      expect(shown).toMatchObject({ ref, text: 'done', buttons: [] });
    });

    it('shows the fallback of a view without blocks', async () => {
      await adapter.send(driver.channel, { fallback: 'only words *here*', blocks: [] }, 'k1');
      expect(await only()).toMatchObject({ text: 'only words *here*', styled: [] });
    });

    it('answers in the thread of a message', async () => {
      const thread = await driver.threadOf(await driver.ask('tasks'));
      const ref = await adapter.send(thread, ok, 'k1');
      expect(ref).toMatchObject({ thread: thread.thread, channel: driver.channel.channel });
      expect((await driver.shown(thread)).map(({ text }) => text)).toContain('all is well');
    });

    it('opens a thread with a message, and goes on in it', async () => {
      const first = await adapter.send(driver.channel, ok, 'k1', { title: '#142 Fix the *flaky* test' });
      const thread: Conversation = { ...driver.channel, thread: first.thread ?? first.message };
      const second = await adapter.send(thread, { fallback: 'the next one', blocks: [] }, 'k2', { title: 'ignored' });
      expect(second).toMatchObject({ channel: driver.channel.channel, thread: thread.thread });
      expect((await driver.shown(thread)).map(({ text }) => text)).toContain('the next one');
      await adapter.edit(first, { fallback: 'changed', blocks: [] });
      await adapter.edit(second, { fallback: 'changed too', blocks: [] });
      expect((await driver.shown(thread)).map(({ text }) => text)).toContain('changed too');
    });

    it('finds a message by its key, in the thread and at the top level', async () => {
      if (!adapter.capabilities.findsSent) return;
      const since = new Date().toISOString();
      const thread = await driver.threadOf(await driver.ask('tasks'));
      const inThread = await adapter.send(thread, ok, 'key-in-thread');
      const atTop = await adapter.send(driver.channel, ok, 'key-at-top');
      await adapter.edit(atTop, { ...ok, fallback: 'changed' });
      expect(await adapter.find(thread, 'key-in-thread', since)).toEqual(inThread);
      expect(await adapter.find(driver.channel, 'key-at-top', since)).toEqual(atTop);
      expect(await adapter.find(driver.channel, 'another key', since)).toBeUndefined();
    });

    it.each(hostileTexts)('promise 11: shows %j as it is, in every kind of block', async (hostile) => {
      await adapter.send(driver.channel, { fallback: hostile, blocks: everyBlock(hostile) }, 'k1');
      const shown = await only();
      for (const place of ['title', 'text', 'small', 'code', 'step', 'field'])
        expect(shown.text).toContain(`${place} ${hostile}`);
      expect(shown).toMatchObject({ mentions: [], everybody: false, links: [], previews: [] });
      expect(shown.styled.filter((piece) => !/^title |^label/.test(piece))).toEqual([]);
    });

    it.each(hostileTexts)('promise 11: buttons, choices and forms show %j as it is', async (hostile) => {
      const label = hostile.slice(0, 30);
      await adapter.send(driver.channel, { ...ok, blocks: [...ok.blocks, ...buttons(label)] }, 'k1');
      const shown = await only();
      expect(shown.buttons).toEqual(adapter.capabilities.buttons === undefined ? [] : [label]);
      expect(shown).toMatchObject({ mentions: [], everybody: false, links: [] });
    });

    it('mentions exactly the person that a view names, and links exactly what it links', async () => {
      const spans: Span[] = [
        { type: 'person', name: 'Ben', user: driver.ben.user, notify: true },
        plain(' may decide, asked by '),
        { type: 'person', name: 'Ada', user: driver.ada.user, notify: false },
        plain(', see '),
        { type: 'link', url: 'https://docs.example/errors?x=1&y=2#dh-200', text: 'DH-200' },
        plain(' until '),
        { type: 'time', at: '2026-11-21T10:00:00.000Z', text: 'ten o’clock' },
        bold(' bold '),
        code('code'),
      ];
      for (const type of ['text', 'context'] as const) {
        await adapter.send(driver.channel, { fallback: 'x', blocks: [{ type, spans }] }, `k-${type}`);
      }
      const messages = await driver.shown(driver.channel);
      expect(messages).toHaveLength(2);
      for (const message of messages) {
        expect(message.mentions).toEqual([driver.ben.user]);
        expect(message.links).toEqual(['https://docs.example/errors?x=1&y=2#dh-200']);
        expect(message.previews).toEqual([]);
        expect(message.text).toContain('asked by Ada, see DH-200');
        if (message.moments === undefined) expect(message.text).toContain('ten o’clock');
        else expect(message.moments).toEqual(['2026-11-21T10:00:00.000Z']);
      }
    });

    it('carries a text as long as its capabilities say, whole', async () => {
      const { maxBlock, maxMessage, escapes } = adapter.capabilities.text;
      const length = Math.min(maxBlock, maxMessage);
      const line = 'a line of output with 50 characters and an end 🙂\n';
      const cost = [...line].reduce((sum, character) => sum + (escapes?.[character] ?? character.length), 0);
      const text = line.repeat(Math.floor(length / cost)).trimEnd();
      await adapter.send(driver.channel, { fallback: 'x', blocks: [{ type: 'code', text }] }, 'k1');
      expect((await only()).text).toBe(text);
    });

    it('shows an answer to one person only', async () => {
      if (!adapter.capabilities.ephemeral) return;
      const card = await adapter.send(driver.channel, { fallback: 'x', blocks: buttons('Tell me') }, 'k1');
      await driver.press(card, 'Tell me');
      const reply = driver.events.find((event) => event.type === 'press')?.reply;
      await adapter.ephemeral(driver.channel, driver.ada, ok, reply);
      expect((await driver.shownTo(driver.ada)).map(({ text }) => text)).toEqual(['all is well']);
      expect(await driver.shownTo(driver.ben)).toEqual([]);
      expect((await driver.shown(driver.channel)).map(({ ref }) => ref)).toEqual([card]);
    });

    it('takes a press with the token of its button, and who pressed it', async () => {
      if (adapter.capabilities.buttons === undefined) return;
      const ref = await adapter.send(driver.channel, { ...ok, blocks: [...ok.blocks, ...buttons('Stop', 'Log')] }, 'k1');
      await driver.press(ref, 'Log');
      const presses = driver.events.filter((event) => event.type === 'press');
      expect(presses).toMatchObject([
        {
          token: 'c:1',
          values: [],
          message: ref.message,
          conversation: driver.channel,
          actor: { user: driver.ada.user, bot: false },
        },
      ]);
    });

    it('takes a choice with the token of its select and the value of its option, as long as both may be', async () => {
      if (adapter.capabilities.select === undefined) return;
      const long = `p:${'x'.repeat(62)}`;
      const options = ['one', 'two', 'three'].map((name) => ({ value: `prj_${name.padEnd(26, '0')}`, label: `Project ${name}` }));
      const select = (token: string): Block => ({ type: 'select', token, placeholder: 'Which?', options });
      const blocks: Block[] = [...ok.blocks, ...buttons('Stop'), select(long), select('c:move')];
      const ref = await adapter.send(driver.channel, { ...ok, blocks }, 'k1');
      await driver.choose(ref, long, 'Project two');
      await driver.choose(ref, 'c:move', 'Project three');
      expect(driver.events.filter((event) => event.type === 'press')).toMatchObject([
        { token: long, values: [options[1]?.value], message: ref.message },
        { token: 'c:move', values: [options[2]?.value], message: ref.message },
      ]);
    });

    it('tells what somebody is called who has not written, and of an account that nobody has not', async () => {
      expect(await adapter.nameOf?.(driver.ada)).toMatch(/^ada\b/i);
      const nobody = { ...driver.ada, user: driver.ada.user.replace(/...$/, '998') };
      const told = await adapter.nameOf?.(nobody).catch((error: unknown) => error);
      if (told !== undefined) expect((told as DeliveryError).failure.kind).toMatch(/^(gone|not_permitted|rejected)$/);
    });

    it('opens the direct conversation with a person, the same one every time', async () => {
      if (driver.hasDirect === false) return;
      const direct = await adapter.direct(driver.ada);
      expect(direct).toMatchObject({ kind: 'direct', platform: driver.ada.platform });
      expect(await adapter.direct(driver.ada)).toEqual(direct);
      await adapter.send(direct, ok, 'k1');
      expect((await only(direct)).text).toBe('all is well');
    });

    it('shows prose while it is being written where the platform has drafts, until it is sent', async () => {
      expect(adapter.draft !== undefined).toBe(adapter.capabilities.streaming === 'draft');
      if (adapter.draft === undefined || driver.drafts === undefined) return;
      const direct = await adapter.direct(driver.ada);
      const prose = (text: string): View => ({ fallback: 'prose', blocks: [{ type: 'text', spans: [plain(text)] }] });
      await adapter.draft(direct, undefined, 'one');
      expect(driver.drafts(direct)).toEqual(['']);
      for (const text of [...hostileTexts, 'I look', 'I look into it', 'I look into it']) {
        await adapter.draft(direct, prose(text), 'one');
        expect(driver.drafts(direct)).toEqual([text.trim()]);
      }
      expect(await failure(adapter.draft(driver.channel, ok, 'one'))).toMatchObject({ kind: 'rejected' });
      const pressable = { ...ok, blocks: [...ok.blocks, ...buttons('Stop')] };
      expect(await failure(adapter.draft(direct, pressable, 'one'))).toMatchObject({ kind: 'rejected' });
      const tooLong = prose('x'.repeat(adapter.capabilities.text.maxMessage * 2));
      expect(await failure(adapter.draft(direct, tooLong, 'one'))).toMatchObject({ kind: 'rejected' });
      expect(driver.drafts(direct)).toEqual(['I look into it']);
      await adapter.send(direct, ok, 'k1');
      expect(driver.drafts(direct)).toEqual([]);
    });

    it('takes presses, opens a form on one, and takes what was entered', async () => {
      if (adapter.capabilities.forms !== 'modal') return;
      const ref = await adapter.send(driver.channel, { ...ok, blocks: [...ok.blocks, ...formButton('Deny…')] }, 'k1');
      await driver.press(ref, 'Deny…');
      const press = driver.events.find((event) => event.type === 'press');
      expect(press).toMatchObject({ token: 'c:0', message: ref.message, actor: { user: driver.ada.user } });
      await adapter.openForm(press?.trigger ?? '', denyForm, driver.channel);
      await driver.submitForm({ reason: 'not *today*\nsecond line', also: ['b'] });
      expect(driver.events.find((event) => event.type === 'form')).toMatchObject({
        token: 'd:secret:deny_reason',
        conversation: driver.channel,
        values: { reason: ['not *today*\nsecond line'], also: ['b'] },
      });
    });

    it('says that a trigger is gone: too old, or not one of ours', async () => {
      if (adapter.capabilities.forms !== 'modal') return;
      expect(await failure(adapter.openForm('never sealed', denyForm, driver.channel))).toMatchObject({ kind: 'gone' });
      const ref = await adapter.send(driver.channel, { ...ok, blocks: formButton('Deny…') }, 'k1');
      await driver.press(ref, 'Deny…');
      if (!driver.expireTriggers()) return;
      const trigger = driver.events.find((event) => event.type === 'press')?.trigger ?? '';
      expect(await failure(adapter.openForm(trigger, denyForm, driver.channel))).toMatchObject({ kind: 'gone' });
    });

    it('uploads files with a comment into the thread, byte for byte', async () => {
      if (adapter.capabilities.files === undefined) return;
      const thread = await driver.threadOf(await driver.ask('diff'));
      const png = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10, 0, 255, 128]);
      const files: UploadFile[] = [
        { name: '142.patch', bytes: Buffer.from('--- a\n+++ b\n@@ -1 +1 @@\n-ä\n+ö\n'), language: 'diff' },
        { name: 'diff.png', bytes: png },
      ];
      await adapter.upload(thread, files, 'the *change* <!here>');
      const message = await driver.shown(thread).then((all) => all.find((one) => one.files.length > 0));
      expect(message).toMatchObject({
        files: ['142.patch', 'diff.png'],
        text: 'the *change* <!here>',
        styled: [],
        everybody: false,
      });
      if (message === undefined) throw new Error('no message with files');
      expect(await driver.contentOf(message, 'diff.png')).toEqual(Buffer.from(png));
      expect(await driver.contentOf(message, '142.patch')).toEqual(files[0]?.bytes);
    });

    it('sets and removes receipts, each as often as asked; an earlier one may give way to a later one', async () => {
      if (!adapter.capabilities.reactions) return;
      const asked = await driver.ask('tasks');
      const twice = async (mark: 'received' | 'read', on: boolean) => {
        for (let round = 0; round < 2; round += 1) await patiently(() => adapter.react(asked, mark, on));
        return await driver.reactions(asked);
      };
      const [received, ...more] = await twice('received', true);
      expect(more).toEqual([]);
      const both = await twice('read', true);
      const read = both.filter((mark) => mark !== received);
      expect(read).toHaveLength(1);
      expect(await twice('received', false)).toEqual(read);
      expect(await twice('read', false)).toEqual([]);
    });

    it('fills the home surface of a person and replaces it', async () => {
      if (!adapter.capabilities.home) return;
      await adapter.publishHome(driver.ada, { fallback: 'x', blocks: [...everyBlock('one'), table] });
      await adapter.publishHome(driver.ada, ok);
      expect(await driver.homeOf(driver.ada)).toContain('all is well');
      expect(await driver.homeOf(driver.ada)).not.toContain('text one');
      expect(await driver.homeOf(driver.ben)).toBeUndefined();
    });

    it('shows a table with all its cells', async () => {
      await adapter.send(driver.channel, { fallback: 'x', blocks: [table, table] }, 'k1');
      const { text } = await only();
      for (const cell of ['Task', 'State', '#1', 'running *now*', '#12']) expect(text.split(cell).length).toBeGreaterThan(2);
    });

    it('promise 6: tells that it was told to wait, and how long, with nothing done', async () => {
      await driver.fault('rate_limited');
      const told = await failure(adapter.send(driver.channel, ok, 'k1'));
      expect(told).toMatchObject({ kind: 'rate_limited', retryAfterMs: 7000 });
      expect(await driver.shown(driver.channel)).toEqual([]);
    });

    it('promise 6: a lost answer is an unknown outcome, and the message is found by its key', async () => {
      const since = new Date().toISOString();
      await driver.fault('dropped_after_effect');
      expect(await failure(adapter.send(driver.channel, ok, 'the key'))).toMatchObject({ kind: 'unknown' });
      const shown = await only();
      if (adapter.capabilities.findsSent) expect(await adapter.find(driver.channel, 'the key', since)).toEqual(shown.ref);
    });

    it('promise 6: a connection that broke before any effect is never called done', async () => {
      await driver.fault('dropped_before_effect');
      expect(['unknown', 'unreachable']).toContain((await failure(adapter.send(driver.channel, ok, 'the key'))).kind);
      expect(await driver.shown(driver.channel)).toEqual([]);
      if (adapter.capabilities.findsSent) {
        expect(await adapter.find(driver.channel, 'the key', new Date().toISOString())).toBeUndefined();
      }
    });

    it('promise 6: tells when the platform was not reached at all', async () => {
      await driver.fault('not_reachable');
      expect(await failure(adapter.send(driver.channel, ok, 'k1'))).toMatchObject({ kind: 'unreachable' });
    });

    it('refuses what the platform lacks, and says that it does', async () => {
      const { forms, ephemeral, home, files } = adapter.capabilities;
      const refusals: [lacks: boolean, call: () => Promise<unknown>][] = [
        [forms === 'guided', () => adapter.openForm('a trigger', denyForm, driver.channel)],
        [!ephemeral && driver.hasDirect === false, () => adapter.ephemeral(driver.channel, driver.ada, ok, undefined)],
        [driver.hasDirect === false, () => adapter.direct(driver.ada)],
        [!home, () => adapter.publishHome(driver.ada, ok)],
        [files === undefined, () => adapter.upload(driver.channel, [{ name: 'a', bytes: new Uint8Array(1) }], undefined)],
      ];
      for (const [lacks, call] of refusals) if (lacks) expect((await failure(call())).kind).toMatch(/^(rejected|not_permitted)$/);
      expect(await driver.shown(driver.channel)).toEqual([]);
    });

    it('tells what is gone, what it may not do and what is refused', async () => {
      const ref = await adapter.send(driver.channel, ok, 'k1');
      await driver.delete(ref);
      expect(await failure(adapter.edit(ref, ok))).toMatchObject({ kind: 'gone' });
      expect(await failure(adapter.send({ ...driver.channel, channel: 'C0NOWHERE' }, ok, 'k2'))).toMatchObject({ kind: 'gone' });
      const refused = await failure(adapter.send(driver.foreignChannel, ok, 'k3'));
      expect(refused.kind).toBe('not_permitted');
      const beyond = 'x'.repeat(adapter.capabilities.text.maxMessage * 10);
      const tooLong: View = { fallback: 'x', blocks: [{ type: 'code', text: beyond }] };
      expect(await failure(adapter.send(driver.channel, tooLong, 'k4'))).toMatchObject({ kind: 'rejected' });
    });
  });
}

const table: Block = {
  type: 'table',
  columns: [
    { header: 'Task', align: 'right' },
    { header: 'State', align: 'left' },
  ],
  rows: [
    ['#1', 'running *now*'],
    ['#12', ''],
  ],
};

const denyForm: Form = {
  token: 'd:secret:deny_reason',
  title: 'Deny',
  submit: 'Deny',
  fields: [
    { type: 'text', id: 'reason', label: 'Reason', multiline: true, required: true, maxLength: 500 },
    {
      type: 'select',
      id: 'also',
      label: 'Also',
      required: false,
      multiple: true,
      options: ['a', 'b'].map((value) => ({ value, label: `Option ${value}` })),
    },
  ],
};

function buttons(...labels: string[]): Block[] {
  return [{ type: 'buttons', buttons: labels.map((label, at) => ({ token: `c:${at}`, label, style: 'default' })) }];
}

/** Says before the press that it opens a form, which has to be the first answer to it on some platforms. */
function formButton(label: string): Block[] {
  return [{ type: 'buttons', buttons: [{ token: 'c:0', label, style: 'default', form: true }] }];
}

/** Waits when it is told to, as the outbox does. */
async function patiently(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DeliveryError) || error.failure.kind !== 'rate_limited') throw error;
      await delay(error.failure.retryAfterMs);
    }
  }
}
