import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type InboundEvent, inboundEventSchema } from '../../src/contracts/inbound.ts';
import { type Conformance, type OnPlatform, openConformance, platforms } from '../support/conformance.ts';
import type { Place, Said, Shown } from '../support/conformance-driver.ts';
import { waitFor } from '../support/wait-for.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let world: Conformance;
beforeAll(async () => {
  world = await openConformance();
});
afterAll(() => world.close());

/** What the bot wrote. That a thread was opened is told by a message without words. */
const ofBot = (at: OnPlatform, place: Place) =>
  at.driver.messages(place).filter(({ own, text, files }) => own && (text !== '' || files.length > 0));
const ended = (at: OnPlatform, place: Place) =>
  ofBot(at, place).filter(({ text, buttons }) => isEnd.test(text) && buttons.includes('Log'));
const isEnd = /^#\d+ [^\n]*done in/;
/** What people see of a message of the bot, whatever hangs on it. */
const look = ({ id, text, buttons, files }: Shown) => ({ id, text, buttons, files });

/** Everything that was recorded of what people did in the place. */
async function events(at: OnPlatform, { id }: Place): Promise<InboundEvent[]> {
  const { platform } = at.driver;
  const rows = await at.database.db.inbox.findMany({ where: { platform, lane: { contains: id } }, orderBy: { id: 'asc' } });
  return rows.map(({ event }) => inboundEventSchema.parse(event));
}

/** What was recorded about a message of a person, as soon as there is something. */
async function recorded<T extends InboundEvent['type']>(at: OnPlatform, said: Said, type: T) {
  const isIt = (event: InboundEvent): event is Extract<InboundEvent, { type: T }> =>
    event.type === type && 'message' in event && event.message === said.id;
  return await waitFor(`the ${type} of ${said.id} to be recorded`, async () => (await events(at, said.place)).find(isIt), {
    timeoutMs: 60_000,
    everyMs: 50,
  });
}

