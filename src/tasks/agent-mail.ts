import { lastLook } from '../approvals/agent-answer.ts';
import { changeMode } from '../approvals/settle-agent.ts';
import type { NumberedMail } from '../contracts/agent.ts';
import type { Database, Tx } from '../store/database.ts';
import { appendEvents } from '../store/run-events.ts';
import { giveMail, type MailRow, mailAfter, numbered } from '../store/run-mail.ts';
import { runById } from '../store/runs.ts';
import { lockTask } from '../store/tasks.ts';
import { advanceRun, system } from './advance.ts';

/**
 * Mail after a number, as the runner gets it. A decision of people that is given for the first time is looked at once more just before;
 * from then on it stays as it is.
 */
export async function readMail(database: Database, run: string, after: number, now: Date): Promise<NumberedMail[]> {
  const rows = await mailAfter(database.db, run, after);
  if (!rows.some(unchecked)) return rows.map(numbered);
  return database.transaction(async (tx) => {
    const known = await runById(tx, run);
    if (known === undefined || (await lockTask(tx, known.task)) === undefined) return [];
    for (const row of (await mailAfter(tx.db, run, after)).filter(unchecked)) await give(tx, row, now);
    return (await mailAfter(tx.db, run, after)).map(numbered);
  });
}

function unchecked({ interaction, givenAt }: MailRow): boolean {
  return interaction !== null && givenAt === null;
}

async function give(tx: Tx, row: MailRow, at: Date): Promise<void> {
  const run = await runById(tx, row.run);
  const task = run === undefined ? undefined : await lockTask(tx, run.task);
  if (run === undefined || task === undefined || row.interaction === null || row.mail.type !== 'decision') return;
  const looked = await lastLook(tx, { task, run, at }, row.mail, row.interaction);
  await giveMail(tx, row, looked.mail, at);
  if (looked.events.length === 0) return;
  const actor = system('gateway');
  if (row.mail.mode === undefined) {
    await appendEvents(tx, { run: run.id, actor, at, events: looked.events });
    return;
  }
  // The plan is not to be carried out after all.
  const planning = await changeMode(tx, task, run, 'plan');
  const events = [...looked.events, planning.event];
  if (run.state === 'executing') await advanceRun(tx, { run: planning.run, event: 'plan', actor, at, before: events });
  else await appendEvents(tx, { run: run.id, actor, at, events });
}
