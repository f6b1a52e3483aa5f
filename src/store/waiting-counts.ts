import type { Database } from './database.ts';

/** How many rows wait for something, over all workspaces: for metrics. */
export async function waitingCounts(
  db: Database['db'],
): Promise<Record<'inbox' | 'outbox' | 'runs_queued' | 'runs_active' | 'decisions', number>> {
  const [inbox, outbox, queued, active, decisions] = await Promise.all([
    db.inbox.count({ where: { state: 'pending' } }),
    db.outbox.count({ where: { state: 'pending' } }),
    db.run.count({ where: { state: 'queued' } }),
    db.run.count({ where: { state: { in: ['preparing', 'executing', 'finishing'] } } }),
    db.interaction.count({ where: { state: 'pending' } }),
  ]);
  return { inbox, outbox, runs_queued: queued, runs_active: active, decisions };
}
