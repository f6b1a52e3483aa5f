import type { z } from 'zod';
import { projectsSeenBy, roleAbout } from '../access/role-about.ts';
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
import type { Sight } from '../store/task-sight.ts';

/** How far a caller reaches: what the person may see, or a service; at most one project where the token is for one. */
export type Reach = Pick<Caller, 'kind' | 'workspace' | 'project' | 'user'>;

/** What the API reads. What is of another workspace, or of a project that the caller may not see, is as what is not there (promise 12). */
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
  log(reach: Reach, run: string): Promise<{ lastSeq: number; over: boolean; project: string }>;
}

export function createApiReads({ database, log }: { database: Database; log: Pick<EventLog, 'read'> }): ApiReads {
  async function standing(reach: Reach, run: string): Promise<{ lastSeq: number; over: boolean; project: string }> {
    const found = await database.transaction(async (tx) => {
      const there = await logStanding(tx, reach.workspace, run, sightOf(reach));
      return there !== undefined && (await reaches(tx, reach, there.project)) ? there : undefined;
    });
    if (found === undefined) throw noRun(run);
    return { lastSeq: found.lastSeq, over: isTerminal(found.state), project: found.project };
  }

  return {
    log: standing,
    tasks: (reach, { column, project, page, limit }) =>
      database.transaction(async (tx) => {
        const { workspace } = reach;
        const seen = await projectsOfReach(tx, reach);
        const named = project === undefined ? undefined : await projectByName(tx, workspace, project);
        // A project that is out of reach is as one that is not there.
        if (project !== undefined && (named === undefined || seen?.includes(named.id) === false)) {
          throw new AppError('DH-205', { project: project.slice(0, 80), suggestion: 'Leave it out for all projects.' });
        }
        const found = await listTasks(
          tx,
          {
            workspace,
            sight: sightOf(reach),
            projects: named === undefined ? seen : [named.id],
            columns: column === undefined ? undefined : [column],
          },
          { size: limit, number: page },
        );
        const tasks = await apiTasks(tx, workspace, found.tasks);
        return { tasks, page, pages: Math.max(1, Math.ceil(found.total / limit)), total: found.total };
      }),
    task: (reach, number) =>
      database.transaction(async (tx) => {
        const { workspace } = reach;
        const task = /^[1-9]\d{0,8}$/.test(number)
          ? await taskByNumber(tx, workspace, Number(number), sightOf(reach))
          : undefined;
        const isShown = task !== undefined && (await reaches(tx, reach, task.project.id));
        const [shown] = isShown ? await apiTasks(tx, workspace, [task]) : [];
        if (shown === undefined) throw new AppError('DH-204', { task: `#${number}` });
        return shown;
      }),
    run: (reach, id) =>
      database.transaction(async (tx) => {
        const { workspace } = reach;
        const task = await taskOfRun(tx, workspace, id, sightOf(reach));
        const isShown = task !== undefined && (await reaches(tx, reach, task.project.id));
        const run = !isShown ? undefined : (await runsOf(tx, task.id)).find((one) => one.id === id);
        if (task === undefined || run === undefined) throw noRun(id);
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

/** A token belongs to no conversation: of private tasks it shows those that its person has asked for. */
function sightOf({ kind, user }: Reach): Sight {
  return { channel: undefined, readers: kind === 'service' ? [] : [user] };
}

async function reaches(tx: Tx, { kind, workspace, project: only, user }: Reach, project: string): Promise<boolean> {
  if (only !== undefined && only !== project) return false;
  return kind === 'service' || (await roleAbout(tx, { workspace, place: project, user })) !== undefined;
}

/** Undefined: all of the workspace. */
async function projectsOfReach(tx: Tx, { kind, workspace, project: only, user }: Reach): Promise<string[] | undefined> {
  const seen = kind === 'service' ? undefined : await projectsSeenBy(tx, workspace, user);
  if (only === undefined) return seen;
  return seen?.includes(only) === false ? [] : [only];
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
