import { Prisma } from '../../prisma/client/client.ts';
import type { Tx } from './database.ts';

/** What a run has done, in numbers: its log says the rest. */
export interface RunActs {
  calls: number;
  /** Calls that did not end well. */
  failed: number;
  /** Calls by the name of the tool, those that were called most. */
  tools: Record<string, number>;
  /** Hosts that its sandbox wanted to reach and may not. */
  refusedHosts: string[];
}

const mostNames = 20;

/** How a refused host is told of in the log. */
export const refusedHostText = (host: string) => `The sandbox may not reach ${host}.`;

/** Counted by the database: logs are long. */
export async function actsOfRun({ db }: Pick<Tx, 'db'>, run: string): Promise<RunActs> {
  const tools = await db.$queryRaw<{ tool: string; calls: number }[]>(Prisma.sql`
    SELECT left("data"->>'tool', 80) AS tool, count(*)::int AS calls FROM "RunEvent"
    WHERE "runId" = ${run} AND "type" = 'tool' GROUP BY 1 ORDER BY 2 DESC, 1`);
  const [ended] = await db.$queryRaw<{ failed: number }[]>(Prisma.sql`
    SELECT count(*)::int AS failed FROM "RunEvent"
    WHERE "runId" = ${run} AND "type" = 'tool_ended' AND "data"->>'ok' = 'false'`);
  const hosts = await db.$queryRaw<{ host: string }[]>(Prisma.sql`
    SELECT DISTINCT left(substring("data"->>'text' FROM '^The sandbox may not reach (.*)[.]$'), 255) AS host FROM "RunEvent"
    WHERE "runId" = ${run} AND "type" = 'note' AND "data"->>'text' LIKE 'The sandbox may not reach %' ORDER BY 1 LIMIT ${mostNames}`);
  return {
    calls: tools.reduce((sum, { calls }) => sum + calls, 0),
    failed: ended?.failed ?? 0,
    tools: Object.fromEntries(tools.slice(0, mostNames).map(({ tool, calls }) => [tool, calls])),
    refusedHosts: hosts.map(({ host }) => host),
  };
}
