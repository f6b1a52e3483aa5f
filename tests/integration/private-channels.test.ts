import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePress } from '../../src/contracts/press.ts';
import { factsWithin, readCardFacts } from '../../src/delivery/card-facts.ts';
import { readOn } from '../../src/delivery/read-run.ts';
import { emptyRunView } from '../../src/delivery/run-view.ts';
import { createApiReads } from '../../src/http/api-reads.ts';
import { type Account, type Desk, mention, offerSandbox, openDesk, press, slash } from '../support/desk.ts';

let desk: Desk;
let number: number;
beforeAll(async () => {
  desk = await openDesk();
  await offerSandbox(desk, 10);
  await desk.act(slash('mia', 'bind demo role=developer', { channel: 'CSECRET' }));
  await desk.act({ ...slash('mia', 'settings verbosity=quiet', { channel: 'CSECRET' }), channelPrivate: true });
  await desk.act(mention('ben', 'sh echo merger', { channel: 'CSECRET', message: '100.1' }));
  const task = await desk.database.db.task.findFirstOrThrow({ orderBy: { number: 'desc' } });
  number = task.number;
});
afterAll(() => desk[Symbol.asyncDispose]());

/** All that one act makes anybody read. */
const read = async (event: Parameters<Desk['act']>[0]) => (await desk.act(event)).map(({ text }) => text).join('\n');
const lists = ['tasks all', 'tasks all project=all', 'board', 'queue', 'pending project=all'];
const direct = (who: Account, text: string) => slash(who, text, { direct: true });

describe('a task of a private channel', () => {
  it('is in the lists of that channel, and in those of whoever asked for it where they read alone', async () => {
    for (const command of ['tasks all', 'queue', `show #${number}`, `why #${number}`]) {
      expect(await read(slash('ben', command, { channel: 'CSECRET' })), command).toContain('merger');
      expect(await read(direct('ben', command.replace('tasks all', 'tasks all project=all'))), command).toContain('merger');
    }
  });

  it('is nowhere else, whatever rights somebody has: it is as one that does not exist', async () => {
    for (const event of [...lists.map((list) => slash('ada', list)), ...lists.map((list) => direct('ada', list))]) {
      expect(await read(event)).not.toContain('merger');
    }
    const unknown = (await read(slash('ada', 'show #9999'))).replaceAll('9999', String(number));
    for (const command of ['show #', 'logs #', 'diff #', 'why #', 'stop #', 'retry #', 'mirror #']) {
      const said = await read(slash('ada', `${command}${number}`));
      expect(said, command).toContain('DH-204');
      expect(said, command).not.toContain('merger');
    }
    expect(await read(slash('ada', `show #${number}`))).toBe(unknown);
    for (const command of [`mirror #${number} here share=on`, `fork #${number} again`])
      expect(await read(slash('ada', command))).toContain('DH-204');
    // Not even for the one who asked, where others read the answer.
    expect(await read(mention('ben', `show #${number}`))).toContain('DH-204');
    expect(await read(slash('ben', 'tasks all'))).not.toContain('merger');
  });

  it('is in the API for whoever asked for it alone', async () => {
    const { database } = desk;
    const reads = createApiReads({ database, log: { read: async () => [] } });
    const person = await database.db.task.findFirstOrThrow({ where: { number }, include: { runs: true } });
    const run = person.runs[0]?.id ?? expect.unreachable();
    const owner = await database.db.identity.findFirstOrThrow({ where: { externalId: 'UADA' } });
    const reach = (user: string) => ({ kind: 'personal' as const, workspace: person.workspaceId, project: undefined, user });
    const page = { page: 1, limit: 100 };
    const titles = async (user: string) => (await reads.tasks(reach(user), page)).tasks.map(({ title }) => title);
    expect(await titles(person.requesterId)).toContain('echo merger');
    expect(await titles(owner.userId)).not.toContain('echo merger');
    await expect(reads.task(reach(owner.userId), String(number))).rejects.toMatchObject({ code: 'DH-204' });
    for (const read of [reads.run, reads.log])
      await expect(read(reach(owner.userId), run)).rejects.toMatchObject({ code: 'DH-224' });
    expect(await reads.run(reach(person.requesterId), run)).toMatchObject({ id: run });
  });

  it('is there for all once a maintainer says that the channel is not private, whatever the platform tells', async () => {
    expect(await read(slash('ben', 'settings private=off', { channel: 'CSECRET' }))).toContain('DH-202');
    await desk.act(slash('mia', 'settings private=off', { channel: 'CSECRET' }));
    await desk.act({ ...slash('ben', 'queue', { channel: 'CSECRET' }), channelPrivate: true });
    expect(await read(slash('ada', 'tasks all'))).toContain('merger');
    await desk.act(slash('mia', 'settings private=on', { channel: 'CSECRET' }));
    expect(await read(slash('ada', 'tasks all'))).not.toContain('merger');
  });
});

/** What the card of a run is made from. */
const card = (run: string) =>
  desk.database.transaction(async (tx) => {
    const facts = await readCardFacts(factsWithin(tx), [run], { now: new Date(), docs: undefined });
    return JSON.stringify(await facts.input(await readOn(tx.db, emptyRunView(run))));
  });

describe('a decision that counts elsewhere about a task of a private channel', () => {
  it('says at once that nobody sees it there, and is shown there once the channel is opened', async () => {
    const { db } = desk.database;
    await desk.act(slash('ada', 'bind demo', { channel: 'COPS' }));
    await db.channel.updateMany({ where: { externalId: 'COPS' }, data: { name: 'ops' } });
    const ops = (await db.channel.findFirstOrThrow({ where: { externalId: 'COPS' } })).id;
    await desk.act(slash('ada', `settings decide-in=${ops} policy=ask`));
    await desk.act(mention('ben', 'sh touch hidden', { channel: 'CSECRET', message: '200.1' }));
    const { secret, taskId, runId } = await db.interaction.findFirstOrThrow({
      where: { state: 'pending' },
      orderBy: { id: 'desc' },
    });
    expect(await card(runId)).toContain('Nobody can decide there yet: this was asked for in a private channel');
    expect(await db.thread.count({ where: { taskId, channelId: ops } })).toBe(0);
    const approve = encodePress({ kind: 'decide', secret, verb: 'approve' });
    const refused = await read(press('ada', approve, { channel: 'CSECRET' }));
    expect(refused).toMatch(/not here\. It counts in #ops on Slack only\. Nobody can decide there yet.*settings private=off/s);
    await desk.act(slash('mia', 'settings private=off', { channel: 'CSECRET' }));
    expect(await db.thread.count({ where: { taskId, channelId: ops } })).toBe(1);
    expect(await card(runId)).not.toContain('Nobody can decide');
    expect(await read(press('ada', approve, { channel: 'COPS' }))).toContain('is approved');
  });
});
