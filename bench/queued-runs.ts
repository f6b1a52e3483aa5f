import { Prisma } from '../prisma/client/client.ts';
import { defaultPolicy } from '../src/contracts/policy.ts';
import { findOrCreateChannel } from '../src/store/channels.ts';
import type { Database } from '../src/store/database.ts';
import { findOrCreatePerson } from '../src/store/people.ts';
import { createProject } from '../src/store/projects.ts';
import { firstWorkspace } from '../src/store/workspaces.ts';
import type { BenchEngine } from './engine.ts';

export interface Requests {
  projects: number;
  people: number;
  /** Runs at once of a project. */
  concurrency: number;
}

/** One queued run of each person in each project, asked for through the engine. Returns the runs. */
export async function requestRuns(
  { database, engine }: BenchEngine,
  { projects, people, concurrency }: Requests,
): Promise<string[]> {
  return await database.transaction(async (tx) => {
    const { id: workspace } = await firstWorkspace(tx, 'Bench');
    const at = { platform: 'slack', tenant: 'T1' } as const;
    const channel = await findOrCreateChannel(
      tx,
      workspace,
      { ...at, channel: 'C1', kind: 'channel' },
      { channelName: 'general' },
    );
    const runs: string[] = [];
    for (let n = 1; n <= projects; n += 1) {
      const project = await createProject(tx, {
        workspace,
        name: `web${n}`,
        source: { kind: 'path', path: '/nowhere' },
        baseBranch: undefined,
        policy: { ...defaultPolicy, mode: 'yolo' },
        limits: { concurrency, timeoutMs: 60_000 },
        createdBy: undefined,
      });
      for (let who = 1; who <= people; who += 1) {
        const identity = { ...at, user: `U${who}` };
        const person = await findOrCreatePerson(tx, { workspace, identity, name: `Person ${who}`, role: 'owner' });
        if (person === undefined || channel === undefined || project === undefined) throw new Error('the database was not empty');
        const requester = { workspace, user: person.user, name: person.name, role: person.role, identity };
        const input = { workspace, project: project.id, requester, command: `echo ${n}`, channel: channel.id, thread: null };
        runs.push((await engine.tasks.createCommandTask(tx, { ...input, originKey: `bench-${n}-${who}` })).run);
      }
    }
    return runs;
  });
}

/** Copies tasks with these runs and their logs so many times, as SQL does it; `later`: each copy was asked for so much after the one before. */
export async function copyRuns({ db }: Database, runs: readonly string[], times: number, later: string): Promise<void> {
  const [{ highest } = { highest: 0 }] = await db.$queryRaw<{ highest: number }[]>`SELECT max("number") AS highest FROM "Task"`;
  const copy = Prisma.sql`(
    SELECT r."id" AS run, r."taskId" AS task, row_number() OVER (ORDER BY n, r."id") AS nth, n,
      overlay(r."id" placing lpad(n::text, 6, '0') from 25) AS "newRun", overlay(r."taskId" placing lpad(n::text, 6, '0') from 25) AS "newTask"
    FROM "Run" r, generate_series(1, ${times}) AS n WHERE r."id" = ANY(${[...runs]}::text[])
  ) AS copy`;
  await db.$executeRaw(Prisma.sql`
    INSERT INTO "Task" SELECT made.* FROM ${copy} JOIN "Task" t ON t."id" = copy.task, jsonb_populate_record(t, jsonb_build_object(
      'id', copy."newTask", 'number', ${highest} + copy.nth, 'originKey', 'copy-' || copy."newTask"
    )) AS made`);
  await db.$executeRaw(Prisma.sql`
    INSERT INTO "Run" SELECT made.* FROM ${copy} JOIN "Run" r ON r."id" = copy.run, jsonb_populate_record(r, jsonb_build_object(
      'id', copy."newRun", 'taskId', copy."newTask", 'queuedAt', r."queuedAt" + copy.n * ${later}::interval
    )) AS made`);
  await db.$executeRaw(Prisma.sql`
    INSERT INTO "RunEvent" SELECT copy."newRun", e."seq", e."type", e."at", e."actor", e."data"
    FROM ${copy} JOIN "RunEvent" e ON e."runId" = copy.run`);
  await db.$executeRawUnsafe('ANALYZE');
}

/** How often tables were read from end to end, and how many rows that were. */
export async function fullReads({ db }: Database, tables: readonly string[]): Promise<{ scans: number; rows: number }> {
  await db.$executeRawUnsafe('SELECT pg_stat_force_next_flush()');
  const [row] = await db.$queryRaw<{ scans: bigint; rows: bigint }[]>`
    SELECT sum(seq_scan)::bigint AS scans, sum(seq_tup_read)::bigint AS rows
    FROM pg_stat_user_tables WHERE relname = ANY(${[...tables]}::text[])`;
  return { scans: Number(row?.scans ?? 0n), rows: Number(row?.rows ?? 0n) };
}
