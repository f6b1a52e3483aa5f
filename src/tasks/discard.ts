import { AppError } from '../contracts/errors.ts';
import { livePublication } from '../contracts/publication.ts';
import { attemptsOf } from '../store/attempts.ts';
import { type AuditEntry, recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { publicationsOf } from '../store/publications.ts';
import { appendEvents } from '../store/run-events.ts';
import { runById } from '../store/runs.ts';
import { lockTask, type TaskRecord } from '../store/tasks.ts';
import { advanceTask, personActor } from './advance.ts';
import { holdChange } from './change.ts';
import { endPublishRequests } from './publish-requests.ts';
import type { Person } from './task-engine.ts';

/**
 * The change of a run, or of all attempts that are to be chosen from, is not wanted: nobody is asked about it any more, and its task is
 * cancelled. Its commits stay in the mirror, and what was pushed stays where it is, so that all of it can be taken back. Repeating changes
 * nothing.
 */
export async function discard(tx: Tx, id: string, by: Person, at: Date): Promise<{ number: number }> {
  const attempts = await discardAttempts(tx, id, by, at);
  if (attempts !== undefined) return attempts;
  const { task, run, commit } = await holdChange(tx, id, by);
  const live = (await publicationsOf(tx, task.id)).some(({ state }) => livePublication.some((one) => one === state));
  if (live) {
    throw new AppError('DH-300', {
      what: `#${task.number} is being pushed.`,
      instead: 'Wait until that has ended; the card shows it.',
    });
  }
  await endPublishRequests(tx, task.id, 'cancelled', at);
  if (task.column === 'cancelled') return { number: task.number };
  const audit = { action: 'change.discarded', subject: run.id, data: { task: task.id, commit } };
  return await cancel(tx, task, { what: 'the change', run: run.id, by, at, audit });
}

/** None of the attempts is wanted. Choosing one takes the task up again. Undefined: they are not to be chosen from. */
async function discardAttempts(tx: Tx, id: string, by: Person, at: Date): Promise<{ number: number } | undefined> {
  const run = await runById(tx, id);
  const task = run?.workspace === by.workspace ? await lockTask(tx, run.task) : undefined;
  if (task?.comparison !== 'open') return undefined;
  if (task.column === 'cancelled') return { number: task.number };
  const [first] = await attemptsOf(tx, task.id);
  if (first === undefined) throw new Error(`task ${task.id} has no attempts`);
  const audit = { action: 'attempts.discarded', subject: task.id, data: { attempts: task.attempts } };
  return await cancel(tx, task, { what: 'all attempts', run: first.id, by, at, audit });
}

interface Discarded {
  /** For people: `the change`. */
  what: string;
  /** Whose card says so. */
  run: string;
  by: Person;
  at: Date;
  audit: Pick<AuditEntry, 'action' | 'subject' | 'data'>;
}

async function cancel(tx: Tx, task: TaskRecord, { what, run, by, at, audit }: Discarded): Promise<{ number: number }> {
  await advanceTask(tx, task, 'cancel', at, `${by.name} discarded ${what}.`);
  await appendEvents(tx, { run, actor: personActor(by), at, events: [{ type: 'discarded' }] });
  await recordAudit(tx, { workspace: task.workspace, actor: by.user, ...audit });
  return { number: task.number };
}
