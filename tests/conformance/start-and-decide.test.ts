import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createModelServer } from '../../lab/model/server.ts';
import { type Conformance, type OnPlatform, openConformance, platforms } from '../support/conformance.ts';
import type { Place } from '../support/conformance-driver.ts';
import { waitFor } from '../support/wait-for.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000, maxConcurrency: 12 });

let world: Conformance;
beforeAll(async () => {
  world = await openConformance();
});
afterAll(() => world.close());

/** Changes a file, so it asks. Its output, `it ran`, is not among its own words. */
const risky = "sh touch made; printf 'it %s' ran";
const waits = /^#\d+ wants to run a command/;
const decided = /^#\d+ wanted to run a command/;

async function ask(at: OnPlatform, place: Place, command = risky) {
  at.driver.mention('ben', place, command);
  return await at.sees(place, waits, { button: 'Approve' });
}

// The longest first.
describe.concurrent.each(platforms)('a decision on %s', (name) => {
  it('approved for the task, the same command does not ask again when it is retried by a reply', async () => {
    const at = world.on(name);
    const place = await at.place('for-task');
    const request = await ask(at, place);
    await at.driver.press('ada', request, 'Approve for this task');
    const { end } = await at.endsOnce(place, /it ran/);
    at.driver.reply('ben', end, 'retry');
    await at.sees(place, /done in[\s\S]*it ran/, { after: end });
    await at.settled(place);
    expect(at.driver.messages(place).filter(({ own, text }) => own && waits.test(text))).toEqual([]);
    expect(at.driver.messages(place).filter(({ own, text }) => own && decided.test(text))).toHaveLength(1);
  });

  it('promise 7: a request shows the whole command and waits; approved by a double click, it says by whom, and runs once', async () => {
    const at = world.on(name);
    const place = await at.place('approve');
    const request = await ask(at, place);
    expect(request.text).toContain("touch made; printf 'it %s' ran");
    expect(request.buttons).toEqual(['Approve', 'Approve for this task', 'Deny', 'Deny with reason…', 'Details']);
    await Promise.all([at.driver.press('ada', request, 'Approve'), at.driver.press('ada', request, 'Approve')]);
    const { card } = await at.endsOnce(place, /it ran/);
    const after = await at.sees(place, decided);
    expect(after).toMatchObject({ id: request.id, thread: card.thread, buttons: [] });
    expect(after.text).toMatch(new RegExp(`Ada[\\s\\S]*approved it on ${name}`));
    await at.isTold('ada', /You approved it[\s\S]*DH-400/);
  });

  it('promise 7: of two people who press at once one wins, and both see the same', async () => {
    const at = world.on(name);
    const place = await at.place('at-once');
    const request = await ask(at, place);
    await Promise.all([at.driver.press('ada', request, 'Approve'), at.driver.press('ben', request, 'Deny')]);
    const { end } = await at.endsOnce(place, /it ran|cancelled/);
    const after = at.driver.messages(place).filter(({ own, text }) => own && decided.test(text));
    expect(after).toHaveLength(1);
    const text = after[0]?.text ?? '';
    const isApproved = /Ada[\s\S]*approved it/.test(text);
    expect(/Ben[\s\S]*denied it/.test(text)).toBe(!isApproved);
    expect(end.text.includes('it ran')).toBe(isApproved);
    if (isApproved) await at.isTold('ben', /Ada[\s\S]*approved it[\s\S]*DH-400/);
    else await at.isTold('ada', /Ben[\s\S]*denied it[\s\S]*DH-400/);
  });

  it('a running task is stopped by its button, and says who stopped it', async () => {
    const at = world.on(name);
    const place = await at.place('stop', at.projects.free);
    await at.driver.command('ben', place, 'sh echo begun; sleep 120');
    const running = await at.sees(place, /running/, { button: 'Stop' });
    await at.driver.press('ben', running, 'Stop');
    const { end } = await at.endsOnce(place, /cancelled/);
    expect(end.text).toContain('Ben');
  });

  it('promise 7: what nobody decides in time counts as no, and stays so when presses come late, whoever makes them', async () => {
    const at = world.on(name);
    const place = await at.place('expiry', at.projects.hasty);
    const request = await ask(at, place);
    const { end } = await at.endsOnce(place, /DH-401/);
    expect(end.text).not.toContain('it ran');
    const after = await at.sees(place, decided);
    expect(after.id).toBe(request.id);
    expect(after.text).toMatch(/expired[\s\S]*Nobody decided in time/);
    expect(after.buttons).toEqual([]);
    const before = at.driver.messages(place);
    await Promise.all([
      at.driver.pressLate('ada', request, 'Approve'),
      at.driver.pressLate('ben', request, 'Deny with reason…'),
      at.driver.pressLate('gus', request, 'Approve for this task'),
    ]);
    await at.isTold('ada', /Nobody decided within 2 s[\s\S]*DH-400/);
    await at.isTold('ben', /expired[\s\S]*DH-400/);
    await at.isTold('gus', /Nobody decided within 2 s[\s\S]*DH-400/);
    await at.settled(place);
    expect(at.driver.messages(place)).toEqual(before);
  });

  it('promise 9: the key of an account is entered where nobody else reads along, and is readable nowhere; in a command it is refused', async () => {
    const at = world.on(name);
    const place = await at.place('account');
    const account = `of-${name.toLowerCase()}`;
    const key = `sk-ant-api03-entered-on-${name}-WXYZ`;
    at.driver.mention('ada', place, `account add ${account} anthropic ${key}`);
    await at.isTold('ada', /DH-218/);
    const model = await createModelServer({ anthropicKey: key });
    try {
      at.driver.mention('ada', place, `account add ${account} anthropic url=${model.anthropicUrl}`);
      const added = await at.isTold('ada', /without a key yet/);
      // Where a platform has no forms, the person is asked in a direct conversation.
      const form = {
        place: at.driver.directPlace('ada'),
        title: 'Key of an account',
        values: { 'API key, or token of a login': key },
      };
      await at.fillIn('ada', () => at.driver.press('ada', added, 'Enter the key…'), form);
      expect((await at.isTold('ada', /The key is stored/)).text).toMatch(/The server takes the key[\s\S]*…WXYZ/);
    } finally {
      await model.close();
    }
    const { db } = at.database;
    const rows = [
      await db.inbox.findMany(),
      await db.outbox.findMany(),
      await db.guidedForm.findMany(),
      await db.audit.findMany(),
    ];
    const stored = JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value));
    expect(stored.includes(key)).toBe(false);
  });

  it('denied with a reason, it says why and does not run', async () => {
    const at = world.on(name);
    const place = await at.place('deny');
    const request = await ask(at, place);
    const form = { place, title: 'Deny #', values: { 'Why not? It is shown on the card.': 'not on a Friday' } };
    await at.fillIn('ada', () => at.driver.press('ada', request, 'Deny with reason…'), form);
    const { end } = await at.endsOnce(place, /cancelled/);
    expect(end.text).not.toContain('it ran');
    const after = await at.sees(place, decided);
    expect(after.text).toMatch(/Ada[\s\S]*denied it[\s\S]*not on a Friday/);
    expect(after.buttons).toEqual([]);
  });

  it('promise 7: whoever may not decide is told who can, for a reason too, and the request goes on waiting', async () => {
    const at = world.on(name);
    const place = await at.place('wrong-person');
    const request = await ask(at, place);
    for (const label of ['Approve', 'Deny with reason…']) await at.driver.press('gus', request, label);
    const told = await waitFor(
      'both presses to be refused',
      () => {
        const all = at.driver.toldTo('gus').filter(({ text }) => /decide[\s\S]*DH-202/.test(text));
        return all.length >= 2 && all;
      },
      { timeoutMs: 60_000 },
    );
    for (const { text } of told) expect(text).toMatch(/may not decide (this|on #\d+)[\s\S]*(developer|Ada)/i);
    expect(await at.sees(place, waits)).toEqual(request);
    await at.driver.press('ben', request, 'Deny');
    await at.endsOnce(place, /cancelled/);
  });

  it('details are shown to whoever asks for them, to the letter', async () => {
    const at = world.on(name);
    const place = await at.place('details');
    const request = await ask(at, place, "sh printf '%s' in-detail > made");
    await at.driver.press('gus', request, 'Details');
    const details = await at.isTold('gus', /exactly this/);
    expect(details.text).toContain("printf '%s' in-detail > made");
    await at.driver.press('ben', request, 'Deny');
    await at.endsOnce(place, /cancelled/);
  });
});

describe.concurrent.each(platforms)('a task on %s', (name) => {
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
    expect((await at.isTold('gus', /run commands[\s\S]*DH-202/)).text).toMatch(/Ada|developer/i);
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
