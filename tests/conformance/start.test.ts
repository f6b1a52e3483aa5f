import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Conformance, openConformance, platforms } from '../support/conformance.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let world: Conformance;
beforeAll(async () => {
  world = await openConformance();
});
afterAll(() => world.close());

describe.concurrent.each(platforms)('on %s', (name) => {
  it('a command starts a task: a card that names project, branch and base, then one end in its thread', async () => {
    const at = world.on(name);
    const place = await at.place('by-command');
    await at.driver.command('ben', place, 'sh echo hello');
    const { card, end } = await at.endsOnce(place, /hello/);
    expect(card.text).toMatch(/#\d+ echo hello[\s\S]*done in/);
    expect(card.text).toMatch(/demo[\s\S]*main@[0-9a-f]{7}[\s\S]*Ben/);
    expect(end.buttons).toContain('Retry');
  });

  it('promise 4: a mention starts a task and gets a receipt', async () => {
    const at = world.on(name);
    const place = await at.place('by-mention');
    const said = at.driver.mention('ben', place, 'sh echo hello');
    await at.endsOnce(place, /hello/);
    expect(at.driver.receipts(said)).toEqual(['received']);
  });

  it('a direct message starts a task, and all of it stays between the two', async () => {
    const at = world.on(name);
    const place = at.driver.directPlace('ben');
    at.driver.mention('ben', place, 'sh project=demo echo between us');
    const { end } = await at.endsOnce(place, /between us/);
    expect(end.place).toEqual(place);
  });

  it('where there are several projects and none is named, the person chooses one', async () => {
    const at = world.on(name);
    const place = at.driver.directPlace('ada');
    at.driver.mention('ada', place, 'sh echo chosen');
    const asked = await at.sees(place, /Which project/i);
    await at.driver.choose('ada', asked, 'Project', 'free');
    const { card } = await at.endsOnce(place, /chosen/);
    expect(card.text).toContain('free');
  });

  it('a mistake is explained to whoever made it, and to nobody else', async () => {
    const at = world.on(name);
    const place = await at.place('mistake');
    await at.driver.command('ben', place, 'move #1 somewhere');
    const answer = await at.isTold('ben', /`?somewhere`? is none of/);
    expect(answer.text).toMatch(/For example: .*DH-201/s);
    await at.settled(place);
    expect(at.driver.messages(place).filter(({ own }) => own)).toEqual([]);
    expect(at.driver.toldTo('ada').filter(({ text }) => text.includes('somewhere'))).toEqual([]);
  });

  it('people who may not are told who may, and nothing is started', async () => {
    const at = world.on(name);
    const place = await at.place('not-allowed');
    at.driver.mention('gus', place, 'sh echo no');
    expect((await at.isTold('gus', /DH-202/)).text).toMatch(/Ada|developer/i);
    await at.settled(place);
    expect(at.driver.messages(place).filter(({ own }) => own)).toEqual([]);
  });

  it('talk that is for nobody in particular starts nothing', async () => {
    const at = world.on(name);
    const place = await at.place('talk');
    at.driver.say('ben', place, 'sh echo to nobody');
    at.driver.mention('ben', place, 'sh echo to the bot');
    await at.endsOnce(place, /to the bot/);
    expect(at.driver.messages(place).filter(({ own, text }) => own && text.includes('to nobody'))).toEqual([]);
  });
});
