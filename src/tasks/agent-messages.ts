import { AppError } from '../contracts/errors.ts';
import { dropAttached, runOfAttached } from '../store/attached-files.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents } from '../store/run-events.ts';
import { addMail, messageByOrigin, messageName, nextMail, settleMessage } from '../store/run-mail.ts';
import { runById } from '../store/runs.ts';
import { storableText } from '../store/storable.ts';
import { lockTask } from '../store/tasks.ts';
import { personActor } from './advance.ts';
import { agentOf, checkMaySpeak, checkPrompt } from './agent-rights.ts';
import type { AgentTasks, SteerInput, SteerResult } from './agent-tasks.ts';
import { attachFiles, filesOrigin, isFilesOrigin } from './attached-files.ts';
import { hold, isAlive } from './hold-task.ts';
import type { Person } from './task-engine.ts';

/** Says something to the agent at work. The same message is one mail, however often it comes (promise 2). */
export async function steer(tx: Tx, input: SteerInput, at: Date): Promise<SteerResult> {
  const { by, when, origin } = input;
  const { task, run } = await hold(tx, input.task, by);
  agentOf(task);
  const known = await messageByOrigin(tx, task.workspace, origin);
  if (known !== undefined && (await taskOfRun(tx, known.run)) === task.id) {
    return { outcome: 'known', run: known.run, message: messageName(known.seq), taskNumber: task.number };
  }
  if (!isAlive(run)) return { outcome: 'at_rest', taskNumber: task.number };
  await checkMaySpeak(tx, by, run.agent?.mode);
  const { files = [] } = input;
  const isOnlyFiles = files.length > 0 && input.text.trim() === '';
  if (!isOnlyFiles) checkPrompt(input.text);
  if (run.stopRequestedAt !== null || run.state === 'finishing') {
    throw new AppError('DH-300', {
      what: `#${task.number} is ${run.stopRequestedAt === null ? 'just ending' : 'being stopped'}.`,
      instead: 'Say it again when it has ended: it goes on from there.',
    });
  }
  await attachFiles(tx, run, files, origin, at);
  const text = storableText(input.text);
  const message = messageName(await nextMail(tx, run.id));
  if (isOnlyFiles) return { outcome: 'sent', run: run.id, message, taskNumber: task.number };
  const mail = { type: 'message', message, by: by.name, text, when } as const;
  await addMail(tx, { run: run.id, workspace: task.workspace, mail, at, origin, user: by.user });
  const events = [{ type: 'message', message, by: by.name, text, when }] as const;
  await appendEvents(tx, { run: run.id, actor: personActor(by), at, events });
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action: 'run.steered',
    subject: run.id,
    data: { task: task.id, message, when, role: by.role ?? null },
  });
  return { outcome: 'sent', run: run.id, message, taskNumber: task.number };
}

async function taskOfRun(tx: Tx, run: string): Promise<string | undefined> {
  return (await runById(tx, run))?.task;
}

/** A message was edited or deleted at its platform: what the agent has not read yet changes with it. */
export async function changeMessage(
  tx: Tx,
  input: { workspace: string; origin: string; text: string | null; by: Person },
  at: Date,
): ReturnType<AgentTasks['changeMessage']> {
  const { workspace, origin, by } = input;
  // Its files may have been told of already, in a message of their own.
  if (input.text === null && !isFilesOrigin(origin)) await changeMessage(tx, { ...input, origin: filesOrigin(origin) }, at);
  const files = input.text === null && by.workspace === workspace ? await dropFiles(tx, workspace, origin, at) : false;
  const first = by.workspace === workspace ? await messageByOrigin(tx, workspace, origin) : undefined;
  const run = first === undefined ? undefined : await runById(tx, first.run);
  const task = run === undefined ? undefined : await lockTask(tx, run.task);
  // Read again: it may have been read while this waited for the lock.
  const row = await messageByOrigin(tx, workspace, origin);
  if (row === undefined || run === undefined || task === undefined || row.mail.type !== 'message')
    return { outcome: files ? 'dropped' : 'unknown' };
  if (row.state !== 'unread' || !isAlive((await runById(tx, run.id)) ?? undefined)) return { outcome: 'too_late' };
  const text = input.text === null || input.text.trim() === '' ? null : storableText(input.text);
  if (text !== null) {
    await checkMaySpeak(tx, by, run.agent?.mode);
    checkPrompt(text);
  }
  const { message, when } = row.mail;
  await addMail(tx, { run: run.id, workspace, mail: { type: 'message_changed', message, text }, at, user: by.user });
  const actor = personActor(by);
  if (text === null) {
    await settleMessage(tx, run.id, row.seq, 'dropped');
    await appendEvents(tx, { run: run.id, actor, at, events: [{ type: 'message_settled', message, how: 'dropped' }] });
    return { outcome: 'dropped' };
  }
  await appendEvents(tx, { run: run.id, actor, at, events: [{ type: 'message', message, by: by.name, text, when }] });
  return { outcome: 'changed' };
}

/** Files of a message that was deleted: what the agent has not been told of goes with it. */
async function dropFiles(tx: Tx, workspace: string, origin: string, at: Date): Promise<boolean> {
  const known = await runOfAttached(tx, workspace, origin);
  const run = known === undefined ? undefined : await runById(tx, known);
  if (run === undefined) return false;
  await lockTask(tx, run.task);
  return await dropAttached(tx, run.id, { origin }, at);
}
