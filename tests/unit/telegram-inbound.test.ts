import { describe, expect, it } from 'vitest';
import { readUpdate } from '../../adapters/telegram/inbound.ts';
import { commandWords, menuOf } from '../../adapters/telegram/menu.ts';
import type { InboundContext } from '../../adapters/telegram/reading.ts';
import type { CommandMenu } from '../../src/contracts/command-menu.ts';
import { inboundEventSchema } from '../../src/contracts/inbound.ts';

const menu: CommandMenu = {
  commands: [
    { name: 'sh', summary: 'Run a command' },
    { name: 'help', summary: 'Help' },
    { name: 'project add', summary: 'Add a project' },
    { name: 'bind', summary: 'x'.repeat(300), direct: false },
    { name: 'naïve', summary: 'No name Telegram takes' },
  ].map((command) => ({ part: 'work', positional: [], options: [], direct: true, ...command })),
  complete: async () => [],
};

const context: InboundContext = {
  bot: '800',
  username: 'Deckhand_Bot',
  commands: commandWords(menu),
  seal: (text) => `sealed(${text})`,
  now: () => new Date('2026-11-21T10:00:00.000Z'),
};

const ada = { id: 7, is_bot: false, first_name: 'Ada', last_name: 'Lovelace', username: 'ada' };
const ben = { id: 8, is_bot: false, first_name: 'Ben' };
const bot = { id: 800, is_bot: true, first_name: 'Deckhand', username: 'Deckhand_Bot' };
const group = { id: -5, type: 'group', title: 'Demo' };
const forum = { id: -1001, type: 'supergroup', title: 'Forum', is_forum: true };
const direct = { id: 7, type: 'private', first_name: 'Ada' };
const date = 1_795_254_063;

/** A message with the entities that Telegram would find in it. */
function message(text: string, fields: Record<string, unknown> = {}) {
  const entities = [
    ...[...text.matchAll(/(?<!\S)\/[a-z_0-9]+(@\w+)?/gi)].map(({ index, 0: word }) => ({
      type: 'bot_command',
      offset: index,
      length: word.length,
    })),
    ...[...text.matchAll(/(?<![\w/])@\w+/g)].map(({ index, 0: word }) => ({
      type: 'mention',
      offset: index,
      length: word.length,
    })),
  ];
  return {
    update_id: 1,
    message: { message_id: 50, from: ada, chat: group, date, text, ...(entities.length > 0 ? { entities } : {}), ...fields },
  };
}

function edited(text: string, fields: Record<string, unknown> = {}) {
  const { message: content } = message(text, fields);
  return { update_id: 2, edited_message: { edit_date: date + 5, ...content } };
}

/** The one event of an update, checked against the contract. */
function one(update: unknown) {
  const read = readUpdate(update, context);
  if (read.kind !== 'events') throw new Error(`${read.kind}: ${read.why}`);
  expect(read.events).toHaveLength(1);
  return inboundEventSchema.parse(read.events[0]);
}

function why(update: unknown): string {
  const read = readUpdate(update, context);
  return read.kind === 'events' ? `${read.events.length} events` : `${read.kind}: ${read.why}`;
}

