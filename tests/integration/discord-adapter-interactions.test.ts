import { describe, expect, it } from 'vitest';
import { NotAnswered } from '../../lab/discord/core.ts';
import type { Form } from '../../src/contracts/view.ts';
import { card, discordForTest, discordMenu, discordModes, menuCommand, ofType, words } from '../support/discord-adapter.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

const secret = words('only for Ada');

const form: Form = {
  token: 'd:int_1:deny_reason',
  title: 'Deny',
  submit: 'Deny',
  fields: [{ type: 'text', id: 'reason', label: 'Reason', multiline: false, required: true }],
};

describe('the commands of Discord', () => {
  it('are registered from the menu: typed subcommands, groups, any command as text, and the menu of a message', async () => {
    const { discord } = await discordForTest();
    const commands = discord.core.state.commands.values();
    expect(commands.map(({ type, name }) => [type, name])).toEqual([
      [1, 'deckhand'],
      [1, 'deckhand-people'],
      [3, 'Hand to Deckhand'],
    ]);
    const [slash, people] = commands;
    const names = (of: typeof slash) =>
      of?.options.flatMap((one) =>
        one.type === 2 ? (one.options ?? []).map((inner) => `${one.name} ${inner.name}`) : [one.name],
      );
    expect(names(slash)).toEqual(['sh', 'stop', 'tasks', 'rules list', 'rules revoke', 'project add', 'do']);
    expect(names(people)).toEqual(['claim']);
    expect(slash?.options.find(({ name }) => name === 'tasks')?.options).toMatchObject([
      { name: 'filter', description: 'what filter is', choices: [{ name: 'mine' }, { name: 'all' }] },
    ]);
    expect(commands.every(({ contexts }) => contexts?.includes(0) === true && contexts.includes(1))).toBe(true);
  });

  it('are told to Discord again only when they have changed', async () => {
    const setup = await discordForTest();
    const { discord } = setup;
    const puts = () => discord.calls.filter(({ verb, path }) => verb === 'PUT' && path.endsWith('/commands')).length;
    expect(puts()).toBe(1);
    await setup.adapter.stop();
    await setup.another().start(setup.inbox.sink);
    expect(puts()).toBe(1);
    await setup
      .another(undefined, { commands: [...discordMenu.commands, menuCommand('who')], complete: async () => [] })
      .start(setup.inbox.sink);
    expect(puts()).toBe(2);
  });

  it('that Discord refuses do not keep the bot from starting, and doctor says so', async () => {
    const setup = await discordForTest({ started: false });
    setup.discord.controls.failNext('bulk_set_application_commands', { status: 400, code: 50035 });
    await setup.adapter.start(setup.inbox.sink);
    expect(await setup.adapter.health()).toMatchObject({
      ok: false,
      detail: expect.stringContaining('slash commands could not be registered'),
    });
  });

  it('complete what is typed: the whole line of `do`, one option elsewhere', async () => {
    const { discord } = await discordForTest();
    const ada = discord.person('ada');
    expect(await ada.autocomplete('#demo', '/deckhand do', 'text', { text: 'tasks' })).toEqual([
      { name: 'tasks mine  ·  completes tasks', value: 'tasks mine' },
      { name: 'tasks all  ·  completes tasks', value: 'tasks all' },
    ]);
    expect(await ada.autocomplete('#demo', '/deckhand stop', 'task', { task: '#1' })).toMatchObject([
      { value: '#1' },
      { value: '#12' },
    ]);
    expect(await ada.autocomplete('#demo', '/deckhand project add', 'name', { name: '"the' })).toEqual([]);
  });

  it('are answered without suggestions in time when these take too long', async () => {
    const never = new Promise<never>(() => undefined);
    const { discord } = await discordForTest({ timing: { respond: 3_000 }, menu: { ...discordMenu, complete: () => never } });
    expect(await discord.person('ada').autocomplete('#demo', '/deckhand do', 'text', { text: 'ta' })).toEqual([]);
  });
});

