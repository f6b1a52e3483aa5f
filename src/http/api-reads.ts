import type { z } from 'zod';
import type { Caller } from '../access/token-access.ts';
import { type ApiRun, type ApiTask, apiEvent, type apiEventsSchema, apiResult, type apiTasksSchema } from '../contracts/api.ts';
import { AppError } from '../contracts/errors.ts';
import type { EventLog } from '../contracts/run-event.ts';
import { isTerminal, type TaskColumn } from '../contracts/states.ts';
import { redactText } from '../runtime/redact-patterns.ts';
import type { Database, Tx } from '../store/database.ts';
import { namesOf } from '../store/people.ts';
import { projectByName } from '../store/projects.ts';
import { logStanding } from '../store/run-queries.ts';
import { listTasks, type RunRow, runsOf, type TaskRow, taskByNumber, taskOfRun } from '../store/task-queries.ts';

/** How far a caller reaches: a workspace, or one project of it. */
export type Reach = Pick<Caller, 'workspace' | 'project'>;

/** What the API reads. What is of another workspace is as what is not there (promise 12). */
export interface ApiReads {
  tasks(
    reach: Reach,
    page: { column?: TaskColumn | undefined; project?: string | undefined; page: number; limit: number },
  ): Promise<z.infer<typeof apiTasksSchema>>;
  /** Throws DH-204. */
  task(reach: Reach, number: string): Promise<ApiTask>;
  /** Throws DH-224. */
  run(reach: Reach, run: string): Promise<ApiRun>;
  /** Throws DH-224. */
  events(reach: Reach, run: string, after: number, limit: number): Promise<z.infer<typeof apiEventsSchema>>;
  /** How the log of a run stands. Throws DH-224. */
  log(reach: Reach, run: string): Promise<{ lastSeq: number; over: boolean }>;
}

export function createApiReads({ database, log }: { database: Database; log: Pick<EventLog, 'read'> }): ApiReads {
  async function standing({ workspace, project }: Reach, run: string): Promise<{ lastSeq: number; over: boolean }> {
    const found = await logStanding(database, workspace, run);
    const task = project === undefined ? undefined : await database.transaction((tx) => taskOfRun(tx, workspace, run));
    if (found === undefined || !reaches({ workspace, project }, task)) throw noRun(run);
    return { lastSeq: found.lastSeq, over: isTerminal(found.state) };
  }

  return {
    log: standing,
    tasks: ({ workspace, project: only }, { column, project, page, limit }) =>
      database.transaction(async (tx) => {
        const named = project === undefined ? undefined : await projectByName(tx, workspace, project);
        // A project that is out of reach is as one that is not there.
        if (project !== undefined && (named === undefined || (only !== undefined && named.id !== only))) {
          throw new AppError('DH-205', { project: project.slice(0, 80), suggestion: 'Leave it out for all projects.' });
        }
        const found = await listTasks(
          tx,
          {
            workspace,
            projects: named !== undefined ? [named.id] : only === undefined ? undefined : [only],
            columns: column === undefined ? undefined : [column],
          },
          { size: limit, number: page },
        );
        const tasks = await apiTasks(tx, workspace, found.tasks);
        return { tasks, page, pages: Math.max(1, Math.ceil(found.total / limit)), total: found.total };
      }),
    task: ({ workspace, project }, number) =>
      database.transaction(async (tx) => {
        const task = /^[1-9]\d{0,8}$/.test(number) ? await taskByNumber(tx, workspace, Number(number)) : undefined;
        const [shown] = task === undefined || !reaches({ workspace, project }, task) ? [] : await apiTasks(tx, workspace, [task]);
        if (shown === undefined) throw new AppError('DH-204', { task: `#${number}` });
        return shown;
      }),
    run: ({ workspace, project }, id) =>
      database.transaction(async (tx) => {
        const task = await taskOfRun(tx, workspace, id);
        const run = task === undefined ? undefined : (await runsOf(tx, task.id)).find((one) => one.id === id);
        if (task === undefined || run === undefined || !reaches({ workspace, project }, task)) throw noRun(id);
        const names = await namesOf(tx, workspace, [run.requestedBy]);
        return apiRun(run, task.number, names);
      }),
    async events(reach, run, asked, limit) {
      const { lastSeq, over } = await standing(reach, run);
      const found = await log.read(run, asked, limit);
      // Old runs have gaps: what is not there any more is passed over.
      const after = found.at(-1)?.seq ?? Math.max(lastSeq, asked);
      return { events: found.flatMap((event) => apiEvent(event) ?? []), after, more: after < lastSeq, over };
    },
  };
}

function reaches({ project }: Reach, task: TaskRow | undefined): boolean {
  return project === undefined || task?.project.id === project;
}

/** What is no id is told as it was sent, but no longer than an id is. */
function noRun(run: string): AppError {
  return new AppError('DH-224', { run: run.slice(0, 40) });
}

async function apiTasks(tx: Tx, workspace: string, tasks: readonly TaskRow[]): Promise<ApiTask[]> {
  const people = tasks.flatMap(({ requester, run }) => [requester, ...(run === undefined ? [] : [run.requestedBy])]);
  const names = await namesOf(tx, workspace, people);
  return tasks.map((task) => ({
    id: task.id,
    number: task.number,
    title: redactText(task.title, []),
    request: redactText(task.command, []),
    agent: task.agent?.agent ?? null,
    column: task.column,
    reason: task.reason ?? null,
    project: task.project.name,
    branch: task.branch,
    baseBranch: task.baseBranch ?? null,
    baseCommit: task.baseCommit ?? null,
    head: task.head ?? null,
    requester: names.get(task.requester) ?? null,
    createdAt: task.createdAt.toISOString(),
    spentUsd: task.spentUsd,
    budgetUsd: task.budgetUsd,
    run: task.run === undefined ? null : apiRun(task.run, task.number, names),
  }));
}

function apiRun(run: RunRow, task: number, names: ReadonlyMap<string, string>): ApiRun {
  return {
    id: run.id,
    task,
    attempt: run.attempt,
    variant: run.variant ?? null,
    state: run.state,
    requestedBy: names.get(run.requestedBy) ?? null,
    queuedAt: run.queuedAt.toISOString(),
    startedAt: run.startedAt?.toISOString() ?? null,
    endedAt: run.endedAt?.toISOString() ?? null,
    lastEvent: run.lastSeq,
    result: run.result === undefined ? null : apiResult(run.result),
  };
}
