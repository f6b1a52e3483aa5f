import { describe, expect, test } from 'vitest';
import { defaultManifest } from '../../lab/slack/manifest.ts';
import { botClient, startSlack } from '../support/slack-app.ts';

const refused = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
  return 'nothing was refused';
};

describe('people', () => {
  test('change and delete only their own messages', async () => {
    const slack = await startSlack();
    const [ada, ben] = [slack.person('ada'), slack.person('ben')];
    const said = ada.say('#demo', 'mine');
    expect(refused(() => ben.edit(said, 'ours'))).toBe('not_own_message');
    expect(refused(() => ben.delete(said))).toBe('not_own_message');
    expect(ada.edit(said, 'better')).toMatchObject({ plain: 'better', edited: { user: ada.id } });
    ada.delete(said);
    expect(ada.messages('#demo')).toEqual([]);
    expect(refused(() => ada.edit(said, 'gone'))).toBe('message_not_found');
  });

  test('reply in the thread of a reply, as the client does, and may broadcast', async () => {
    const slack = await startSlack();
    const ada = slack.person('ada');
    const parent = ada.say('#demo', 'parent');
    const reply = ada.reply(parent, 'reply');
    expect(ada.reply(reply, 'to the reply').thread_ts).toBe(parent.ts);
    expect(ada.reply(parent, 'loud', { broadcast: true }).broadcast).toBe(true);
    expect(refused(() => ada.say('#demo', 'x', { thread: '1.000000' }))).toBe('message_not_found');
  });

  test('cannot send nothing, nor more than a message holds, nor files of others', async () => {
    const slack = await startSlack();
    const ada = slack.person('ada');
    const file = slack.person('ben').upload('ben.txt', 'x');
    expect(refused(() => ada.say('#demo', '  '))).toBe('no_text');
    expect(refused(() => ada.say('#demo', 'x'.repeat(12_001)))).toBe('msg_too_long');
    expect(refused(() => ada.say('#demo', 'x', { files: [file.id] }))).toBe('file_not_found');
    expect(refused(() => ada.upload('empty.txt', ''))).toBe('invalid_input');
  });

  test('cannot write to the app when its messages tab is closed, and neither can the app to them', async () => {
    const features = { ...defaultManifest.features, app_home: { home_tab_enabled: true, messages_tab_enabled: false } };
    const slack = await startSlack({ manifest: { ...defaultManifest, features } });
    expect(refused(() => slack.person('ada').dm('hello'))).toBe('messages_tab_disabled');
    const post = botClient(slack).chat.postMessage({ channel: 'U0000000ADA', text: 'hello' });
    await expect(post).rejects.toMatchObject({ data: { error: 'messages_tab_disabled' } });
  });

  test('invite the app and send it away', async () => {
    const slack = await startSlack();
    const ada = slack.person('ada');
    const post = () => botClient(slack).chat.postMessage({ channel: 'C0000RANDOM', text: 'x' });
    ada.invite('#random');
    expect((await post()).ok).toBe(true);
    expect(refused(() => ada.invite('#random'))).toBe('already_in_channel');
    ada.kick('#random');
    await expect(post()).rejects.toMatchObject({ data: { error: 'not_in_channel' } });
  });

  test('dismiss what only they see', async () => {
    const slack = await startSlack();
    const ada = slack.person('ada');
    await botClient(slack).chat.postEphemeral({ channel: 'C00000DEMO', user: ada.id, text: 'psst' });
    const shown = await ada.waitForEphemeral('psst');
    expect(refused(() => slack.person('ben').delete(shown))).toBe('message_not_found');
    ada.delete(shown);
    expect(ada.ephemerals()).toEqual([]);
  });

  test('can be more than three, with a DM each', async () => {
    const slack = await startSlack();
    const eve = slack.controls.addPerson({ name: 'eve', real_name: 'Eve Park' });
    expect((await botClient(slack).conversations.open({ users: eve.id })).channel?.id).toBe(slack.person('eve').dm('hi').channel);
  });

  test('meet a new manifest at once', async () => {
    const slack = await startSlack();
    const features = { ...defaultManifest.features, bot_user: { display_name: 'Bosun' }, slash_commands: [] };
    slack.install({ ...defaultManifest, features });
    expect(slack.person('ada').mention('#demo', 'hi').text).toBe(`<@${slack.botUserId}> hi`);
    await expect(slack.person('ada').slash('#demo', '/deckhand x')).rejects.toMatchObject({ code: 'unknown_command' });
  });
});
