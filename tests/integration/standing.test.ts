import { expect, test } from 'vitest';
import { z } from 'zod';
import { Prisma } from '../../prisma/client/client.ts';
import { createDatabase, type Database } from '../../src/store/database.ts';
import { standingOf, standingStatement } from '../../src/store/standing.ts';
import { waitingCounts, waitingStatement } from '../../src/store/waiting-counts.ts';
import { createTestDatabase } from '../support/postgres.ts';

const long = 6_000;

/** An installation that has done much: nearly all of its rows are over. */
async function fill({ db }: Database): Promise<void> {
  const over = (n: string) => Prisma.raw(`${n} > 20`);
  await db.workspace.create({ data: { id: 'wsp_1', name: 'one' } });
  await db.project.create({
    data: { id: 'prj_1', workspaceId: 'wsp_1', name: 'p', sourceKind: 'git', source: 'x', policy: {}, limits: {} },
  });
  await db.$executeRaw`
    INSERT INTO "Task" ("id", "workspaceId", "number", "projectId", "title", "kind", "command", "column", "rank", "branch", "policy",
      "policyVersion", "requesterId", "originKey")
    VALUES ('tsk_1', 'wsp_1', 1, 'prj_1', 't', 'command', 'true', 'done', 1, 'b', '{}', 1, 'usr_1', 'k')`;
  await db.$executeRaw(Prisma.sql`
    INSERT INTO "Run" ("id", "workspaceId", "taskId", "projectId", "attempt", "state", "requestedById", "queuedAt", "endedAt", "lastEventAt",
      "lastSeq", "projectedSeq", "timeoutMs")
    SELECT 'run_' || n, 'wsp_1', 'tsk_1', 'prj_1', n, CASE WHEN ${over('n')} THEN 'succeeded' ELSE 'queued' END, 'usr_1', now() - n * interval '2 minutes',
      CASE WHEN ${over('n')} THEN now() - n * interval '2 minutes' END, now(), 9, CASE WHEN n % 10 = 1 AND n < 30 THEN 8 ELSE 9 END, 1000
    FROM generate_series(1, ${long}) AS n`);
  await db.$executeRaw(Prisma.sql`
    INSERT INTO "Inbox" ("platform", "tenant", "key", "lane", "event", "state", "doneAt")
    SELECT 'slack', 'T', 'k' || n, 'lane' || n % 5, '{}', CASE WHEN ${over('n')} THEN 'done' ELSE 'pending' END, now() FROM generate_series(1, ${long}) AS n`);
  await db.$executeRaw(Prisma.sql`
    INSERT INTO "Outbox" ("id", "workspaceId", "key", "platform", "tenant", "channel", "channelKind", "payload", "payloadType", "priority", "state")
    SELECT 'out_' || n, 'wsp_1', 'k' || n, 'slack', 'T', 'C', 'channel', '{}', 'message', 1, CASE WHEN ${over('n')} THEN 'sent' ELSE 'pending' END
    FROM generate_series(1, ${long}) AS n`);
  await db.$executeRaw(Prisma.sql`
    INSERT INTO "Interaction" ("id", "workspaceId", "taskId", "runId", "kind", "state", "action", "actionHash", "because", "risks", "secret",
      "requesterId", "openedAt", "approvers", "expiresAt")
    SELECT 'int_' || n, 'wsp_1', 'tsk_1', 'run_1', 'approval', CASE WHEN ${over('n')} THEN 'approved' ELSE 'pending' END, '{}', 'h', '', '[]',
      's' || n, 'usr_1', now(), '{}', now()
    FROM generate_series(1, ${long}) AS n`);
  // What a person alone was to get who does not let Deckhand write is no trouble of Deckhand.
  await db.$executeRaw`
    UPDATE "Outbox" SET "state" = 'failed', "lastError" = 'not_permitted: blocked', "payloadType" = CASE "id" WHEN 'out_21' THEN 'message' ELSE 'direct' END
    WHERE "id" IN ('out_21', 'out_22')`;
  await db.$executeRaw`ANALYZE`;
}

const planSchema = z.looseObject({
  'Relation Name': z.string().optional(),
  'Actual Rows': z.number(),
  'Actual Loops': z.number(),
  'Rows Removed by Filter': z.number().optional(),
  get Plans() {
    return z.array(planSchema).optional();
  },
});
type Plan = z.infer<typeof planSchema>;

/** Rows that a statement has looked at, by table. */
async function looked({ db }: Database, statement: Prisma.Sql): Promise<Record<string, number>> {
  const [row] = await db.$queryRaw<{ 'QUERY PLAN': unknown }[]>(Prisma.sql`EXPLAIN (ANALYZE, FORMAT JSON) ${statement}`);
  const [{ Plan: root }] = z.tuple([z.looseObject({ Plan: planSchema })]).parse(row?.['QUERY PLAN']);
  const rows: Record<string, number> = {};
  const walk = (plan: Plan) => {
    const table = plan['Relation Name'];
    const here = (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'];
    if (table !== undefined) rows[table] = (rows[table] ?? 0) + here;
    for (const below of plan.Plans ?? []) walk(below);
  };
  walk(root);
  return rows;
}

test('what a scrape asks the database looks at what waits, however much is over', async () => {
  await using server = await createTestDatabase();
  const database = createDatabase({ url: server.url, connections: 2, onEffectError: () => undefined });
  try {
    await fill(database);
    for (const statement of [waitingStatement, standingStatement]) {
      const rows = await looked(database, statement);
      for (const table of ['Run', 'Inbox', 'Outbox', 'Interaction']) expect(rows[table], table).toBeGreaterThan(0);
      for (const [table, count] of Object.entries(rows)) expect(count, table).toBeLessThan(long / 50);
    }
    // Runs 1 and 11 wait with an event that no card shows, run 21 has ended with one.
    expect(await waitingCounts(database.db)).toEqual({
      inbox: 20,
      outbox: 20,
      runs_queued: 20,
      runs_active: 0,
      runs_untold: 3,
      decisions: 20,
    });
    const { lanesWaiting, deadLetters, outbox, runs, decisions } = await standingOf(database.db);
    expect({ lanesWaiting, runs }).toEqual({ lanesWaiting: 5, runs: [{ state: 'queued', worker: 'shell', runs: 20 }] });
    expect(deadLetters).toEqual({ inbound: 0, outbound: 1 });
    expect([outbox, decisions]).toMatchObject([[{ platform: 'slack', waiting: 20 }], [{ kind: 'approval', waiting: 20 }]]);
  } finally {
    await database.close();
  }
});
