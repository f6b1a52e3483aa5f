import { afterEach, describe, expect, it } from 'vitest';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { encodePress } from '../../src/contracts/press.ts';
import type { Block, Form, View } from '../../src/contracts/view.ts';
import { fitView } from '../../src/delivery/fit.ts';
import { questionView } from '../../src/delivery/guided-question.ts';
import { newId } from '../../src/runtime/ids.ts';
import { startTelegram, type TelegramOptions, type TelegramSetup } from '../support/telegram-adapter.ts';
import { waitFor } from '../support/wait-for.ts';

/** Where messages go: topics of forums, chains of replies, questions, private chats. */

let running: TelegramSetup | undefined;

afterEach(async () => {
  const errors = running?.telegram.controls.errors ?? [];
  await running?.[Symbol.asyncDispose]();
  running = undefined;
  expect(errors).toEqual([]);
});

async function start(options: Partial<TelegramOptions> = {}): Promise<TelegramSetup> {
  running = await startTelegram({ mode: 'webhook', ...options });
  return running;
}

const said = (words: string): View => ({ fallback: words, blocks: [{ type: 'text', spans: [{ type: 'text', text: words }] }] });
const failure = (error: unknown) => (error as { failure?: unknown }).failure;
const messages = (events: readonly InboundEvent[]) => events.filter((event) => event.type === 'message');

describe('a task in a forum', () => {
  it('has a topic of its own where the bot may make one, and what is said there comes from that topic', async () => {
    const { telegram, adapter, chat, inbox, settled } = await start();
    const card = await adapter.send(chat('forum'), said('card'), 'k1', { title: '#142 Fix\nthe  login' });
    const [topic] = telegram.core.state.topicsOf(Number(card.channel));
    expect(topic).toMatchObject({ name: '#142 Fix the login' });
    expect(card.thread).toBe(`t${topic?.id}`);
    const more = await adapter.send(chat('forum', card.thread), said('more'), 'k2');
    expect(more.thread).toBe(card.thread);
    telegram.person('ben').mention('forum', 'now the linter', { topic: topic?.id });
    await settled();
    expect(messages(inbox.events)).toMatchObject([{ conversation: { thread: card.thread }, text: 'now the linter' }]);
  });

  it('is answered by replies where the bot may not, and Telegram is not asked again for every task', async () => {
    const { telegram, adapter, chat } = await start();
    telegram.person('ada').setBotRights('forum', undefined);
    const first = await adapter.send(chat('forum'), said('card'), 'k1', { title: '#1' });
    const second = await adapter.send(chat('forum'), said('card'), 'k2', { title: '#2' });
    expect([first.thread, second.thread]).toEqual([`r${first.message}`, `r${second.message}`]);
    expect(telegram.callsOf('createForumTopic')).toHaveLength(1);
    expect(telegram.core.state.topicsOf(Number(first.channel))).toEqual([]);
  });

  it('has one topic when the first message fails and is sent again', async () => {
    const { telegram, adapter, chat } = await start();
    telegram.controls.failNext('sendMessage', { status: 429, retryAfter: 1 });
    await expect(adapter.send(chat('forum'), said('card'), 'k1', { title: '#1' })).rejects.toMatchObject({
      failure: { kind: 'rate_limited' },
    });
    const card = await adapter.send(chat('forum'), said('card'), 'k1', { title: '#1' });
    expect(telegram.core.state.topicsOf(Number(card.channel))).toHaveLength(1);
  });

  it('says that its thread is gone when the topic was deleted', async () => {
    const { telegram, adapter, chat } = await start();
    const card = await adapter.send(chat('forum'), said('card'), 'k1', { title: '#1' });
    telegram.person('ada').changeTopic('forum', Number(card.thread?.slice(1)), 'delete');
    const error = await adapter.send(chat('forum', card.thread), said('more'), 'k2').catch(failure);
    expect(error).toMatchObject({ kind: 'gone' });
  });
});

