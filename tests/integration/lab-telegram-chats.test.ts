import { describe, expect, test } from 'vitest';
import { Refused } from '../../lab/refused.ts';
import { botOf, startTelegram } from '../support/telegram-bot.ts';

const DEMO = -4_000_001;
const OPS = -1_001_000_000_002;
const FORUM = -1_001_000_000_003;

async function start(options: Parameters<typeof startTelegram>[0] = {}) {
  const telegram = await startTelegram(options);
  return { telegram, bot: botOf(telegram), ada: telegram.person('ada'), ben: telegram.person('ben') };
}

describe('private chats', () => {
  test('open when the person presses Start, close when they block the bot', async () => {
    const { bot, ada } = await start();
    const send = { chat_id: ada.id, text: 'x' };
    expect(await bot.call('sendMessage', send)).toMatchObject({
      status: 403,
      description: "Forbidden: bot can't initiate conversation with a user",
    });
    ada.start('claim_42');
    expect(await bot.updates()).toMatchObject([
      { message: { text: '/start claim_42', chat: { type: 'private' }, entities: [{ type: 'bot_command', length: 6 }] } },
    ]);
    await bot.did('sendMessage', send);
    ada.block();
    expect(await bot.refused('sendMessage', send)).toBe('Forbidden: bot was blocked by the user');
    expect(await bot.updates()).toMatchObject([{ my_chat_member: { new_chat_member: { status: 'kicked' } } }]);
    expect(() => ada.dm('hello')).toThrow(Refused);
    ada.unblock();
    await bot.did('sendMessage', send);
  });
});

describe('privacy mode', () => {
  test('hides plain messages from a bot that is a plain member, and no others', async () => {
    const { bot, ada } = await start();
    const own = await bot.did('sendMessage', { chat_id: OPS, text: 'card' });
    ada.say('ops', 'plain');
    ada.say('ops', '/sh ls');
    ada.say('ops', '/sh@other_lab_bot ls');
    ada.say('ops', '/sh@Deckhand_Lab_Bot ls');
    ada.mention('ops', 'hello');
    ada.reply({ chat: OPS, id: Number(own.message_id) }, 'an answer');
    const texts = (await bot.updates()).map((update) => Object(update.message).text);
    expect(texts).toEqual(['/sh ls', '/sh@Deckhand_Lab_Bot ls', '@deckhand_lab_bot hello', 'an answer']);
  });

  test('gives a plain command to the bot that wrote last', async () => {
    const { telegram, bot, ada } = await start();
    await bot.did('sendMessage', { chat_id: OPS, text: 'card' });
    telegram.controls.otherBotSays('ops', 'me now');
    ada.say('ops', '/sh ls');
    expect(await bot.updates()).toEqual([]);
  });

  test('does not touch administrators, and is over when it is switched off', async () => {
    const { telegram, bot, ada } = await start();
    ada.say('demo', 'to an administrator');
    expect((await bot.did('getMe')).can_read_all_group_messages).toBe(false);
    telegram.controls.privacyMode(false);
    ada.say('ops', 'to a member');
    expect((await bot.did('getMe')).can_read_all_group_messages).toBe(true);
    expect(await bot.updates()).toHaveLength(2);
    telegram.controls.otherBotSays('demo', 'bots never hear of each other');
    expect(await bot.updates()).toEqual([]);
  });
});

