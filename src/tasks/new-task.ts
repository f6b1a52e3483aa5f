import { labelList } from '../contracts/labels.ts';
import type { Tx } from '../store/database.ts';
import type { Project } from '../store/projects.ts';
import { latestRun, type RunRecord } from '../store/runs.ts';
import { createTask, type NewAgentTask, nextTaskNumber, type TaskRecord, taskByOrigin } from '../store/tasks.ts';
import { createThread } from '../store/threads.ts';
import { taskBranch, taskTitle } from './naming.ts';
import type { CreatedTask, Person } from './task-engine.ts';

export interface NewTaskInput {
  workspace: string;
  project: Project;
  requester: Person;
  /** The command, or what an agent is to do. */
  text: string;
  /** Labels that a runner must have; undefined: those of the project. */
  runsOn?: readonly string[] | undefined;
  /** How it is to be called; undefined: like the first line of the text. */
  title?: string | undefined;
  /** Set for the task of an agent. */
  agent?: NewAgentTask | undefined;
  channel: string;
  /** The platform's thread; null: the first card opens it. */
  thread: string | null;
  originKey: string;
}

/**
 * Numbers and makes a task with its thread; `begin` makes its first run. The same origin makes the same task, however often and from
 * wherever it comes (promise 2).
 */
export async function makeTask(
  tx: Tx,
  { workspace, project, requester, text, title: called, runsOn, agent, channel, thread, originKey }: NewTaskInput,
  at: Date,
  begin: (task: TaskRecord) => Promise<RunRecord>,
): Promise<CreatedTask> {
  if (requester.workspace !== workspace) throw new Error('the requester is of another workspace');
  const number = await nextTaskNumber(tx, workspace);
  if (number === undefined) throw new Error(`no workspace ${workspace}`);
  const known = await taskByOrigin(tx, workspace, originKey);
  if (known !== undefined) {
    const run = await latestRun(tx, known.id);
    if (run === undefined) throw new Error(`task ${known.id} has no run`);
    return { task: known.id, number: known.number, run: run.id };
  }
  const title = taskTitle(called ?? text);
  const task = await createTask(tx, {
    workspace,
    number,
    project: project.id,
    title,
    command: text,
    branch: taskBranch(number, title),
    policy: project.policy,
    policyVersion: project.policyVersion,
    requester: requester.user,
    runsOn: labelList(runsOn ?? project.limits.runsOn ?? []),
    origin: channel,
    originKey,
    at,
    ...(agent === undefined ? {} : { agent }),
  });
  await createThread(tx, { workspace, task: task.id, channel, externalId: thread });
  const run = await begin(task);
  return { task: task.id, number, run: run.id };
}
