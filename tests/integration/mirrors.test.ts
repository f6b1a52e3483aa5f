import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PlatformMessage } from '../support/chat-platform.ts';
import { accounts } from '../support/desk.ts';
import { type Chat, command, type MirrorWorld, openMirrorWorld, pressOn, say } from '../support/mirror-world.ts';
import { eventually } from '../support/wait-for.ts';

let world: MirrorWorld;
const chats = ['slack', 'telegram', 'discord'] as const;

beforeAll(async () => {
  world = await openMirrorWorld();
  await world.channel('discord', 'OPS', { project: world.desk.demo.id });
  await world.start();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.settled();
  world.clear();
});

/** The newest task; it waits for an approval when its command does more than read. */
async function start(text = 'touch x') {
  await world.desk.act(say('ben', `sh ${text}`, { chat: 'slack', channel: 'CDEMO' }));
  const task = await world.desk.database.db.task.findFirstOrThrow({ orderBy: { number: 'desc' }, include: { runs: true } });
  return { task: task.id, number: task.number, run: task.runs[0]?.id ?? expect.unreachable() };
}

/** Mirrors into Ada's direct messages on Telegram and into #ops on Discord. */
async function mirrorEverywhere(number: number) {
  await world.desk.act(say('ada', `mirror #${number} here`, { chat: 'telegram' }));
  await world.desk.act(command('ben', `mirror #${number} here`, { chat: 'discord', channel: 'OPS' }));
  await world.settled();
}

/** All messages of a platform but answers to one person, as people read them. */
const texts = (chat: Chat) => world.platforms[chat].messages.map((message) => world.platforms[chat].text(message));
const withText = (chat: Chat, text: string): PlatformMessage | undefined =>
  world.platforms[chat].messages.findLast((message) => world.platforms[chat].text(message).includes(text));
const buttons = (message: PlatformMessage | undefined) =>
  (message?.views.at(-1)?.blocks ?? []).flatMap((block) =>
    block.type === 'buttons' ? block.buttons.map(({ label }) => label) : [],
  );
const latestRun = async (task: string) =>
  (await world.desk.database.db.run.findFirstOrThrow({ where: { taskId: task }, orderBy: { attempt: 'desc' } })).id;

