import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { messageOrigin } from '../../src/contracts/message-origin.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { receipt } from '../../src/delivery/reply.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { putOutbox } from '../../src/store/outbox.ts';
import { addMail } from '../../src/store/run-mail.ts';
import { calls, message, says, settled, working } from '../support/agent-cards.ts';
import { TestPlatform } from '../support/chat-platform.ts';
import { createWorld, startProjector, startSender, type World } from '../support/delivery-world.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

let world: World;
const parts: Part[] = [];
beforeEach(async () => {
  world = await createWorld();
});
afterEach(async () => {
  await Promise.all(parts.splice(0).map((part) => part.stop()));
  await world.close();
});

async function start(platform: TestPlatform, options: Parameters<typeof startSender>[2] = {}): Promise<void> {
  const started = [startProjector(world), startSender(world, platform, options)];
  parts.push(...started);
  await Promise.all(started.map((part) => part.start()));
}

/** A turn of an agent, in a channel of its own. */
async function turn(kind: 'channel' | 'direct' = 'channel', name = 'D1') {
  const { db } = world.database;
  const channel = await world.newChannel(name);
  await db.channel.update({ where: { id: channel }, data: { kind } });
  const { task, run, thread } = await world.task({ channel, externalId: 'root.1' });
  await db.run.update({ where: { id: run }, data: { prompt: 'Fix the test' } });
  return { task, run, thread };
}

const channel: Conversation = { platform: 'slack', tenant: 'T1', channel: 'D1', thread: 'root.1', kind: 'channel' };

/** Once more, for a sender that did not listen yet when there was something new. */
async function wake(run: string): Promise<void> {
  await world.database.transaction(async (tx) => tx.notify('run', run));
}

/** Somebody says something to the agent: mail, its event, and the receipt that it was received. */
async function steer(run: string, seq: number, origin: string | undefined): Promise<void> {
  const mail = { type: 'message', message: `m${seq}`, by: 'Ada', text: `word ${seq}`, when: 'next' } as const;
  await world.database.transaction(async (tx) => {
    await addMail(tx, {
      run,
      workspace: world.workspace,
      mail,
      at: new Date(),
      origin: origin === undefined ? undefined : messageOrigin({ ...channel, message: origin }),
    });
    if (origin !== undefined) await putOutbox(tx, receipt(world.workspace, channel, origin, 'received'));
  });
  await world.log(run, [message(`m${seq}`, `word ${seq}`)]);
}

describe('messages to an agent', () => {
  it('bear 👀 when they are received, ✅ when the agent has read them, and nothing when it never will', async () => {
    const platform = new TestPlatform();
    await start(platform);
    const { run } = await turn();
    await world.log(run, working, 'executing');
    await steer(run, 1, '1.1');
    await steer(run, 2, '2.2');
    await steer(run, 3, undefined);
    await world.log(run, [settled('m1'), settled('m2', 'dropped'), settled('m3')]);
    await eventually(async () =>
      expect(platform.reactions).toEqual(
        expect.arrayContaining([
          { message: '1.1', mark: 'received', on: true },
          { message: '1.1', mark: 'read', on: true },
          { message: '2.2', mark: 'received', on: true },
          { message: '2.2', mark: 'received', on: false },
        ]),
      ),
    );
    expect(platform.reactions).toHaveLength(4);
  });

  it('are nothing to look into when they are deleted: a mark that is gone with its message counts as taken back', async () => {
    const platform = new TestPlatform({
      fault: (operation) => (operation === 'react' ? { kind: 'gone', detail: 'message_not_found' } : undefined),
    });
    await start(platform);
    const { run } = await turn();
    await world.log(run, working, 'executing');
    await steer(run, 1, '1.1');
    await world.log(run, [settled('m1', 'dropped')]);
    const state = async (key: string) => (await world.database.db.outbox.findFirst({ where: { key } }))?.state;
    await eventually(async () => expect(await state('react:slack:T1:D1:1.1:received:off')).toBe('sent'));
    expect(await state('react:slack:T1:D1:1.1:received:on')).toBe('failed');
  });

  it('that ask beside the work are answered in the thread, once', async () => {
    const platform = new TestPlatform();
    await start(platform);
    const { run } = await turn();
    await world.log(run, working, 'executing');
    await steer(run, 1, '1.1');
    await world.log(run, [{ type: 'aside', message: 'm1', text: 'It is the **second** one.' }]);
    await world.log(run, [calls('t1', 'Read a'), settled('m1')]);
    const answer = () => platform.shown('D1', 'root.1').filter((one) => platform.text(one).includes('beside its work'));
    await eventually(async () => expect(platform.reactions).toContainEqual({ message: '1.1', mark: 'read', on: true }));
    await eventually(async () => expect(answer()).toHaveLength(1));
    expect(platform.text(answer()[0])).toBe('#101 answers beside its work to “word 1” (Ada)\nIt is the second one.');
  });
});

describe('what an agent says', () => {
  it('is drafted while it is said, in direct conversations of platforms with drafts', async () => {
    const platform = new TestPlatform({
      capabilities: {
        streaming: 'draft',
        budgets: [{ operations: ['draft'], scope: 'conversation', calls: 3, windowMs: 1000 }],
      },
    });
    const told: string[] = [];
    // What has no prompt yet is taken for no run of an agent.
    const { run } = await turn('direct');
    await start(platform, { onCall: ({ operation, outcome }) => told.push(`${operation} ${outcome}`) });
    const piece = (text: string): RunEventData => says(text, { final: false });
    await world.log(run, [...working, piece('I read the **test** first')], 'executing');
    await waitFor('the first draft', async () => {
      await wake(run);
      return platform.drafts.find(({ text }) => text === 'I read the test first');
    });
    await world.log(run, [piece(', then the code.')]);
    await waitFor('the next draft', async () =>
      platform.drafts.find(({ text }) => text === 'I read the test first, then the code.'),
    );
    expect(new Set(platform.drafts.map(({ key, channel: at }) => `${key} ${at}`))).toEqual(new Set([`${run} D1`]));
    await eventually(async () => expect(told).toContain('draft ok'));
    expect(platform.violations).toEqual([]);
  });

  it('is not lost with a draft that fails: the next one shows more', async () => {
    let failures = 0;
    const platform = new TestPlatform({
      capabilities: { streaming: 'draft' },
      fault: (operation) => {
        if (operation !== 'draft' || failures > 0) return undefined;
        failures += 1;
        return { kind: 'rate_limited', retryAfterMs: 50 };
      },
    });
    const { run } = await turn('direct');
    await start(platform);
    await world.log(run, [...working, says('One.', { final: false })], 'executing');
    await waitFor('the failure', async () => {
      await wake(run);
      return failures > 0;
    });
    await world.log(run, [says(' Two.', { final: false })]);
    await waitFor('a draft with both', async () => platform.drafts.find(({ text }) => text === 'One. Two.'));
  });

  it('is not drafted in a channel, nor on a platform without drafts', async () => {
    const platform = new TestPlatform({ capabilities: { streaming: 'draft' } });
    const { run } = await turn('channel');
    const direct = await turn('direct', 'D2');
    await start(platform);
    const said = async (to: string, ...more: RunEventData[]) =>
      await world.log(to, [...working, ...more, says('Hello.')], 'executing');
    await said(run);
    await said(direct.run);
    await waitFor('the draft of the other', async () => {
      await wake(direct.run);
      return platform.drafts.find(({ channel: at }) => at === 'D2');
    });
    expect(platform.drafts.every(({ channel: at }) => at === 'D2')).toBe(true);
  });
});
