import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Account, accounts } from '../support/desk.ts';
import { type Chat, command, type MirrorWorld, openMirrorWorld, type Place, pressOn, say } from '../support/mirror-world.ts';

let world: MirrorWorld;
beforeAll(async () => {
  world = await openMirrorWorld();
  const demo = world.desk.demo.id;
  await world.channel('slack', 'CSECRET', { project: demo });
  await world.channel('discord', 'SAME', { project: demo });
  await world.channel('discord', 'SAMEOPEN', { project: demo, role: 'developer' });
  await world.channel('discord', 'OTHER', { project: world.other.id, role: 'developer' });
  await world.channel('discord', 'FREE');
  await world.start();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.settled();
  world.clear();
});

/** A task of demo, started in a private channel; its command waits for an approval. */
async function start(text = 'touch x') {
  await world.desk.act(say('ben', `sh ${text}`, { chat: 'slack', channel: 'CSECRET' }));
  await world.settled();
  const task = await world.desk.database.db.task.findFirstOrThrow({ orderBy: { number: 'desc' }, include: { runs: true } });
  return { task: task.id, number: task.number, run: task.runs[0]?.id ?? expect.unreachable() };
}

const threads = (task: string) => world.desk.database.db.thread.count({ where: { taskId: task } });
const audits = (action: string) => world.desk.database.db.audit.findMany({ where: { action }, orderBy: { at: 'asc' } });
const direct = (chat: Chat): Place => ({ chat });
const discord = (channel: string): Place => ({ chat: 'discord', channel });

describe('who may show a task where', () => {
  const may: [Account, string, Place, string][] = [
    ['gus', 'a guest in their own direct messages', direct('telegram'), ''],
    ['ben', 'a developer in a channel of the project', discord('SAME'), ''],
    ['nobody', 'a member of a channel of the project that makes its members developers', discord('SAMEOPEN'), ''],
    ['mia', 'a maintainer in a channel of another project who says so', discord('OTHER'), ' share=on'],
    ['ada', 'an owner in a channel of no project who says so', discord('FREE'), ' share=on'],
  ];
  it.each(may)('%s: %s', async (who, _, place, how) => {
    const { task, number } = await start('ls');
    await world.desk.act(command(who, `mirror #${number} here${how}`, place));
    await world.settled();
    expect(await threads(task)).toBe(2);
    expect(world.platforms[place.chat].messages.map(({ channel }) => channel)).toEqual([place.channel ?? `D-${accounts[who]}`]);
  });

  const mayNot: [Account, string, Place, string, string][] = [
    ['gus', 'a guest where others gain sight', discord('SAME'), '', 'DH-202'],
    ['gus', 'a guest elsewhere, whatever they say', discord('OTHER'), ' share=on', 'DH-214'],
    ['ben', 'a developer in a channel of another project, whatever they say', discord('OTHER'), ' share=on', 'DH-214'],
    ['ben', 'a developer in a channel of no project', discord('FREE'), '', 'DH-214'],
    ['mia', 'a maintainer in a channel of another project who does not say so', discord('OTHER'), '', 'DH-214'],
    ['ada', 'an owner in a channel of no project who does not say so', discord('FREE'), ' share=off', 'DH-214'],
    ['nobody', 'somebody without a role in their direct messages', direct('telegram'), '', 'DH-202'],
    ['nobody', 'a member of a channel whose role is for another project', discord('OTHER'), ' share=on', 'DH-204'],
    ['nobody', 'a stranger in a channel of the project', discord('SAME'), '', 'DH-202'],
    ['nobody', 'a stranger in a channel of no project', discord('FREE'), ' share=on', 'DH-203'],
  ];
  it.each(mayNot)('not %s: %s', async (who, _, place, how, code) => {
    const { task, number } = await start('ls');
    const [said] = await world.desk.act(command(who, `mirror #${number} here${how}`, place));
    expect(said?.text).toContain(code);
    expect(said?.text).not.toContain('touch');
    await world.settled();
    expect(await threads(task)).toBe(1);
    expect(world.platforms[place.chat].messages.filter(({ channel }) => channel === place.channel)).toEqual([]);
  });

  it('a maintainer is told how to say so, everybody else who could', async () => {
    const { number } = await start('ls');
    const text = async (who: Account) =>
      (await world.desk.act(command(who, `mirror #${number} here`, discord('OTHER'))))[0]?.text;
    expect(await text('mia')).toContain(`mirror #${number} here share=on`);
    expect(await text('ben')).toContain('Maintainers and owners can: Ada, Mia.');
    expect(await text('ben')).not.toContain('share=on');
  });

  it('is audited: what was shown where by whom, what was refused, and what was ended', async () => {
    const { task, number } = await start('ls');
    await world.desk.act(command('ben', `mirror #${number} here`, discord('OTHER')));
    await world.desk.act(command('mia', `mirror #${number} here share=on`, discord('OTHER')));
    await world.desk.act(command('mia', `mirror #${number} off`, discord('OTHER')));
    const { db } = world.desk.database;
    const idOf = async (name: string) => (await db.user.findFirstOrThrow({ where: { name } })).id;
    const channel = (await db.channel.findFirstOrThrow({ where: { externalId: 'OTHER' } })).id;
    expect((await audits('task.mirror_refused')).at(-1)).toMatchObject({
      actorId: await idOf('Ben'),
      subject: task,
      data: { channel, on: 'discord' },
    });
    const shown = (await audits('task.mirrored')).at(-1);
    expect(shown).toMatchObject({ actorId: await idOf('Mia'), data: { task, channel, shared: true, on: 'discord' } });
    expect((await audits('task.mirror_ended')).at(-1)).toMatchObject({ actorId: await idOf('Mia'), subject: shown?.subject });
  });
});