describe('a mirror', () => {
  it('gets the present state at once, with what waits for a decision, and nothing of what was before', async () => {
    const { task, number, run } = await start();
    await world.settled();
    await world.desk.act(pressOn('mia', 'slack', withText('slack', 'wants to run'), 'Deny'));
    await world.desk.act(say('ben', `retry #${number}`, { chat: 'slack', channel: 'CDEMO' }));
    await world.settled();
    expect(await latestRun(task)).not.toBe(run);
    await mirrorEverywhere(number);
    for (const chat of ['telegram', 'discord'] as const) {
      expect(texts(chat)).toEqual([
        expect.stringContaining(`#${number} touch x (run 2)`),
        expect.stringContaining('wants to run a command'),
      ]);
      expect(buttons(withText(chat, 'wants to run'))).toContain('Approve');
    }
    expect(texts('slack')).toHaveLength(5);
    const [card, asked] = world.platforms.discord.messages;
    expect([card?.thread, asked?.thread]).toEqual([undefined, card?.started?.thread]);
  });

  it('of a task that is over has its end card alone', async () => {
    const { number, run } = await start('ls');
    await world.execute(run);
    await world.finish(run);
    await world.settled();
    await mirrorEverywhere(number);
    for (const chat of ['telegram', 'discord'] as const) {
      expect(texts(chat)).toEqual([expect.stringContaining(`#${number} ls`)]);
      expect(buttons(world.platforms[chat].messages[0])).toEqual(['Retry', 'Log', 'Show']);
    }
    expect(texts('telegram')).toEqual([texts('slack').at(-1)]);
  });

  it('shows the same as the others from the start to the end', async () => {
    const { number, run } = await start();
    await mirrorEverywhere(number);
    await world.desk.act(pressOn('mia', 'discord', withText('discord', 'wants to run'), 'Approve'));
    await world.settled();
    for (const chat of chats) {
      expect(texts(chat).join('\n'), chat).toMatch(/Mia approved it on Discord, \d\d:\d\d UTC\./);
      expect(buttons(withText(chat, 'Mia approved it')), chat).toEqual([]);
    }
    await world.execute(run);
    await world.output(run, 'hello\n');
    await eventually(() => {
      for (const chat of chats) expect(texts(chat)[0], chat).toContain('hello');
    });
    await world.finish(run, { message: 'It succeeded.', durationMs: 3000 });
    await world.settled();
    expect(texts('slack')).toHaveLength(3);
    expect(texts('slack').at(-1)).toContain('done in 3');
    expect(texts('telegram')).toEqual(texts('slack'));
    expect(texts('discord')).toEqual(texts('slack'));
  });

  it('obeys buttons and replies in each place, by whoever may', async () => {
    const { task, number, run } = await start('ls');
    await mirrorEverywhere(number);
    await world.execute(run);
    await world.settled();
    // Gus may look, wherever he is.
    const [refused] = await world.desk.act(pressOn('gus', 'discord', world.platforms.discord.messages[0], 'Stop'));
    expect(refused).toMatchObject({ only: accounts.gus, text: expect.stringContaining('DH-202') });
    await world.desk.act(pressOn('ben', 'discord', world.platforms.discord.messages[0], 'Stop'));
    await eventually(() => {
      for (const chat of chats) expect(texts(chat)[0], chat).toContain('stopping');
    });
    await world.finish(run, { outcome: 'cancelled', cause: 'stopped', message: 'Ben stopped it.' });
    await world.settled();
    const thread = world.platforms.discord.messages[0]?.started?.thread;
    await world.desk.act(say('ben', 'retry', { chat: 'discord', channel: 'OPS', thread }));
    await world.settled();
    expect(await latestRun(task)).not.toBe(run);
    for (const chat of chats) {
      expect(texts(chat).at(-1), chat).toContain(`#${number} ls (run 2)`);
      expect(buttons(withText(chat, 'a later run follows')), chat).toEqual([]);
    }
    await world.desk.act(pressOn('ada', 'telegram', world.platforms.telegram.messages.at(-1), 'Stop'));
    await world.settled();
    for (const chat of chats) expect(texts(chat).at(-1), chat).toContain('Ada stopped it before it started.');
  });

  it('gets what Deckhand answers about the task in another thread, files included; receipts stay where the act was', async () => {
    const { number, run } = await start('ls');
    await world.settled();
    await mirrorEverywhere(number);
    await world.execute(run);
    await world.output(run, 'a line\n');
    const thread = world.platforms.discord.messages[0]?.started?.thread;
    await world.desk.act(say('gus', 'help', { chat: 'discord', channel: 'OPS', thread }));
    await world.desk.act(say('ben', 'logs', { chat: 'discord', channel: 'OPS', thread }));
    await world.settled();
    for (const chat of chats) {
      expect(texts(chat).at(-1), chat).toContain('a line');
      expect(
        world.platforms[chat].uploads.map(({ files }) => files.map(({ name }) => name)),
        chat,
      ).toEqual([[`${number}-run1.log`]]);
      expect(world.platforms[chat].uploads[0]?.thread, chat).toBe(world.platforms[chat].messages.at(-1)?.thread);
    }
    // From elsewhere a file goes to all threads of the task, and the words to the person.
    await world.desk.act(command('ben', `logs #${number}`, { chat: 'slack', channel: 'CDEMO' }));
    await world.settled();
    for (const chat of chats) expect(world.platforms[chat].uploads, chat).toHaveLength(2);
    expect(world.platforms.slack.reactions.map(({ mark }) => mark)).toEqual(['received']);
    expect(world.platforms.telegram.reactions.map(({ mark }) => mark)).toEqual(['received']);
    expect(world.platforms.discord.reactions).toEqual([]);
  });

  it('keeps the verbosity of its channel', async () => {
    await world.channel('discord', 'CALM', { project: world.desk.demo.id, verbosity: 'quiet' });
    const { number, run } = await start('ls');
    await world.desk.act(command('ben', `mirror #${number} here`, { chat: 'discord', channel: 'CALM' }));
    await world.execute(run);
    await world.output(run, 'chatter\n');
    await eventually(() => expect(texts('slack')[0]).toContain('chatter'));
    await world.settled();
    expect(texts('discord')[0]).not.toContain('chatter');
  });
});

