import type { Prisma } from '../../prisma/client/client.ts';
import { type AgentSettings, agentSettingsSchema } from '../contracts/agent.ts';
import { type ComparisonState, comparisonStateSchema } from '../contracts/comparison.ts';
import { type RunResult, runResultSchema } from '../contracts/run-event.ts';
import { isTerminal, type RunState, runStateSchema, type TaskColumn, taskColumnSchema } from '../contracts/states.ts';
import type { Tx } from './database.ts';
import { withoutLarge } from './runs.ts';
import { everywhere, inSight, type Sight } from './task-sight.ts';

/** A task as lists and cards of commands need it. */
export interface TaskRow {
  id: string;
  number: number;
  title: string;
  /** The command line, or the prompt of an agent's task. */
  command: string;
  /** What the agent of the next run works with; undefined: the task of a command. */
  agent: AgentSettings | undefined;
  /** US dollars; null: no limit. */
  budgetUsd: number | null;
  spentUsd: number;
  column: TaskColumn;
  reason: string | undefined;
  project: { id: string; name: string };
  branch: string;
  baseBranch: string | undefined;
  baseCommit: string | undefined;
  head: string | undefined;
  policyVersion: number;
  /** Labels that a runner must have to take its runs: contracts/labels.ts `labelList`. */
  runsOn: string;
  requester: string;
  createdAt: Date;
  /** The latest run; undefined for a card that never ran. Of attempts that were made side by side the chosen one, or one that is alive. */
  run: RunRow | undefined;
  /** How the attempts stand that were made side by side; undefined: there are none. */
  comparison: ComparisonState | undefined;
  /** How many there are. */
  attempts: number | undefined;
  /** Id of the attempt that was chosen. */
  chosen: string | undefined;
}

export interface RunRow {
  id: string;
  attempt: number;
  /** Its number among attempts that are made side by side. */
  variant: number | undefined;
  state: RunState;
  requestedBy: string;
  queuedAt: Date;
  startedAt: Date | undefined;
  endedAt: Date | undefined;
  stopRequested: boolean;
  lastSeq: number;
  result: RunResult | undefined;
}

/** Which tasks a list shows. `projects` undefined: all of the workspace. */
export interface TaskFilter {
  workspace: string;
  sight: Sight;
  projects?: readonly string[] | undefined;
  /** Asked for by one of these ids; undefined: by anybody. */
  requesters?: readonly string[] | undefined;
  columns?: readonly TaskColumn[] | undefined;
}

const withRun = {
  project: { select: { id: true, name: true } },
  runs: { orderBy: { attempt: 'desc' as const }, take: 1, omit: withoutLarge },
} satisfies Prisma.TaskInclude;
type TaskWithRun = Prisma.TaskGetPayload<{ include: typeof withRun }>;
type RunColumns = TaskWithRun['runs'][number];

/** The task with this number, where it is to be seen from `sight`. */
export async function taskByNumber(
  tx: Tx,
  workspace: string,
  number: number,
  sight: Sight | typeof everywhere,
): Promise<TaskRow | undefined> {
  const row = await tx.db.task.findFirst({ where: { workspaceId: workspace, number, ...inSight(sight) }, include: withRun });
  return await taskWith(tx, row);
}

/** The task with this id in this workspace; an id of another workspace is no task (promise 12). */
export async function taskById(
  tx: Tx,
  workspace: string,
  id: string,
  sight: Sight | typeof everywhere = everywhere,
): Promise<TaskRow | undefined> {
  const row = await tx.db.task.findFirst({ where: { id, workspaceId: workspace, ...inSight(sight) }, include: withRun });
  return await taskWith(tx, row);
}

/** The task whose thread this is. `thread`: the platform's thread id within our channel row. */
export async function taskOfThread(tx: Tx, workspace: string, channel: string, thread: string): Promise<TaskRow | undefined> {
  const row = await tx.db.thread.findFirst({
    where: { channelId: channel, externalId: thread, workspaceId: workspace },
    include: { task: { include: withRun } },
  });
  return await taskWith(tx, row?.task);
}

/** The task of this run in this workspace, where it is to be seen; a run of another workspace is no run (promise 12). */
export async function taskOfRun(
  tx: Tx,
  workspace: string,
  run: string,
  sight: Sight | typeof everywhere = everywhere,
): Promise<TaskRow | undefined> {
  const where = { workspaceId: workspace, runs: { some: { id: run } }, ...inSight(sight) };
  const row = await tx.db.task.findFirst({ where, include: withRun });
  return await taskWith(tx, row);
}

/** True when some task lives in this platform thread: answered without making rows for people or channels. */
export async function isTaskThread(
  tx: Tx,
  workspace: string,
  at: { platform: string; tenant: string; channel: string; thread: string },
): Promise<boolean> {
  const row = await tx.db.thread.findFirst({
    where: {
      workspaceId: workspace,
      externalId: at.thread,
      channel: { platform: at.platform, tenant: at.tenant, externalId: at.channel },
    },
    select: { id: true },
  });
  return row !== null;
}

/** The platform's id of a task's thread in one of our channels; undefined: it has none there, or its first message is not sent yet. */
export async function threadOfTaskIn(tx: Tx, task: string, channel: string): Promise<string | undefined> {
  const row = await tx.db.thread.findFirst({ where: { taskId: task, channelId: channel }, orderBy: { id: 'asc' } });
  return row?.externalId ?? undefined;
}

