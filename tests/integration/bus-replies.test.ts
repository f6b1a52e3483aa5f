import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { encodePress } from '../../src/contracts/press.ts';
import { type Account, type Desk, mention, openDesk, press, slash } from '../support/desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk[Symbol.asyncDispose]());

/** As on a platform whose threads are chains of replies: nothing but the message that is answered tells of the thread. */
function answering(event: InboundEvent, replyTo: string): InboundEvent {
  const { thread: _, ...conversation } = event.conversation;
  const plain = { ...event, conversation, replyTo };
  if (plain.type !== 'message') return plain;
  const { below: __, ...message } = plain;
  return message;
}

const talk = (who: Account, text: string, replyTo: string): InboundEvent => {
  const event = mention(who, text);
  if (event.type !== 'message') throw new Error('a mention is a message');
  return answering({ ...event, addressed: 'thread' }, replyTo);
};

let root = 100;
let number = 0;

/** A task whose card has been sent, with a second message of two parts in its chain. */
beforeEach(async () => {
  root += 10;
  await desk.act(slash('ben', `sh sleep ${root}`));
  const task = await desk.database.db.task.findFirstOrThrow({ orderBy: { number: 'desc' }, include: { threads: true } });
  const [thread] = task.threads;
  if (thread === undefined) throw new Error('no thread');
  number = task.number;
  await desk.database.db.thread.update({ where: { id: thread.id }, data: { externalId: `r${root}` } });
  const row = { workspaceId: desk.workspace, platform: 'slack', tenant: 'T1', channel: 'CDEMO', channelKind: 'channel' };
  const sent = {
    payload: { type: 'message', view: { fallback: 'x', blocks: [] } },
    payloadType: 'message',
    priority: 3,
    state: 'sent',
  };
  await desk.database.db.outbox.createMany({
    data: [
      { ...row, ...sent, id: `card${root}`, key: `card${root}`, threadId: thread.id, externalId: `${root}` },
      {
        ...row,
        ...sent,
        id: `long${root}`,
        key: `long${root}`,
        threadId: thread.id,
        externalId: `${root + 1}`,
        parts: [
          { slot: 'm0', message: `${root + 1}`, digest: 'x' },
          { slot: 'm1', message: `${root + 2}`, digest: 'x' },
        ],
      },
      { ...row, ...sent, id: `said${root}`, key: `said${root}`, thread: `r${root}`, externalId: `${root + 3}` },
      { ...row, ...sent, id: `top${root}`, key: `top${root}`, externalId: `${root + 4}` },
    ],
  });
});

describe('an answer to a message of ours', () => {
  it.each([
    ['the card', 0],
    ['a message in the chain', 1],
    ['a later part of a long message', 2],
    ['an answer that was given in the chain', 3],
  ])('belongs to the thread of the task: %s', async (_, offset) => {
    const [shown] = await desk.act(answering(mention('ben', 'show'), `${root + offset}`));
    expect(shown?.text).toContain(`#${number}`);
    expect([shown?.thread, shown?.only]).toEqual([`r${root}`, undefined]);
  });

  it('is obeyed without a mention when it is a command, and is talk when it is not', async () => {
    const [stopped] = await desk.act(talk('ben', 'stop', `${root}`));
    expect(stopped?.thread).toBe(`r${root}`);
    expect(await desk.act(talk('ben', 'what do you think?', `${root}`))).toEqual([]);
  });

  it('belongs to no task when the message was no part of one', async () => {
    expect(await desk.act(talk('ben', 'stop', `${root + 4}`))).toEqual([]);
    const [said] = await desk.act(answering(mention('ben', 'show'), `${root + 4}`));
    expect(said?.text).toContain('DH-207');
  });

  it('belongs to no task when it answers a message of somebody else', async () => {
    const [said] = await desk.act(answering(mention('ben', 'show'), '999'));
    expect(said?.text).toContain('DH-207');
    expect(await desk.act(talk('ben', 'stop', '999'))).toEqual([]);
  });

  it('promise 12: is none when the message is of another workspace', async () => {
    await desk.database.db.workspace.create({ data: { id: `wsp_other${root}`, name: 'Other' } });
    await desk.database.db.outbox.update({ where: { id: `card${root}` }, data: { workspaceId: `wsp_other${root}` } });
    expect(await desk.act(talk('ben', 'stop', `${root}`))).toEqual([]);
  });
});

it('a command that answers a message of ours gets its receipt where it stands, beside the thread', async () => {
  const shown = await desk.act(answering(mention('ben', 'sh make', { message: `${root + 9}` }), `${root}`));
  const ref = { channel: 'CDEMO', message: `${root + 9}` };
  const receipt = shown.find(({ payload }) => payload.type === 'reaction');
  expect(receipt?.payload).toMatchObject({ mark: 'received', message: ref });
  expect(receipt?.payload).not.toHaveProperty('message.thread');
});

describe('a press on a message of ours', () => {
  it('is answered in the thread of the message', async () => {
    const [said] = await desk.act(press('ben', encodePress({ kind: 'command', text: 'show' }), { message: `${root + 1}` }));
    expect([said?.thread, said?.text]).toEqual([`r${root}`, expect.stringContaining(`#${number}`)]);
  });

  it('is answered at the top level where the message itself names the thread it opens', async () => {
    await desk.database.db.thread.updateMany({ where: { externalId: `r${root}` }, data: { externalId: `${root}` } });
    const [said] = await desk.act(press('ben', encodePress({ kind: 'command', text: 'tasks' }), { message: `${root}` }));
    expect(said?.thread).toBeNull();
  });
});

describe('a message in a channel whose platform knows no thread below it', () => {
  it('is answered at the top level, and the card of its task opens a thread', async () => {
    const event = mention('ben', `sh echo ${root}`);
    if (event.type !== 'message') throw new Error('a mention is a message');
    const { below: _, ...message } = event;
    await desk.act(message);
    const task = await desk.database.db.task.findFirstOrThrow({ orderBy: { number: 'desc' }, include: { threads: true } });
    expect(task.threads).toMatchObject([{ externalId: null }]);
  });
});