describe('promise 7: two people deciding at once on two platforms', () => {
  it('one wins, and every mirror shows the same outcome', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { number } = await start(`touch ${round}`);
      await world.desk.act(command('ben', `mirror #${number} here`, { chat: 'discord', channel: 'OPS' }));
      await world.settled();
      const said = await Promise.all([
        world.desk.act(pressOn('mia', 'slack', withText('slack', 'wants to run'), 'Approve')),
        world.desk.act(pressOn('ada', 'discord', withText('discord', 'wants to run'), 'Deny')),
      ]);
      await world.settled();
      const late = said.flat().filter(({ only }) => only !== undefined);
      expect(new Set(late.map(({ key }) => key)).size).toBe(1);
      expect(late[0]?.text).toContain('DH-400');
      const outcome = /(Mia approved it on Slack|Ada denied it on Discord), \d\d:\d\d UTC\./;
      const shown = (['slack', 'discord'] as const).map((chat) => outcome.exec(texts(chat).join('\n').slice(-2000))?.[0]);
      expect(shown[0]).toBeDefined();
      expect(shown[1]).toBe(shown[0]);
      const newest = (chat: Chat) => world.platforms[chat].messages.filter((message) => buttons(message).includes('Approve'));
      expect([newest('slack'), newest('discord')]).toEqual([[], []]);
    }
  });
});

describe('the same place twice', () => {
  it('says so and makes no second thread, also when two people ask at once', async () => {
    const { task, number } = await start('ls');
    const said = await Promise.all([
      world.desk.act(command('ben', `mirror #${number} here`, { chat: 'discord', channel: 'OPS' })),
      world.desk.act(command('ada', `mirror #${number} here`, { chat: 'discord', channel: 'OPS' })),
    ]);
    expect(
      said.flat().filter(({ text }) => text.includes(`#${number} is shown in this channel already.`)).length,
    ).toBeGreaterThan(0);
    await world.desk.act(say('ben', `mirror #${number} here`, { chat: 'slack', channel: 'CDEMO' }));
    expect(await world.desk.database.db.thread.count({ where: { taskId: task } })).toBe(2);
    await world.settled();
    expect(texts('discord')).toHaveLength(1);
  });

  it('is answered in the thread of the task, and a thread of another task is not taken', async () => {
    const one = await start('ls');
    const two = await start('pwd');
    await world.desk.act(command('ben', `mirror #${one.number} here`, { chat: 'discord', channel: 'OPS' }));
    await world.settled();
    const thread = world.platforms.discord.messages[0]?.started?.thread;
    const [said] = await world.desk.act(say('ben', `mirror #${two.number} here`, { chat: 'discord', channel: 'OPS', thread }));
    await world.settled();
    expect(said).toBeDefined();
    const cards = world.platforms.discord.messages.filter(({ thread: at }) => at === undefined);
    expect(cards.map((message) => message.started?.title)).toEqual([`#${one.number} ls`, `#${two.number} pwd`]);
  });
});