describe('a chain of replies', () => {
  it('hangs on the message that asked, and goes on when that is deleted', async () => {
    const { telegram, adapter, chat } = await start();
    const asked = telegram.person('ada').say('demo', '/sh make');
    const thread = `r${asked.id}`;
    const card = await adapter.send(chat('demo', thread), said('card'), 'k1');
    const at = (ref: { message: string }) => telegram.core.state.message(Number(card.channel), Number(ref.message));
    expect(at(card)?.reply_to).toBe(asked.id);
    telegram.person('ada').delete(asked);
    const more = await adapter.send(chat('demo', thread), said('more'), 'k2');
    expect(at(more)?.reply_to).toBeUndefined();
    expect(more.thread).toBe(thread);
  });

  it('says what was replied to, also in reply to an answer of the bot in a supergroup', async () => {
    const { telegram, adapter, chat, inbox, settled } = await start({ privacyMode: false });
    const asked = telegram.person('ada').mention('ops', 'tasks');
    const card = await adapter.send(chat('ops', `r${asked.id}`), said('card'), 'k1');
    telegram.person('ben').reply({ chat: Number(card.channel), id: Number(card.message) }, 'and mine?');
    await settled();
    const [, reply] = messages(inbox.events);
    expect(reply).toMatchObject({ addressed: 'thread', replyTo: card.message });
    expect(reply?.conversation.thread).toBeUndefined();
  });
});

describe('a question with a field', () => {
  const question = (user: string): View => ({
    fallback: 'Why not?',
    blocks: [
      {
        type: 'text',
        spans: [
          { type: 'person', user, name: 'Ben', notify: true },
          { type: 'text', text: ': why not?' },
        ],
      },
    ],
    asks: { user, placeholder: 'The reason' },
  });
  const cancel: Block = { type: 'buttons', buttons: [{ token: 'c:x', label: 'Cancel', style: 'default' }] };

  it('opens a reply in the client of the person asked alone, also in the thread of somebody else', async () => {
    const { telegram, adapter, chat, identity } = await start();
    const everybody = ['ada', 'ben', 'gus'] as const;
    const asked = () => everybody.filter((name) => telegram.person(name).asked('demo') !== undefined);
    const request = telegram.person('gus').mention('demo', 'sh npm test');
    const { user } = identity('ben');
    await adapter.send(chat('demo', `r${request.id}`), question(user), 'k1');
    expect(asked()).toEqual(['ben']);
    const [shown] = telegram.person('ben').messages('demo').slice(-1);
    telegram.person('ben').reply({ chat: shown?.chat ?? 0, id: shown?.id ?? 0 }, 'not before the release');
    expect(asked()).toEqual([]);
    await adapter.send(chat('demo'), { ...question(user), blocks: [...question(user).blocks, cancel] }, 'k2');
    expect(asked()).toEqual([]);
  });

  it('that takes several messages names the person in the last one too, which opens the reply', async () => {
    const { telegram, adapter, chat, identity } = await start();
    const { user } = identity('ben');
    const form: Form = {
      token: encodePress({ kind: 'command', text: 'sh' }),
      title: 'Hand to Deckhand',
      submit: 'Run',
      fields: [
        { type: 'text', id: 'a', label: 'Command to run', multiline: true, required: true, initial: 'a.b/c '.repeat(500) },
      ],
    };
    const expiresAt = new Date('2026-11-21T12:00:00Z');
    const asked = { conversation: chat('demo'), account: user, form, values: {}, field: 0, asked: 1, open: true, expiresAt };
    const view = questionView({ id: newId('frm'), workspace: newId('wsp'), ...asked }, 'Ben');
    const { messages: parts } = fitView(view, adapter.capabilities);
    expect(parts.length).toBeGreaterThan(1);
    for (const [at, part] of parts.entries()) {
      expect(telegram.person('ben').asked('demo')).toBeUndefined();
      await adapter.send(chat('demo'), part, `k${at}`);
    }
    expect(telegram.person('ben').asked('demo')?.plain).toContain('There is time until');
    expect(telegram.person('ada').asked('demo')).toBeUndefined();
  });

  it('opens a reply beside its buttons in a private chat', async () => {
    const { telegram, adapter, identity } = await start();
    const ben = telegram.person('ben');
    ben.start();
    const { user } = identity('ben');
    const direct = await adapter.direct(identity('ben'));
    await adapter.send(direct, { ...question(user), blocks: [...question(user).blocks, cancel] }, 'k1');
    expect(ben.asked('dm')).toMatchObject({ buttons: ['Cancel'] });
  });

  it('opens a reply in the client of the person asked, and the answer names the question', async () => {
    const { telegram, adapter, chat, inbox, settled, identity } = await start();
    const { user } = identity('ben');
    const asked = await adapter.send(chat('demo'), question(user), 'k1');
    const shown = telegram.core.state.message(Number(asked.channel), Number(asked.message));
    expect(shown?.asks).toEqual({ force_reply: true, selective: true, input_field_placeholder: 'The reason' });
    telegram.person('ben').reply({ chat: Number(asked.channel), id: Number(asked.message) }, 'not before the release');
    await settled();
    expect(messages(inbox.events)).toMatchObject([
      { text: 'not before the release', replyTo: asked.message, addressed: 'thread', actor: { user } },
    ]);
  });
});

