import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { RunResult } from '../../src/contracts/run-event.ts';
import { addressOfRunning } from '../../src/store/postgres-address.ts';

/** What the database says about one task, its runs included. */
export interface TaskFacts {
  id: string;
  number: number;
  command: string;
  column: string;
  project: string;
  runs: RunFacts[];
  interactions: { state: string; reason: string | null; consumed: boolean; decided: number }[];
}

export interface RunFacts {
  id: string;
  state: string;
  stdout: string;
  /** Whether the pieces of the output follow each other without gap or overlap. */
  gapless: boolean;
  terminals: number;
  numbered: boolean;
  projected: boolean;
  result: RunResult | null;
  /** The stored file of the output. */
  log: string | undefined;
  endedAt: Date | null;
}

export interface DatabaseFacts {
  tasks: TaskFacts[];
  /** Rows by state: `message sent` and the like. */
  inbox: Record<string, number>;
  outbox: Record<string, number>;
}

type Ask = <T extends pg.QueryResultRow>(sql: string, values?: string[]) => Promise<T[]>;

/** Where an installation keeps what it knows. */
export interface Kept {
  /** Address of its database. */
  url: string | undefined;
  /** Directory of the files of its runs. */
  artifacts: string;
}

/** A Deckhand with an embedded database that runs. */
export async function keptIn(dataDir: string): Promise<Kept> {
  return { url: await addressOfRunning(dataDir), artifacts: join(dataDir, 'artifacts') };
}

async function asking<T>({ url }: Kept, work: (rows: Ask) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  // The server may be killed at any moment: what was asked rejects, and that is enough.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(async (sql, values) => (await client.query(sql, values)).rows);
  } finally {
    await client.end();
  }
}

/** Whether this text is stored as output of the task whose command has the marker. */
export async function hasWritten(kept: Kept, marker: string, text: string): Promise<boolean> {
  const found = await asking(kept, (rows) =>
    rows(
      `SELECT 1 FROM "RunEvent" e JOIN "Run" r ON r."id" = e."runId" JOIN "Task" t ON t."id" = r."taskId"
       WHERE e."type" = 'output' AND t."command" LIKE '%' || $1 || '%' AND e."data"->>'text' LIKE '%' || $2 || '%'`,
      [marker, text],
    ),
  );
  return found.length > 0;
}

/** Runs that have not ended, each with its newest event and how old that is: to be read when a test fails. */
export async function openRuns(kept: Kept): Promise<string[]> {
  const found = await asking(kept, (rows) =>
    rows<{ state: string; command: string; seq: number; age: number; type: string; data: unknown }>(
      `SELECT r."state", t."command", e."seq", extract(epoch FROM now() - r."lastEventAt")::int AS "age", e."type", e."data"
       FROM "Run" r JOIN "Task" t ON t."id" = r."taskId" JOIN "RunEvent" e ON e."runId" = r."id" AND e."seq" = r."lastSeq"
       WHERE r."endedAt" IS NULL ORDER BY t."number"`,
    ),
  );
  return found.map(
    ({ state, command, seq, age, type, data }) =>
      `${state}, event ${seq} (${type}) ${age} s ago: ${command.slice(0, 200)} ${JSON.stringify(data).slice(0, 200)}`,
  );
}

export async function readFacts(kept: Kept): Promise<DatabaseFacts> {
  return await asking(kept, async (rows) => {
    const tasks = await rows<Omit<TaskFacts, 'runs' | 'interactions'>>(
      'SELECT "id", "number", "command", "column", "projectId" AS "project" FROM "Task" ORDER BY "number"',
    );
    const runs = await rows<{
      id: string;
      task: string;
      state: string;
      seq: number;
      projected: number;
      result: RunResult | null;
      endedAt: Date | null;
    }>(
      'SELECT "id", "taskId" AS "task", "state", "lastSeq" AS "seq", "projectedSeq" AS "projected", "result", "endedAt" FROM "Run" ORDER BY "attempt"',
    );
    const events = await rows<StoredEvent>(
      'SELECT "runId" AS "run", "seq", "type", "data" FROM "RunEvent" ORDER BY "runId", "seq"',
    );
    const interactions = await rows<{ id: string; task: string; state: string; reason: string | null; consumed: boolean }>(
      'SELECT "id", "taskId" AS "task", "state", "reason", "consumedAt" IS NOT NULL AS "consumed" FROM "Interaction"',
    );
    const logs = await rows<{ run: string; path: string }>(
      `SELECT "runId" AS "run", "path" FROM "Artifact" WHERE "kind" = 'log'`,
    );
    const runFacts = async (run: (typeof runs)[number]): Promise<RunFacts & { task: string }> => {
      const own = events.filter((event) => event.run === run.id);
      const output = own.filter(({ type, data }) => type === 'output' && data.stream === 'stdout');
      const path = logs.find((log) => log.run === run.id)?.path;
      return {
        ...run,
        stdout: output.map(({ data }) => data.text).join(''),
        gapless: output.every(({ data }, at) => data.from === (at === 0 ? 0 : output[at - 1]?.data.to)),
        terminals: own.filter(({ type }) => type === 'terminal').length,
        numbered: own.length === run.seq && own.every(({ seq }, at) => seq === at + 1),
        projected: run.projected === run.seq,
        log: path === undefined ? undefined : await readFile(join(kept.artifacts, path), 'utf8'),
      };
    };
    const allRuns = await Promise.all(runs.map(runFacts));
    return {
      tasks: tasks.map((task) => ({
        ...task,
        runs: allRuns.filter((run) => run.task === task.id),
        interactions: interactions
          .filter((interaction) => interaction.task === task.id)
          .map((interaction) => ({
            ...interaction,
            decided: events.filter(({ type, data }) => type === 'interaction_decided' && data.interaction === interaction.id)
              .length,
          })),
      })),
      inbox: countsOf(await rows(`SELECT "state" AS "what", count(*)::int AS "count" FROM "Inbox" GROUP BY 1`)),
      outbox: countsOf(
        await rows(`SELECT "payloadType" || ' ' || "state" AS "what", count(*)::int AS "count" FROM "Outbox" GROUP BY 1`),
      ),
    };
  });
}

interface StoredEvent {
  run: string;
  seq: number;
  type: string;
  data: { stream?: string; from?: number; to?: number; text?: string; interaction?: string };
}

function countsOf(rows: { what: string; count: number }[]): Record<string, number> {
  return Object.fromEntries(rows.map(({ what, count }) => [what, count]));
}