describe('mirror', () => {
  it('lists where a task is shown, and what cannot be reached', async () => {
    const { number } = await start('ls');
    world.platforms.discord.fault = () => ({ kind: 'not_permitted', detail: 'missing_access' });
    await mirrorEverywhere(number);
    const [list] = await world.desk.act(command('gus', `mirror #${number}`, { chat: 'slack', channel: 'CDEMO' }));
    expect(list?.text.split('\n')).toEqual([
      `#${number} is shown in 3 places`,
      '#demo on Slack · started there · here',
      'a direct message on Telegram',
      '#ops on Discord · its last message could not be delivered: not_permitted: missing_access',
      expect.stringContaining(`mirror #${number} here`),
    ]);
  });

  it('off ends it there: the card says so, has no buttons, and changes no more; it can begin again', async () => {
    const { task, number, run } = await start();
    await mirrorEverywhere(number);
    const thread = world.platforms.discord.messages[0]?.started?.thread;
    await world.desk.act(say('ben', 'mirror off', { chat: 'discord', channel: 'OPS', thread }));
    await world.desk.act(command('ada', `mirror #${number} off`, { chat: 'telegram' }));
    await world.settled();
    const left = (chat: Chat) => texts(chat).filter((text) => !text.includes('is not followed here any more'));
    for (const [chat, by] of [
      ['discord', 'Ben'],
      ['telegram', 'Ada'],
    ] as const) {
      expect(left(chat)).toHaveLength(2);
      expect(left(chat)[0]).toContain('no longer followed here');
      expect(left(chat)[0]).toContain(`${by} ended following #${number} here, `);
      expect(world.platforms[chat].messages.flatMap(buttons), chat).toEqual([]);
    }
    const before = { telegram: left('telegram'), discord: left('discord') };
    await world.desk.act(pressOn('mia', 'slack', withText('slack', 'wants to run'), 'Approve'));
    await world.execute(run);
    await world.finish(run);
    await world.settled();
    expect({ telegram: left('telegram'), discord: left('discord') }).toEqual(before);
    expect(await world.desk.act(say('ben', 'retry', { chat: 'discord', channel: 'OPS', thread }))).toEqual([]);
    await world.desk.act(say('ben', `mirror #${number} here`, { chat: 'discord', channel: 'OPS' }));
    await world.settled();
    expect(texts('discord').at(-1)).toBe(texts('slack').at(-1));
    expect(await world.desk.database.db.thread.count({ where: { taskId: task } })).toBe(2);
  });

  it('off is refused where the task was started, where it is not shown, and to who may not', async () => {
    const { task, number } = await start('ls');
    await mirrorEverywhere(number);
    const off = async (who: 'ben' | 'gus' | 'nobody', place: Parameters<typeof command>[2]) =>
      (await world.desk.act(command(who, `mirror #${number} off`, place)))[0]?.text;
    expect(await off('ben', { chat: 'slack', channel: 'CDEMO' })).toContain('was started here');
    expect(await off('ben', { chat: 'slack' })).toContain('is not mirrored here');
    expect(await off('gus', { chat: 'discord', channel: 'OPS' })).toContain('DH-202');
    // As for a task that does not exist.
    expect(await off('nobody', { chat: 'telegram' })).toContain('DH-202');
    expect(await world.desk.database.db.thread.count({ where: { taskId: task } })).toBe(3);
  });
});

describe('promise 4: a place that is gone', () => {
  it.each(['gone', 'not_permitted'] as const)(
    '%s fails only itself, and whoever mirrored the task there is told once',
    async (kind) => {
      const channel = `GONE-${kind}`;
      await world.channel('discord', channel, { project: world.desk.demo.id });
      const { number, run } = await start();
      await world.desk.act(say('ada', `mirror #${number} here`, { chat: 'telegram' }));
      await world.desk.act(command('ben', `mirror #${number} here`, { chat: 'discord', channel }));
      await world.desk.act(command('ada', `mirror #${number} here`, { chat: 'discord', channel: 'OPS' }));
      await eventually(() => expect(world.platforms.discord.messages).toHaveLength(4));
      await world.settled();
      world.platforms.discord.fault = (operation, at) =>
        at.channel === channel && operation !== 'find' ? { kind, detail: 'channel_not_found' } : undefined;
      await world.desk.act(pressOn('mia', 'slack', withText('slack', 'wants to run'), 'Approve'));
      await world.execute(run);
      await world.finish(run);
      await world.settled();
      expect(texts('slack').at(-1)).toContain(`#${number} touch x`);
      expect(texts('telegram')).toEqual(texts('slack'));
      const ops = world.platforms.discord.messages.filter((message) => message.channel === 'OPS');
      expect(ops.map((message) => world.platforms.discord.text(message))).toEqual(texts('slack'));
      // It stands in the row of the place that is gone, which settles by itself.
      const direct = () => world.platforms.discord.messages.filter((message) => message.channel.startsWith('D-'));
      await eventually(() => expect(direct().map((message) => message.channel)).toEqual([`D-${accounts.ben}`]));
      expect(world.platforms.discord.text(direct()[0])).toContain('could not be posted where you asked for it');
    },
  );
});

it('promise 12: a task of another workspace is none here', async () => {
  const [said] = await world.desk.act(command('ada', 'mirror #4711 here', { chat: 'slack', channel: 'CDEMO' }));
  expect(said?.text).toContain('DH-204');
});