describe('a private chat', () => {
  it('is refused before its person pressed Start and after they blocked the bot, with why', async () => {
    const { telegram, adapter, identity } = await start();
    const ada = telegram.person('ada');
    const direct = await adapter.direct(identity('ada'));
    const refused = () => adapter.send(direct, said('psst'), 'k1').catch(failure);
    expect(await refused()).toMatchObject({ kind: 'not_permitted', detail: expect.stringContaining('Start') });
    ada.start();
    expect((await adapter.send(direct, said('psst'), 'k1')).channel).toBe(String(ada.id));
    ada.block();
    expect(await refused()).toMatchObject({ kind: 'not_permitted', detail: expect.stringContaining('blocked') });
  });
});

describe('a draft', () => {
  it('of the same key grows, one of another takes its place, and an edited card leaves it alone', async () => {
    const { telegram, adapter, identity } = await start();
    telegram.person('ada').start();
    const direct = await adapter.direct(identity('ada'));
    const card = await adapter.send(direct, said('running'), 'card');
    const drafts = () => telegram.core.drafts.of(telegram.person('ada').id);
    const ids: (number | undefined)[] = [];
    for (const [key, words] of [
      ['one', 'I'],
      ['one', 'I look'],
      ['two', 'Now'],
    ] as const) {
      await adapter.draft?.(direct, said(words), key);
      await adapter.edit(card, said(`running, ${words}`));
      expect(drafts()).toMatchObject([{ text: words, can_stop: false }]);
      ids.push(drafts()[0]?.draft_id);
    }
    expect(ids[0]).toBeGreaterThan(0);
    expect([ids[1] === ids[0], ids[2] === ids[0]]).toEqual([true, false]);
    expect(telegram.callsOf('sendMessageDraft').map(({ note }) => note)).toEqual([undefined, undefined, undefined]);
  });

  it('fails in words the caller can act on: told to wait, not reached, nobody there', async () => {
    const { telegram, adapter, identity } = await start();
    const direct = await adapter.direct(identity('ada'));
    const failed = () => adapter.draft?.(direct, said('I'), 'one').catch(failure);
    expect(await failed()).toMatchObject({ kind: 'not_permitted', detail: expect.stringContaining('Start') });
    telegram.person('ada').start();
    telegram.controls.failNext('sendMessageDraft', { status: 429, retryAfter: 3 });
    expect(await failed()).toEqual({ kind: 'rate_limited', retryAfterMs: 3000 });
    // Showing it again is harmless, so that a lost answer leaves nothing to find out.
    telegram.controls.failNext('sendMessageDraft', { dropConnectionAfterEffect: true });
    expect(await failed()).toMatchObject({ kind: 'unreachable' });
  });
});

describe('a press', () => {
  it('on an option of a select brings the select and the value', async () => {
    const { telegram, adapter, chat, inbox } = await start();
    const options = [
      { value: 'prj_1', label: 'web' },
      { value: 'prj_2', label: 'api' },
    ];
    const view: View = { fallback: 'x', blocks: [{ type: 'select', token: 'c:pick', placeholder: 'Which project?', options }] };
    const card = await adapter.send(chat('demo'), view, 'k1');
    void telegram.person('ada').press({ chat: Number(card.channel), id: Number(card.message) }, 'api');
    const press = await waitFor('the press', () => inbox.events.find((event) => event.type === 'press'));
    expect(press).toMatchObject({ token: 'c:pick', values: ['prj_2'], message: card.message });
  });
});
