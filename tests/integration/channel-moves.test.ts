import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OutboxPut, priorities } from '../../src/contracts/outbox.ts';
import { currentChannel, moveChannel } from '../../src/store/channel-moves.ts';
import { findOrCreateChannel } from '../../src/store/channels.ts';
import { type Fault, TestPlatform } from '../support/chat-platform.ts';
import { createWorld, startSender, type TestSender, type World, words } from '../support/delivery-world.ts';
import { type Desk, mention, openDesk, press, slash, tokenOf } from '../support/desk.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

let world: World;
let platform: TestPlatform;
const senders: TestSender[] = [];
/** Conversations that the platform answers with "goes on elsewhere". */
let gone: Record<string, string>;

beforeEach(async () => {
  world = await createWorld();
  gone = {};
  const fault = (_: string, { channel }: { channel: string }): Fault | undefined => {
    const to = gone[channel];
    return to === undefined ? undefined : { kind: 'moved', channel: to, detail: 'upgraded' };
  };
  platform = new TestPlatform({ fault });
  const sender = startSender(world, platform);
  senders.push(sender);
  await sender.start();
});

afterEach(async () => {
  await Promise.all(senders.splice(0).map((sender) => sender.stop()));
  await world.close();
});

async function put(thread: string, key: string, text: string, file?: string): Promise<void> {
  const files = file === undefined ? {} : { files: [{ from: 'text' as const, name: file, text: 'content' }] };
  await world.put({
    key: `${key}:${thread}`,
    target: { type: 'thread', thread, anchor: key === 'live' },
    payload: { type: 'message', view: { ...words(text), ...files } },
    priority: priorities.card,
  });
}

async function settled(): Promise<void> {
  await waitFor('all rows to be sent', async () => (await world.database.db.outbox.count({ where: { state: 'pending' } })) === 0);
}

function move(to = 'C2', from = 'C1'): Promise<void> {
  return world.database.transaction((tx) =>
    moveChannel(tx, { workspace: world.workspace, platform: 'slack', tenant: 'T1', from, to }),
  );
}

const shown = (channel: string, thread?: string) => platform.shown(channel, thread).map((one) => platform.text(one));
const rootOf = (channel: string) => platform.shown(channel)[0]?.id;
const audits = () => world.database.db.audit.findMany({ where: { action: 'channel.moved' } });

describe('a conversation that goes on under another id', () => {
  it('keeps its binding and settings, and is audited once however often it is told', async () => {
    const before = await world.database.db.channel.findFirstOrThrow({ where: { externalId: 'C1' } });
    await move();
    await move();
    const after = await world.database.db.channel.findFirstOrThrow({ where: { externalId: 'C2' } });
    expect(after).toEqual({ ...before, externalId: 'C2' });
    expect(await audits()).toMatchObject([
      { subject: before.id, data: { platform: 'slack', tenant: 'T1', from: 'C1', to: 'C2' } },
    ]);
  });

  it('sends what changes once more, the first message of a task opening its thread anew', async () => {
    const { thread } = await world.task();
    await put(thread, 'live', 'running');
    await put(thread, 'decision', 'may I?', 'command.sh');
    await settled();
    gone.C1 = 'C2';
    await move();
    await put(thread, 'decision', 'approved', 'command.sh');
    await settled();
    await put(thread, 'live', 'done');
    await put(thread, 'end', 'the end');
    await settled();
    expect(shown('C2')).toEqual(['approved']);
    expect(shown('C2', rootOf('C2'))).toEqual(['done', 'the end']);
    expect(platform.uploads).toHaveLength(1);
    await put(thread, 'live', 'done after all');
    await settled();
    expect(shown('C2', rootOf('C2'))).toEqual(['done after all', 'the end']);
    // What was there before stays as it was.
    expect(shown('C1')).toEqual(['running']);
  });

  it('promises 4 and 5: a failed send follows at once, and nothing is lost or doubled', async () => {
    const { thread } = await world.task();
    await put(thread, 'live', 'running');
    await settled();
    gone.C1 = 'C2';
    const started = performance.now();
    await Promise.all([put(thread, 'live', 'done'), put(thread, 'end', 'the end')]);
    await settled();
    expect(performance.now() - started).toBeLessThan(5000);
    expect([...shown('C2'), ...shown('C2', rootOf('C2'))].sort()).toEqual(['done', 'the end']);
    expect(shown('C2')).toHaveLength(1);
    expect(await audits()).toHaveLength(1);
    expect(await world.database.db.channel.count({ where: { externalId: 'C1' } })).toBe(0);
  });

  it('opens the thread of a task that waited for its first message', async () => {
    const { thread } = await world.task();
    gone.C1 = 'C2';
    await put(thread, 'live', 'queued');
    await put(thread, 'decision', 'may I?');
    await settled();
    expect(shown('C2')).toEqual(['queued']);
    expect(shown('C2', rootOf('C2'))).toEqual(['may I?']);
  });

  it('ends receipts on messages that were left behind', async () => {
    gone.C1 = 'C2';
    const message = { platform: 'slack' as const, tenant: 'T1', channel: 'C1', message: '1.1' };
    const row: Omit<OutboxPut, 'workspace'> = {
      key: 'react',
      target: { type: 'conversation', conversation: { platform: 'slack', tenant: 'T1', channel: 'C1', kind: 'channel' } },
      payload: { type: 'reaction', message, mark: 'received', on: true },
      priority: priorities.reply,
    };
    await world.put(row);
    await settled();
    expect(await world.database.db.outbox.findFirst({ where: { key: 'react' } })).toMatchObject({ state: 'expired' });
    expect(await audits()).toHaveLength(1);
  });

  it('is joined with what people have done under the new id before the move was known', async () => {
    const early = await world.database.transaction((tx) =>
      findOrCreateChannel(
        tx,
        world.workspace,
        { platform: 'slack', tenant: 'T1', channel: 'C2', kind: 'channel' },
        { channelName: 'new name' },
      ),
    );
    const { thread } = await world.task({ channel: early?.id ?? '', externalId: 'r5' });
    await move();
    const channels = await world.database.db.channel.findMany({ include: { threads: true } });
    expect(channels).toMatchObject([
      {
        id: world.channel,
        externalId: 'C2',
        name: 'new name',
        projectId: world.project,
        threads: [{ id: thread, externalId: 'r5' }],
      },
    ]);
  });

  it('is found through a chain of moves, and an id that is used again is its own', async () => {
    await move('C2', 'C1');
    await move('C3', 'C2');
    const now = (channel: string) => world.database.transaction((tx) => currentChannel(tx, 'slack', 'T1', channel));
    expect([await now('C1'), await now('C2'), await now('C3')]).toEqual(['C3', 'C3', 'C3']);
    await move('C1', 'C3');
    expect([await now('C1'), await now('C3')]).toEqual(['C1', 'C1']);
  });

  it('promise 12: moves nothing of another workspace', async () => {
    await world.database.transaction((tx) =>
      moveChannel(tx, { workspace: 'wsp_other', platform: 'slack', tenant: 'T1', from: 'C1', to: 'C2' }),
    );
    expect(await world.database.db.channel.findMany()).toMatchObject([{ externalId: 'C1' }]);
  });
});