describe('commands in Telegram', () => {
  it('are read with who typed them and where', () => {
    expect(one(message('/sh npm test\n--watch'))).toEqual({
      type: 'command',
      key: 'msg:-5:50',
      message: '50',
      at: new Date(date * 1000).toISOString(),
      conversation: { platform: 'telegram', tenant: '800', channel: '-5', kind: 'channel' },
      channelName: 'Demo',
      actor: { user: '7', name: 'Ada Lovelace', bot: false },
      text: 'sh npm test\n--watch',
    });
  });

  it.each([
    ['/sh@deckhand_bot npm test', 'sh npm test'],
    ['/SH ls', 'sh ls'],
    ['/project_add web https://example.com/w.git', 'project add web https://example.com/w.git'],
    ['/project add web https://example.com/w.git', 'project add web https://example.com/w.git'],
    ['/Project  ADD web /srv/web', 'Project ADD web /srv/web'],
    ['/deckhand sh npm test', 'sh npm test'],
    ['/deckhand@Deckhand_Bot', ''],
    ['/start', 'help'],
    ['/start claim_ABCD-EFGH-JKLM', 'claim ABCD-EFGH-JKLM'],
    ['/start whatever', 'help'],
    ['/help', 'help'],
    ['/tsks@deckhand_bot mine', 'tsks mine'],
  ])('%j means %j', (typed, text) => {
    expect(one(message(typed))).toMatchObject({ type: 'command', text });
  });

  it('of other bots are left to them; in a private chat everything is for us', () => {
    expect(why(message('/sh@other_bot ls'))).toBe('ignored: a command for another bot');
    expect(why(message('/weather paris'))).toBe('ignored: a command for another bot');
    expect(why(message('/project'))).toBe('ignored: a command for another bot');
    expect(why(message('/project delete all'))).toBe('ignored: a command for another bot');
    expect(one(message('/weather paris', { chat: direct }))).toMatchObject({
      text: 'weather paris',
      conversation: { kind: 'direct' },
    });
  });

  it('are commands at the start of a message only', () => {
    expect(one(message('what is /sh for?', { chat: direct }))).toMatchObject({ type: 'message', text: 'what is /sh for?' });
  });

  it('with a file come as a message, because a command has no room for it', () => {
    const { text: caption, entities: caption_entities } = message('/sh make').message;
    const update = {
      update_id: 1,
      message: {
        message_id: 51,
        from: ada,
        chat: group,
        date,
        caption,
        caption_entities,
        document: { file_id: 'f1', file_unique_id: 'u1', file_name: 'a.txt', mime_type: 'text/plain', file_size: 3 },
      },
    };
    expect(one(update)).toMatchObject({
      type: 'message',
      addressed: 'mention',
      text: 'sh make',
      attachments: [{ id: 'f1', name: 'a.txt', mime: 'text/plain', bytes: 3 }],
    });
  });

  it('are offered in the menu of the chats in which they make sense', () => {
    expect(menuOf(menu, 'all_private_chats').map(({ command }) => command)).toEqual(['sh', 'help', 'project_add']);
    const inGroups = menuOf(menu, 'all_group_chats');
    expect(inGroups.map(({ command }) => command)).toEqual(['sh', 'help', 'project_add', 'bind']);
    expect(inGroups.at(-1)?.description).toHaveLength(256);
  });
});