describe.each(discordModes)('interactions over %s', (mode) => {
  it('become the commands that were meant, with what was typed', async () => {
    const setup = await discordForTest({ mode });
    const { discord } = setup;
    const ada = discord.person('ada');
    await ada.slash('#demo', '/deckhand sh', { command: 'npm test -- "a b" && x=1', project: 'the web' });
    await ada.slash('#demo', '/deckhand project add', { name: 'my "web"', source: 'https://example.com/w.git' });
    await ada.slash('#demo', '/deckhand do', { text: '  tasks mine ' });
    await ada.slash('#demo', '/deckhand rules list');
    await ada.slash('dm', '/deckhand-people claim', { code: 'ABCD-EFGH' });
    const commands = ofType(setup, 'command');
    expect(commands.map(({ text }) => text)).toEqual([
      'sh project="the web" npm test -- "a b" && x=1',
      'project add "my \\"web\\"" https://example.com/w.git',
      'tasks mine',
      'rules',
      'claim ABCD-EFGH',
    ]);
    expect(commands[0]).toMatchObject({
      conversation: setup.channel('demo'),
      channelName: 'demo',
      actor: { user: ada.id, name: 'Ada', bot: false },
    });
    expect(commands.at(-1)?.conversation).toMatchObject({ kind: 'direct', tenant: discord.applicationId });
  });

  it('hand over a message of anybody from its menu, in a thread with the thread', async () => {
    const setup = await discordForTest({ mode });
    const { discord } = setup;
    const [ada, ben] = [discord.person('ada'), discord.person('ben')];
    const said = ben.say('#demo', 'the *login* is flaky & slow');
    await ada.messageCommand(said, 'Hand to Deckhand');
    const thread = ben.startThread(said, 'the login');
    const inside = ben.say(thread.id, 'since Tuesday');
    await ada.messageCommand(inside, 'Hand to Deckhand');
    expect(ofType(setup, 'shortcut')).toMatchObject([
      {
        conversation: setup.channel('demo'),
        message: said.id,
        text: 'the *login* is flaky & slow',
        author: ben.id,
        actor: { user: ada.id },
      },
      { conversation: setup.channel('demo', thread.id), message: inside.id, text: 'since Tuesday' },
    ]);
  });

  it('promise 1: are acknowledged only when they are stored, and then at once', async () => {
    const { discord, inbox } = await discordForTest({ mode });
    const held = inbox.hold();
    const asked = discord.person('ada').slash('#demo', '/deckhand tasks');
    await waitFor('the command to be offered', () => inbox.offered.length === 1);
    expect(discord.callsOf('create_interaction_response')).toEqual([]);
    held.release();
    await asked;
    await eventually(() =>
      expect(discord.callsOf('create_interaction_response')).toMatchObject([
        { ok: true, args: { type: 5, data: { flags: 64 } } },
      ]),
    );
  });

  it('promise 1: that could not be stored are not acknowledged, so that the person is told', async () => {
    const { discord, inbox } = await discordForTest({ mode, timing: { respond: 2_000 } });
    inbox.fail(20);
    await expect(discord.person('ada').slash('#demo', '/deckhand tasks')).rejects.toThrow(NotAnswered);
    inbox.fail(0);
    await discord.person('ada').slash('#demo', '/deckhand tasks');
    expect(inbox.events).toHaveLength(1);
    expect(discord.callsOf('create_interaction_response')).toHaveLength(1);
  });

  it('show the answer to a command in place of its placeholder, and further ones below, to one person only', async () => {
    const setup = await discordForTest({ mode });
    const { discord, adapter } = setup;
    const ada = discord.person('ada');
    await ada.slash('#demo', '/deckhand tasks');
    const [command] = ofType(setup, 'command');
    await adapter.ephemeral(setup.channel('demo'), setup.identity('ada'), secret, command?.reply);
    await adapter.ephemeral(setup.channel('demo'), setup.identity('ada'), words('and more'), command?.reply);
    expect(ada.ephemerals().map(({ plain, flags }) => [plain, flags & (1 << 7)])).toEqual([
      ['only for Ada', 0],
      ['and more', 0],
    ]);
    expect(discord.person('ben').ephemerals()).toEqual([]);
  });

  it('answer a press without touching its message, and a press on such an answer too', async () => {
    const setup = await discordForTest({ mode });
    const { discord, adapter } = setup;
    const ada = discord.person('ada');
    const ref = await adapter.send(setup.channel('demo'), card({ label: 'Log' }), 'k1');
    await ada.press(ref.message, 'Log');
    const [press] = ofType(setup, 'press');
    expect(discord.callsOf('create_interaction_response')).toMatchObject([{ args: { type: 6 } }]);
    await adapter.ephemeral(setup.channel('demo'), setup.identity('ada'), card({ label: 'More' }), press?.reply);
    const [answer] = ada.ephemerals();
    await ada.press(answer?.id ?? '', 'More');
    expect(ofType(setup, 'press')[1]).toMatchObject({ token: 'c:0', conversation: setup.channel('demo') });
    expect(ofType(setup, 'press')[1]?.message).toBeUndefined();
    expect(ada.look(ref.message).edited_at).toBeUndefined();
    // The next page takes the place of the one it was asked for on.
    const turned = ofType(setup, 'press')[1]?.reply;
    await adapter.ephemeral(setup.channel('demo'), setup.identity('ada'), words('page 2'), turned, true);
    expect(ada.ephemerals().map(({ id, plain }) => [id, plain])).toEqual([[answer?.id, 'page 2']]);
  });

  it('open a form as the first answer to a message command; without one, what waits for an answer goes away', async () => {
    const setup = await discordForTest({ mode });
    const { discord, adapter } = setup;
    const [ada, ben] = [discord.person('ada'), discord.person('ben')];
    const said = ben.say('#demo', 'npm test');
    const handed = ada.messageCommand(said, 'Hand to Deckhand');
    const shortcut = await waitFor('the shortcut', () => ofType(setup, 'shortcut')[0]);
    await adapter.openForm(shortcut.trigger ?? '', form, setup.channel('demo'));
    await handed;
    await ada.submit(await ada.waitForModal('Deny'), { Reason: 'because' });
    expect(ofType(setup, 'form')).toMatchObject([{ token: form.token, values: { reason: ['because'] } }]);

    await ada.messageCommand(said, 'Hand to Deckhand');
    expect(ada.ephemerals().map(({ plain }) => plain)).toContainEqual(expect.stringContaining('thinking'));
    await adapter.stop();
    expect(ada.ephemerals().filter(({ plain }) => plain.includes('thinking'))).toEqual([]);
    await expect(adapter.openForm(shortcut.trigger ?? '', form, setup.channel('demo'))).rejects.toMatchObject({
      failure: { kind: 'gone' },
    });
  });

  it('open a form as the first answer to a press, and take what was entered', async () => {
    const setup = await discordForTest({ mode });
    const { discord, adapter } = setup;
    const ada = discord.person('ada');
    const opened = await adapter.send(setup.channel('demo'), card({ label: 'Deny…', form: true }), 'k1', { title: '#1 x' });
    const about = setup.channel('demo', opened.thread);
    const pressed = ada.press(opened.message, 'Deny…');
    const press = await waitFor('the press', () => ofType(setup, 'press')[0]);
    expect(press.conversation).toEqual(about);
    await adapter.openForm(press.trigger ?? '', form, about);
    await pressed;
    await ada.submit(await ada.waitForModal('Deny'), { Reason: 'not *today*' });
    expect(ofType(setup, 'form')).toMatchObject([
      { token: form.token, conversation: about, values: { reason: ['not *today*'] }, actor: { user: ada.id } },
    ]);
    await eventually(() =>
      expect(discord.callsOf('create_interaction_response').map(({ args, ok }) => [args.type, ok])).toEqual([
        [9, true],
        [6, true],
      ]),
    );
  });
});
