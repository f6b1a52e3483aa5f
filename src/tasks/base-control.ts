import type { BaseControl, BaseStand } from '../contracts/base-look.ts';
import { livePublication } from '../contracts/publication.ts';
import { isTerminal } from '../contracts/states.ts';
import type { Clock } from '../runtime/clock.ts';
import { baseStandOf, openChangesOf, setBaseStand } from '../store/base-look.ts';
import type { Database, Tx } from '../store/database.ts';
import { publicationsOf } from '../store/publications.ts';
import { appendEvents } from '../store/run-events.ts';
import { latestRun } from '../store/runs.ts';
import { lockTask } from '../store/tasks.ts';
import { advanceTask, system } from './advance.ts';
import { endPublishRequests } from './publish-requests.ts';

/** What nobody has touched for so long is not looked at. */
const lookedAtMs = 30 * 24 * 60 * 60_000;

/** Whether changes still fit their base, over the database. */
export function createBaseControl({ database, clock }: { database: Database; clock: Clock }): BaseControl {
  return {
    openChanges: (host) => openChangesOf(database.db, host, new Date(clock.now().getTime() - lookedAtMs)),
    found: (task, stand) => database.transaction((tx) => found(tx, task, stand, clock.now())),
  };
}

async function found(tx: Tx, id: string, stand: BaseStand, at: Date): Promise<boolean> {
  const task = await lockTask(tx, id);
  const run = await latestRun(tx, id);
  if (task === undefined || run === undefined || !isTerminal(run.state) || task.head !== stand.head) return false;
  const busy = (await publicationsOf(tx, id)).some(({ state }) => livePublication.some((one) => one === state));
  if (busy) return false;
  const before = await baseStandOf(tx, id, task.head);
  await setBaseStand(tx, id, stand);
  if (!isNews(before, stand)) return true;
  const { onto, state, files } = stand;
  const events = [{ type: 'base', branch: onto.branch, commit: onto.commit, state, files }] as const;
  await appendEvents(tx, { run: run.id, actor: system('runner'), at, events });
  if (state === 'merged') {
    await endPublishRequests(tx, id, 'superseded', at);
    if (task.column === 'review') await advanceTask(tx, task, 'to_done', at, `All of it is in ${onto.branch}.`);
  }
  return true;
}

/** That a change fits is news only where it did not; a conflict is told once for each change. */
export function isNews(before: Pick<BaseStand, 'state'> | undefined, { state }: Pick<BaseStand, 'state'>): boolean {
  return (before?.state ?? 'fits') !== state;
}