describe('messages from Telegram', () => {
  it('name the bot anywhere in a group, and the mention is cut out', () => {
    expect(one(message('@deckhand_bot: sh ls'))).toMatchObject({
      type: 'message',
      addressed: 'mention',
      text: 'sh ls',
      message: '50',
    });
    expect(one(message('so @Deckhand_Bot retry it'))).toMatchObject({ text: 'so retry it' });
    expect(one(message('retry it @deckhand_bot'))).toMatchObject({ text: 'retry it' });
    const byEntity = message('Deckhand go', { entities: [{ type: 'text_mention', offset: 0, length: 8, user: bot }] });
    expect(one(byEntity)).toMatchObject({ addressed: 'mention', text: 'go' });
    expect(why(message('@deckhand_bot2 go'))).toBe('ignored: talk');
  });

  it('keep people without a user name as accounts', () => {
    const text = 'member add Ben developer';
    const entities = [{ type: 'text_mention', offset: 11, length: 3, user: ben }];
    expect(one(message(text, { chat: direct, entities }))).toMatchObject({ text: 'member add <@8|Ben> developer' });
    const spaced = {
      ...message('ask 🙂 Ben Ortiz', { chat: direct, entities: [{ type: 'text_mention', offset: 7, length: 9, user: ben }] }),
    };
    expect(one(spaced)).toMatchObject({ text: 'ask 🙂 <@8>' });
  });

  it('in a private chat are all for us', () => {
    expect(one(message('fix the login', { chat: direct }))).toMatchObject({
      addressed: 'direct',
      text: 'fix the login',
      conversation: { channel: '7', kind: 'direct' },
    });
    expect(one(message('fix the login', { chat: direct }))).not.toHaveProperty('below');
  });

  it('in a group are answered below them, in a forum in a topic', () => {
    expect(one(message('@deckhand_bot tasks'))).toMatchObject({ below: 'r50' });
    expect(one(message('@deckhand_bot tasks', { chat: forum }))).not.toHaveProperty('below');
  });

  it('answer a message: whose thread that is, others know', () => {
    const reply = message('now the tests', {
      reply_to_message: { message_id: 40, from: bot, text: 'card' },
      message_thread_id: 40,
    });
    expect(one(reply)).toMatchObject({ addressed: 'thread', replyTo: '40', text: 'now the tests' });
    expect(one(reply).conversation.thread).toBeUndefined();
    expect(why(message('lunch?'))).toBe('ignored: talk');
  });

  it('in a topic name it, and what made the topic is no answer', () => {
    const inTopic = { chat: forum, is_topic_message: true, message_thread_id: 9 };
    const made = { message_id: 9, forum_topic_created: { name: 'Releases', icon_color: 1 } };
    const plain = one(message('hello', { ...inTopic, reply_to_message: made }));
    expect(plain).toMatchObject({ addressed: 'thread', conversation: { thread: 't9' } });
    expect(plain.replyTo).toBeUndefined();
    expect(one(message('hello', { ...inTopic, reply_to_message: { message_id: 44, from: bot } }))).toMatchObject({
      replyTo: '44',
      conversation: { thread: 't9' },
    });
    expect(one(message('/sh ls', inTopic))).toMatchObject({ conversation: { thread: 't9' } });
  });

  it('hand over a message when they answer it with nothing but the bot’s name', () => {
    const replied = { message_id: 40, from: ben, text: 'the build is red' };
    for (const text of ['@deckhand_bot', '/deckhand', '/deckhand@deckhand_bot']) {
      expect(one(message(text, { reply_to_message: replied }))).toMatchObject({
        type: 'shortcut',
        key: 'msg:-5:50',
        message: '40',
        text: 'the build is red',
        author: '8',
        actor: { user: '7' },
        below: 'r40',
      });
    }
    expect(one(message('@deckhand_bot', { reply_to_message: { ...replied, from: bot } }))).toMatchObject({ type: 'message' });
    expect(one(message('@deckhand_bot', { reply_to_message: { message_id: 40, from: ben } }))).toMatchObject({ type: 'message' });
  });

  it('bring their files: documents, and of a photo the largest', () => {
    const photo = [
      { file_id: 's', file_unique_id: 's', width: 90, height: 60, file_size: 900 },
      { file_id: 'l', file_unique_id: 'l', width: 1280, height: 853, file_size: 90_000 },
    ];
    const bare = { text: undefined, chat: direct };
    expect(one(message('', { ...bare, photo }))).toMatchObject({
      text: '',
      attachments: [{ id: 'l', name: 'photo-50.jpg', mime: 'image/jpeg', bytes: 90_000 }],
    });
    const gif = { file_id: 'g', file_unique_id: 'g', file_name: 'x.mp4', mime_type: 'video/mp4' };
    expect(one(message('', { ...bare, animation: gif, document: gif, caption: 'look' }))).toMatchObject({
      text: 'look',
      attachments: [{ id: 'g', name: 'x.mp4' }],
    });
  });

  it('are read when they are rich', () => {
    const blocks = [
      { type: 'heading', text: 'Plan', size: 2 },
      { type: 'paragraph', text: ['one ', { type: 'bold', text: 'two' }] },
      { type: 'list', items: [{ blocks: [{ type: 'paragraph', text: 'three' }] }] },
    ];
    expect(one(message('', { text: undefined, chat: direct, rich_message: { blocks } }))).toMatchObject({
      text: 'Plan\none two\nthree',
    });
  });

  it('keep nothing that cannot be stored', () => {
    expect(one(message('a\u0000b\ud83d', { chat: direct }))).toMatchObject({ text: 'ab\ufffd' });
  });

  it.each([
    ['a bot', { from: { ...ben, is_bot: true } }],
    ['an anonymous administrator', { from: { id: 1_087_968_824, is_bot: true, first_name: 'Group' }, sender_chat: group }],
    ['a channel', { sender_chat: { id: -100, type: 'channel' } }],
    ['a forwarded post of a linked channel', { is_automatic_forward: true }],
    ['nobody', { from: undefined }],
  ])('of %s are not obeyed', (_, fields) => {
    expect(why(message('/sh ls', fields))).toBe('ignored: not written by a person');
  });

  it('say nothing in service messages', () => {
    expect(why(message('', { text: undefined, new_chat_members: [ben] }))).toBe('ignored: nothing was said');
  });
});