describe('groups', () => {
  test('tell the bot that it was taken out or added, and refuse its messages meanwhile', async () => {
    const { bot, ada, ben } = await start();
    expect(() => ben.kickBot('demo')).toThrow('Only administrators');
    ada.kickBot('demo');
    expect(await bot.updates()).toMatchObject([
      { message: { left_chat_member: { is_bot: true } } },
      { my_chat_member: { old_chat_member: { status: 'administrator' }, new_chat_member: { status: 'kicked' } } },
    ]);
    ada.say('demo', 'unheard');
    expect(await bot.refused('sendMessage', { chat_id: DEMO, text: 'x' })).toBe('Forbidden: bot was kicked from the group chat');
    ben.addBot('demo');
    expect(await bot.updates()).toMatchObject([
      { my_chat_member: { new_chat_member: { status: 'member' } } },
      { message: { new_chat_members: [{ username: 'deckhand_lab_bot' }] } },
    ]);
    await bot.did('leaveChat', { chat_id: DEMO });
    expect(await bot.refused('sendMessage', { chat_id: DEMO, text: 'x' })).toBe(
      'Forbidden: bot is not a member of the group chat',
    );
  });

  test('become supergroups: the old id says where to, the new one counts messages anew', async () => {
    const { bot, ada } = await start();
    ada.say('demo', 'before');
    const moved = ada.migrate('demo');
    const [, left, arrived] = await bot.updates();
    expect(left).toMatchObject({ message: { chat: { id: DEMO }, migrate_to_chat_id: moved.id } });
    expect(arrived).toMatchObject({
      message: { chat: { id: moved.id, type: 'supergroup' }, migrate_from_chat_id: DEMO, message_id: 1 },
    });
    expect(await bot.call('sendMessage', { chat_id: DEMO, text: 'x' })).toMatchObject({
      status: 400,
      description: 'Bad Request: group chat was upgraded to a supergroup chat',
      parameters: { migrate_to_chat_id: moved.id },
    });
    await bot.did('sendMessage', { chat_id: moved.id, text: 'here now' });
    expect((await ada.waitForMessage('here now', { chat: 'demo' })).chat).toBe(moved.id);
  });

  test('hide who an anonymous administrator is', async () => {
    const { bot, ada } = await start();
    ada.setAnonymous('forum', true);
    ada.say('forum', 'as the group');
    const [update] = await bot.updates();
    expect(update).toMatchObject({
      message: { from: { username: 'GroupAnonymousBot', is_bot: true }, sender_chat: { id: FORUM } },
    });
  });

  test('put a reply in a supergroup without topics into the thread of the first message, which is no topic', async () => {
    const { telegram, bot, ada } = await start();
    telegram.controls.privacyMode(false);
    const root = ada.say('ops', 'root');
    const answer = ada.reply(root, 'one');
    ada.reply(answer, 'two');
    const [, , last] = await bot.updates();
    expect(last).toMatchObject({ message: { message_thread_id: root.id, reply_to_message: { message_id: answer.id } } });
    expect(Object(last?.message).is_topic_message).toBeUndefined();
  });

  test('name their members and administrators', async () => {
    const { bot, ada } = await start();
    expect(await bot.did('getChatMember', { chat_id: DEMO, user_id: ada.id })).toMatchObject({ status: 'creator' });
    expect(await bot.refused('getChatMember', { chat_id: DEMO, user_id: 5 })).toBe('Bad Request: user not found');
    expect(await bot.did('getChat', { chat_id: FORUM })).toMatchObject({ type: 'supergroup', is_forum: true });
    expect(await bot.did('getChatAdministrators', { chat_id: DEMO })).toMatchObject({
      value: [{ status: 'creator' }, { status: 'administrator' }],
    });
  });
});

