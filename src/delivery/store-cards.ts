import type { OutboxPut } from '../contracts/outbox.ts';
import type { Database, Tx } from '../store/database.ts';
import { isDatabaseTrouble } from '../store/database-trouble.ts';
import { putOutboxRows } from '../store/outbox.ts';
import { advanceProjection } from '../store/projection.ts';
import { existingThreads } from '../store/threads.ts';

/** The cards of a run, and the step of its cursor that they show. */
export interface CardStep {
  run: string;
  from: number;
  to: number;
  puts: OutboxPut[];
}

/**
 * Puts cards and takes the steps of their cursors, in one transaction. What the database refuses is tried again run by run, so that one holds up
 * no other; `refused` is told which. By run: `lost` where another projector was first. Throws when the database is away.
 */
export async function storeCards(
  database: Database,
  steps: readonly CardStep[],
  refused: (run: string, error: unknown) => void,
): Promise<Map<string, 'won' | 'lost'>> {
  try {
    const won = await store(database, steps);
    return new Map(steps.map(({ run }) => [run, won.has(run) ? 'won' : 'lost']));
  } catch (error) {
    if (isDatabaseTrouble(error)) throw error;
    const [only, ...others] = steps;
    if (only !== undefined && others.length === 0) {
      refused(only.run, error);
      return new Map();
    }
  }
  const outcomes = new Map<string, 'won' | 'lost'>();
  for (const step of steps) for (const [run, outcome] of await storeCards(database, [step], refused)) outcomes.set(run, outcome);
  return outcomes;
}

async function store(database: Database, steps: readonly CardStep[]): Promise<Set<string>> {
  return await database.transaction(async (tx) => {
    const advanced = await advanceProjection(tx, steps);
    const puts = steps.flatMap((step) => (advanced.has(step.run) ? step.puts : []));
    await putOutboxRows(tx, await followed(tx, puts));
    return advanced;
  });
}

/** Without what is for threads that have ended since they were read. None ends while the run is held by the step of its cursor. */
async function followed(tx: Tx, puts: readonly OutboxPut[]): Promise<OutboxPut[]> {
  const threadOf = ({ target }: OutboxPut) => (target.type === 'thread' ? [target.thread] : []);
  const there = await existingThreads(tx, [...new Set(puts.flatMap(threadOf))]);
  return puts.filter((put) => threadOf(put).every((thread) => there.has(thread)));
}
