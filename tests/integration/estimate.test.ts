import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/runtime/ids.ts';
import { pastTasks } from '../../src/store/past-tasks.ts';
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
  costUsd?: number;
  minutes?: number;
}

/** A task that is over, as its rows say. */
async function over({ agent = 'claude', model = null, column = 'done', costUsd = 1, minutes = 10 }: Over = {}): Promise<string> {
  const { db } = desk.database;
  const requester = await db.user.findFirstOrThrow({ where: { name: 'Ben' } });
  const [task, run] = [newId('tsk'), newId('run')];
  const common = { workspaceId: desk.workspace, projectId: desk.demo.id };
  const settings = { agent, mode: 'auto', model, effort: null, account: null };
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
      attempt: 1,
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
  await over({ model: 'claude-haiku-4-5', costUsd: 50 });
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
        costUsd: { usual: 3, high: 5 },
        tokens: { usual: 2000, high: 2000 },
        ms: { usual: 600_000, high: 600_000 },
      },
    }),
  ]);
  await desk.act(slash('ben', 'run agent=codex fix it'));
  expect(await agentEvent()).toEqual([expect.not.objectContaining({ estimate: expect.anything() })]);
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
  const found = await pastTasks(desk.database, { project: desk.demo.id, before: 'tsk_0', agent: 'claude', model: null });
  expect(found).toEqual([]);
});
