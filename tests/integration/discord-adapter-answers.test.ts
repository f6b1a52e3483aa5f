import { describe, expect, it } from 'vitest';
import type { Form } from '../../src/contracts/view.ts';
import { argument, card, discordForTest, discordMenu, failure, menuCommand, ofType, words } from '../support/discord-adapter.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

const secret = words('only for Ada');

const form: Form = {
  token: 'd:int_1:deny_reason',
  title: 'Deny',
  submit: 'Deny',
  fields: [{ type: 'text', id: 'reason', label: 'Reason', multiline: false, required: true }],
};

describe('answers to interactions', () => {
  it('that nobody gives leave no placeholder behind, and come later as a message of their own', async () => {
    const setup = await discordForTest();
    const { discord, adapter } = setup;
    const ada = discord.person('ada');
    await ada.slash('#demo', '/deckhand sh', { command: 'make' });
    const [placeholder] = ada.ephemerals();
    expect(placeholder?.flags).toBe((1 << 6) | (1 << 7));
    await ada.waitForDeleted(placeholder?.id ?? '', { timeoutMs: 8_000 });
    await adapter.ephemeral(setup.channel('demo'), setup.identity('ada'), secret, ofType(setup, 'command')[0]?.reply);
    expect(ada.ephemerals().map(({ plain }) => plain)).toEqual(['only for Ada']);
  });

  it('acknowledge a press in time when its form does not come, which is too late then', async () => {
    const setup = await discordForTest({ timing: { respond: 3_000 } });
    const { discord, adapter } = setup;
    const ref = await adapter.send(setup.channel('demo'), card({ label: 'Deny…', form: true }), 'k1');
    await discord.person('ada').press(ref.message, 'Deny…');
    await eventually(() =>
      expect(discord.callsOf('create_interaction_response')).toMatchObject([{ args: { type: 6 }, ok: true }]),
    );
    const trigger = ofType(setup, 'press')[0]?.trigger ?? '';
    expect(await failure(adapter.openForm(trigger, form, setup.channel('demo')))).toMatchObject({ kind: 'gone' });
  });

  it('take the place of a form that was expected', async () => {
    const setup = await discordForTest();
    const { discord, adapter } = setup;
    const ada = discord.person('ada');
    const ref = await adapter.send(setup.channel('demo'), card({ label: 'Deny…', form: true }), 'k1');
    const pressed = ada.press(ref.message, 'Deny…');
    const press = await waitFor('the press', () => ofType(setup, 'press')[0]);
    await adapter.ephemeral(setup.channel('demo'), setup.identity('ada'), words('you may not'), press.reply);
    await pressed;
    expect(discord.callsOf('create_interaction_response')).toMatchObject([
      { args: { type: 4, data: { flags: 64 | (1 << 15) } } },
    ]);
    expect(ada.ephemerals().map(({ plain }) => plain)).toEqual(['you may not']);
  });

  it.each<[string, (reply: string) => string | undefined, number]>([
    ['none', () => undefined, 0],
    ['altered', (reply) => reply.slice(0, -6), 0],
    ['of nobody', () => 'https://evil.example', 0],
    ['fifteen minutes old', (reply) => reply, 15 * 60_000],
  ])('are not possible with a handle that is %s: the person must be told in another way', async (_, spoil, later) => {
    let passed = 0;
    const setup = await discordForTest({ now: () => new Date(Date.now() + passed) });
    await setup.discord.person('ada').slash('#demo', '/deckhand tasks');
    const reply = spoil(ofType(setup, 'command')[0]?.reply ?? '');
    passed = later;
    const work = setup.adapter.ephemeral(setup.channel('demo'), setup.identity('ada'), secret, reply);
    expect(await failure(work)).toMatchObject({ kind: 'not_permitted' });
  });

  it('are not possible any more when Discord has forgotten the act', async () => {
    const setup = await discordForTest();
    await setup.discord.person('ada').slash('#demo', '/deckhand tasks');
    setup.discord.controls.expireTokens();
    const reply = ofType(setup, 'command')[0]?.reply;
    const work = setup.adapter.ephemeral(setup.channel('demo'), setup.identity('ada'), secret, reply);
    expect(await failure(work)).toMatchObject({ kind: 'not_permitted', detail: expect.stringContaining('fifteen minutes') });
  });

  it('are repeated while Discord cannot be reached, as long as they are of use', async () => {
    const { discord } = await discordForTest();
    discord.controls.failNext('create_interaction_response', { dropConnectionBeforeEffect: true, times: 2 });
    await discord.person('ada').slash('#demo', '/deckhand tasks');
    await eventually(() =>
      expect(discord.callsOf('create_interaction_response').map(({ ok }) => ok)).toEqual([false, false, true]),
    );
  });

  it('promise 2: an answer that arrived, though nobody could know, is not given twice', async () => {
    const { discord } = await discordForTest();
    discord.controls.failNext('create_interaction_response', { dropConnectionAfterEffect: true });
    const ada = discord.person('ada');
    await ada.slash('#demo', '/deckhand tasks');
    await eventually(() =>
      expect(discord.callsOf('create_interaction_response').map(({ code }) => code)).toEqual([undefined, 40060]),
    );
    expect(ada.ephemerals()).toHaveLength(1);
  });

  it('can be answered by another process, which holds the handle alone', async () => {
    const setup = await discordForTest();
    const { discord, adapter, inbox } = setup;
    const other = setup.another();
    await other.start(inbox.sink);
    const ada = discord.person('ada');
    await ada.slash('#demo', '/deckhand tasks');
    await other.ephemeral(setup.channel('demo'), setup.identity('ada'), secret, ofType(setup, 'command')[0]?.reply);
    expect(ada.ephemerals().map(({ plain }) => plain)).toEqual(['only for Ada']);
    const ref = await adapter.send(setup.channel('demo'), card({ label: 'Deny…', form: true }), 'k1');
    const pressed = ada.press(ref.message, 'Deny…');
    const press = await waitFor('the press', () => ofType(setup, 'press')[0]);
    await other.openForm(press.trigger ?? '', form, setup.channel('demo'));
    await pressed;
    expect(ada.modals()).toHaveLength(1);
  });
});