/** One pixel. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe.concurrent.each(platforms)('on %s', (name) => {
  it('a reply that is a command is obeyed in the thread of its task without a number; one that is talk is not', async () => {
    const at = world.on(name);
    const place = await at.place('replies');
    at.driver.mention('ben', place, 'sh echo hello');
    const { card, end } = await at.endsOnce(place, /hello/);
    const before = ofBot(at, place).length;
    at.driver.reply('gus', end, 'thanks, that helps');
    at.driver.reply('gus', end, 'retry');
    at.driver.reply('ben', end, 'nice one');
    at.driver.reply('ben', end, 'show');
    const shown = await at.sees(place, /echo hello[\s\S]*(branch|runs?)/i, { after: end });
    expect(shown.thread).toBe(end.thread);
    await at.settled(place);
    expect(ofBot(at, place)).toHaveLength(before + 1);
    expect(at.driver.toldTo('gus').filter(({ text }) => /run tasks again[\s\S]*DH-202/.test(text))).toEqual([]);

    // A further run of the same task has an end of its own.
    at.driver.answer('ben', card, 'retry');
    const again = await at.sees(place, isEnd, { after: end, button: 'Log' });
    await at.settled(place);
    expect(again.thread).toBe(end.thread);
    expect(ended(at, place)).toEqual([again]);
    expect(at.driver.messages(place).find(({ id }) => id === end.id)?.text).toMatch(/Run 1 of 2; a later run follows below/);
  });

  it('promise 2: editing or deleting the message that started a task neither changes nor repeats it', async () => {
    const at = world.on(name);
    const place = await at.place('edited');
    const said = at.driver.mention('ben', place, 'sh echo once');
    await at.endsOnce(place, /once/);
    const before = ofBot(at, place).map(look);
    at.driver.edit('ben', said, 'sh echo twice');
    at.driver.delete('ben', said);
    // What comes after it in the same conversation has been handled, so the edit has been too.
    at.driver.mention('ben', place, 'about');
    const { id: last } = await at.sees(place, /Deckhand [\d.]+/);
    await at.settled(place);
    const after = ofBot(at, place).filter(({ id }) => id !== last);
    expect(after.map(look)).toEqual(before);
    expect(await recorded(at, said, 'message_edited')).toMatchObject({ text: 'sh echo twice' });
    // Telegram tells bots nothing of deleted messages.
    if (name !== 'Telegram') await recorded(at, said, 'message_deleted');
  });

  it('a task whose message is deleted while it waits goes on, and ends once', async () => {
    const at = world.on(name);
    const place = await at.place('deleted');
    const said = at.driver.mention('ben', place, 'sh echo new > made.txt');
    const asked = await at.sees(place, /want/, { button: 'Approve' });
    at.driver.delete('ben', said);
    await at.driver.press('ben', asked, 'Approve');
    const end = await at.sees(place, /done in[\s\S]*made\.txt +\+1/);
    await at.settled(place);
    expect(ended(at, place)).toEqual([end]);
  });

  it('a file that comes with words is recorded with name, type and size, and the words are obeyed', async () => {
    const at = world.on(name);
    const place = await at.place('uploads');
    const notes = Buffer.from('first ✔\nsecond\n');
    const said = at.driver.attach('ben', place, 'about', [{ name: 'notes.txt', content: notes }]);
    await at.sees(place, /Deckhand [\d.]+/);
    const { text, addressed, attachments } = await recorded(at, said, 'message');
    expect({ text, addressed }).toEqual({ text: 'about', addressed: 'mention' });
    expect(attachments).toEqual([{ id: expect.any(String), name: 'notes.txt', mime: 'text/plain', bytes: notes.length }]);
  });

  it('promise 2: files sent at once are one act, and all of them are recorded', async () => {
    const at = world.on(name);
    const place = at.driver.directPlace('gus');
    const files = ['one.txt', 'two.log', 'three.json'].map((file) => ({
      name: file,
      content: Buffer.from(`content of ${file}`),
    }));
    const said = at.driver.attach('gus', place, 'about', files);
    // Telegram brings them as messages of their own.
    const kept = await waitFor('all files', async () => {
      const messages = (await events(at, place)).filter((event) => event.type === 'message');
      const all = messages.filter(({ message, partOf }) => message === said.id || partOf === said.id);
      return all.flatMap(({ attachments }) => attachments).length === files.length && all;
    });
    expect(kept.flatMap(({ attachments }) => attachments.map(({ name: file, bytes }) => ({ file, bytes })))).toEqual(
      files.map(({ name: file, content }) => ({ file, bytes: content.length })),
    );
    await at.sees(place, /Deckhand [\d.]+/, { after: said });
    await at.settled(place);
    const ofThese = kept.map(({ key }) => ({ platform: at.driver.platform, key: { endsWith: `:${key}` } }));
    expect(await at.database.db.outbox.count({ where: { OR: ofThese } })).toBe(1);
  });

  it('a picture is recorded with name, type and size', async () => {
    const at = world.on(name);
    const place = await at.place('picture');
    const said = at.driver.attach('ben', place, 'tasks', [{ name: 'screen.png', content: png, photo: true }]);
    const { attachments } = await recorded(at, said, 'message');
    // Telegram makes a JPEG without a name of what is sent as a photo.
    const shown =
      name === 'Telegram' ? { name: `photo-${said.id}.jpg`, mime: 'image/jpeg' } : { name: 'screen.png', mime: 'image/png' };
    expect(attachments).toEqual([{ id: expect.any(String), ...shown, bytes: png.length }]);
    await at.sees(place, /tasks of demo/);
  });

  it('a file without a word in a direct conversation is work for an agent, and whoever may not give any is told so', async () => {
    const at = world.on(name);
    const place = at.driver.directPlace('gus');
    const said = at.driver.attach('gus', place, '', [{ name: 'notes.txt', content: Buffer.from('notes') }]);
    expect(await recorded(at, said, 'message')).toMatchObject({ text: '', attachments: [{ name: 'notes.txt', bytes: 5 }] });
    await at.sees(place, /Gus[\w ]* may not give work to an agent[\s\S]*DH-202/, { after: said });
  });

  it('a message of somebody else is handed over: its text is proposed as a command, which runs as confirmed', async () => {
    const at = world.on(name);
    const place = await at.place('by-shortcut');
    const said = at.driver.say('gus', place, 'echo from a message');
    await at.driver.handOver('ben', said);
    await at.driver.fill('ben', place, 'Hand to Deckhand', { 'What to do': 'echo as confirmed', 'Hand it on as': 'A command' });
    const { card } = await at.endsOnce(place, /as confirmed/);
    expect(card.text).toContain('Ben');
  });

  it('who may not run commands is told so when handing a message over, and is asked nothing', async () => {
    const at = world.on(name);
    const place = await at.place('no-shortcut');
    const said = at.driver.say('ben', place, 'echo from a message');
    await at.driver.handOver('gus', said);
    await at.isTold('gus', /run commands[\s\S]*DH-202/);
    await at.settled(place);
    expect(ofBot(at, place)).toEqual([]);
  });

  it('a form with a text and a choice gives both', async () => {
    const at = world.on(name);
    const place = at.driver.directPlace('ada');
    const said = at.driver.say('ada', place, 'echo proposed');
    await at.driver.handOver('ada', said);
    await at.driver.fill('ada', place, 'Hand to Deckhand', {
      'What to do': 'echo from a form',
      'Hand it on as': 'A command',
      Project: 'free',
    });
    const { card, end } = await at.endsOnce(place, /from a form/);
    expect(card.text).toContain('free');
    // An answer to what is shown of a task is about that task.
    at.driver.answer('ada', card, 'show');
    await at.sees(place, /echo from a form[\s\S]*(branch|runs?)/i, { after: end });
  });

  it('a form that a button opens is taken when it is right; what is wrong in it is explained', async () => {
    const at = world.on(name);
    const place = at.driver.directPlace('ben');
    const said = at.driver.mention('ben', place, 'settings notify');
    const shown = await at.sees(place, /no quiet hours/, { after: said });
    await at.driver.press('ben', shown, 'Quiet hours…');
    await at.driver.fill('ben', place, 'Quiet hours', { 'From and to, or off': 'at night', 'Your time zone': 'Europe/Berlin' });
    await at.isTold('ben', /at night[\s\S]*DH-201/);
    await at.driver.press('ben', shown, 'Quiet hours…');
    await at.driver.fill('ben', place, 'Quiet hours', {
      'From and to, or off': '22:00-07:00',
      'Your time zone': 'Europe/Berlin',
    });
    await at.sees(place, /22:00 to 07:00, Europe\/Berlin/, { after: said });
  });

  it('a channel that is bound to no project says so to the person; once it is bound, commands run in it', async () => {
    const at = world.on(name);
    const place = await at.place('unbound', null);
    await at.driver.command('ada', place, 'sh echo too early');
    await at.isTold('ada', /DH-203/);
    await at.driver.command('ada', place, 'bind free');
    await at.sees(place, /bound to `?free/);
    await at.driver.command('ada', place, 'sh echo in time');
    const { card } = await at.endsOnce(place, /in time/);
    expect(card.text).toContain('free');
  });
});
