import { AppError } from '../contracts/errors.ts';
import { livePublication } from '../contracts/publication.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { publicationsOf } from '../store/publications.ts';
import { appendEvents } from '../store/run-events.ts';
import { advanceTask, personActor } from './advance.ts';
import { holdChange } from './change.ts';
import { endPublishRequests } from './publish-requests.ts';
import type { Person } from './task-engine.ts';

/**
 * The change of a run is not wanted: nobody is asked about it any more, and its task is cancelled. Its commits stay in the mirror, and what was
 * pushed stays where it is, so that all of it can be taken back. Repeating changes nothing.
 */
export async function discard(tx: Tx, id: string, by: Person, at: Date): Promise<{ number: number }> {
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
  await advanceTask(tx, task, 'cancel', at, `${by.name} discarded the change.`);
  await appendEvents(tx, { run: run.id, actor: personActor(by), at, events: [{ type: 'discarded' }] });
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action: 'change.discarded',
    subject: run.id,
    data: { task: task.id, commit },
  });
  return { number: task.number };
}