describe('forum topics', () => {
  test('carry their messages; one without a reply of its own replies to the message that made the topic', async () => {
    const { bot, ada } = await start();
    const made = await bot.did('createForumTopic', { chat_id: FORUM, name: 'Task 1' });
    const topic = Number(made.message_thread_id);
    const sent = await bot.did('sendMessage', { chat_id: FORUM, message_thread_id: topic, text: 'card' });
    expect(sent).toMatchObject({ message_thread_id: topic, is_topic_message: true });
    expect(await ada.waitForMessage('card', { chat: 'forum', topic: 'Task 1' })).toMatchObject({ id: sent.message_id });
    ada.say('forum', 'go on', { topic });
    ada.say('forum', 'in general');
    const [inTopic, inGeneral] = await bot.updates();
    expect(inTopic).toMatchObject({
      message: {
        message_thread_id: topic,
        is_topic_message: true,
        reply_to_message: { forum_topic_created: { name: 'Task 1' } },
      },
    });
    expect(Object(inGeneral?.message).message_thread_id).toBeUndefined();
  });

  test('are refused by number 1, when closed to members, when deleted, and without the right to make them', async () => {
    const { bot, ada, ben } = await start();
    expect(await bot.refused('sendMessage', { chat_id: FORUM, message_thread_id: 1, text: 'x' })).toBe(
      'Bad Request: message thread not found',
    );
    const topic = ada.createTopic('forum', 'Ada');
    const send = { chat_id: FORUM, message_thread_id: topic.id, text: 'x' };
    ada.setBotRights('forum', undefined);
    expect(await bot.refused('createForumTopic', { chat_id: FORUM, name: 'x' })).toBe(
      'Bad Request: not enough rights to create a topic',
    );
    ada.changeTopic('forum', 'Ada', 'close');
    expect(await bot.refused('sendMessage', send)).toBe('Bad Request: TOPIC_CLOSED');
    expect(() => ben.say('forum', 'x', { topic: 'Ada' })).toThrow('This topic is closed.');
    ada.changeTopic('forum', 'Ada', 'delete');
    expect(await bot.refused('sendMessage', send)).toBe('Bad Request: message thread not found');
    expect(await bot.refused('createForumTopic', { chat_id: DEMO, name: 'x' })).toBe('Bad Request: the chat is not a forum');
  });

  test('are closed, reopened and renamed by the bot, once each', async () => {
    const { bot } = await start();
    const { message_thread_id } = await bot.did('createForumTopic', { chat_id: FORUM, name: 'Task' });
    const topic = { chat_id: FORUM, message_thread_id };
    await bot.did('closeForumTopic', topic);
    expect(await bot.refused('closeForumTopic', topic)).toBe('Bad Request: TOPIC_NOT_MODIFIED');
    await bot.did('reopenForumTopic', topic);
    await bot.did('editForumTopic', { ...topic, name: 'Renamed' });
    expect(await bot.refused('editForumTopic', { ...topic, name: 'Renamed' })).toBe('Bad Request: TOPIC_NOT_MODIFIED');
    await bot.did('deleteForumTopic', topic);
    expect(await bot.refused('reopenForumTopic', topic)).toBe('Bad Request: TOPIC_ID_INVALID');
  });
});

describe('commands and reactions', () => {
  test('offers the list of the narrowest scope, and nothing of the others', async () => {
    const { bot, ada, ben } = await start();
    const list = (command: string) => [{ command, description: 'x' }];
    await bot.did('setMyCommands', { commands: list('everywhere') });
    await bot.did('setMyCommands', { commands: list('groups'), scope: { type: 'all_group_chats' } });
    await bot.did('setMyCommands', { commands: list('admins'), scope: { type: 'all_chat_administrators' } });
    expect(ada.commands('dm')).toEqual(list('everywhere'));
    expect(ada.commands('demo')).toEqual(list('admins'));
    expect(ben.commands('demo')).toEqual(list('groups'));
    await bot.did('deleteMyCommands', { scope: { type: 'all_group_chats' } });
    expect(ben.commands('demo')).toEqual(list('everywhere'));
  });

  test.each([
    [[{ command: 'agent-run', description: 'x' }], 'Bad Request: BOT_COMMAND_INVALID'],
    [[{ command: 'x'.repeat(33), description: 'x' }], 'Bad Request: command length must not exceed 32'],
    [[{ command: 'x', description: '' }], 'Bad Request: command description must be non-empty'],
    [Array.from({ length: 101 }, (_, n) => ({ command: `c${n}`, description: 'x' })), 'Bad Request: BOT_COMMANDS_TOO_MUCH'],
  ])('refuses commands %#', async (commands, description) => {
    expect(await (await start()).bot.refused('setMyCommands', { commands })).toBe(description);
  });

  test('sets one of the known reactions', async () => {
    const { bot, ada } = await start();
    const said = ada.say('demo', 'x');
    const react = (emoji: string) => ({ chat_id: DEMO, message_id: said.id, reaction: [{ type: 'emoji', emoji }] });
    await bot.did('setMessageReaction', react('👀'));
    await ada.waitForReaction(said, '👀');
    expect(await bot.refused('setMessageReaction', react('✅'))).toBe('Bad Request: REACTION_INVALID');
    await bot.did('setMessageReaction', { chat_id: DEMO, message_id: said.id, reaction: [] });
    await ada.waitForReaction(said, undefined);
  });
});