describe('rights follow the person, not the place', () => {
  it('a role that a channel gives for another project decides, stops and reads nothing there', async () => {
    const { task, number, run } = await start();
    await world.desk.act(command('mia', `mirror #${number} here share=on`, discord('OTHER')));
    await world.settled();
    const [card, asked] = world.platforms.discord.messages;
    const thread = card?.started?.thread;
    const tries = [
      pressOn('nobody', 'discord', asked, 'Approve'),
      pressOn('nobody', 'discord', asked, 'Details'),
      pressOn('nobody', 'discord', card, 'Stop'),
      say('nobody', 'stop', { ...discord('OTHER'), thread }),
      say('nobody', 'logs', { ...discord('OTHER'), thread }),
      say('nobody', 'mirror off', { ...discord('OTHER'), thread }),
      say('gus', 'stop', { ...discord('OTHER'), thread }),
    ];
    for (const attempt of tries) {
      const said = await world.desk.act(attempt);
      expect(said.every(({ only, text }) => only === attempt.actor.user && text.includes('DH-202'))).toBe(true);
    }
    const state = await world.desk.database.db.run.findUniqueOrThrow({ where: { id: run } });
    expect([state.state, await threads(task)]).toEqual(['awaiting', 2]);
    // Whoever may, may here too.
    await world.desk.act(pressOn('ben', 'discord', asked, 'Approve'));
    await world.settled();
    expect(world.platforms.slack.messages.map((one) => world.platforms.slack.text(one)).join('\n')).toMatch(
      /Ben approved it on Discord/,
    );
  });

  it('in a channel of no project the thread of a task takes commands of those with a role of their own', async () => {
    const { number } = await start('ls');
    await world.desk.act(command('ada', `mirror #${number} here share=on`, discord('FREE')));
    await world.settled();
    const at = { ...discord('FREE'), thread: world.platforms.discord.messages[0]?.started?.thread };
    expect((await world.desk.act(command('nobody', 'stop', at)))[0]?.text).toContain('DH-202');
    expect((await world.desk.act(command('ben', 'sh ls', discord('FREE'))))[0]?.text).toContain('DH-203');
    await world.desk.act(say('ben', 'stop', at));
    await world.settled();
    expect(world.platforms.discord.text(world.platforms.discord.messages.at(-1))).toContain('Ben stopped it');
  });

  it('a channel that is bound to another project follows the old one no more, but for what was shared on purpose and began there', async () => {
    await world.channel('discord', 'MOVES', { project: world.desk.demo.id });
    const place = discord('MOVES');
    const [one, two, shared] = [await start('touch one'), await start('touch two'), await start('touch three')];
    for (const { number } of [one, two]) await world.desk.act(command('ben', `mirror #${number} here`, place));
    await world.desk.act(command('mia', `mirror #${shared.number} here`, discord('FREE')));
    await world.desk.act(command('mia', `mirror #${shared.number} here share=on`, discord('FREE')));
    await world.desk.act(say('ben', 'sh touch own', place));
    const own = await world.desk.database.db.task.findFirstOrThrow({ orderBy: { number: 'desc' } });
    await world.settled();

    const said = await world.desk.act(command('mia', 'bind other', place));
    expect(said.map(({ text }) => text).join()).toContain('2 tasks of other projects that were mirrored here are not followed');
    await world.settled();
    expect([await threads(one.task), await threads(two.task), await threads(own.id)]).toEqual([1, 1, 1]);
    const cards = world.platforms.discord.messages.filter(({ channel }) => channel === 'MOVES');
    for (const { number } of [one, two]) {
      const views = cards.map(({ views }) => views.at(-1)).filter((view) => view?.fallback.includes(`#${number}`));
      expect(views.length).toBeGreaterThan(0);
      expect(views.flatMap((view) => view?.blocks ?? []).filter(({ type }) => type === 'buttons')).toEqual([]);
      expect(JSON.stringify(views)).toContain('no longer followed here');
    }
    expect((await audits('task.mirror_ended')).slice(-2).map(({ data }) => (data as { task?: string }).task)).toEqual([
      one.task,
      two.task,
    ]);

    await world.desk.act(command('mia', 'bind other', discord('FREE')));
    await world.desk.act(command('mia', 'bind none', discord('FREE')));
    expect(await threads(shared.task)).toBe(2);

    await world.channel('discord', 'ENDS', { project: world.desk.demo.id });
    await world.desk.act(command('ben', `mirror #${one.number} here`, discord('ENDS')));
    const unbound = await world.desk.act(command('mia', 'bind none', discord('ENDS')));
    expect(unbound.map(({ text }) => text).join()).toContain('A task of another project that was mirrored here');
    expect(await threads(one.task)).toBe(1);
  });

  it('a mirror and a binding at once: whichever is later sees the other', async () => {
    await world.channel('discord', 'RACE', { project: world.desk.demo.id });
    const { task, number } = await start('touch race');
    for (let round = 0; round < 6; round += 1) {
      const both = [command('ben', `mirror #${number} here`, discord('RACE')), command('mia', 'bind other', discord('RACE'))];
      await Promise.all((round % 2 === 0 ? both : both.toReversed()).map((event) => world.desk.act(event)));
      expect(await threads(task)).toBe(1);
      await world.desk.act(command('mia', 'bind demo', discord('RACE')));
    }
  });

  it('whoever has lost every role can still end what comes into their direct messages', async () => {
    const { task, number } = await start('ls');
    await world.desk.act(command('gus', `mirror #${number} here`, direct('telegram')));
    await world.desk.act(command('ada', 'member remove Gus', { chat: 'slack', channel: 'CSECRET' }));
    expect((await world.desk.act(command('gus', `mirror #${number} here`, direct('discord'))))[0]?.text).toContain('DH-202');
    await world.desk.act(command('gus', `mirror #${number} off`, direct('telegram')));
    expect(await threads(task)).toBe(1);
    await world.desk.act(command('ada', 'member add Gus guest', { chat: 'slack', channel: 'CSECRET' }));
  });
});
