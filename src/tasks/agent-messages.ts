import type { Mail } from '../contracts/agent.ts';
import { AppError } from '../contracts/errors.ts';
import { calledAs } from '../contracts/permissions.ts';
import { dropAttached, runsOfAttached } from '../store/attached-files.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents } from '../store/run-events.ts';
import {
  addMail,
  type MailRow,
  messageByOrigin,
  messageName,
  messagesOfTask,
  nextMail,
  settleMessage,
} from '../store/run-mail.ts';
import { type RunRecord, runById } from '../store/runs.ts';
import { storableText } from '../store/storable.ts';
import { lockTask, type TaskRecord } from '../store/tasks.ts';
import { personActor } from './advance.ts';
import { agentOf, checkMaySpeak, checkPrompt } from './agent-rights.ts';
import type { AgentTasks, SteerInput, SteerResult } from './agent-tasks.ts';
import { attachFiles, filesOrigin, isFilesOrigin } from './attached-files.ts';
import { hold, isAlive } from './hold-task.ts';
import type { Person } from './task-engine.ts';

/**
 * Says something to the agent at work, or to all whose attempts go on side by side. The same message is one mail of each, however often it
 * comes (promise 2).
 */
export async function steer(tx: Tx, input: SteerInput, at: Date): Promise<SteerResult> {
  const { by, origin, files = [] } = input;
  const { task, alive } = await hold(tx, input.task, by);
  agentOf(task);
  const known = await messageByOrigin(tx, task.workspace, origin);
  if (known !== undefined && (await taskOfRun(tx, known.run)) === task.id) {
    return { outcome: 'known', run: known.run, message: messageName(known.seq), taskNumber: task.number };
  }
  if (alive.length === 0) return { outcome: 'at_rest', taskNumber: task.number };
  for (const { agent } of alive) await checkMaySpeak(tx, by, agent?.mode);
  if (files.length === 0 || input.text.trim() !== '') checkPrompt(input.text);
  const hearing = alive.filter(({ stopRequestedAt, state }) => stopRequestedAt === null && state !== 'finishing');
  const [first, ...others] = hearing;
  if (first === undefined) {
    const stopping = alive.some(({ stopRequestedAt }) => stopRequestedAt !== null);
    throw new AppError('DH-300', {
      what: `#${task.number} is ${stopping ? 'being stopped' : 'just ending'}.`,
      instead: 'Say it again when it has ended: it goes on from there.',
    });
  }
  const message = await tell(tx, task, first, input, at);
  for (const run of others) await tell(tx, task, run, input, at);
  return { outcome: 'sent', run: first.id, message, taskNumber: task.number };
}

/** Returns the name of the message in the log of the run. */
async function tell(tx: Tx, task: TaskRecord, run: RunRecord, input: SteerInput, at: Date): Promise<string> {
  const { by, when, origin, files = [] } = input;
  await attachFiles(tx, run, files, origin, at);
  const text = storableText(input.text);
  const message = messageName(await nextMail(tx, run.id));
  if (files.length > 0 && text.trim() === '') return message;
  const mail = { type: 'message', message, by: by.name, text, when } as const;
  await addMail(tx, { run: run.id, workspace: task.workspace, mail, at, origin, user: by.user });
  const events = [{ type: 'message', message, by: by.name, text, when }] as const;
  await appendEvents(tx, { run: run.id, actor: personActor(by), at, events });
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action: 'run.steered',
    subject: run.id,
    data: { task: task.id, message, when, role: calledAs(by) },
  });
  return message;
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
  const outcomes: Awaited<ReturnType<AgentTasks['changeMessage']>>['outcome'][] = [];
  // Read again: it may have been read while this waited for the lock. Each of several attempts has one of its own.
  for (const row of task === undefined ? [] : await messagesOfTask(tx, task.id, origin)) {
    if (row.mail.type === 'message') outcomes.push(await changeOne(tx, row, row.mail, input, at));
  }
  const done = outcomes.find((outcome) => outcome !== 'too_late') ?? outcomes[0];
  return { outcome: done ?? (files ? 'dropped' : 'unknown') };
}

type Changed = Parameters<AgentTasks['changeMessage']>[1];

async function changeOne(
  tx: Tx,
  row: MailRow,
  { message, when }: Extract<Mail, { type: 'message' }>,
  { text: said, by, workspace }: Changed,
  at: Date,
): Promise<'changed' | 'dropped' | 'too_late'> {
  const run = await runById(tx, row.run);
  if (row.state !== 'unread' || !isAlive(run)) return 'too_late';
  const text = said === null || said.trim() === '' ? null : storableText(said);
  if (text !== null) {
    await checkMaySpeak(tx, by, run.agent?.mode);
    checkPrompt(text);
  }
  await addMail(tx, { run: run.id, workspace, mail: { type: 'message_changed', message, text }, at, user: by.user });
  const actor = personActor(by);
  if (text === null) {
    await settleMessage(tx, run.id, row.seq, 'dropped');
    await appendEvents(tx, { run: run.id, actor, at, events: [{ type: 'message_settled', message, how: 'dropped' }] });
    return 'dropped';
  }
  await appendEvents(tx, { run: run.id, actor, at, events: [{ type: 'message', message, by: by.name, text, when }] });
  return 'changed';
}

/** Files of a message that was deleted: what the agent has not been told of goes with it. */
async function dropFiles(tx: Tx, workspace: string, origin: string, at: Date): Promise<boolean> {
  let dropped = false;
  for (const id of await runsOfAttached(tx, workspace, origin)) {
    const run = await runById(tx, id);
    if (run === undefined) continue;
    await lockTask(tx, run.task);
    if (await dropAttached(tx, run.id, { origin }, at)) dropped = true;
  }
  return dropped;
}
