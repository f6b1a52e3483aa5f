import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent, RunEventData } from '../../src/contracts/run-event.ts';
import { createDatabase, type Database } from '../../src/store/database.ts';
import { createEventLog } from '../../src/store/event-log.ts';
import { createWakeups, type Wakeups } from '../../src/store/wakeups.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { eventually } from '../support/wait-for.ts';

let testDatabase: TestDatabase;
let database: Database;
let wakeups: Wakeups;
let runs = 0;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({ url: testDatabase.url, connections: 4, onEffectError: (error) => expect.fail(String(error)) });
  wakeups = createWakeups({ url: testDatabase.url, onError: () => undefined });
  await wakeups.start();
  await database.db.workspace.create({ data: { id: 'wsp_1', name: 'w' } });
  await database.db.project.create({
    data: { id: 'prj_1', workspaceId: 'wsp_1', name: 'p', sourceKind: 'path', source: '/p', policy: {}, limits: {} },
  });
});

afterAll(async () => {
  await wakeups.stop();
  await database.close();
  await testDatabase.close();
});

async function newRun(): Promise<string> {
  runs += 1;
  const task = `tsk_${runs}`;
  const run = `run_${runs}`;
  await database.db.task.create({
    data: {
      id: task,
      workspaceId: 'wsp_1',
      number: runs,
      projectId: 'prj_1',
      title: 't',
      kind: 'command',
      command: 'ls',
      column: 'queued',
      rank: runs,
      branch: 'b',
      policy: {},
      policyVersion: 1,
      requesterId: 'usr_1',
      originKey: `k${runs}`,
    },
  });
  await database.db.run.create({
    data: {
      id: run,
      workspaceId: 'wsp_1',
      taskId: task,
      projectId: 'prj_1',
      attempt: 1,
      state: 'executing',
      requestedById: 'usr_1',
      queuedAt: new Date(),
      lastEventAt: new Date(),
      timeoutMs: 1000,
    },
  });
  return run;
}

async function append(run: string, from: number, data: RunEventData[], notify = true): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.db.runEvent.createMany({
      data: data.map((event, at) => ({
        runId: run,
        seq: from + at,
        type: event.type,
        at: new Date(),
        actor: { type: 'system', part: 'runner' },
        data: event,
      })),
    });
    if (notify) tx.notify('run', run);
  });
}

const note = (text: string): RunEventData => ({ type: 'note', level: 'info', text });
const terminal: RunEventData = {
  type: 'terminal',
  result: { outcome: 'succeeded', message: 'done', durationMs: 1, files: [], artifacts: [] },
};

describe('the event log', () => {
  it('reads events after an offset, in order, at most as many as asked for', async () => {
    const run = await newRun();
    await append(run, 1, [note('a'), note('b'), note('c')]);
    const log = createEventLog(database, wakeups);
    expect((await log.read(run, 1)).map(({ seq }) => seq)).toEqual([2, 3]);
    expect((await log.read(run, 0, 2)).map(({ data }) => data)).toEqual([note('a'), note('b')]);
    expect(await log.read('run_of_nobody', 0)).toEqual([]);
  });

  it('passes over what a newer version has logged and this one does not know, and ends no page for it', async () => {
    const run = await newRun();
    const unknown = { type: 'of_a_later_version' } as unknown as RunEventData;
    await append(run, 1, [note('a'), unknown, unknown, note('b'), unknown, terminal, unknown]);
    const log = createEventLog(database, wakeups);
    expect((await log.read(run, 0, 2)).map(({ seq }) => seq)).toEqual([1, 4]);
    expect((await log.read(run, 4)).map(({ seq }) => seq)).toEqual([6]);
    const seen: number[] = [];
    for await (const { seq } of log.tail(run, 0, new AbortController().signal)) seen.push(seq);
    expect(seen).toEqual([1, 4, 6]);
  });

  it('tails what comes and ends after the terminal event', async () => {
    const run = await newRun();
    await append(run, 1, [note('before')]);
    const seen: RunEvent[] = [];
    const tail = (async () => {
      for await (const event of createEventLog(database, wakeups).tail(run, 0, new AbortController().signal)) seen.push(event);
    })();
    await eventually(() => expect(seen).toHaveLength(1));
    await append(run, 2, [note('live')]);
    await eventually(() => expect(seen).toHaveLength(2));
    await append(run, 3, [terminal]);
    await tail;
    expect(seen.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('finds events whose wake-up was lost', async () => {
    const run = await newRun();
    const seen: number[] = [];
    const tail = (async () => {
      for await (const { seq } of createEventLog(database, wakeups).tail(run, 0, new AbortController().signal)) seen.push(seq);
    })();
    await append(run, 1, [note('quiet'), terminal], false);
    await tail;
    expect(seen).toEqual([1, 2]);
  });

  it('stops tailing when the signal aborts', async () => {
    const run = await newRun();
    const controller = new AbortController();
    const tail = (async () => {
      for await (const event of createEventLog(database, wakeups).tail(run, 0, controller.signal)) expect.fail(String(event.seq));
    })();
    controller.abort();
    await tail;
  });

  it('a commit wakes subscribers of its topic and id only, a rollback nobody', async () => {
    const woken: string[] = [];
    const endAll = wakeups.subscribe('run', undefined, (id) => void woken.push(`all ${id}`));
    const endOne = wakeups.subscribe('run', 'run_x', (id) => void woken.push(`one ${id}`));
    await expect(
      database.transaction(async (tx) => {
        tx.notify('run', 'run_x');
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    await database.transaction(async (tx) => {
      tx.notify('run', 'run_y');
      tx.notify('outbox');
    });
    await database.transaction(async (tx) => tx.notify('run', 'run_x'));
    await eventually(() => expect(woken).toEqual(['all run_y', 'all run_x', 'one run_x']));
    endAll();
    endOne();
  });

  it('runs effects after the commit, once, also when the transaction had to be repeated', async () => {
    let tries = 0;
    const effects: string[] = [];
    await database.transaction(async (tx) => {
      tries += 1;
      tx.afterCommit(() => void effects.push(`after try ${tries}`));
      if (tries === 1) await tx.db.$executeRawUnsafe(`DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END $$`);
    });
    expect(effects).toEqual(['after try 2']);
  });
});