describe('forms', () => {
  const select = (count: number): Form['fields'][number] => ({
    type: 'select',
    id: 'project',
    label: 'Project',
    required: true,
    multiple: false,
    options: Array.from({ length: count }, (_, at) => ({ value: `v${at}`, label: `Project ${at}` })),
  });

  it('show more options than a menu takes in several menus of one field', async () => {
    const menu = { ...discordMenu, commands: [menuCommand('pick', [argument('what')])] };
    const setup = await discordForTest({ menu });
    const { discord, adapter } = setup;
    const ada = discord.person('ada');
    const ref = await adapter.send(setup.channel('demo'), card({ label: 'Pick…', form: true }), 'k1');
    const pressed = ada.press(ref.message, 'Pick…');
    const press = await waitFor('the press', () => ofType(setup, 'press')[0]);
    await adapter.openForm(press.trigger ?? '', { ...form, fields: [select(60)] }, setup.channel('demo'));
    await pressed;
    await ada.submit(await ada.waitForModal('Deny'), { 'Project (3 of 3)': 'Project 57' });
    expect(ofType(setup, 'form')).toMatchObject([{ values: { project: ['v57'] } }]);
  });

  it('of more fields than Discord takes are refused before the press is answered', async () => {
    const setup = await discordForTest();
    const { discord, adapter } = setup;
    const ref = await adapter.send(setup.channel('demo'), card({ label: 'Pick…', form: true }), 'k1');
    const pressed = discord.person('ada').press(ref.message, 'Pick…');
    const press = await waitFor('the press', () => ofType(setup, 'press')[0]);
    const tooMany = { ...form, fields: Array.from({ length: 6 }, (_, at) => ({ ...select(2), id: `f${at}` })) };
    expect(await failure(adapter.openForm(press.trigger ?? '', tooMany, setup.channel('demo')))).toMatchObject({
      kind: 'rejected',
    });
    await adapter.openForm(press.trigger ?? '', form, setup.channel('demo'));
    await pressed;
  });
});
