import { AppError } from '../contracts/errors.ts';
import type { Tx } from '../store/database.ts';
import { projectById } from '../store/projects.ts';
import { makeTask } from './new-task.ts';
import { startRun } from './start-run.ts';
import type { CommandTaskInput, CreatedTask } from './task-engine.ts';

/** A shell takes its script as one argument, of which Linux allows 128 KiB. */
const longestCommandBytes = 100_000;

/** Makes a task with its first run. The same origin makes the same task, however often and from wherever it comes (promise 2). */
export async function createCommandTask(tx: Tx, input: CommandTaskInput, now: Date): Promise<CreatedTask> {
  const { workspace, command } = input;
  checkCommand(command);
  const project = await projectById(tx, workspace, input.project);
  if (project === undefined) {
    throw new AppError('DH-205', { project: input.project, suggestion: '`project list` names the projects there are.' });
  }
  const { timeoutMs } = project.limits;
  const { requester: by, runsOn, channel, thread, originKey } = input;
  return makeTask(tx, { workspace, project, requester: by, text: command, runsOn, channel, thread, originKey }, now, (task) =>
    startRun(tx, { task, attempt: 1, timeoutMs, by, at: now }),
  );
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