describe('the event of a move', () => {
  let desk: Desk;
  beforeEach(async () => {
    desk = await openDesk();
  });
  afterEach(() => desk[Symbol.asyncDispose]());

  const movedTo = (to: string) => {
    const { type: _, text: __, ...base } = slash('ada', '') as Extract<ReturnType<typeof slash>, { type: 'command' }>;
    return { ...base, actor: { user: 'UBOT', bot: true }, type: 'channel_moved' as const, to };
  };

  it('moves the conversation, whoever caused it; what still comes from the old one is answered in the new one', async () => {
    expect(await desk.act(movedTo('CNEW'))).toEqual([]);
    await eventually(async () =>
      expect(await desk.database.db.channel.findMany()).toMatchObject([{ externalId: 'CNEW', projectId: desk.demo.id }]),
    );
    const [late] = await desk.act(mention('ben', 'tasks', { thread: '5.5', message: '6.6' }));
    expect([late?.channel, late?.thread]).toEqual(['CNEW', null]);
    const [now] = await desk.act(slash('ben', 'tasks', { channel: 'CNEW' }));
    expect(now?.text).toContain('Open tasks of demo');
  });

  it('takes a question along that was asked before: the request goes on in the new conversation', async () => {
    await desk.act(slash('ada', 'project add api https://example.com/acme/api.git'));
    await desk.act(slash('ada', 'bind none'));
    await desk.act(slash('ada', 'settings', { direct: true }));
    const [ask] = await desk.act(slash('ben', 'sh make it', { direct: true }));
    const token = tokenOf(ask, 'Project');
    const { type: _, to: __, ...base } = movedTo('x');
    await desk.act({
      ...base,
      conversation: { ...base.conversation, channel: 'DUBEN', kind: 'direct' },
      type: 'channel_moved',
      to: 'DNEW',
    });
    await desk.act(press('ben', token, { channel: 'DNEW', direct: true, values: [desk.demo.id] }));
    const task = await desk.database.db.task.findFirstOrThrow({ include: { threads: { include: { channel: true } } } });
    expect(task.threads).toMatchObject([{ channel: { externalId: 'DNEW' } }]);
  });

  it('of an unknown tenant changes nothing', async () => {
    const event = movedTo('CNEW');
    await desk.act({ ...event, conversation: { ...event.conversation, tenant: 'T9' } });
    expect(await desk.database.db.channelMove.count()).toBe(0);
  });
});
