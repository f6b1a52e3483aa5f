import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import { pastWork } from '../../src/store/past-tasks.ts';
import { type Desk, openDesk, slash } from '../support/desk.ts';

let desk: Desk;
let number = 1000;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk[Symbol.asyncDispose]());

interface Over {
  agent?: string;
  model?: string | null;
  column?: string;
  effort?: string | null;
  account?: string | null;
  costUsd?: number;
  minutes?: number;
  attempt?: number;
}

/** A task that is over, as its rows say. */
async function over({
  agent = 'claude',
  column = 'done',
  costUsd = 1,
  minutes = 10,
  attempt = 1,
  ...also
}: Over = {}): Promise<string> {
  const { db } = desk.database;
  const requester = await db.user.findFirstOrThrow({ where: { name: 'Ben' } });
  const [task, run] = [newId('tsk'), newId('run')];
  const common = { workspaceId: desk.workspace, projectId: desk.demo.id };
  const settings = { agent, mode: 'auto', model: null, effort: null, account: null, ...also };
  number += 1;
  const shape = {
    number,
    title: 'x',
    kind: 'agent',
    command: 'x',
    agent: settings,
    column,
    rank: 1,
    branch: 'x',
    policy: {},
    policyVersion: 1,
  };
  await db.task.create({
    data: { ...common, ...shape, id: task, spentUsd: costUsd, requesterId: requester.id, originKey: task },
  });
  const startedAt = new Date('2026-01-01T10:00:00Z');
  const endedAt = new Date(startedAt.getTime() + minutes * 60_000);
  const figures = { costUsd, inputTokens: 1000, outputTokens: 1000, cacheReadTokens: 9e6, cacheWriteTokens: 0 };
  await db.run.create({
    data: {
      ...common,
      ...figures,
      id: run,
      taskId: task,
      attempt,
      state: 'succeeded',
      requestedById: requester.id,
      queuedAt: startedAt,
      lastEventAt: endedAt,
      startedAt,
      endedAt,
      timeoutMs: 1,
      agent: settings,
    },
  });
  return task;
}

const agentEvent = async () => {
  const run = await desk.database.db.run.findFirstOrThrow({ orderBy: { id: 'desc' } });
  const events = await desk.database.db.runEvent.findMany({ where: { runId: run.id }, orderBy: { seq: 'asc' } });
  return events.map(({ data }) => data).filter((data) => ['agent', 'note'].includes((data as { type: string }).type));
};

test('a task begins with what the last ones like it used, from five on; others, and what is not over, do not count', async () => {
  for (let at = 0; at < 4; at += 1) await over({ costUsd: at + 1 });
  await over({ agent: 'codex', costUsd: 50 });
  await over({ column: 'running', costUsd: 50 });
  await desk.act(slash('ben', 'run agent=claude fix it'));
  expect(await agentEvent()).toEqual([expect.not.objectContaining({ estimate: expect.anything() })]);
  const waited = await over({ costUsd: 5, minutes: 300 });
  const run = await desk.database.db.run.findFirstOrThrow({ where: { taskId: waited } });
  const decision = {
    kind: 'approval',
    action: {},
    actionHash: 'x',
    approvers: {},
    risks: [],
    requesterId: run.requestedById,
    secret: newId('int'),
    state: 'approved',
  };
  const span = { openedAt: new Date('2026-01-01T10:00:00Z'), decidedAt: new Date('2026-01-01T14:50:00Z') };
  const owner = { workspaceId: desk.workspace, taskId: waited, runId: run.id };
  await desk.database.db.interaction.create({
    data: { id: newId('int'), ...owner, ...decision, ...span, because: 'x', life: 0 },
  });
  const later = { openedAt: new Date('2026-01-01T16:00:00Z'), decidedAt: new Date('2026-01-03T16:00:00Z') };
  const afterwards = { id: newId('int'), ...owner, ...decision, secret: newId('int'), ...later, because: 'x', life: 0 };
  await desk.database.db.interaction.create({ data: afterwards });
  await desk.act(slash('ben', 'run agent=claude fix it'));
  expect(await agentEvent()).toEqual([
    expect.objectContaining({
      type: 'agent',
      estimate: {
        tasks: 5,
        of: 'tasks',
        like: 'account',
        costUsd: { usual: 3, high: 5 },
        tokens: { usual: 2000, high: 2000 },
        ms: { usual: 600_000, high: 600_000 },
      },
    }),
  ]);
  await desk.act(slash('ben', 'run agent=codex fix it'));
  expect(await agentEvent()).toEqual([expect.not.objectContaining({ estimate: expect.anything() })]);
});