/** One page of tasks, newest first, and how many there are over all pages. */
export async function listTasks(
  tx: Tx,
  filter: TaskFilter,
  page: { size: number; number: number },
): Promise<{ tasks: TaskRow[]; total: number }> {
  const where = whereOf(filter);
  const total = await tx.db.task.count({ where });
  const rows = await tx.db.task.findMany({
    where,
    include: withRun,
    orderBy: { number: 'desc' },
    skip: (page.number - 1) * page.size,
    take: page.size,
  });
  return { tasks: await tasksWith(tx, rows), total };
}

/** The first cards of a column in the order of the board. */
export async function cardsOf(tx: Tx, filter: TaskFilter, column: TaskColumn, limit: number): Promise<TaskRow[]> {
  const rows = await tx.db.task.findMany({
    where: { ...whereOf(filter), column },
    include: withRun,
    orderBy: column === 'done' || column === 'cancelled' ? { updatedAt: 'desc' } : [{ rank: 'asc' }, { number: 'asc' }],
    take: limit,
  });
  return await tasksWith(tx, rows);
}

export async function countByColumn(tx: Tx, filter: TaskFilter): Promise<Map<TaskColumn, number>> {
  const rows = await tx.db.task.groupBy({ by: ['column'], where: whereOf(filter), _count: { _all: true } });
  return new Map(rows.map((row) => [taskColumnSchema.parse(row.column), row._count._all]));
}

/** All runs of a task, oldest first. */
export async function runsOf(tx: Tx, task: string): Promise<RunRow[]> {
  const rows = await tx.db.run.findMany({ where: { taskId: task }, orderBy: { attempt: 'asc' }, omit: withoutLarge });
  return rows.map(toRun);
}

/**
 * Of the runs of a task, oldest first, the one whose change is the task's: the last that has changed something, where attempts that were made
 * side by side count only when chosen.
 */
export function changeRunOf(runs: readonly RunRow[], { chosen }: Pick<TaskRow, 'chosen'>): RunRow | undefined {
  return runs.findLast(({ id, variant, result }) => result?.commit !== undefined && (variant === undefined || id === chosen));
}

/** How many tasks of a project are not over: queued, running or blocked. */
export async function unfinishedTasks(tx: Tx, project: string): Promise<number> {
  return tx.db.task.count({ where: { projectId: project, column: { in: ['queued', 'running', 'blocked'] } } });
}

function whereOf(filter: TaskFilter): Prisma.TaskWhereInput {
  return {
    workspaceId: filter.workspace,
    ...inSight(filter.sight),
    ...(filter.projects === undefined ? {} : { projectId: { in: [...filter.projects] } }),
    ...(filter.requesters === undefined ? {} : { requesterId: { in: [...filter.requesters] } }),
    ...(filter.columns === undefined ? {} : { column: { in: [...filter.columns] } }),
  };
}

/** Tasks with the run that stands for each. */
async function tasksWith(tx: Tx, rows: readonly TaskWithRun[]): Promise<TaskRow[]> {
  const compared = rows.filter(({ runs: [last], comparison }) => {
    return last !== undefined && last.variant !== null && (comparison === 'running' || comparison === 'chosen');
  });
  if (compared.length === 0) return rows.map((row) => toTask(row, row.runs[0]));
  const attempts = await tx.db.run.findMany({
    where: { taskId: { in: compared.map(({ id }) => id) } },
    orderBy: { attempt: 'desc' },
    omit: withoutLarge,
  });
  return rows.map((row) => {
    const own = compared.includes(row) ? attempts.filter(({ taskId }) => taskId === row.id) : [];
    const alive = own.find(({ state }) => !isTerminal(runStateSchema.parse(state)));
    return toTask(row, own.find(({ id }) => id === row.chosenRunId) ?? alive ?? row.runs[0]);
  });
}

async function taskWith(tx: Tx, row: TaskWithRun | null | undefined): Promise<TaskRow | undefined> {
  return row === null || row === undefined ? undefined : (await tasksWith(tx, [row]))[0];
}

function toTask(row: TaskWithRun, run: RunColumns | undefined): TaskRow {
  return {
    id: row.id,
    number: row.number,
    title: row.title,
    command: row.command,
    agent: row.agent === null ? undefined : agentSettingsSchema.parse(row.agent),
    budgetUsd: row.budgetUsd,
    spentUsd: row.spentUsd,
    column: taskColumnSchema.parse(row.column),
    reason: row.reason ?? undefined,
    project: row.project,
    branch: row.branch,
    baseBranch: row.baseBranch ?? undefined,
    baseCommit: row.baseCommit ?? undefined,
    head: row.head ?? undefined,
    runsOn: row.runsOn,
    policyVersion: row.policyVersion,
    requester: row.requesterId,
    createdAt: row.createdAt,
    run: run === undefined ? undefined : toRun(run),
    comparison: row.comparison === null ? undefined : comparisonStateSchema.parse(row.comparison),
    attempts: row.attempts ?? undefined,
    chosen: row.chosenRunId ?? undefined,
  };
}

function toRun(row: RunColumns): RunRow {
  return {
    id: row.id,
    attempt: row.attempt,
    variant: row.variant ?? undefined,
    state: runStateSchema.parse(row.state),
    requestedBy: row.requestedById,
    queuedAt: row.queuedAt,
    startedAt: row.startedAt ?? undefined,
    endedAt: row.endedAt ?? undefined,
    stopRequested: row.stopRequestedAt !== null,
    lastSeq: row.lastSeq,
    result: row.result === null ? undefined : runResultSchema.parse(row.result),
  };
}
