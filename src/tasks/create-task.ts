import { AppError } from '../contracts/errors.ts';
import type { Tx } from '../store/database.ts';
import { projectById } from '../store/projects.ts';
import { latestRun } from '../store/runs.ts';
import { createTask, nextTaskNumber, taskByOrigin } from '../store/tasks.ts';
import { createThread } from '../store/threads.ts';
import { taskBranch, taskTitle } from './naming.ts';
import { startRun } from './start-run.ts';
import type { CommandTaskInput, CreatedTask } from './task-engine.ts';

/** A shell takes its script as one argument, of which Linux allows 128 KiB. */
const longestCommandBytes = 100_000;

/** Makes a task with its first run. The same origin makes the same task, however often and from wherever it comes (promise 2). */
export async function createCommandTask(tx: Tx, input: CommandTaskInput, now: Date): Promise<CreatedTask> {
  const { workspace, requester, command } = input;
  if (requester.workspace !== workspace) throw new Error('the requester is of another workspace');
  checkCommand(command);
  const project = await projectById(tx, workspace, input.project);
  if (project === undefined) {
    throw new AppError('DH-205', { project: input.project, suggestion: '`project list` names the projects there are.' });
  }
  const number = await nextTaskNumber(tx, workspace);
  if (number === undefined) throw new Error(`no workspace ${workspace}`);
  const known = await taskByOrigin(tx, workspace, input.originKey);
  if (known !== undefined) {
    const run = await latestRun(tx, known.id);
    if (run === undefined) throw new Error(`task ${known.id} has no run`);
    return { task: known.id, number: known.number, run: run.id };
  }
  const title = taskTitle(command);
  const task = await createTask(tx, {
    workspace,
    number,
    project: project.id,
    title,
    command,
    branch: taskBranch(number, title),
    policy: project.policy,
    policyVersion: project.policyVersion,
    requester: requester.user,
    originKey: input.originKey,
    at: now,
  });
  await createThread(tx, { workspace, task: task.id, channel: input.channel, externalId: input.thread });
  const { timeoutMs } = project.limits;
  const run = await startRun(tx, { task, attempt: 1, timeoutMs, by: requester, at: now });
  return { task: task.id, number, run: run.id };
}

function checkCommand(command: string): void {
  const problem = problemOf(command);
  if (problem !== undefined) throw new AppError('DH-201', { problem, example: 'sh npm test' });
}

function problemOf(command: string): string | undefined {
  if (command.trim() === '') return 'The command is empty.';
  if (command.includes('\0')) return 'The command contains a NUL character, which no program can be given.';
  if (!command.isWellFormed())
    return 'The command contains half a character (a lone surrogate), which cannot be sent to a shell.';
  if (Buffer.byteLength(command) > longestCommandBytes) {
    return `The command is longer than ${longestCommandBytes.toLocaleString('en-US')} bytes; put it into a script in the repository.`;
  }
  return undefined;
}
