import type { Prisma } from '../../prisma/client/client.ts';
import { type AgentSettings, agentSettingsSchema } from '../contracts/agent.ts';
import { type RunResult, runResultSchema } from '../contracts/run-event.ts';
import { type RunState, runStateSchema, type TaskColumn, taskColumnSchema } from '../contracts/states.ts';
import type { Tx } from './database.ts';

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
  requester: string;
  createdAt: Date;
  /** The latest run; undefined for a card that never ran. */
  run: RunRow | undefined;
}

export interface RunRow {
  id: string;
  attempt: number;
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
  projects?: readonly string[] | undefined;
  /** Asked for by one of these ids; undefined: by anybody. */
  requesters?: readonly string[] | undefined;
  columns?: readonly TaskColumn[] | undefined;
}

const withRun = {
  project: { select: { id: true, name: true } },
  runs: { orderBy: { attempt: 'desc' as const }, take: 1 },
} satisfies Prisma.TaskInclude;
type TaskWithRun = Prisma.TaskGetPayload<{ include: typeof withRun }>;

export async function taskByNumber(tx: Tx, workspace: string, number: number): Promise<TaskRow | undefined> {
  const row = await tx.db.task.findUnique({
    where: { workspaceId_number: { workspaceId: workspace, number } },
    include: withRun,
  });
  return row === null ? undefined : toTask(row);
}

/** The task with this id in this workspace; an id of another workspace is no task (promise 12). */
export async function taskById(tx: Tx, workspace: string, id: string): Promise<TaskRow | undefined> {
  const row = await tx.db.task.findFirst({ where: { id, workspaceId: workspace }, include: withRun });
  return row === null ? undefined : toTask(row);
}

/** The task whose thread this is. `thread`: the platform's thread id within our channel row. */
export async function taskOfThread(tx: Tx, workspace: string, channel: string, thread: string): Promise<TaskRow | undefined> {
  const row = await tx.db.thread.findFirst({
    where: { channelId: channel, externalId: thread, workspaceId: workspace },
    include: { task: { include: withRun } },
  });
  return row === null ? undefined : toTask(row.task);
}

/** The task of this run in this workspace; a run of another workspace is no run (promise 12). */
export async function taskOfRun(tx: Tx, workspace: string, run: string): Promise<TaskRow | undefined> {
  const row = await tx.db.task.findFirst({ where: { workspaceId: workspace, runs: { some: { id: run } } }, include: withRun });
  return row === null ? undefined : toTask(row);
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
  return { tasks: rows.map(toTask), total };
}

/** The first cards of a column in the order of the board. */
export async function cardsOf(tx: Tx, filter: TaskFilter, column: TaskColumn, limit: number): Promise<TaskRow[]> {
  const rows = await tx.db.task.findMany({
    where: { ...whereOf(filter), column },
    include: withRun,
    orderBy: column === 'done' || column === 'cancelled' ? { updatedAt: 'desc' } : [{ rank: 'asc' }, { number: 'asc' }],
    take: limit,
  });
  return rows.map(toTask);
}

export async function countByColumn(tx: Tx, filter: TaskFilter): Promise<Map<TaskColumn, number>> {
  const rows = await tx.db.task.groupBy({ by: ['column'], where: whereOf(filter), _count: { _all: true } });
  return new Map(rows.map((row) => [taskColumnSchema.parse(row.column), row._count._all]));
}

/** All runs of a task, oldest first. */
export async function runsOf(tx: Tx, task: string): Promise<RunRow[]> {
  const rows = await tx.db.run.findMany({ where: { taskId: task }, orderBy: { attempt: 'asc' } });
  return rows.map(toRun);
}

/** How many tasks of a project are not over: queued, running or blocked. */
export async function unfinishedTasks(tx: Tx, project: string): Promise<number> {
  return tx.db.task.count({ where: { projectId: project, column: { in: ['queued', 'running', 'blocked'] } } });
}

function whereOf(filter: TaskFilter): Prisma.TaskWhereInput {
  return {
    workspaceId: filter.workspace,
    ...(filter.projects === undefined ? {} : { projectId: { in: [...filter.projects] } }),
    ...(filter.requesters === undefined ? {} : { requesterId: { in: [...filter.requesters] } }),
    ...(filter.columns === undefined ? {} : { column: { in: [...filter.columns] } }),
  };
}

function toTask(row: TaskWithRun): TaskRow {
  const run = row.runs[0];
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
    policyVersion: row.policyVersion,
    requester: row.requesterId,
    createdAt: row.createdAt,
    run: run === undefined ? undefined : toRun(run),
  };
}

function toRun(row: TaskWithRun['runs'][number]): RunRow {
  return {
    id: row.id,
    attempt: row.attempt,
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