test('those most like it count, and where there are too few of them those that are less so; another agent never does', async () => {
  const opus = { model: 'claude-opus-4-1', effort: 'high', account: 'team' } as const;
  const settings = (of: Partial<typeof opus>) => ({ agent: 'claude', model: null, effort: null, account: null, ...of }) as const;
  const likeOf = async (of: object) => {
    const { like, past } = await pastWork(desk.database, {
      project: desk.demo.id,
      task: newId('tsk'),
      of: 'tasks',
      settings: settings(of),
    });
    return [like, past.length];
  };
  const before = (await likeOf(opus))[1];
  expect(await likeOf(opus)).toEqual(['agent', before]);
  for (let at = 0; at < 2; at += 1) await over({ ...opus, costUsd: 7 });
  for (let at = 0; at < 2; at += 1) await over({ ...opus, account: null, costUsd: 7 });
  expect(await likeOf(opus)).toEqual(['agent', Number(before) + 4]);
  await over({ ...opus, effort: null, costUsd: 7 });
  expect(await likeOf(opus)).toEqual(['model', 5]);
  await over({ ...opus, account: null, costUsd: 7 });
  expect(await likeOf(opus)).toEqual(['effort', 5]);
  for (let at = 0; at < 3; at += 1) await over({ ...opus, costUsd: 7 });
  expect(await likeOf(opus)).toEqual(['account', 5]);
  expect((await likeOf({ model: null }))[0]).toBe('account');
});

test('a retry and a follow-up tell what further runs like them used, and what is left of the budget', async () => {
  await desk.act(slash('ben', 'run agent=claude budget=9 fix it'));
  const { db } = desk.database;
  const run = await db.run.findFirstOrThrow({ orderBy: { id: 'desc' }, include: { task: true } });
  const again = async () => {
    await db.run.updateMany({ where: { taskId: run.taskId }, data: { state: 'succeeded', endedAt: new Date() } });
    await db.task.update({ where: { id: run.taskId }, data: { column: 'review', spentUsd: 8.5 } });
    return (await desk.act(slash('ben', `retry #${run.task.number}`))).map(({ text }) => text).join();
  };
  expect(await again()).toContain('runs again');
  expect(await agentEvent()).toEqual([expect.not.objectContaining({ estimate: expect.anything() })]);
  for (let at = 0; at < 5; at += 1) await over({ costUsd: 0.75, minutes: 3, attempt: 2, column: 'backlog' });
  await again();
  const [event, warning] = await agentEvent();
  expect(event).toMatchObject({
    estimate: { tasks: 5, of: 'runs', like: 'account', costUsd: { usual: 0.75 }, ms: { usual: 180_000 } },
  });
  expect(warning).toMatchObject({
    text: 'Further runs like this usually take $0.75, and $0.50 is left of the budget: it will probably ask for more.',
  });
});

test('that it is more than the budget, or a quota, has left is said before it begins', async () => {
  await desk.act(slash('ben', 'run agent=claude budget=2 fix it'));
  expect((await agentEvent()).at(-1)).toMatchObject({
    type: 'note',
    level: 'warning',
    text: 'Tasks like this usually take $3.00, and the budget is $2.00: it will probably ask for more.',
  });
  await desk.act(slash('mia', 'quota add tokens=1k/month'));
  await desk.act(slash('ben', 'run agent=claude fix it'));
  expect((await agentEvent()).at(-1)).toMatchObject({
    text: expect.stringMatching(
      /usually take 2,000 tokens, and 1,000 is left of a quota \(0 of 1,000 tokens a month in project demo\): it will probably pause\.$/,
    ),
  });
  await desk.act(slash('mia', 'quota remove tokens/month'));
  await desk.act(slash('ben', 'run agent=claude fix it'));
  expect(await agentEvent()).toHaveLength(1);
});

test('it looks at the newest tasks of the project alone, along an index', async () => {
  const plan = await desk.database.transaction(async (tx) => {
    await tx.db.$executeRawUnsafe('SET LOCAL enable_seqscan = off');
    return await tx.db.$queryRawUnsafe<{ 'QUERY PLAN': string }[]>(
      `EXPLAIN SELECT * FROM "Task" WHERE "projectId" = 'prj_x' AND "id" < 'tsk_z' ORDER BY "id" DESC LIMIT 200`,
    );
  });
  expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toContain('Index Scan Backward using "Task_projectId_id_idx"');
  const settings = { agent: 'claude', model: null, effort: null, account: null } as const;
  const found = await pastWork(desk.database, { project: desk.demo.id, task: 'tsk_0', of: 'tasks', settings });
  expect(found.past).toEqual([]);
});
