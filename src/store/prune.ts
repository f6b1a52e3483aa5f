import { livePublication } from '../contracts/publication.ts';
import type { Tx } from './database.ts';
import { liveStates } from './runs.ts';

/** Of these projects those that were removed before a moment and of which nothing is under way: no run, no publication. */
export async function removedBefore(db: Tx['db'], projects: readonly string[], before: Date): Promise<string[]> {
  const rows = await db.project.findMany({
    where: {
      id: { in: [...projects] },
      archivedAt: { lt: before },
      tasks: {
        none: {
          OR: [
            { runs: { some: { state: { in: [...liveStates] } } } },
            { publications: { some: { state: { in: [...livePublication] } } } },
          ],
        },
      },
    },
    select: { id: true },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ id }) => id);
}