describe('edits in Telegram', () => {
  it('have the time of the edit in their key', () => {
    expect(one(edited('@deckhand_bot sh ls -l'))).toMatchObject({
      type: 'message_edited',
      key: `edit:-5:50:${date + 5}`,
      at: new Date((date + 5) * 1000).toISOString(),
      text: 'sh ls -l',
      message: '50',
    });
    expect(one(edited('/sh ls'))).toMatchObject({ text: 'sh ls' });
    expect(one(edited('and lint', { reply_to_message: { message_id: 40, from: bot } }))).toMatchObject({ replyTo: '40' });
  });

  it('of talk, and those nobody made, are left alone', () => {
    expect(why(edited('lunch!'))).toBe('ignored: talk');
    expect(why(edited('/sh ls', { edit_date: undefined }))).toBe('ignored: nobody edited it');
  });
});

describe('groups that become supergroups', () => {
  it('promise 2: say the same in both chats', () => {
    const before = one(message('', { text: undefined, migrate_to_chat_id: -1002 }));
    const after = one(
      message('', {
        text: undefined,
        chat: { ...group, id: -1002, type: 'supergroup' },
        migrate_from_chat_id: -5,
        message_id: 1,
      }),
    );
    expect(after).toEqual(before);
    expect(before).toMatchObject({ type: 'channel_moved', key: 'move:-5:-1002', conversation: { channel: '-5' }, to: '-1002' });
  });

  it('are heard of also when a bot or nobody is named as who did it', () => {
    expect(one(message('', { text: undefined, migrate_to_chat_id: -1002, from: undefined }))).toMatchObject({
      actor: { bot: true },
    });
  });
});

describe('presses in Telegram', () => {
  const card = {
    message_id: 60,
    date,
    chat: group,
    from: bot,
    text: 'card',
    reply_markup: { inline_keyboard: [[{ text: 'Stop', callback_data: 't:tsk_1:stop' }]] },
  };
  const press = (fields: Record<string, unknown> = {}) => ({
    update_id: 3,
    callback_query: { id: '99', from: ben, message: card, chat_instance: 'x', data: 't:tsk_1:stop', ...fields },
  });

  it('carry the token, who pressed and a sealed handle', () => {
    expect(one(press())).toEqual({
      type: 'press',
      key: 'cb:99',
      at: '2026-11-21T10:00:00.000Z',
      conversation: { platform: 'telegram', tenant: '800', channel: '-5', kind: 'channel' },
      channelName: 'Demo',
      actor: { user: '8', name: 'Ben', bot: false },
      reply: 'sealed({"press":"99","at":1795255200000})',
      token: 't:tsk_1:stop',
      values: [],
      message: '60',
    });
  });

  it('on a message in a topic name the topic', () => {
    const inTopic = { ...card, chat: forum, is_topic_message: true, message_thread_id: 9 };
    expect(one(press({ message: inTopic }))).toMatchObject({ conversation: { thread: 't9' } });
  });

  it('on a message that Telegram no longer shows still count, but no option does', () => {
    const gone = { message_id: 60, date: 0, chat: group };
    expect(one(press({ message: gone }))).toMatchObject({ token: 't:tsk_1:stop', message: '60' });
    expect(readUpdate(press({ message: gone, data: '~0:x' }), context)).toEqual({
      kind: 'ignored',
      why: 'an option without its select',
      press: '99',
    });
  });

  it('are answered even when they mean nothing', () => {
    for (const fields of [{ message: undefined }, { data: undefined }, { from: { ...ben, is_bot: true } }]) {
      expect(readUpdate(press(fields), context)).toMatchObject({ kind: 'ignored', press: '99' });
    }
  });
});

describe('what Telegram does not send', () => {
  it.each([
    [undefined, /^malformed: update/],
    ['text', /^malformed: update/],
    [{ update_id: 1 }, /^ignored: an update of another kind/],
    [{ update_id: 1, poll: {} }, /^ignored: an update of another kind/],
    [{ update_id: 1, message: { message_id: 'x' } }, /^malformed: message \(.*message_id: invalid_type/],
    [{ update_id: 1, edited_message: 3 }, /^malformed: edited_message/],
    [{ update_id: 1, callback_query: { id: 5 } }, /^malformed: callback_query/],
  ])('%j is put aside', (update, reason) => {
    expect(why(update)).toMatch(reason);
  });

  it('is named by its fields, never by its content', () => {
    expect(why({ update_id: 1, message: { text: 7, secret: 'hunter2' } })).not.toContain('hunter2');
  });
});
